"""Keys in files as they lie there: of a repository what git does not ignore, elsewhere all of them."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from routic_cli.delivery.git import is_ignored, repositories_around
from routic_cli.delivery.git_process import GitCannotSayError
from routic_cli.scanning.find import Hit, hits_in
from routic_cli.scanning.git_stream import PIPE, ScanError, records, streaming
from routic_cli.scanning.names import keys_in_name
from routic_cli.scanning.sightings import Scan, Told, sighting, telling_nobody

_LEAST_ROOM: Final = 4096
_LISTED: Final = ("ls-files", "-z", "--cached", "--others", "--exclude-standard")
# No following of links: their targets are scanned where they are. No waiting for the writer of a FIFO.
_FLAGS: Final = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)


def scan_tree(
    paths: Sequence[Path],
    scan: Scan,
    *,
    ignoring: bool = True,
    told: Told = telling_nobody,
) -> None:
    """Look into the files, and into all files below the folders; a file that is named is looked into in any case."""
    lister = _Lister(scan, ignoring=ignoring)
    files = list(dict.fromkeys(name for path in paths for name in lister.files(path)))
    named = {str(path) for path in paths}
    for number, name in enumerate(files, 1):
        try:
            hits = _hits_in_named(name) if name in named else _hits(name)
        except OSError as error:
            scan.troubles.append((f"{name} could not be read: {error.strerror}", ""))
            continue
        if hits is not None:
            scan.looked_at += 1
            scan.add(sighting(hit, name) for hit in hits)
        scan.add(keys_in_name(name))
        told(number, len(files))


def _hits(name: str) -> list[Hit] | None:
    """The keys in a regular file; None for what is none, or is gone."""
    try:
        descriptor = os.open(name, _FLAGS)
    except FileNotFoundError:
        return None  # tracked, and deleted
    except OSError:
        if stat.S_ISREG(os.lstat(name).st_mode):
            raise
        return None  # a link, a socket
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return None
        return _hits_behind(descriptor, status.st_size)
    finally:
        os.close(descriptor)


def _hits_in_named(name: str) -> list[Hit]:
    """The keys in what was named: also behind a link or in a pipe, whose writer is waited for. OSError otherwise."""
    descriptor = os.open(name, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
    try:
        status = os.fstat(descriptor)
        if not (stat.S_ISREG(status.st_mode) or stat.S_ISFIFO(status.st_mode)):
            raise OSError(errno.EINVAL, "It is no file and no pipe")
        return _hits_behind(descriptor, status.st_size if stat.S_ISREG(status.st_mode) else PIPE)
    finally:
        os.close(descriptor)


def _hits_behind(descriptor: int, length: int) -> list[Hit]:
    # Most files are small, and room for a whole chunk costs time. Some of /proc say that they are empty.
    room = max(length + 1, _LEAST_ROOM)
    return list(hits_in(lambda size: os.read(descriptor, min(size, room))))


class _Lister:
    """Which files there are. A folder that is a repository is asked for by git, wherever it is met."""

    def __init__(self, scan: Scan, *, ignoring: bool) -> None:
        self._scan = scan
        self._ignoring = ignoring

    def files(self, path: Path) -> Iterator[str]:
        """The names of the files that a path means, as they follow from how it was typed."""
        if not path.is_dir():
            yield str(path)
            return
        real = Path(os.path.realpath(path))
        shown = "" if str(path) == "." else str(path)
        if self._ignoring and repositories_around(real) and not self._is_ignored(real):
            yield from self._listed(real, shown)
        else:
            yield from self._walked(real, shown)

    def _is_ignored(self, folder: Path) -> bool:
        """Whether a folder that was named is one that git passes over: then it is meant as it is."""
        try:
            return not os.path.lexists(folder / ".git") and is_ignored(folder)
        except GitCannotSayError:
            return False  # listing will tell

    def _listed(self, folder: Path, shown: str) -> Iterator[str]:
        try:
            with streaming(folder, *_LISTED) as stream:
                names = [os.fsdecode(name) for name in dict.fromkeys(records(stream))]
        except ScanError as error:
            what = f"{'. '.join(error.sentences()[:2])}. What it ignores was scanned with the rest"
            self._scan.notices.append((what, error.remedy))
            yield from self._walked(folder, shown)
            return
        for name in names:
            place = os.path.join(folder, name.rstrip("/"))  # noqa: PTH118  # a million times, and names that are no text
            if _is_folder(place):  # a submodule, or a repository that is not tracked
                inside = os.path.join(shown, name.rstrip("/"))  # noqa: PTH118
                nested = self._listed if os.path.lexists(os.path.join(place, ".git")) else self._walked  # noqa: PTH118
                yield from nested(Path(place), inside)
            else:
                yield os.path.join(shown, name)  # noqa: PTH118

    def _walked(self, folder: Path, shown: str) -> Iterator[str]:
        waiting = [(str(folder), shown)]
        while waiting:
            place, name = waiting.pop()
            try:
                entries = sorted(os.scandir(place), key=lambda entry: entry.name)
            except OSError as error:
                self._scan.troubles.append((f"{name or '.'} could not be listed: {error.strerror}", ""))
                continue
            for entry in entries:
                inside = os.path.join(name, entry.name)  # noqa: PTH118
                if entry.name == ".git":
                    continue
                if not entry.is_dir(follow_symlinks=False):
                    yield inside
                elif self._ignoring and os.path.lexists(os.path.join(entry.path, ".git")):  # noqa: PTH118
                    yield from self._listed(Path(entry.path), inside)
                else:
                    waiting.append((entry.path, inside))


def _is_folder(place: str) -> bool:
    try:
        return stat.S_ISDIR(os.lstat(place).st_mode)
    except OSError:
        return False
