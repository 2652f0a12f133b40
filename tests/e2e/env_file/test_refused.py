"""The `.env` sink on a real file system: what is refused, and what `force` changes of it."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import pytest

from routic_cli.delivery.verdict import Finding, SafetyVerdict, Severity
from routic_cli.domain.errors import DeliveryError, InvalidRequestError, UnsafeDestinationError
from routic_cli.domain.secret import fingerprint_of
from tests.support.env_files import (
    NOBODY,
    SECRET,
    act,
    names_in,
    sink_for,
)

# --- what is refused --------------------------------------------------------------------------------------------------


def make_socket(path: Path) -> None:
    # A relative name: an absolute one can be too long for a socket.
    with socket.socket(socket.AF_UNIX) as server:
        before = Path.cwd()
        os.chdir(path.parent)
        try:
            server.bind(path.name)
        finally:
            os.chdir(before)


ODD_PLACES = [
    ("a FIFO", os.mkfifo, UnsafeDestinationError, "is a FIFO, not a file"),
    ("a directory", Path.mkdir, UnsafeDestinationError, "is a directory, not a file"),
    ("a socket", make_socket, UnsafeDestinationError, "is a socket, not a file"),
    ("a device", lambda path: path.symlink_to("/dev/tty"), UnsafeDestinationError, "is a device, not a file"),
    ("a link to itself", lambda path: path.symlink_to(path.name), DeliveryError, "cannot be reached"),
    ("a link into nowhere", lambda path: path.symlink_to("no/where"), DeliveryError, "does not exist"),
    ("2 MiB", lambda path: path.write_bytes(b"#" * (2 << 20)), DeliveryError, "is larger than 1024 KiB"),
    ("an open quote", lambda path: path.write_bytes(b"A='\n"), DeliveryError, "opens a quote that is never closed"),
    ("Latin-1", lambda path: path.write_bytes(b"A=\xe4\n"), DeliveryError, "is not UTF-8"),
    ("UTF-16", lambda path: path.write_bytes("A=1".encode("utf-16")), DeliveryError, "is not a text file"),
    ("a NUL byte", lambda path: path.write_bytes(b"A=1\0"), DeliveryError, "is not a text file"),
]


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize(("make", "kind", "said"), [case[1:] for case in ODD_PLACES], ids=[c[0] for c in ODD_PLACES])
def test_what_is_no_env_file_is_refused_untouched_even_by_force(
    tmp_path: Path, make: Any, kind: type[DeliveryError], said: str, force: bool
) -> None:
    path = tmp_path / ".env"
    make(path)
    before = path.lstat()
    sink = sink_for(path, force=force)
    with pytest.raises(kind) as caught:
        sink.preflight()
    assert said in caught.value.what
    assert caught.value.not_done == f"No key was created and {path} has not been changed"
    assert names_in(tmp_path) == [".env"]
    assert path.lstat().st_mtime_ns == before.st_mtime_ns
    assert not sink.holds(fingerprint_of(SECRET))


def test_a_missing_directory_is_answered_with_the_command_that_makes_it(tmp_path: Path) -> None:
    with pytest.raises(DeliveryError) as caught:
        sink_for(tmp_path / "my app" / ".env").preflight()
    assert caught.value.remedy == f"mkdir -p '{tmp_path.resolve() / 'my app'}'"
    (tmp_path / "file").touch()
    with pytest.raises(DeliveryError):
        sink_for(tmp_path / "file" / ".env").preflight()


def test_a_bad_variable_is_refused_at_once() -> None:
    with pytest.raises(InvalidRequestError):
        sink_for(Path(".env"), "K\nEVIL")


REFUSALS = (
    Finding("tracked", Severity.REFUSE, "Git tracks .env"),
    Finding("not-ignored", Severity.REFUSE, "Git does not ignore .env.", "echo .env >> .gitignore"),
    Finding("npm", Severity.WARN, "npm pack would ship .env"),
    Finding("fine", Severity.FINE, "all is well"),
)


def test_every_refusal_is_said_with_the_first_remedy(tmp_path: Path) -> None:
    asked = []

    def judge(path: Path, variable: str) -> SafetyVerdict:
        asked.append((path, variable))
        return SafetyVerdict(path, REFUSALS)

    path = tmp_path / ".env"
    with pytest.raises(UnsafeDestinationError) as caught:
        sink_for(path, judge=judge, nothing_happened="Nothing was rotated").preflight()
    assert asked == [(path, "K")]
    assert caught.value.sentences() == [
        f"{path} is no safe place for a key",
        "Git tracks .env. Git does not ignore .env",
        f"Nothing was rotated and {path} has not been changed",
    ]
    assert caught.value.remedy == "echo .env >> .gitignore"
    assert names_in(tmp_path) == []


def test_force_turns_refusals_into_notices(tmp_path: Path) -> None:
    sink = sink_for(tmp_path / ".env", judge=lambda path, _: SafetyVerdict(path, REFUSALS), force=True)
    sink.preflight()
    sink.preflight()
    assert sink.notices == ["Git tracks .env", "Git does not ignore .env.", "npm pack would ship .env"]


def test_rights_are_checked_before_anything_happens(public: Path) -> None:
    for name, file_mode, directory_mode in (("a", 0o400, 0o755), ("b", 0o000, 0o755), ("c", 0o600, 0o555)):
        (public / name).mkdir()
        (public / name / ".env").write_bytes(b"A=1\n")
        if os.geteuid() == 0:
            os.chown(public / name, NOBODY, NOBODY)
            os.chown(public / name / ".env", NOBODY, NOBODY)
        (public / name / ".env").chmod(file_mode)
        (public / name).chmod(directory_mode)
        (answer,) = act("attempt", public / name / ".env")
        (public / name).chmod(0o755)
        place = (public / name).resolve()
        assert answer["code"] == "delivery_failed"
        assert answer["not_done"].startswith("No key was created and ")
        assert answer["remedy"] == (f"chmod u+rw {place / '.env'}" if name != "c" else f"chmod u+rwx {place}")
        (public / name / ".env").chmod(0o600)
        assert act("attempt", public / name / ".env") == [None]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a file that belongs to someone else")
def test_another_users_file_is_not_taken_over(public: Path) -> None:
    public.chmod(0o777)
    (public / ".env").touch()
    (public / ".env").chmod(0o666)
    (answer,) = act("attempt", public / ".env")
    assert answer["what"] == f"{(public / '.env').resolve()} belongs to another user"
