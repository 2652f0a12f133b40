"""The `.env` sink with other processes around it: crashes, undo, other writers, a full disk."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from routic_cli.delivery.dotenv_text import read_variables
from routic_cli.delivery.env_file import EnvFileSink
from routic_cli.domain.errors import DeliveryError
from routic_cli.domain.secret import Secret, fingerprint_of
from tests.support.env_files import (
    ACTOR,
    ENVIRONMENT,
    OTHER,
    SECRET,
    act,
    committable,
    deliver,
    names_in,
    sink_for,
)

# --- crashes, undo, and other writers ---------------------------------------------------------------------------------


@pytest.mark.parametrize("edit", ["", "K=other\nC=by hand\n"], ids=["undisturbed", "edited before the commit"])
def test_killed_at_any_call_it_leaves_old_or_new_and_nothing_to_commit(repository: Path, edit: str) -> None:
    old = b"A=1\nK=old # note\nB=2\n"
    (repository / ".env").write_bytes(old)
    cases = act("die-everywhere", repository, SECRET, edit)
    assert [case["exit"] for case in cases] == [-9] * (len(cases) - 1) + [0]
    seen = set()
    for case in cases:
        place, record = Path(case["case"]), case["record"]
        target, staged = place / ".env", Path(record["staged"])
        assert SECRET not in json.dumps(record)
        now = target.read_bytes()
        new = re.sub(rb"K=[\w-]+", f"K={SECRET}".encode(), now)
        assert committable(place) == ""
        assert names_in(place) == [".env", ".git", ".gitignore"]
        replaced = SECRET.encode() in now
        assert now.replace(SECRET.encode(), b"old") == old or (
            edit and now.replace(SECRET.encode(), b"other") == edit.encode()
        )
        ready = staged.exists() and SECRET.encode() in staged.read_bytes()
        seen.add((ready, replaced))
        crashed = EnvFileSink.from_record(record)
        assert crashed.holds(fingerprint_of(SECRET)) == replaced
        if ready:
            # The store may have the key registered: recovery can still finish.
            assert crashed.commit().location == str(target.resolve())
            assert crashed.holds(fingerprint_of(SECRET))
        EnvFileSink.from_record(record).undo()
        assert target.read_bytes() == (new if ready else now)
        assert not staged.parent.exists()
        assert committable(place) == ""
    # It died before the staging, between staging and rename, and after the rename.
    assert seen >= {(False, False), (True, False), (False, True)}


def test_each_step_is_on_the_disk_before_the_next(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = repository / ".env"
    path.write_bytes(b"A=1\n")
    done: list[object] = []
    sync, replace = os.fsync, os.replace

    def synced(fd: int) -> None:
        sync(fd)
        done.append(os.fstat(fd).st_ino)

    def renamed(old: Path, new: Path) -> None:
        replace(old, new)
        done.append("renamed")

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", renamed)
    sink = sink_for(path)
    sink.prepare(Secret(SECRET))
    staged = Path(sink.record()["staged"])
    folder, file = staged.parent.stat().st_ino, staged.stat().st_ino
    assert done == [(repository / ".git").stat().st_ino, file, folder]
    done.clear()
    sink.commit()
    assert done == [file, "renamed", repository.stat().st_ino]


def test_the_undo_of_a_crashed_process_never_touches_the_file(repository: Path) -> None:
    path = repository / ".env"
    path.write_bytes(b"K=old\n")
    sink = sink_for(path)
    sink.preflight()
    record = sink.record()
    sink.prepare(Secret(SECRET))
    sink._release_lock()  # what the kernel does for a process that died
    Path(f"{record['staged']}.next").write_bytes(b"K=second version\n")
    recovered = EnvFileSink.from_record(record)
    recovered.undo()
    recovered.undo()
    assert path.read_bytes() == b"K=old\n"
    assert not (repository / ".git" / "routic").exists()
    with pytest.raises(DeliveryError) as caught:
        EnvFileSink.from_record(record).commit()
    assert caught.value.not_done == f"{path.resolve()} has not been changed"


@pytest.mark.parametrize("before", [None, b"", b"\xef\xbb\xbfA=1\r\nK='o\r\nld'#x"])
def test_undo_puts_the_old_bytes_back_and_can_be_called_at_any_time(repository: Path, before: bytes | None) -> None:
    path = repository / ".env"

    def now() -> bytes | None:
        return path.read_bytes() if path.exists() else None

    if before is not None:
        path.write_bytes(before)
    sink = sink_for(path)
    sink.undo()
    sink.preflight()
    sink.undo()
    sink.prepare(Secret(SECRET))
    sink.undo()
    assert now() == before
    sink.prepare(Secret(SECRET))
    sink.commit()
    assert now() != before
    sink.undo()
    sink.undo()
    assert now() == before
    assert not (repository / ".git" / "routic").exists()
    assert act("fill", path, "FREE", 1) == []  # another process gets the lock


def test_undo_leaves_a_file_that_someone_changed_after_the_commit(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    sink = deliver(path)
    edited = path.read_bytes() + b"MINE=1\n"
    path.write_bytes(edited)
    sink.undo()
    assert path.read_bytes() == edited
    assert sink.notices == [f"{path} was changed by another program since, and has been left as it is"]


def test_an_edit_between_prepare_and_commit_is_kept(repository: Path) -> None:
    path = repository / ".env"
    path.write_bytes(b"A=1\nK=old\n")
    for recover in (False, True):
        sink = sink_for(path)
        sink.preflight()
        sink.prepare(Secret(SECRET))
        path.write_bytes(b"K=other\nB=by hand\n")  # an editor, which knows nothing of our lock
        if recover:
            record = sink.record()
            sink._release_lock()
            sink = EnvFileSink.from_record(record)
        sink.commit()
        assert path.read_bytes() == f"K={SECRET}\nB=by hand\n".encode()
        assert not (repository / ".git" / "routic").exists()


def test_what_was_staged_by_us_is_not_taken_from_someone_else(tmp_path: Path) -> None:
    sink = sink_for(tmp_path / ".env")
    sink.preflight()
    sink.prepare(Secret(SECRET))
    (tmp_path / ".env.routic-token").write_bytes(f"K={OTHER}\n".encode())
    with pytest.raises(DeliveryError) as caught:
        sink.commit()
    assert OTHER not in " ".join(caught.value.sentences())
    sink.undo()
    assert names_in(tmp_path) == []


def test_two_sinks_of_one_process_write_into_one_file(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_bytes(b"A=1\n")
    sinks = [sink_for(path, name, staging_token=name) for name in ("K", "L")]
    for sink in sinks:
        sink.preflight()
        sink.prepare(Secret(SECRET))
    for sink in sinks:
        sink.commit()
    assert path.read_bytes() == f"A=1\nK={SECRET}\nL={SECRET}\n".encode()
    for sink in reversed(sinks):
        sink.undo()
    assert path.read_bytes() == b"A=1\n"
    assert names_in(tmp_path) == [".env"]


def test_two_processes_with_different_homes_lose_nothing(repository: Path, tmp_path: Path) -> None:
    path = repository / ".env"
    path.write_bytes(b"# mine\n")
    writers = []
    for name in ("ONE", "TWO"):
        (tmp_path / name).mkdir()
        command = [sys.executable, str(ACTOR), "fill", str(path), name, "50"]
        writers.append(subprocess.Popen(command, env={**ENVIRONMENT, "HOME": str(tmp_path / name)}))
    assert [writer.wait(120) for writer in writers] == [0, 0]
    expected = {f"{name}_{number}": f"sk-{name}{number}" for name in ("ONE", "TWO") for number in range(50)}
    assert read_variables(path.read_bytes()) == expected
    assert path.read_bytes().startswith(b"# mine\n")
    assert committable(repository) == ""
    assert not (repository / ".git" / "routic").exists()


def test_a_full_disk_is_an_error_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_fd: int) -> None:
        raise OSError(28, "No space left on device")

    sink = sink_for(tmp_path / ".env")
    sink.preflight()
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(DeliveryError) as caught:
            sink.prepare(Secret(SECRET))
    assert caught.value.why == "No space left on device"
    assert SECRET not in " ".join(caught.value.sentences())
    assert names_in(tmp_path) == []
    sink.prepare(Secret(SECRET))
    sink.commit()
