"""A disk that is full, or fails: no half a file, no active key that nobody has, no success that is none."""

from __future__ import annotations

import ctypes
import resource
from collections.abc import Callable
from typing import Final

import pytest

from tests.support.ground import active_keys
from tests.support.promises import CREATE, Scene
from tests.support.sandbox import SECRET
from tests.support.syscalls import Fault, needs_strace, walk

INTO_FILE: Final = ("--env-file", ".env")
PRINTED: Final = ()

# The call that fails, how, whether every one after it does too, the destination, how many calls to go on by.
FAILURES: Final = {
    "no space for a database": ("pwrite64", "ENOSPC", True, INTO_FILE, 6),
    "no space for a database, printed": ("pwrite64", "ENOSPC", True, PRINTED, 5),
    "no sync of a database, once": ("fdatasync", "EIO", False, INTO_FILE, 2),
    "no sync of a database any more": ("fdatasync", "EIO", True, INTO_FILE, 3),
    "no sync of a database any more, printed": ("fdatasync", "EIO", True, PRINTED, 1),
    "no space for a file": ("write", "ENOSPC", True, INTO_FILE, 1),
    "no sync of a file, once": ("fsync", "EIO", False, INTO_FILE, 1),
    "no sync of a file any more": ("fsync", "EIO", True, INTO_FILE, 1),
    "no rename": ("rename", "EACCES", False, INTO_FILE, 1),
    "no unlink, once": ("unlink", "EIO", False, INTO_FILE, 1),
    "no unlink any more": ("unlink", "EIO", True, INTO_FILE, 1),
    "no folder": ("mkdir", "ENOSPC", True, INTO_FILE, 1),
    "no lock": ("flock", "ENOLCK", False, INTO_FILE, 1),
}


@needs_strace
@pytest.mark.parametrize("failure", FAILURES)
def test_whatever_call_fails_a_creation_keeps_its_promises_and_the_next_command_mends_it(
    new_scene: Callable[[], Scene], failure: str
) -> None:
    call, error, lasting, destination, step = FAILURES[failure]
    fault = Fault(call, f"error={error}", lasting=lasting)
    for scene, done in walk(fault, new_scene, *CREATE, *destination, step=step):
        scene.assert_promises(done)
        scene.assert_mended(done)


@pytest.mark.parametrize("size", [0, 20, 48, 512, 4096, 8192, 20000, 1 << 20])
@pytest.mark.parametrize("destination", [INTO_FILE, PRINTED], ids=["into a file", "printed"])
def test_where_no_file_may_grow_beyond_a_size_nothing_is_half_done(
    scene: Scene, size: int, destination: tuple[str, ...]
) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    done = scene.sandbox.run(*CREATE, *destination, before=limit)
    assert done.code == 0 or size < 1 << 20
    scene.assert_promises(done)
    scene.assert_mended(done)


def test_a_file_that_takes_part_of_the_secret_only_gets_no_key(scene: Scene) -> None:
    output = scene.sandbox.root / "output"
    with output.open("wb") as file:
        done = scene.sandbox.run(
            *CREATE, stdout=file, before=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20, 20))
        )
    assert len(output.read_bytes()) == 20
    scene.assert_untouched(done)


def _without_the_rights_of_root() -> None:
    """Drop what lets root write where permissions say no; the user stays who they are."""
    libc = ctypes.CDLL(None)
    drop_from_bounding_set, dac_override, dac_read_search = 24, 1, 2
    for capability in (dac_override, dac_read_search):
        libc.prctl(drop_from_bounding_set, capability, 0, 0, 0)


@pytest.mark.parametrize(
    ("folder", "code"),
    [
        ("work", 1),
        ("work/.git", 0),
        ("home/.local/state/routic", 7),
        ("home/.local/share/routic", 7),
    ],
)
def test_a_folder_that_cannot_be_written_gets_no_half_done_key(scene: Scene, folder: str, code: int) -> None:
    (scene.sandbox.root / folder).chmod(0o555)
    done = scene.sandbox.run(*CREATE, *INTO_FILE, before=_without_the_rights_of_root)
    (scene.sandbox.root / folder).chmod(0o700)
    assert done.code == code, done.err
    scene.assert_promises(done)
    scene.assert_mended(done)


def test_a_file_that_cannot_be_read_is_left_alone(scene: Scene) -> None:
    env_file = scene.sandbox.cwd / ".env"
    env_file.chmod(0o000)
    done = scene.sandbox.run(*CREATE, *INTO_FILE, before=_without_the_rights_of_root)
    env_file.chmod(0o600)
    assert done.code != 0
    assert (scene.workers(), scene.secrets_in_files()) == ([], [])
    scene.assert_mended(done)


def test_when_one_of_two_files_cannot_be_written_neither_is(scene: Scene) -> None:
    closed = scene.sandbox.cwd / "closed"
    closed.mkdir()
    (closed / ".env").write_text("A=1\n")
    closed.chmod(0o555)
    done = scene.sandbox.run(*CREATE, *INTO_FILE, "--env-file", "closed/.env", before=_without_the_rights_of_root)
    closed.chmod(0o700)
    assert not SECRET.search((closed / ".env").read_text())
    scene.assert_untouched(done)


def test_the_other_key_survives_all_of_this(scene: Scene) -> None:
    """What the template holds is what every scene begins with; a scene that lost it would prove nothing."""
    assert [key.name for key in active_keys(scene.sandbox.key_store)] == ["other"]
    assert len(SECRET.findall(scene.before.decode())) == 1
