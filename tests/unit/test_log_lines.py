"""Bytes become lines whatever their blocks are, packed or not, and a line is known again in every copy of its log."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routic_cli.domain.usage import UsageEvent
from routic_cli.importing.logs.fields import BadLineError
from routic_cli.importing.logs.frames import LogFrames
from routic_cli.importing.logs.identities import Identities
from routic_cli.importing.logs.lines import BLOCK, LONGEST, LineSplitter, unpacked
from routic_cli.importing.logs.reader import UNFORESEEN, BadLine, LogReader
from routic_cli.store.usage import UsageStore
from tests.support.keys import NOW

KEY = "sk-Ky9Pf34qY6Nb3wWD25RQ4F5ZR3qa7yEeeby3abP16aSEj"


def lines_of(*blocks: bytes) -> list[bytes | None]:
    splitter = LineSplitter()
    found = [line for block in blocks for line in splitter.feed(block)]
    return found + splitter.end()


def cut(data: bytes, places: list[int]) -> list[bytes]:
    bounds = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[begin:end] for begin, end in pairwise(bounds)]


@given(st.binary(), st.lists(st.integers(min_value=0)))
def test_lines_are_the_same_whatever_the_blocks_are(data: bytes, places: list[int]) -> None:
    expected = data.split(b"\n")
    if expected[-1] == b"":
        expected.pop()

    assert lines_of(*cut(data, places)) == expected


def test_a_line_that_is_too_long_is_not_kept_and_the_next_one_is() -> None:
    assert lines_of(b"a\n", b"x" * BLOCK, b"x" * BLOCK, b"x\nb\n", b"c") == [b"a", None, b"b", b"c"]
    assert lines_of(b"x" * BLOCK, b"x") == [None]
    assert lines_of(b"x" * LONGEST, b"\nb") == [b"x" * LONGEST, b"b"]


@given(st.lists(st.binary(), max_size=4), st.lists(st.integers(min_value=0)), st.sampled_from([b"", b"\0" * 700]))
def test_members_of_gzip_are_unpacked_one_after_the_other(texts: list[bytes], places: list[int], pad: bytes) -> None:
    packed = b"".join(map(gzip.compress, texts)) + (pad if texts else b"")

    assert b"".join(unpacked(cut(packed, places))) == b"".join(texts)


@given(st.binary().filter(lambda data: not data.startswith(b"\x1f\x8b")), st.lists(st.integers(min_value=0)))
def test_what_is_not_packed_comes_as_it_is(data: bytes, places: list[int]) -> None:
    assert b"".join(unpacked(cut(data, places))) == data


def test_a_block_that_unpacks_to_a_lot_is_handed_on_in_parts() -> None:
    sizes = [len(block) for block in unpacked([gzip.compress(b"\n" * (50 * BLOCK))])]

    assert sum(sizes) == 50 * BLOCK
    assert max(sizes) <= BLOCK


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-30], lambda data: data[: len(data) // 2] + b"\0" * 99 + data[len(data) // 2 :]]
)
def test_damaged_packed_bytes_are_told_behind_what_was_good(damage: type[bytes]) -> None:
    import random

    text = random.Random(1).randbytes(200_000)
    found = b""
    with pytest.raises(BadLineError):  # noqa: PT012  # what came before it counts
        for block in unpacked(cut(damage(gzip.compress(text)), list(range(0, 200_000, 1000)))):
            found += block
    assert text.startswith(found[:90_000])
    assert len(found) >= 90_000


def test_a_moment_without_bytes_is_passed_on() -> None:
    def slow() -> Iterator[bytes]:
        yield b""
        yield b"\x1f"
        yield b""
        yield gzip.compress(b"text")[1:]
        yield b""

    assert [block for block in unpacked(slow()) if block] == [b"text"]
    assert list(unpacked(slow())).count(b"") == 3


def test_a_line_has_the_same_identity_in_every_copy_and_two_alike_have_two() -> None:
    first, copy = Identities(), Identities()
    lines = [b"a", b"b", b"a", b"a"]
    known = [first.of(line) for line in lines]

    assert [copy.of(line) for line in [*lines, b"c"]][:4] == known
    assert len(set(known)) == 4


def test_lines_alike_are_told_apart_as_long_as_they_are_near() -> None:
    identities = Identities(remembered=10)
    first = identities.of(b"a")
    for n in range(9):
        identities.of(b"%d" % n)

    assert identities.of(b"a") != first


def test_memory_of_identities_is_bounded() -> None:
    identities = Identities(remembered=10)
    for n in range(1000):
        identities.of(b"%d" % n)

    assert len(identities._now) + len(identities._before) <= 20


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
values = st.recursive(
    scalars | st.sampled_from([KEY, f"Bearer {KEY}", f"/?key={KEY}", "401"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip
NAMES = (
    "time_iso8601", "msec", "remote_addr", "request_method", "request_uri", "uri", "args", "request", "status",
    "scheme", "http_user_agent", "http_origin", "http_authorization", "http_x_api_key", "http_x_forwarded_proto",
    "request_id", "routic_key_id", "routic_key_version", "ts", "level", "headers", "tls", "client_ip", "startTime",
    "spend", "api_key", "metadata", "request_tags", "prompt_tokens", "call_type", "model", "outcome", "time", "id",
    "sha256", "key_id", "version", "flags", "cost", "path", "address", "agent", "origin",
)  # fmt: skip
requests = st.fixed_dictionaries({"request": st.dictionaries(st.sampled_from([*NAMES, "method", "remote_ip"]), values)})
fields = st.dictionaries(st.sampled_from(NAMES), values)
LEAST: tuple[dict[str, object], ...] = (
    {},
    {"msec": f"{NOW}", "uri": "/", "status": 200},
    {"time": NOW, "outcome": "allowed"},
    {"startTime": "2026-11-23", "spend": 0},
)
records = st.builds(lambda least, more: {**least, **more}, st.sampled_from(LEAST), fields) | requests.map(
    lambda record: {"ts": NOW, "status": 401} | record
)


def outcome(line: bytes) -> tuple[list[UsageEvent], list[BadLine]]:
    good: list[UsageEvent] = []
    bad: list[BadLine] = []
    LogReader(lambda: NOW).read([line], good, bad.append)
    assert UNFORESEEN not in [each.why for each in bad]
    return good, bad


@given(st.binary())
def test_no_bytes_are_too_strange_to_be_read(data: bytes) -> None:
    frames = LogFrames(lambda: NOW)
    try:
        for block in unpacked([data]):
            frames.of(block)
    except BadLineError:
        pass
    assert frames.end().is_last


@given(records)
def test_no_record_is_too_strange_and_none_gives_a_key_away(record: dict[str, object]) -> None:
    good, bad = outcome(json.dumps(record).encode())

    assert len(good) + len(bad) == 1
    assert KEY not in repr((good, bad))


@settings(max_examples=15, deadline=None)
@given(st.lists(records, min_size=20, max_size=60))
def test_no_key_of_any_record_is_in_the_file_of_the_log(many: list[dict[str, object]]) -> None:
    with TemporaryDirectory() as folder, closing(UsageStore(Path(folder) / "usage.db")) as store:
        for record in many:
            record["http_authorization"] = record["api_key"] = f"Bearer {KEY}"
        store.append([event for record in many for event in outcome(json.dumps(record).encode())[0]])
        assert all(KEY.encode() not in path.read_bytes() for path in Path(folder).iterdir())


@given(records, st.integers(min_value=0), st.integers(0, 255))
def test_a_line_with_one_byte_wrong_is_an_event_or_a_bad_line(record: dict[str, object], place: int, byte: int) -> None:
    line = bytearray(json.dumps(record).encode())
    line[place % len(line)] = byte
    good, bad = outcome(bytes(line).replace(b"\n", b" "))

    assert len(good) + len(bad) <= 1


@given(records)
def test_an_event_is_of_what_every_transport_can_carry(record: dict[str, object]) -> None:
    from routic_cli.transport.wire.usage import event_from, event_object

    for event in outcome(json.dumps(record).encode())[0]:
        sent = json.loads(json.dumps(event_object(event), ensure_ascii=False).encode())
        assert event_from(sent) == event


def test_zlib_without_the_header_of_gzip_is_no_log() -> None:
    assert b"".join(unpacked([zlib.compress(b"text")])) == zlib.compress(b"text")
