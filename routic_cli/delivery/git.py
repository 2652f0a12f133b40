"""Asking the real git about a path, in such a way that a repository can neither mislead us nor run anything.

Without a repository around the path no process is started; an answer costs about 4 ms.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from shlex import quote
from typing import Final

from routic_cli.domain.errors import UnsafeDestinationError

_ANSWER_SECONDS: Final = 10.0
# History is walked commit by commit, and an unanswered question about it is a warning only: do not keep people waiting.
_HISTORY_SECONDS: Final = 5.0

_NOT_IGNORED: Final = 1

# Every other GIT_* variable goes: those of `git rev-parse --local-env-vars` name another repository, and
# GIT_CEILING_DIRECTORIES, GIT_*_PATHSPECS, GIT_TRACE … change what is found or where it is written. A test compares.
_KEPT_VARIABLES: Final = frozenset({"GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM", "GIT_EXEC_PATH"})

# What a hostile repository's configuration could have run for it, in the commands used here.
_DISARMED: Final = ("--no-pager", "-c", "core.fsmonitor=false", "-c", f"core.hooksPath={os.devnull}")


class GitTrouble(StrEnum):
    """Why git could not say."""

    NO_BINARY = "no-binary"
    DUBIOUS_OWNER = "dubious-owner"
    NO_WORK_TREE = "no-work-tree"
    DAMAGED = "damaged"
    TIMEOUT = "timeout"


class GitCannotSayError(UnsafeDestinationError):
    """There is a repository, and git gives no answer about it: the only safe guess is that it would publish."""

    def __init__(self, trouble: GitTrouble, what: str, *, why: str = "", remedy: str = "") -> None:
        super().__init__(what, why=why, remedy=remedy)
        self.trouble = trouble


@dataclass(frozen=True, slots=True)
class IgnoreRule:
    """The rule that made git ignore a path. `shared` when it lies in a `.gitignore` of the work tree."""

    source: str
    line: int
    pattern: str
    shared: bool


def environment() -> dict[str, str]:
    """Our environment without the variables that point git elsewhere, and with those that keep it quiet and offline."""
    kept = {n: v for n, v in os.environ.items() if not n.upper().startswith("GIT_") or n.upper() in _KEPT_VARIABLES}
    return kept | {
        "LC_ALL": "C",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_REPLACE_OBJECTS": "1",
        # A partial clone fetches what it lacks, through a command that its own configuration names.
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_ALLOW_PROTOCOL": "none",
        # Our search for `.git` crosses file systems; git's must find the same one.
        "GIT_DISCOVERY_ACROSS_FILESYSTEM": "1",
    }


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
        return self._first_listed("ls-files", "-z", "--", self._pathspec(path))

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
        self, *arguments: str, stdin: bytes = b"", accept: tuple[int, ...] = (0,), seconds: float = _ANSWER_SECONDS
    ) -> subprocess.CompletedProcess[bytes]:
        return _ask(self.folder, *arguments, stdin=stdin, accept=accept, seconds=seconds)


def repository_of(path: Path) -> Repository | None:
    """The repository in whose work tree the path lies or would lie; None when there is none around it.

    Raises GitCannotSayError when there is one and git does not answer for it.
    """
    folder = Path(os.path.realpath(path.parent))
    while not folder.is_dir():
        folder = folder.parent
    around = repositories_around(folder)
    return _open(folder, around[0]) if around else None


def outer_repository_that_tracks(path: Path, inner: Repository) -> Path | None:
    """The top of a repository further out that has the path in its index, from before the inner one was made.

    An outer repository that gives no answer is passed over: the inner one is in charge.
    """
    for outer in repositories_around(inner.top.parent):
        try:
            name = os.path.relpath(path, outer)
            if _ask(outer, "ls-files", "-z", "--", f":(literal,icase){name}").stdout:
                return outer
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
    answer = os.fsdecode(_ask(folder, "rev-parse", *questions).stdout)
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


def _binary() -> str | None:
    # Not shutil.which: a relative entry of PATH, or the current directory on Windows, could be the repository itself.
    name = "git.exe" if os.name == "nt" else "git"
    for entry in os.environ.get("PATH", os.defpath).split(os.pathsep):
        candidate = Path(entry, name)
        if candidate.is_absolute() and candidate.is_file() and os.access(candidate, os.X_OK):
            return str(candidate)
    return None


def _ask(
    folder: Path, *arguments: str, stdin: bytes = b"", accept: tuple[int, ...] = (0,), seconds: float = _ANSWER_SECONDS
) -> subprocess.CompletedProcess[bytes]:
    binary = _binary()
    if binary is None:
        raise GitCannotSayError(
            GitTrouble.NO_BINARY,
            f"There is a git repository around {folder}, and no git program to ask about it",
            remedy="install git, or put it on PATH",
        )
    command = [binary, *_DISARMED, "-C", str(folder), *arguments]
    try:
        answer = subprocess.run(
            command, input=stdin, capture_output=True, env=environment(), timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired as error:
        why = f"git {arguments[0]} took more than {seconds:g} s in {folder}"
        raise GitCannotSayError(GitTrouble.TIMEOUT, "Git did not answer in time", why=why) from error
    except OSError as error:
        why = f"{binary}: {error.strerror}"
        raise GitCannotSayError(GitTrouble.NO_BINARY, "Git could not be started", why=why) from error
    if answer.returncode not in accept:
        raise _explained(folder, answer)
    return answer


def _explained(folder: Path, answer: subprocess.CompletedProcess[bytes]) -> GitCannotSayError:
    said = answer.stderr.decode(errors="replace").strip()
    if "safe.directory" in said:
        add = next((line.strip() for line in said.splitlines() if "--add safe.directory" in line), "")
        return GitCannotSayError(
            GitTrouble.DUBIOUS_OWNER,
            f"The git repository around {folder} belongs to another user, and git does not read it",
            remedy=add or f"git config --global --add safe.directory {quote(str(folder))}",
        )
    return GitCannotSayError(
        GitTrouble.DAMAGED,
        f"Git cannot say what it would publish from {folder}",
        why=next(iter(said.splitlines()), f"exit code {answer.returncode}").removeprefix("fatal: "),
    )
