"""Files and folders that are nobody else's: made 0600 and 0700 whatever the umask, refused when they are not."""

from __future__ import annotations

import os
import shlex
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

from routic_cli.domain.errors import RouticError, UnavailableError, UnsafeDestinationError

PRIVATE_FILE: Final = 0o600
_PRIVATE_FOLDER: Final = 0o700
_OTHERS: Final = 0o077


def check_private(path: Path, label: str) -> None:
    """UnsafeDestinationError when the file is a symlink, no regular file, or open to others."""
    status = path.lstat()
    problem = remedy = ""
    if stat.S_ISLNK(status.st_mode):
        problem, real = "it is a symbolic link", Path(os.path.realpath(path))
        remedy = f"routic --store {shlex.quote(str(real))} …, to name the file itself"
        if label == "configuration":
            remedy = f"export ROUTIC_CONFIG_DIR={shlex.quote(str(real.parent))}, to name the folder of the file itself"
    elif not stat.S_ISREG(status.st_mode):
        problem = "it is not a regular file"
    elif os.name == "posix" and status.st_uid not in {os.geteuid(), 0}:
        problem = "it belongs to another user"
    elif os.name == "posix" and status.st_mode & _OTHERS:
        problem, remedy = (
            f"others have access to it (mode {status.st_mode & 0o777:04o})",
            f"chmod 600 {shlex.quote(str(path))}",
        )
    if problem:
        raise UnsafeDestinationError(
            f"The {label} {path} is not private", why=problem, not_done="It was not opened", remedy=remedy
        )
    check_private_folder(path.parent, label)


def check_private_folder(folder: Path, label: str) -> None:
    """UnsafeDestinationError when everybody may replace files in the folder."""
    mode = folder.stat().st_mode
    if os.name == "posix" and mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        raise UnsafeDestinationError(
            f"The {label} cannot be in {folder}",
            why="Everybody may replace files in that folder",
            not_done="Nothing was opened or created",
            remedy=f"chmod o-w {shlex.quote(str(folder))}",
        )


def is_there(path: Path, label: str) -> bool:
    """Whether there is a file, or a link to none; RouticError when that cannot be told."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise RouticError(
            f"The {label} {path} could not be looked at", why=error.strerror or str(error), not_done="Nothing was done"
        ) from error
    return True


def make_private_folder(folder: Path) -> None:
    """Make the folder and the missing ones above it, mode 0700 whatever the umask; existing ones stay as they are."""
    try:
        missing = [folder] if not folder.exists() else []
        while missing and not missing[-1].parent.exists():
            missing.append(missing[-1].parent)
        for each in reversed(missing):
            with suppress(FileExistsError):  # another routic was faster
                each.mkdir(_PRIVATE_FOLDER)
                each.chmod(_PRIVATE_FOLDER)
    except OSError as error:
        parent = next(each for each in folder.parents if os.path.lexists(each))
        raise UnavailableError(
            f"The folder {folder} could not be made",
            why=error.strerror or str(error),
            not_done="Nothing was done",
            remedy=f"chmod u+rwx {shlex.quote(str(parent))}",
        ) from error


def sync_folder(folder: Path) -> None:
    """Make what was created, renamed or removed in the folder outlast a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
