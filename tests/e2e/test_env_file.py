"""The `.env` sink on a real file system and in real git repositories, with other processes around it."""

from __future__ import annotations

import json
import os
import re
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import routic_cli
from routic_cli.delivery.dotenv_text import read_variables
from routic_cli.delivery.env_file import EnvFileSink
from routic_cli.delivery.sink import Placement, Sink
from routic_cli.delivery.verdict import Finding, SafetyVerdict, Severity
from routic_cli.domain.errors import DeliveryError, InvalidRequestError, UnsafeDestinationError
from routic_cli.domain.secret import Secret, fingerprint_of

SECRET = "sk-0123456789abcdefghijABCDEFGHIJ0123456789abcd12"
OTHER = "sk-OTHERabcdefghijABCDEFGHIJ0123456789abcdefgh34"
ACTOR = Path(__file__).with_name("env_file_actor.py")
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(routic_cli.__file__).parents[1])}
NOBODY = 65534


def safe(path: Path, _variable: str) -> SafetyVerdict:
    return SafetyVerdict(path, ())


def sink_for(path: Path, variable: str = "K", **options: Any) -> EnvFileSink:
    return EnvFileSink(path, variable, **{"judge": safe, "staging_token": "token", **options})


def deliver(path: Path, variable: str = "K", secret: str = SECRET, **options: Any) -> EnvFileSink:
    sink = sink_for(path, variable, **options)
    sink.preflight()
    sink.prepare(Secret(secret))
    sink.commit()
    return sink


def act(*arguments: object, **options: Any) -> list[Any]:
    command = [sys.executable, str(ACTOR), *map(str, arguments)]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=120, **options)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def git(repository: Path, *arguments: str) -> str:
    return subprocess.run(["git", "-C", str(repository), *arguments], check=True, capture_output=True, text=True).stdout


def committable(repository: Path) -> str:
    return git(repository, "status", "--porcelain", "--untracked-files=all", "--ignored=no")


def names_in(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository that ignores `.env` and nothing else."""
    place = tmp_path / "repository"
    place.mkdir()
    git(place, "init", "--quiet")
    (place / ".gitignore").write_text("/.env\n")
    git(place, "add", ".gitignore")
    git(place, "-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "--quiet", "-m", "start")
    return place


@pytest.fixture
def public() -> Iterator[Path]:
    """A directory that other users can reach, which pytest's own are not."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


# --- what is written --------------------------------------------------------------------------------------------------


def test_it_is_a_sink() -> None:
    sink: Sink = sink_for(Path(".env"))
    assert sink.kind == "env_file"


def test_a_new_file_is_private_whatever_the_umask(tmp_path: Path) -> None:
    for umask in (0o000, 0o022, 0o777):
        path = tmp_path / f"{umask:o}.env"
        before = os.umask(umask)
        try:
            sink = sink_for(path)
            sink.prepare(Secret(SECRET))
            assert stat.S_IMODE(Path(sink.record()["staged"]).stat().st_mode) == 0o600
            sink.commit()
        finally:
            os.umask(before)
        assert path.read_bytes() == f"K={SECRET}\n".encode()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert sink.notices == []


def test_commit_names_the_placement_and_can_be_asked_again(tmp_path: Path) -> None:
    sink = deliver(tmp_path / ".env")
    expected = Placement("env_file", str((tmp_path / ".env").resolve()), "K")
    assert sink.commit() == sink.commit() == sink.placement() == expected


def test_nothing_is_replaced_before_the_commit(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_bytes(b"K=old\n")
    sink = sink_for(path)
    sink.preflight()
    record = sink.record()
    assert names_in(tmp_path) == [".env"]
    sink.prepare(Secret(SECRET))
    assert path.read_bytes() == b"K=old\n"
    staged = Path(record["staged"])
    assert read_variables(staged.read_bytes())["K"] == SECRET
    assert stat.S_IMODE(staged.stat().st_mode) == 0o600
    assert sink.holds(fingerprint_of("old"))
    sink.commit()
    assert path.read_bytes() == f"K={SECRET}\n".encode()
    assert names_in(tmp_path) == [".env"]
    assert sink.holds(fingerprint_of(SECRET))
    assert not sink.holds(fingerprint_of("old"))


@pytest.mark.parametrize(
    ("mode", "after", "notice"),
    [
        (0o600, 0o600, None),
        (0o400, 0o400, None),
        (0o644, 0o600, "was readable by others (0644); it is 0600 now"),
        (0o666, 0o600, "was readable by others (0666); it is 0600 now"),
        (0o440, 0o400, "was readable by others (0440); it is 0400 now"),
        (0o620, 0o600, "had mode 0620; it is 0600 now"),
        (0o700, 0o600, "had mode 0700; it is 0600 now"),
    ],
)
@pytest.mark.skipif(os.geteuid() != 0, reason="0400 is refused without root; test_rights… covers that side")
def test_a_wider_mode_is_tightened_and_said(tmp_path: Path, mode: int, after: int, notice: str | None) -> None:
    path = tmp_path / ".env"
    path.write_bytes(b"A=1\n")
    path.chmod(mode)
    sink = deliver(path)
    assert stat.S_IMODE(path.stat().st_mode) == after
    assert sink.notices == ([f"{path} {notice}"] if notice else [])
    sink.undo()
    assert (stat.S_IMODE(path.stat().st_mode), path.read_bytes()) == (mode, b"A=1\n")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a file that belongs to someone else")
def test_root_leaves_the_file_to_its_owner(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_bytes(b"A=1\n")
    os.chown(path, 1234, 5678)
    sink = deliver(path)
    assert (path.stat().st_uid, path.stat().st_gid) == (1234, 5678)
    sink.undo()
    assert (path.stat().st_uid, path.stat().st_gid) == (1234, 5678)


def test_a_link_is_followed_and_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "env").write_bytes(b"A=1\n")
    (tmp_path / ".env").symlink_to("real/env")
    placement = deliver(tmp_path / ".env").commit()
    assert (tmp_path / ".env").is_symlink()
    assert (tmp_path / "real" / "env").read_bytes() == f"A=1\nK={SECRET}\n".encode()
    assert placement.location == str((tmp_path / "real" / "env").resolve())
    assert names_in(tmp_path / "real") == ["env"]


def test_a_dangling_link_creates_what_it_points_to(tmp_path: Path) -> None:
    (tmp_path / ".env").symlink_to("not-yet")
    sink = deliver(tmp_path / ".env")
    assert (tmp_path / ".env").is_symlink()
    assert (tmp_path / "not-yet").read_bytes() == f"K={SECRET}\n".encode()
    sink.undo()
    assert names_in(tmp_path) == [".env"]


def test_the_other_names_of_a_hard_link_are_mentioned(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"A=1\n")
    (tmp_path / ".env").chmod(0o600)
    (tmp_path / "other").hardlink_to(tmp_path / ".env")
    sink = deliver(tmp_path / ".env")
    assert sink.notices == [f"{tmp_path / '.env'} has 2 names (hard links); the others keep the old content"]
    assert (tmp_path / "other").read_bytes() == b"A=1\n"


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


# --- where it is staged -----------------------------------------------------------------------------------------------


def staged_for(path: Path, **options: Any) -> Path:
    return Path(sink_for(path, **options).record()["staged"])


def test_in_a_repository_it_is_staged_in_gits_own_directory(repository: Path) -> None:
    (repository / "app").mkdir()
    for path in (repository / ".env", repository / "app" / ".env"):
        assert staged_for(path) == repository.resolve() / ".git" / "routic" / "token.staged"


def test_in_a_linked_work_tree_it_is_staged_in_its_own_git_directory(repository: Path, tmp_path: Path) -> None:
    git(repository, "worktree", "add", "--quiet", str(tmp_path / "linked"))
    deliver(tmp_path / "linked" / ".env")
    assert staged_for(tmp_path / "linked" / ".env").is_relative_to(repository.resolve() / ".git" / "worktrees")
    assert committable(tmp_path / "linked") == ""


def test_without_a_repository_it_is_staged_beside_the_file_under_a_hidden_name(tmp_path: Path) -> None:
    assert staged_for(tmp_path / ".env") == tmp_path.resolve() / ".env.routic-token"
    assert staged_for(tmp_path / "prod.env") == tmp_path.resolve() / ".prod.env.routic-token"


def test_no_trace_is_left_in_the_repository(repository: Path) -> None:
    before = names_in(repository / ".git")
    deliver(repository / ".env").undo()
    deliver(repository / ".env")
    assert names_in(repository / ".git") == before
    assert names_in(repository) == [".env", ".git", ".gitignore"]


def test_a_planted_link_for_the_staging_folder_is_not_followed(repository: Path, tmp_path: Path) -> None:
    (repository / ".git" / "routic").symlink_to(tmp_path)
    with pytest.raises(UnsafeDestinationError):
        sink_for(repository / ".env").preflight()


def test_a_planted_staged_file_is_neither_followed_nor_overwritten(tmp_path: Path) -> None:
    (tmp_path / "victim").write_bytes(b"precious")
    (tmp_path / ".env.routic-token").symlink_to("victim")
    sink = sink_for(tmp_path / ".env")
    sink.preflight()
    with pytest.raises(DeliveryError):
        sink.prepare(Secret(SECRET))
    assert (tmp_path / "victim").read_bytes() == b"precious"
    (tmp_path / ".env.routic-token").unlink()
    (tmp_path / ".env.routic-token").write_bytes(b"someone's")
    with pytest.raises(DeliveryError):
        sink.prepare(Secret(SECRET))
    assert (tmp_path / ".env.routic-token").read_bytes() == b"someone's"
    assert not (tmp_path / ".env").exists()


SHARED_MEMORY = Path("/dev/shm")
TWO_DEVICES = SHARED_MEMORY.is_dir() and SHARED_MEMORY.stat().st_dev != Path(tempfile.gettempdir()).stat().st_dev


@pytest.mark.skipif(not TWO_DEVICES, reason="there is no second file system that anyone may write to")
def test_a_git_directory_on_another_device_leaves_only_ignored_names(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory(dir=SHARED_MEMORY) as elsewhere:
        place = tmp_path / "app"
        place.mkdir()
        git(place, "init", "--quiet", "--separate-git-dir", f"{elsewhere}/git")
        (place / ".gitignore").write_text(".env\n")
        with pytest.raises(UnsafeDestinationError) as caught:
            sink_for(place / ".env").preflight()
        forced = sink_for(place / ".env", force=True)
        forced.preflight()
        assert forced.notices[0] == caught.value.what
        subprocess.run(["sh", "-c", caught.value.remedy], check=True)
        sink = sink_for(place / ".env")
        sink.preflight()
        sink.prepare(Secret(SECRET))
        assert Path(sink.record()["staged"]).parent == place.resolve()
        assert committable(place) == "?? .gitignore\n"
        sink.commit()
        assert names_in(place) == [".env", ".git", ".gitignore"]


def can_mount() -> bool:
    if sys.platform != "linux":
        return False
    return subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not can_mount(), reason="mounting takes a right that some containers do not give")
def test_mounts_of_one_device_are_told_apart_without_writing(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "mounted").mkdir()
    (repository / "app").mkdir()
    (repository / "file.env").touch()
    (tmp_path / "a b.env").touch()
    attempt = f'"{sys.executable}" "{ACTOR}" attempt'
    script = f"""
        mount --bind "{tmp_path}/mounted" "{repository}/app"
        mount --bind "{tmp_path}/a b.env" "{repository}/file.env"
        {attempt} "{repository}/app/.env" as-root
        {attempt} "{repository}/file.env" as-root
    """
    done = subprocess.run(
        ["unshare", "-m", "sh", "-ec", script], env=ENVIRONMENT, check=True, capture_output=True, text=True
    )
    directory, file = (json.loads(line) for line in done.stdout.splitlines())
    assert directory["code"] == "unsafe_destination"
    assert directory["remedy"] == f"echo '.env.routic-*' >> {repository.resolve() / 'app' / '.gitignore'}"
    assert "is mounted as a single file" in file["what"]
    assert names_in(tmp_path / "mounted") == []


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


def test_holds_tells_the_real_files_present_state(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    sink = sink_for(path)
    ours = fingerprint_of(SECRET)
    assert not sink.holds(ours)
    for content, held in (
        (f"export K='{SECRET}' # quoted by hand\n", True),
        (f"K={SECRET}\nK={OTHER}\n", False),
        (f"K={SECRET}\nK\n", False),
        (f"#K={SECRET}\n", False),
        (f"L={SECRET}\n", False),
    ):
        path.write_text(content)
        assert sink.holds(ours) is held
        assert EnvFileSink.from_record(sink.record()).holds(ours) is held
