"""Where objects of a repository come from: the first commit that had them, under which name, and what holds that."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import IO, Final, NamedTuple

from routic_cli.scanning.git_stream import ScanError, records, spooled, streaming, workers
from routic_cli.scanning.repositories import Repository

_HISTORY: Final = ("--all", "--reflog")  # --all has the HEADs of all work trees, --reflog all that any of them logs
_DIFF: Final = ("diff-tree", "--stdin", "-r", "--root", "-m", "--raw", "--no-renames", "--no-abbrev", "-z")
_OIDS_AT_A_TIME: Final = 10_000  # an argument each
_SMALLEST_SLICE: Final = 500


class Origin(NamedTuple):
    """A commit that brought an object in. `age` is greater the later it comes in the history."""

    age: int
    commit: str
    file: str


class History:
    """All commits of a repository, children before their parents."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository.folder
        self._left_behind = left_behind(repository)
        with _walk(repository.folder, self._left_behind, "--topo-order", "--parents") as stream:
            self._lines = list(records(stream, b"\n"))
        self._ages = {line.split(b" ", 1)[0].decode(): -n for n, line in enumerate(self._lines)}

    def has(self, commit: str) -> bool:
        """Whether a branch, a tag, a stash or a reflog reaches the commit."""
        return commit in self._ages

    def origins(self, oids: Collection[str]) -> Mapping[str, list[Origin]]:
        """For each blob the commits that brought it in, the first one first; a merge counts where it made it."""
        found: dict[str, list[Origin]] = {}
        rest = iter(sorted(oids))
        size = max(len(self._lines) // workers() + 1, _SMALLEST_SLICE)
        slices = [self._lines[at : at + size] for at in range(0, len(self._lines), size)]
        with ThreadPoolExecutor(workers()) as pool:
            while some := list(islice(rest, _OIDS_AT_A_TIME)):
                wanted = [f"--find-object={oid}" for oid in some]
                for changes in pool.map(partial(self._brought_in, wanted), slices):
                    for oid, origin in changes:
                        found.setdefault(oid, []).append(origin)
        return {oid: sorted(origins) for oid, origins in found.items() if oid in oids}

    def _brought_in(self, wanted: Sequence[str], lines: Sequence[bytes]) -> list[tuple[str, Origin]]:
        with (
            spooled(line + b"\n" for line in lines) as commits,
            streaming(self._repository, *_DIFF, *wanted, stdin=commits) as stream,
        ):
            changes = list(_changes(records(stream)))
        return [(oid, Origin(self._ages[commit], commit, os.fsdecode(name))) for commit, oid, name in changes]

    def holders(self, commits: Collection[str]) -> Mapping[str, str]:
        """What reaches each commit, in words: a branch, a tag, a stash, a reflog; the first of these that does."""
        bits = {commit: 1 << n for n, commit in enumerate(commits)}
        reached: dict[str, int] = {}
        for line in reversed(self._lines):  # parents before their children
            commit, *parents = line.decode().split(" ")
            mask = bits.get(commit, 0)
            for parent in parents:
                mask |= reached.get(parent, 0)
            if mask:
                reached[commit] = mask
        held: dict[str, str] = {}
        for tip, name in chain(_tips(self._repository), self._left_behind.items()):
            mask = reached.get(tip, 0)
            for commit, bit in bits.items():
                if mask & bit:
                    held.setdefault(commit, name)
            if len(held) == len(bits):
                break
        return held


def reachable(repository: Repository) -> Mapping[str, str]:
    """The ids of everything that something reaches, the indexes too, each with a name that it has."""
    with _walk(repository.folder, left_behind(repository), "--objects", "--indexed-objects") as stream:
        pairs = (line.partition(b" ") for line in records(stream, b"\n"))
        return {oid.decode(): os.fsdecode(name) for oid, _, name in pairs}


def left_behind(repository: Repository) -> Mapping[str, str]:
    """What fetch, merge, reset and rebase left behind in files of their own, and the name of the file.

    No reflog has to remember these, git keeps what they name, and `--all` has none of them.
    """
    found: dict[str, str] = {}
    for folder in sorted({repository.git_dir, repository.store, *(repository.store / "worktrees").glob("*")}):
        for name in _LEFT_BEHIND:
            try:
                content = (folder / name).read_bytes()
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                raise ScanError(f"{folder / name} could not be read", why=error.strerror or "") from error
            for oid in _OID.findall(content):
                found.setdefault(oid.decode(), name)
    return found


_LEFT_BEHIND: Final = (
    "ORIG_HEAD",
    "FETCH_HEAD",  # has a line for each branch, as MERGE_HEAD may
    "MERGE_HEAD",
    "CHERRY_PICK_HEAD",
    "REVERT_HEAD",
    "REBASE_HEAD",
    "BISECT_HEAD",
)
_OID: Final = re.compile(rb"^(?:[0-9a-f]{64}|[0-9a-f]{40})\b", re.MULTILINE)


@contextmanager
def _walk(folder: Path, more: Iterable[str], *options: str) -> Iterator[IO[bytes]]:
    with (
        spooled(oid.encode() + b"\n" for oid in more) as tips,
        streaming(folder, "rev-list", *options, "--ignore-missing", "--stdin", *_HISTORY, stdin=tips) as stream,
    ):
        yield stream


def _changes(pieces: Iterator[bytes]) -> Iterator[tuple[str, str, bytes]]:
    """Commit, new id and name of each change of `diff-tree -z`: a commit's id, or `:modes ids status`, then a name."""
    commit = ""
    for piece in pieces:
        if piece.startswith(b":"):
            yield commit, piece.split(b" ")[3].decode(), next(pieces)
        else:
            commit = piece.decode().strip()


def _tips(repository: Path) -> Iterator[tuple[str, str]]:
    """Commits that are named, and how: branches, tags and what others have first, then stashes, then reflogs."""
    form = "--format=%(objectname) %(*objectname) %(refname)"
    with streaming(repository, "for-each-ref", form) as stream:
        lines = [os.fsdecode(line).split(" ", 2) for line in records(stream, b"\n") if line]
    yield from sorted(((peeled or oid, ref) for oid, peeled, ref in lines if ref != "refs/stash"), key=_rank)
    with streaming(repository, *_REFLOGS) as stream:
        entries = [os.fsdecode(line).split(" ", 1) for line in records(stream, b"\n") if line]
    yield from sorted(((oid, name) for oid, name in entries), key=lambda entry: not entry[1].startswith("refs/stash"))


_REFLOGS: Final = ("-c", "log.showSignature=false", "log", "--no-show-signature", "-g", "--all", "--format=%H %gD")
_RANKS: Final = ("refs/heads/", "refs/tags/", "refs/remotes/")


def _rank(tip: tuple[str, str]) -> int:
    return next((n for n, prefix in enumerate(_RANKS) if tip[1].startswith(prefix)), len(_RANKS))


def short_name(holder: str) -> str:
    """`main`, `tag v1`, `origin/main`, `stash@{1}`, `reflog HEAD@{3}`."""
    if holder.endswith("}"):
        name = holder.removeprefix("refs/").removeprefix("heads/")
        return name if name.startswith("stash@") else f"reflog {name}"
    if holder.startswith("refs/tags/"):
        return f"tag {holder.removeprefix('refs/tags/')}"
    return holder.removeprefix("refs/").removeprefix("heads/").removeprefix("remotes/")


def first_of_each(origins: Iterable[tuple[str, Origin]]) -> Sequence[tuple[str, Origin]]:
    """For each file, the origin that came first, with what it was given with."""
    firsts: dict[str, tuple[str, Origin]] = {}
    for thing, origin in origins:
        known = firsts.get(origin.file)
        if known is None or origin < known[1]:
            firsts[origin.file] = (thing, origin)
    return list(firsts.values())
