"""The regular file that a name leads to, known by its status before it is opened: a FIFO hangs nobody here."""

from __future__ import annotations

import os
import shlex
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from routic_cli.domain.errors import DeliveryError, UnsafeDestinationError

SIZE_LIMIT: Final = 1 << 20

# A name that turned into a FIFO or a link since it was looked at must neither block nor lead elsewhere.
_READ_FLAGS: Final = (
    os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
)
_EFFECTIVE_IDS: Final = os.access in os.supports_effective_ids


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A file's bytes and its status at the moment they were read."""

    content: bytes = field(repr=False)
    status: os.stat_result


def resolved(path: Path) -> Path:
    """Where the name leads, through all links; a dangling link leads to the file that it would create.

    DeliveryError for a loop or a missing directory. PermissionError passes: whether there is a file is not known then.
    """
    try:
        path.stat()
    except (FileNotFoundError, PermissionError):
        pass
    except OSError as error:
        raise DeliveryError(f"{path} cannot be reached", why=error.strerror or "") from error
    target = Path(os.path.realpath(path))
    try:
        directory = target.parent.stat()
    except (FileNotFoundError, NotADirectoryError):
        directory = None
    if directory is None or not stat.S_ISDIR(directory.st_mode):
        raise DeliveryError(
            f"The directory {target.parent} does not exist", remedy=f"mkdir -p {shlex.quote(str(target.parent))}"
        )
    return target


def status_of(path: Path) -> os.stat_result | None:
    """The status of a resolved path, None when nothing is there; UnsafeDestinationError if it is no regular file."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return None
    _require_regular(path, status)
    return status


def read_regular(path: Path, *, limit: int | None = SIZE_LIMIT) -> Snapshot | None:
    """The file behind a resolved path, None when nothing is there; DeliveryError above `limit` bytes."""
    if status_of(path) is None:
        return None
    try:
        fd = os.open(path, _READ_FLAGS)
    except FileNotFoundError:
        return None
    with os.fdopen(fd, "rb") as file:
        status = os.fstat(fd)
        _require_regular(path, status)
        content = file.read(-1 if limit is None else limit + 1)
    if limit is not None and len(content) > limit:
        raise DeliveryError(f"{path} is larger than {limit // 1024} KiB", why="No .env file is; it may be another file")
    return Snapshot(content, status)


def require_replaceable(path: Path, status: os.stat_result | None) -> None:
    """DeliveryError unless this process may read the file, write it, and put another in its place."""
    if not may_write_into(path.parent):
        raise DeliveryError(
            f"The directory {path.parent} does not let you replace files",
            why="A new .env file is renamed over the old one, which takes write permission on the directory",
            remedy=f"chmod u+rwx {shlex.quote(str(path.parent))}",
        )
    if status is None:
        return
    if not os.access(path, os.R_OK | os.W_OK, effective_ids=_EFFECTIVE_IDS):
        raise DeliveryError(
            f"You may not read and write {path}",
            why=f"Its mode is {stat.S_IMODE(status.st_mode):04o}",
            remedy=f"chmod u+rw {shlex.quote(str(path))}",
        )
    if os.name == "posix" and os.geteuid() not in {0, status.st_uid}:
        raise DeliveryError(
            f"{path} belongs to another user",
            why="The new file would be yours, and its owner could no longer read it",
            remedy=f'sudo chown "$(id -u)" {shlex.quote(str(path))}',
        )
    if _is_mount_point(path):
        raise DeliveryError(
            f"{path} is mounted as a single file and cannot be replaced",
            why="Mount the directory that holds it instead (Docker: -v DIRECTORY:/app, not -v FILE:/app/.env)",
        )


def may_write_into(directory: Path) -> bool:
    """Whether this process may list the directory, and make and rename files in it."""
    return os.access(directory, os.R_OK | os.W_OK | os.X_OK, effective_ids=_EFFECTIVE_IDS)


def _require_regular(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        kinds = {
            stat.S_IFDIR: "a directory",
            stat.S_IFIFO: "a FIFO",
            stat.S_IFSOCK: "a socket",
            stat.S_IFLNK: "a symbolic link",
        }
        kind = kinds.get(stat.S_IFMT(status.st_mode), "a device")
        raise UnsafeDestinationError(f"{path} is {kind}, not a file")


def _is_mount_point(path: Path) -> bool:
    """Whether Linux says that something is mounted on the file. Renaming over it would fail with EBUSY."""
    try:
        mounts = Path("/proc/self/mountinfo").read_bytes()
    except OSError:
        return False
    # The kernel writes white space and backslashes as octal escapes.
    name = os.fsencode(path)
    for character in b"\\ \t\n":
        name = name.replace(bytes([character]), f"\\{character:03o}".encode())
    return any(line.split(b" ", 5)[4:5] == [name] for line in mounts.splitlines())
