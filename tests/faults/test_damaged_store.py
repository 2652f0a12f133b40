"""A store that is damaged, foreign, newer or cut short: said so by its class and exit code, and not touched."""

from __future__ import annotations

import hashlib
import random
import sqlite3  # noqa: TID253  # tests wait for it anyway
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from routic_cli.domain.errors import (
    KeyNotFoundError,
    RouticError,
    StoreDamagedError,
    StoreForeignError,
    StoreNewerError,
)
from routic_cli.domain.keys import KeyQuery
from routic_cli.service.keys import KeyService
from routic_cli.store.sqlite import SqliteStore
from tests.support.keys import NOW, key_id, new_key, sha256
from tests.support.sandbox import Sandbox

Ask = Callable[[KeyService], object]

_KEYS = 300
_PAGE = 4096


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A healthy store of many pages."""
    path = tmp_path_factory.mktemp("whole") / "keys.db"
    with closing(service_of(path)) as service:
        service.register_many([new_key(n, tags={"env": "prod"}) for n in range(_KEYS)])
    content = path.read_bytes()
    assert len(content) > 20 * _PAGE
    return content


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys.db"


def service_of(path: Path) -> KeyService:
    return KeyService(SqliteStore(path, account="default"), clock=lambda: NOW, actor="me")


def write(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    path.chmod(0o600)


def state_of(folder: Path) -> dict[str, tuple[str, int]]:
    """Every file of a folder, byte for byte, and when it was last written."""
    return {
        file.name: (hashlib.sha256(file.read_bytes()).hexdigest(), file.stat().st_mtime_ns) for file in folder.iterdir()
    }


def _empty(_: bytes) -> bytes:
    return b""


def _text(_: bytes) -> bytes:
    return b"ROUTIC_STORE=sqlite:///keys.db\n" * 400


def _random(_: bytes) -> bytes:
    return random.Random(1).randbytes(50_000)


def _other_program(_: bytes) -> bytes:
    with closing(sqlite3.connect(":memory:")) as other:
        other.execute("CREATE TABLE keys (id, name)")
        other.execute("CREATE TABLE versions (sha256)")
        return other.serialize()


def _other_programs_wal(whole: bytes) -> bytes:
    content = bytearray(_other_program(whole))
    content[18:20] = b"\2\2"  # the format's marks of a write-ahead log
    return bytes(content)


def _newer(whole: bytes) -> bytes:
    content = bytearray(whole)
    content[60:64] = (99).to_bytes(4, "big")  # user_version
    return bytes(content)


def _newer_wal(whole: bytes) -> bytes:
    content = bytearray(_newer(whole))
    content[18:20] = b"\2\2"
    return bytes(content)


def _version_zero(whole: bytes) -> bytes:
    content = bytearray(whole)
    content[60:64] = bytes(4)
    return bytes(content)


def _torn_header(whole: bytes) -> bytes:
    return whole[:20] + bytes(80) + whole[100:]


def _scribbled(whole: bytes) -> bytes:
    """The header is right; every page behind the first two is noise."""
    return whole[: 2 * _PAGE] + random.Random(2).randbytes(len(whole) - 2 * _PAGE)


def _cut(whole: bytes) -> bytes:
    return whole[: -_PAGE // 2]


_SPOILT: list[tuple[Callable[[bytes], bytes], type[RouticError]]] = [
    (_empty, StoreDamagedError),
    (_text, StoreDamagedError),
    (_random, StoreDamagedError),
    (_other_program, StoreForeignError),
    (_other_programs_wal, StoreForeignError),
    (_newer, StoreNewerError),
    (_newer_wal, StoreNewerError),
    (_version_zero, StoreDamagedError),
    (_torn_header, StoreDamagedError),
    (_scribbled, StoreDamagedError),
    (_cut, StoreDamagedError),
]
_spoilt = pytest.mark.parametrize(("spoil", "error"), _SPOILT, ids=[spoil.__name__ for spoil, _ in _SPOILT])


@_spoilt
def test_each_spoilt_store_has_its_error_and_is_not_touched(
    path: Path, whole: bytes, spoil: Callable[[bytes], bytes], error: type[RouticError]
) -> None:
    write(path, spoil(whole))
    before = state_of(path.parent)

    asking: list[Ask] = [
        lambda service: service.page(KeyQuery()),
        lambda service: service.tally(KeyQuery(tags={"env": "prod"})),
        lambda service: service.register(new_key(_KEYS + 1)),
        lambda service: service.revoke([key_id(n) for n in range(_KEYS)], None),
    ]
    for ask in asking:
        with closing(service_of(path)) as service, pytest.raises(error) as caught:
            ask(service)
        assert type(caught.value) is error
        assert caught.value.exit_code == 10
        assert caught.value.not_done
        assert state_of(path.parent) == before


@_spoilt
def test_commands_end_with_10_and_touch_nothing(
    sandbox: Sandbox, whole: bytes, spoil: Callable[[bytes], bytes], error: type[RouticError]
) -> None:
    path = sandbox.cwd / "keys.db"
    write(path, spoil(whole))
    before = state_of(sandbox.cwd)

    for command in (["keys", "list"], ["keys", "create", "--name", "new"]):
        done = sandbox.run(*command, "--store", path, "--json")
        assert (done.code, done.out) == (10, "")
        assert done.error["code"] == error.code
        assert state_of(sandbox.cwd) == before


def test_a_store_cut_at_any_length_is_damaged(path: Path, whole: bytes) -> None:
    lengths = {1, 15, 16, 99, 100, 511, 512, 1024, _PAGE - 1, _PAGE, _PAGE + 1, len(whole) - 1, len(whole) - _PAGE}
    lengths |= {random.Random(3).randrange(1, len(whole)) for _ in range(20)}
    for length in sorted(lengths):
        write(path, whole[:length])
        before = state_of(path.parent)
        asking: list[Ask] = [lambda service: service.page(KeyQuery()), lambda service: service.register(new_key(999))]
        for ask in asking:
            with closing(service_of(path)) as service, pytest.raises(StoreDamagedError):
                ask(service)
            assert state_of(path.parent) == before, f"cut to {length} bytes, it was touched"


def ask_everything(service: KeyService) -> None:
    service.page(KeyQuery())
    service.tally(KeyQuery())
    for n in range(0, _KEYS, 7):
        service.verify(sha256(n))
        service.find(key_id(n))


def test_no_page_that_is_lost_goes_unnoticed_by_who_reads_it(path: Path, whole: bytes) -> None:
    noticed = 0
    for page in range(1, len(whole) // _PAGE):
        content = bytearray(whole)
        content[page * _PAGE : (page + 1) * _PAGE] = random.Random(page).randbytes(_PAGE)
        write(path, bytes(content))
        before = state_of(path.parent)
        with closing(service_of(path)) as service:
            try:
                ask_everything(service)
            except (StoreDamagedError, KeyNotFoundError):
                noticed += 1
        assert state_of(path.parent) == before
    # The pages of the audit trail are none of those that were read.
    assert noticed > len(whole) // _PAGE // 2


def test_bytes_that_changed_anywhere_never_end_in_a_traceback(path: Path, whole: bytes) -> None:
    chance = random.Random(4)
    for _ in range(40):
        content = bytearray(whole)
        place, length = chance.randrange(100, len(whole)), chance.choice([1, 2, 8, 64, 600])
        content[place : place + length] = chance.randbytes(length)
        write(path, bytes(content[: len(whole)]))
        before = state_of(path.parent)
        with closing(service_of(path)) as service:
            for ask in (
                ask_everything,
                lambda service: service.register(new_key(_KEYS + 1)),
                lambda service: service.revoke([key_id(n) for n in range(0, _KEYS, 50)], None),
            ):
                try:
                    ask(service)
                except RouticError:
                    assert state_of(path.parent) == before, "what failed was not undone"
                before = state_of(path.parent)


def test_a_store_that_is_whole_is_none_of_that(path: Path, whole: bytes) -> None:
    write(path, whole)
    with closing(service_of(path)) as service:
        ask_everything(service)
        service.register(new_key(_KEYS + 1))
        assert len(service.page(KeyQuery()).keys) == _KEYS + 1
