"""Killed between any two system calls that leave a trace, a delivery loses nothing and leaves nothing half done."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Final

import pytest

from tests.support.ground import open_operations
from tests.support.promises import CREATE, Scene
from tests.support.syscalls import Fault, needs_strace, walk

pytestmark = needs_strace

INTO_FILE: Final = ("--env-file", ".env")
INTO_TWO_FILES: Final = ("--env-file", ".env", "--env-file", ".env.test")
INTO_FILE_AND_PRINTED: Final = ("--env-file", ".env", "--show")
PRINTED: Final = ()

# Before which calls to die, and how many of them to leave out: what SQLite writes between two of its own syncs is
# SQLite's promise, of which a sample is enough.
POINTS: Final = {
    "sync of a database": ("fdatasync", INTO_FILE, 1),
    "write to a database": ("pwrite64", INTO_FILE, 6),
    "sync of a file": ("fsync", INTO_FILE, 1),
    "rename": ("rename", INTO_FILE, 1),
    "unlink": ("unlink", INTO_FILE, 1),
    "making a folder": ("mkdir", INTO_FILE, 1),
    "removing a folder": ("rmdir", INTO_FILE, 1),
    "sync of a file of two": ("fsync", INTO_TWO_FILES, 1),
    "rename of one of two": ("rename", INTO_TWO_FILES, 1),
    "unlink of one of two": ("unlink", INTO_TWO_FILES, 1),
    "printing beside a file": ("write", INTO_FILE_AND_PRINTED, 1),
    "sync of a database after printing": ("fdatasync", INTO_FILE_AND_PRINTED, 3),
    "rename after printing": ("rename", INTO_FILE_AND_PRINTED, 1),
    "printing": ("write", PRINTED, 1),
    "sync of a database, printed": ("fdatasync", PRINTED, 1),
    "unlink, printed": ("unlink", PRINTED, 1),
}


@pytest.mark.parametrize("point", POINTS)
def test_killed_at_any_point_a_creation_keeps_its_promises_and_the_next_command_mends_it(
    new_scene: Callable[[], Scene], point: str
) -> None:
    call, destination, step = POINTS[point]
    for scene, done in walk(Fault(call, "signal=KILL"), new_scene, *CREATE, *destination, step=step):
        scene.assert_promises(done)
        scene.assert_mended(done)


@pytest.mark.parametrize(("call", "step"), [("fdatasync", 11), ("unlink", 5), ("link", 1), ("mkdir", 4)])
def test_killed_while_it_makes_its_first_store_routic_starts_afresh(
    new_scene: Callable[[], Scene], call: str, step: int
) -> None:
    def fresh() -> Scene:
        scene = new_scene()
        shutil.rmtree(scene.sandbox.home)
        scene.sandbox.home.mkdir()
        return scene

    for scene, done in walk(Fault(call, "signal=KILL"), fresh, *CREATE, *INTO_FILE, step=step):
        scene.assert_promises(done)
        scene.assert_mended(done)


@pytest.mark.parametrize("call", ["fdatasync", "unlink"])
def test_killed_while_it_mends_the_next_command_mends_that(new_scene: Callable[[], Scene], call: str) -> None:
    def cut_short() -> Scene:
        """Died just before the file was put in place: the key is active, and the journal has an open operation."""
        scene = new_scene()
        done = Fault("rename", "signal=KILL", number=2).befalls(scene.sandbox, *CREATE, *INTO_FILE)
        assert done is not None
        assert (len(scene.workers()), scene.secrets_in_files(), open_operations(scene.sandbox.state_file)) == (1, [], 1)
        return scene

    mending = ("keys", "update", "other", "--rpm", "7")
    for scene, done in walk(Fault(call, "signal=KILL"), cut_short, *mending, step=2):
        scene.assert_promises(done)
        scene.assert_mended(done)


def test_a_read_only_command_does_not_mend_and_is_not_disturbed(scene: Scene) -> None:
    done = Fault("rename", "signal=KILL", number=2).befalls(scene.sandbox, *CREATE, *INTO_FILE)
    assert done is not None
    listed = scene.sandbox.ok("keys", "list", "--json").data["data"]
    assert [key["name"] for key in listed] == ["other", "worker"]
    assert open_operations(scene.sandbox.state_file) == 1
    told = scene.sandbox.ok("keys", "update", "other", "--rpm", "7")
    assert f"Tidied up the create of {listed[1]['id']}" in told.err
    assert open_operations(scene.sandbox.state_file) == 0
    assert scene.workers() == []


def test_what_died_on_one_store_is_left_to_commands_on_that_store(scene: Scene) -> None:
    done = Fault("rename", "signal=KILL", number=2).befalls(scene.sandbox, *CREATE, *INTO_FILE)
    assert done is not None
    scene.sandbox.ok("keys", "create", "--name", "x", "--store", scene.sandbox.home / "another.db")
    assert open_operations(scene.sandbox.state_file) == 1
    scene.assert_mended(done)
