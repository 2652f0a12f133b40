"""What is there already: links, pipes, folders, files that others may read."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from tests.support.git_situations.registry import FINE, REFUSE, WARN, situation
from tests.support.git_world import World


@situation(FINE, mended=FINE)
def link_to_a_place_outside(world: World) -> Path:
    world.ignore(".env")
    (world.repo / ".env").symlink_to(world.write("real", at=world.home))
    return world.repo / ".env"


@situation(FINE, mended=FINE)
def dangling_link(world: World) -> Path:
    world.ignore(".env")
    (world.repo / ".env").symlink_to(world.home / "to-be-made")
    return world.repo / ".env"


@situation(REFUSE, "not-ignored", mended=FINE)
def link_from_outside_to_a_file_that_is_not_ignored(world: World) -> Path:
    (world.home / ".env").symlink_to(world.write("real.txt"))
    return world.home / ".env"


@situation(REFUSE, "not-ignored", mended=FINE)
def link_that_is_not_ignored(world: World) -> Path:
    (world.repo / ".env").symlink_to(world.write("real", at=world.home))
    return world.repo / ".env"


@situation(REFUSE, "tracked", mended=None)
def link_to_a_tracked_file(world: World) -> Path:
    world.ignore(".env")
    world.commit("settings")
    (world.repo / ".env").symlink_to("settings")
    return world.repo / ".env"


@situation(REFUSE, "tracked", mended=None)
def through_a_linked_directory(world: World) -> Path:
    world.commit("a/.env")
    (world.home / "alias").symlink_to(world.repo / "a")
    return world.home / "alias" / ".env"


@situation(REFUSE, "not-regular", mended=None)
def links_in_a_circle(world: World) -> Path:
    world.ignore(".env")
    (world.repo / ".env").symlink_to("other")
    (world.repo / "other").symlink_to(".env")
    return world.repo / ".env"


@situation(REFUSE, "not-regular", mended=None)
def named_pipe(world: World) -> Path:
    world.ignore(".env")
    os.mkfifo(world.repo / ".env", 0o600)
    return world.repo / ".env"


@situation(REFUSE, "not-regular", mended=None)
def link_to_a_device(world: World) -> Path:
    world.ignore(".env")
    (world.repo / ".env").symlink_to("/dev/null")
    return world.repo / ".env"


@situation(REFUSE, "not-regular", mended=None)
def a_socket(world: World) -> Path:
    world.ignore(".env")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(".env")  # relative: the name of a socket is short
    return world.repo / ".env"


@situation(REFUSE, "not-regular", mended=None)
def a_directory(world: World) -> Path:
    world.ignore(".env")
    (world.repo / ".env").mkdir()
    return world.repo / ".env"


@situation(REFUSE, "not-regular", mended=None)
def below_a_file(world: World) -> Path:
    return world.write("file") / ".env"


@situation(REFUSE, "not-regular", mended=None)
def name_with_a_nul(world: World) -> Path:
    return world.repo / ".e\0nv"


@situation(WARN, "wide-mode", mended=FINE)
def others_may_read(world: World) -> Path:
    world.ignore(".env")
    world.write(".env").chmod(0o644)
    return world.repo / ".env"
