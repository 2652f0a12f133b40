"""Where a new version of a file waits until it is renamed over the real one, and how it gets there durably.

Inside git's own directory wherever that works: what a crash leaves there cannot be committed.
"""

from __future__ import annotations

import errno
import os
import re
import shlex
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

from routic_cli.delivery import git
from routic_cli.delivery.regular_file import may_write_into
from routic_cli.domain.errors import UnsafeDestinationError

_FOLDER: Final = "routic"
_SUFFIX: Final = ".staged"
_CREATE_FLAGS: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_PRIVATE: Final = 0o600
_ATTEMPTS: Final = 100


def staging_place(target: Path, token: str) -> Path:
    """The path to stage at. UnsafeDestinationError where a crash would leave something that git could commit."""
    git_directory = git.git_directory(target.parent)
    if git_directory is not None and _can_stage_in(git_directory, target.parent, token):
        return git_directory / _FOLDER / f"{token}{_SUFFIX}"
    place = place_beside(target, token)
    if not git.repositories_around(target.parent) or (git.is_ignored(place) and git.is_ignored(next_to(place))):
        return place
    pattern = re.sub(r"([\\*?\[\]])", r"\\\1", place_beside(target, "").name) + "*"
    raise UnsafeDestinationError(
        f"{target} cannot be prepared where a crash would leave nothing for git to commit",
        why=f"Git's own directory is out of reach of a rename, and git does not ignore {place.name}",
        remedy=f"echo {shlex.quote(pattern)} >> {shlex.quote(str(target.parent / '.gitignore'))}",
    )


def place_beside(target: Path, token: str) -> Path:
    """The staging path in the target's own directory: hidden, and covered by a rule such as `.env*`."""
    return target.with_name(f"{'' if target.name.startswith('.') else '.'}{target.name}.routic-{token}")


def next_to(staged: Path) -> Path:
    """Where a second version is staged while the first must not be lost."""
    return staged.with_name(f"{staged.name}.next")


def stage(path: Path, content: bytes) -> None:
    """Write a new file, readable by its owner only, and make it durable. FileExistsError if there is one."""
    fd = _created(path)
    with os.fdopen(fd, "wb") as file:
        if hasattr(os, "fchmod"):
            os.fchmod(fd, _PRIVATE)  # the umask may have taken even the owner's rights
        file.write(content)
        file.flush()
        os.fsync(fd)
    _sync_directory(path.parent)


def put_in_place(staged: Path, target: Path, *, like: os.stat_result | None, mask: int = _PRIVATE) -> None:
    """Rename the staged file over the target, with those bits of the mode of `like`; for root, also its owner."""
    if os.name == "posix":
        fd = os.open(staged, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            if like is not None and os.geteuid() == 0:
                os.fchown(fd, like.st_uid, like.st_gid)
            os.fchmod(fd, _PRIVATE if like is None else stat.S_IMODE(like.st_mode) & mask)
            os.fsync(fd)
        finally:
            os.close(fd)
    staged.replace(target)
    _sync_directory(target.parent)


def remove(path: Path) -> None:
    """Unlink durably; a file that is gone is fine."""
    with suppress(FileNotFoundError):
        path.unlink()
        _sync_directory(path.parent)


def discard(staged: Path) -> None:
    """Remove what is staged there, both versions, and our folder in git's directory once it is empty."""
    remove(staged)
    remove(next_to(staged))
    if _in_our_folder(staged):
        with suppress(OSError):  # another routic is staging there
            staged.parent.rmdir()


def _can_stage_in(git_directory: Path, target_directory: Path, token: str) -> bool:
    folder = git_directory / _FOLDER
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        return False
    if not may_write_into(folder if folder.exists() else git_directory):
        return False
    if git_directory.stat().st_dev != target_directory.stat().st_dev:
        return False
    # Two mounts of one device look the same to stat. Linux's rename tells before it misses the file: EXDEV, not ENOENT.
    try:
        (git_directory / f"{_FOLDER}-{token}").rename(target_directory / f".{_FOLDER}-{token}")
    except OSError as error:
        return error.errno == errno.ENOENT
    return False


def _in_our_folder(staged: Path) -> bool:
    return staged.parent.name == _FOLDER and _SUFFIX in staged.name


def _created(path: Path) -> int:
    for _ in range(_ATTEMPTS):
        try:
            return os.open(path, _CREATE_FLAGS, _PRIVATE)
        except FileNotFoundError:
            if not _in_our_folder(path):
                raise
            # Our folder in git's directory: new, or removed by another routic that found it empty.
            with suppress(FileExistsError):
                path.parent.mkdir(mode=0o700)
                path.parent.chmod(0o700)
                _sync_directory(path.parent.parent)
    raise FileNotFoundError(errno.ENOENT, "The directory disappears as fast as it is made", str(path.parent))


def _sync_directory(directory: Path) -> None:
    if os.name != "posix":  # Windows opens no directories
        return
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
