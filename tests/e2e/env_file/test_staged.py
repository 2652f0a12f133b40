"""The `.env` sink in real git repositories: where the new file waits until it is renamed."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from routic_cli.domain.errors import DeliveryError, UnsafeDestinationError
from routic_cli.domain.secret import Secret
from tests.support.env_files import (
    ACTOR,
    ENVIRONMENT,
    SECRET,
    committable,
    deliver,
    git,
    names_in,
    sink_for,
)

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
