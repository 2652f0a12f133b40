"""Running the git binary so that a repository can neither mislead us nor have anything run for it."""

from __future__ import annotations

import os
import subprocess
from enum import StrEnum
from pathlib import Path
from shlex import quote
from typing import Final

from routic_cli.domain.errors import UnsafeDestinationError

ANSWER_SECONDS: Final = 10.0

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


def ask_git(
    folder: Path, *arguments: str, stdin: bytes = b"", accept: tuple[int, ...] = (0,), seconds: float = ANSWER_SECONDS
) -> subprocess.CompletedProcess[bytes]:
    """What git says in the folder; GitCannotSayError unless it ends in time with one of the accepted codes."""
    command = git_command(folder, *arguments)
    try:
        answer = subprocess.run(
            command, input=stdin, capture_output=True, env=environment(), timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired as error:
        why = f"git {arguments[0]} took more than {seconds:g} s in {folder}"
        raise GitCannotSayError(GitTrouble.TIMEOUT, "Git did not answer in time", why=why) from error
    except OSError as error:
        why = f"{command[0]}: {error.strerror}"
        raise GitCannotSayError(GitTrouble.NO_BINARY, "Git could not be started", why=why) from error
    if answer.returncode not in accept:
        raise explained(folder, answer.stderr, answer.returncode)
    return answer


def git_command(folder: Path, *arguments: str) -> list[str]:
    """The command line that asks git in the folder, for `environment()`. GitCannotSayError without a git program."""
    binary = _binary()
    if binary is None:
        raise GitCannotSayError(
            GitTrouble.NO_BINARY,
            f"There is a git repository around {folder}, and no git program to ask about it",
            remedy="install git, or put it on PATH",
        )
    return [binary, *_DISARMED, "-C", str(folder), *arguments]


def _binary() -> str | None:
    # Not shutil.which: a relative entry of PATH, or the current directory on Windows, could be the repository itself.
    name = "git.exe" if os.name == "nt" else "git"
    for entry in os.environ.get("PATH", os.defpath).split(os.pathsep):
        candidate = Path(entry, name)
        if candidate.is_absolute() and candidate.is_file() and os.access(candidate, os.X_OK):
            return str(candidate)
    return None


def explained(folder: Path, stderr: bytes, code: int) -> GitCannotSayError:
    """What git said as it failed, and what mends it."""
    said = stderr.decode(errors="replace").strip()
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
        why=next(iter(said.splitlines()), f"exit code {code}").removeprefix("fatal: "),
    )
