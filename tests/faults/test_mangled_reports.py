"""A thousand mangled reports: none crashes the command, shows a key, or is "0 keys, success" with our key in it.

What is allowed to end with 0 and without our key is written down in `may_be_without_it`: a document that is whole and
of a known form, and has the key in no text of any record.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest

from routic_cli.domain.secret import fingerprint_of
from routic_cli.scanning.reports.errors import ReportError
from tests.support.reports import CONFIG, OLD, PLANTED, data_of, read
from tests.support.sandbox import SECRET, Sandbox

NAMES: Final = (
    "gitleaks.json",
    "gitleaks.sarif",
    "betterleaks.json",
    "betterleaks.jsonl",
    "kingfisher.json",
    "kingfisher.jsonl",
    "detect-secrets.json",
    "trufflehog.jsonl",
    "github-alerts.json",
    "github-partner.json",
    "github-webhook.json",
)
ROUNDS: Final = 100  # of each of eleven reports
_ODD: Final[tuple[Any, ...]] = (
    None,
    "",
    0,
    -1,
    10**30,
    1e300,
    True,
    [],
    {},
    "REDACTED",
    "\x00",
    "\ud800",
    "…",
    ["x"],
    {"a": 1},
)

Rng = random.Random


def _flipped(rng: Rng, data: bytes) -> bytes:
    mangled = bytearray(data)
    for _ in range(rng.randint(1, 8)):
        mangled[rng.randrange(len(mangled))] = rng.randrange(256)
    return bytes(mangled)


def _cut(rng: Rng, data: bytes) -> bytes:
    return data[: rng.randrange(len(data))]


def _beheaded(rng: Rng, data: bytes) -> bytes:
    return data[rng.randrange(len(data)) :]


def _holed(rng: Rng, data: bytes) -> bytes:
    start = rng.randrange(len(data))
    return data[:start] + data[start + rng.randint(1, 200) :]


def _doubled(rng: Rng, data: bytes) -> bytes:
    start = rng.randrange(len(data))
    return data[:start] + data[start - rng.randint(0, 300) :]


def _encoded(rng: Rng, data: bytes) -> bytes:
    return data.decode().encode(
        rng.choice(["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig", "utf-7", "cp037"])
    )


def _nested(rng: Rng, data: bytes) -> bytes:
    depth = rng.choice([1, 2, 50, 5_000])
    return b"[" * depth + data.strip().replace(b"}\n{", b"},{") + b"]" * depth


def _rewritten(rng: Rng, data: bytes) -> bytes:
    """Fields removed, renamed, or with values that nobody expects there."""
    documents = list(_documents(data.decode()))
    for _ in range(rng.randint(1, 4)):
        holders = [each for document in documents for each in _containers(document) if each]
        holder = rng.choice(holders)
        at = rng.choice(list(holder)) if isinstance(holder, dict) else rng.randrange(len(holder))
        match rng.randrange(3):
            case 0:
                del holder[at]
            case 1 if isinstance(holder, dict):
                holder[f"{at}_"] = holder.pop(at)
            case _:
                holder[at] = rng.choice(_ODD)
    return "\n".join(json.dumps(each) for each in documents).encode()


MANGLING: Final[tuple[Callable[[Rng, bytes], bytes], ...]] = (
    _flipped, _cut, _beheaded, _holed, _doubled, _encoded, _nested, _rewritten, _rewritten, _rewritten,
)  # fmt: skip


def _documents(text: str) -> Iterator[Any]:
    decoder, at = json.JSONDecoder(), 0
    while rest := text[at:].lstrip():
        at = len(text) - len(rest)
        document, at = decoder.raw_decode(text, at)
        yield document


def _containers(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        yield value
        for each in value.values() if isinstance(value, dict) else value:
            yield from _containers(each)


def mangled(name: str, number: int) -> bytes:
    rng = Rng(f"{name} {number}")
    return MANGLING[number % len(MANGLING)](rng, data_of(name))


def may_be_without_it(data: bytes, secret: str) -> bool:
    """Whether a report may be read to its end, without a complaint, and without this key."""
    if secret.encode() not in data.replace(b"\0", b"") and b"hashed_secret" not in data:
        return True
    for encoding in ("utf-8-sig", "utf-16", "utf-32", "utf-16-le", "utf-16-be"):
        try:
            documents = list(_documents(data.decode(encoding)))
        except (ValueError, RecursionError):
            continue
        texts = [text for each in documents for text in _texts(each)]
        # A baseline has hashes: without the line of config.py in it, or with another hash, there is nothing to find.
        has_baseline = any(
            "hashed_secret" in each for d in documents for each in _containers(d) if isinstance(each, dict)
        )
        return has_baseline or not any(secret in text for text in texts)
    return False


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for each in _containers(value):
        yield from (text for text in (each.values() if isinstance(each, dict) else each) if isinstance(text, str))


@pytest.mark.parametrize("name", NAMES)
def test_no_mangled_report_crashes_lies_or_shows_a_key(name: str) -> None:
    read_well = 0
    for number in range(ROUNDS):
        data = mangled(name, number)
        try:
            report = read(data)
        except ReportError as error:
            said = " ".join([*error.sentences(), error.remedy])
        else:
            read_well += 1
            said = repr(report)
            if not report.unreadable and not any(leak.is_cut for leak in report.leaks):
                hashes = {each for leak in report.leaks for each in leak.hashes}
                assert fingerprint_of(CONFIG) in hashes or may_be_without_it(data, CONFIG), f"{name} {number}"
        assert not [secret for secret in PLANTED.values() if secret in said], f"{name} {number}"
    assert 10 < read_well < 90, "the mangling is too mild or too wild to show anything"


@pytest.fixture
def owner(sandbox: Sandbox) -> Sandbox:
    for name, secret in PLANTED.items():
        sandbox.ok("keys", "import", "--name", name, stdin=secret)
    return sandbox


def test_the_command_itself_ends_in_order_whatever_it_is_given(owner: Sandbox) -> None:
    for name in NAMES:
        for number in (1, 4, 7):
            data = mangled(name, number)
            done = owner.run("keys", "revoke", "--from", "-", "--dry-run", "--json", stdin=data)
            assert done.code in {0, 1, 8}, f"{name} {number}: {done.err}"
            assert "Internal error" not in done.err
            assert "Traceback" not in done.err
            assert not SECRET.search(done.out + done.err), f"{name} {number}"
            if done.code == 0 and done.data["data"] == []:
                assert may_be_without_it(data, CONFIG), f"{name} {number}"
                assert may_be_without_it(data, OLD), f"{name} {number}"


def test_a_crash_of_the_scanner_in_the_middle_of_a_pipe_is_no_success(owner: Sandbox) -> None:
    for broken in ("false", "head -c 700 report.json", "head -c 0 report.json", "cat report.json; exit 3"):
        (owner.cwd / "report.json").write_bytes(data_of("gitleaks.json"))
        done = owner.shell(f"{{ {broken}; }} | routic keys revoke --from - --leaked --yes")
        whole = broken.startswith("cat")
        assert (done.code == 0) is whole, f"{broken}: {done.err}"
        assert whole or re.search("No key was revoked", done.err)
