"""What git knows of a path: in which work tree it lies, tracked, ignored, once committed.

Without a repository around the path no process is started; an answer costs about 4 ms.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Final

from routic_cli.delivery.git_process import ANSWER_SECONDS, GitCannotSayError, GitTrouble, ask_git

# History is walked commit by commit, and an unanswered question about it is a warning only: do not keep people waiting.
_HISTORY_SECONDS: Final = 5.0

_NOT_IGNORED: Final = 1


@dataclass(frozen=True, slots=True)
class IgnoreRule:
    """The rule that made git ignore a path. `shared` when it lies in a `.gitignore` of the work tree."""

    source: str
    line: int
    pattern: str
    shared: bool


def repositories_around(folder: Path) -> list[Path]:
    """The directories, innermost first, in which a repository seems to begin. Looks at the disk only."""
    return [place for place in (folder, *folder.parents) if _looks_like_repository(place)]


def _looks_like_repository(place: Path) -> bool:
    if os.path.lexists(place / ".git"):
        return True
    # A bare repository, or the inside of a `.git`: what git itself goes by.
    return (place / "HEAD").is_file() and (place / "objects").is_dir() and (place / "refs").is_dir()


def physical(path: Path) -> Path:
    """The absolute path with its directories resolved and its last component as it is: a link stays a link."""
    return Path(os.path.realpath(path.parent)) / path.name


@dataclass(frozen=True, slots=True)
class Repository:
    """The work tree that contains a path. Its questions take paths from `physical()`.

    `folder` is the nearest existing directory: asked from there a nested repository answers for itself, which asked
    from outside it would not. Every question may raise GitCannotSayError.
    """

    folder: Path
    top: Path
    git_dir: Path

    def tracked_as(self, path: Path) -> str | None:
        """The name, from the top, under which the index has the path in any letter case; None when it has not."""
        return self._first_listed("ls-files", "--full-name", "-z", "--", self._pathspec(path))

    def is_in_last_commit(self, path: Path) -> bool:
        """Whether HEAD has the path in any letter case, even though its removal is staged."""
        if self._ask("rev-parse", "--verify", "--quiet", "HEAD^{tree}", accept=(0, 1)).returncode:
            return False  # no commit yet
        return self._first_listed("ls-files", "-z", "--with-tree=HEAD", "--", self._pathspec(path)) is not None

    def is_ignored(self, path: Path) -> bool:
        """Whether git ignores the path. Decided without -v, which answers 0 for negated rules too."""
        answer = self._ask("check-ignore", "-q", "--", self._from_folder(path), accept=(0, _NOT_IGNORED))
        return answer.returncode == 0

    def ignore_rule(self, path: Path) -> IgnoreRule | None:
        """Where the rule is that ignores the path. Meaningful only after `is_ignored` said so."""
        name = os.fsencode(self._from_folder(path)) + b"\0"
        answer = self._ask("check-ignore", "-v", "-z", "--stdin", stdin=name, accept=(0, _NOT_IGNORED))
        if answer.returncode:
            return None
        source, line, pattern, _ = answer.stdout.split(b"\0", 3)
        # Git works from the top, so a relative source is relative to that.
        at = Path(os.path.realpath(self.top / os.fsdecode(source)))
        return IgnoreRule(
            source=os.fsdecode(source),
            line=int(line),
            pattern=os.fsdecode(pattern),
            shared=at.name == ".gitignore" and at.is_relative_to(self.top),
        )

    def last_commit(self, path: Path) -> str | None:
        """Abbreviated id of a commit that touched the path, on any branch, in a stash or in a reflog; None: none did.

        `rev-list` rather than `log`, which runs the program that `gpg.program` names when `log.showSignature` is set.
        """
        history = ("rev-list", "--all", "--reflog", "--full-history", "-1", "--abbrev-commit")
        name = os.path.relpath(path, self.top)
        answer = self._ask(*history, "--", f":(top,literal){name}", seconds=_HISTORY_SECONDS)
        return answer.stdout.decode().strip() or None

    def _pathspec(self, path: Path) -> str:
        # From the top, because a prefix that comes from -C is compared with its letter case.
        return f":(top,literal,icase){os.path.relpath(path, self.top)}"

    def _from_folder(self, path: Path) -> str:
        return f"./{os.path.relpath(path, self.folder)}"

    def _first_listed(self, *arguments: str) -> str | None:
        first = self._ask(*arguments).stdout.split(b"\0", 1)[0]
        return os.fsdecode(first) or None

    def _ask(
        self, *arguments: str, stdin: bytes = b"", accept: tuple[int, ...] = (0,), seconds: float = ANSWER_SECONDS
    ) -> subprocess.CompletedProcess[bytes]:
        return ask_git(self.folder, *arguments, stdin=stdin, accept=accept, seconds=seconds)


def repository_of(path: Path) -> Repository | None:
    """The repository in whose work tree the path lies or would lie; None when there is none around it.

    Raises GitCannotSayError when there is one and git does not answer for it.
    """
    folder = Path(os.path.realpath(path.parent))
    while not folder.is_dir():
        folder = folder.parent
    around = repositories_around(folder)
    return _open(folder, around[0]) if around else None


def tracked_by(path: Path, repository: Repository) -> tuple[Path, str] | None:
    """The top of the work tree that has the path in its index, in any letter case, and the name it has there.

    A repository further out may have it from before the inner one was made. One that gives no answer is passed over:
    the inner one is in charge.
    """
    place = physical(path)
    name = repository.tracked_as(place)
    if name is not None:
        return repository.top, name
    for outer in repositories_around(repository.top.parent):
        try:
            name = os.path.relpath(place, outer)
            if ask_git(outer, "ls-files", "-z", "--", f":(literal,icase){name}").stdout:
                return outer, name
        except GitCannotSayError:
            continue
    return None


def git_directory(folder: Path) -> Path | None:
    """Absolute git directory of the work tree around the folder: a linked work tree's or a submodule's own.

    None without a repository, and also where git cannot say.
    """
    try:
        repository = repository_of(folder / "-")
    except GitCannotSayError:
        return None
    return repository.git_dir if repository else None


def is_ignored(path: Path) -> bool:
    """Whether git ignores the path; False without a repository. May raise GitCannotSayError."""
    repository = repository_of(path)
    return repository is not None and repository.is_ignored(physical(path))


def _open(folder: Path, begins_at: Path) -> Repository:
    # The first three answers have one line each; the git directory comes last, so that its name may hold line breaks.
    questions = ("--is-inside-work-tree", "--is-bare-repository", "--show-cdup", "--absolute-git-dir")
    answer = os.fsdecode(ask_git(folder, "rev-parse", *questions).stdout)
    if not answer.startswith("true\n"):
        raise GitCannotSayError(
            GitTrouble.NO_WORK_TREE,
            f"{begins_at} is a git repository, and {folder} is in no work tree of it",
            why="A bare repository or git's own directory: git cannot say what it would publish from there",
        )
    _, _, up, git_dir = answer.removesuffix("\n").split("\n", 3)
    expected = begins_at / ".git"
    if expected.is_dir() and not expected.samefile(git_dir):
        raise GitCannotSayError(
            GitTrouble.DAMAGED,
            f"{expected} is no working git repository",
            why=f"Git passes it over and answers for {git_dir} instead",
            remedy=f"git -C {quote(str(begins_at))} init",
        )
    return Repository(folder, top=Path(os.path.realpath(folder / up)), git_dir=Path(git_dir))
