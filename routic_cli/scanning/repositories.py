"""Which repositories there are to be scanned: the one around a path, its submodules, and what else it contains."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from routic_cli.delivery.git import repositories_around
from routic_cli.delivery.git_process import GitCannotSayError, ask_git
from routic_cli.scanning.git_stream import ScanError, asked, scan_error
from routic_cli.scanning.sightings import Scan

_GITLINK = b"160000"


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository as git is asked about it, from `folder`: the top of a work tree, or a git directory itself.

    `store` is where its objects are, which work trees share. `prefix` goes before the names of its files.
    """

    folder: Path
    git_dir: Path
    store: Path
    bare: bool
    prefix: str = ""

    def shown(self, name: str) -> str:
        """The name of a file as it is told."""
        return os.path.normpath(os.path.join(self.prefix, name)) if self.prefix else name  # noqa: PTH118  # may be no text


def repository_around(path: Path) -> Repository:
    """The repository that a file or folder lies in. ScanError where there is none, or git does not read it."""
    folder = Path(os.path.realpath(path if path.is_dir() else path.parent))
    if not repositories_around(folder):
        raise ScanError(
            f"There is no git repository around {path}",
            why="The index and the history are a repository's",
            not_done="Nothing was scanned",
            remedy="routic scan",
        )
    repository = _opened(folder)
    here = Path.cwd()
    top = repository.folder
    if here != top and not here.is_relative_to(top):
        return _with_prefix(repository, os.path.relpath(top, here))
    return repository


def with_nested(repository: Repository, scan: Scan) -> Iterator[Repository]:
    """The repository, its submodules and theirs, also those that are not checked out; each store of objects once."""
    seen = {repository.store}
    waiting = [repository]
    while waiting:
        this = waiting.pop(0)
        yield this
        for nested in [*_checked_out(this, scan), *_absorbed(this)]:
            if nested.store not in seen:
                seen.add(nested.store)
                waiting.append(nested)


def _checked_out(repository: Repository, scan: Scan) -> Iterator[Repository]:
    if repository.bare:
        return
    try:
        listed = asked(ask_git, repository.folder, "ls-files", "-s", "-z", seconds=_LISTING_SECONDS).stdout
    except ScanError as error:
        scan.failed(error)
        return
    for line in listed.split(b"\0"):
        name = os.fsdecode(line.partition(b"\t")[2])
        if line.startswith(_GITLINK) and os.path.lexists(repository.folder / name / ".git"):
            try:
                nested = _opened(repository.folder / name)
            except ScanError as error:
                scan.failed(error)
            else:
                yield _with_prefix(nested, os.path.join(repository.prefix, name))  # noqa: PTH118


_LISTING_SECONDS = 120.0


def _absorbed(repository: Repository) -> Iterator[Repository]:
    """What `.git/modules` keeps: also of submodules that are gone from the work tree."""
    modules = repository.store / "modules"
    for folder, names, _ in os.walk(modules):
        place = Path(folder)
        if (place / "HEAD").is_file() and (place / "objects").is_dir():
            names.clear()  # its own modules are found from it
            name = os.path.relpath(place, modules)
            yield Repository(place, place, Path(os.path.realpath(place)), bare=True, prefix=name)


def _opened(folder: Path) -> Repository:
    questions = ("--is-bare-repository", "--is-inside-work-tree", "--path-format=absolute", "--git-common-dir")
    try:
        answer = os.fsdecode(ask_git(folder, "rev-parse", *questions).stdout)
        _, inside, common = answer.removesuffix("\n").split("\n", 2)
        git_dir = Path(os.fsdecode(ask_git(folder, "rev-parse", "--absolute-git-dir").stdout).removesuffix("\n"))
        if inside != "true":
            return Repository(git_dir, git_dir, Path(os.path.realpath(common)), bare=True)
        up = os.fsdecode(ask_git(folder, "rev-parse", "--show-cdup").stdout).removesuffix("\n")
    except GitCannotSayError as error:
        raise scan_error(error) from error
    return Repository(Path(os.path.realpath(folder / up)), git_dir, Path(os.path.realpath(common)), bare=False)


def _with_prefix(repository: Repository, prefix: str) -> Repository:
    return Repository(repository.folder, repository.git_dir, repository.store, repository.bare, prefix)
