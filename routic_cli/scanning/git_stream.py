"""Asking git for more than fits into memory or into ten seconds: its output is read as it comes."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final, ParamSpec, TypeVar

from routic_cli.delivery.git_process import GitCannotSayError, environment, explained, git_command
from routic_cli.domain.errors import RouticError

PIPE: Final = 1 << 20
_MOST_WORKERS: Final = 8

P = ParamSpec("P")
T = TypeVar("T")


class ScanError(RouticError):
    """Something could not be scanned."""

    code = "scan_failed"


def workers() -> int:
    """How many git processes at once: one for each core that is ours, and no more than Python can listen to."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, _MOST_WORKERS)


@contextmanager
def streaming(
    folder: Path, *arguments: str, stdin: IO[bytes] | None = None, index: str = "", lenient: bool = False
) -> Iterator[IO[bytes]]:
    """What git says in the folder, unbuffered. ScanError when it cannot be asked, and after its last word if it fails.

    It also counts as failing when git goes on after an error, as it does over a damaged object; unless `lenient`.
    """
    command = asked(git_command, folder, *_as_it_lies(folder), *arguments)
    more: dict[str, Any] = {"pipesize": PIPE} if sys.platform == "linux" else {}
    with tempfile.TemporaryFile() as errors:
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL if stdin is None else stdin,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=environment() | ({"GIT_INDEX_FILE": index} if index else {}),
                bufsize=0,
                **more,
            )
        except OSError as error:
            raise ScanError("Git could not be started", why=f"{command[0]}: {error.strerror}") from error
        assert process.stdout is not None  # noqa: S101  # it was asked for
        try:
            yield process.stdout
            code = process.wait()
        except BaseException:
            process.kill()
            raise
        finally:
            process.stdout.close()
            process.wait()
        errors.seek(0)
        said = errors.read()
        if code or (not lenient and said.startswith(b"error:")):
            raise scan_error(explained(folder, said, code))


def _as_it_lies(folder: Path) -> tuple[str, ...]:
    """For a git directory itself: what keeps git from entering the work tree in its settings, which may be gone.

    Not `--git-dir`: named so, git would also read what belongs to another user.
    """
    is_git_dir = (folder / "HEAD").is_file() and (folder / "objects").is_dir() and not os.path.lexists(folder / ".git")
    return ("--work-tree=.",) if is_git_dir else ()


def asked(ask: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T:
    """What a question to git gives, with its refusal said in the words of a scan."""
    try:
        return ask(*arguments, **options)
    except GitCannotSayError as error:
        raise scan_error(error) from error


def scan_error(error: GitCannotSayError) -> ScanError:
    """Git's trouble, where nothing was to be published."""
    what = error.what.replace("cannot say what it would publish from", "could not read the repository at")
    return ScanError(what, why=error.why, not_done="The scan is not complete", remedy=error.remedy)


@contextmanager
def spooled(lines: Iterable[bytes]) -> Iterator[IO[bytes]]:
    """Lines as a file for git to read: through a pipe they would have to be fed while its answers are read."""
    with tempfile.TemporaryFile() as file:
        file.writelines(lines)
        file.seek(0)
        yield file


def records(stream: IO[bytes], separator: bytes = b"\0") -> Iterator[bytes]:
    """What stands between the separators, piece by piece."""
    rest = b""
    while fresh := os.read(stream.fileno(), PIPE):
        *whole, rest = (rest + fresh).split(separator)
        yield from whole
    if rest:
        yield rest
