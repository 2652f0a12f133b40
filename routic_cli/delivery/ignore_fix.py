"""Having git ignore a file: the narrowest `.gitignore` rule that works, proved by asking git again."""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from shlex import quote
from typing import Final

from routic_cli.delivery.git import Repository, physical, repository_of, tracked_by
from routic_cli.delivery.ignore_patterns import rule_for
from routic_cli.delivery.locks import lock_directory
from routic_cli.delivery.safety import WIDER_THAN_PRIVATE, places_of, untracking_command
from routic_cli.domain.errors import UnsafeDestinationError

_NEW_FILE_MODE: Final = 0o666  # less the umask, as git's own files


def fix(path: Path, *, state_directory: Path | None = None) -> list[str]:
    """Ignore the file, which need not exist, and tighten its mode; what was changed, in sentences.

    An empty list means that nothing was amiss. Of a symbolic link, the link and the place it leads to are both seen to.
    UnsafeDestinationError where no rule helps; then `.gitignore` is as it was. `state_directory` is where the lock
    lies if the file system cannot lock a directory.
    """
    places = places_of(path)
    for place in places:
        _refuse_tracked(place)
    done = [sentence for place in places for sentence in _ignore(place, state_directory)]
    return done + _tighten(places[-1])


def _refuse_tracked(path: Path) -> None:
    repository = repository_of(path)
    tracked = tracked_by(path, repository) if repository else None
    if tracked:
        top, name = tracked
        raise UnsafeDestinationError(
            f"{path} is tracked by git or staged, as {name} in {top}",
            why="No ignore rule has an effect on a tracked file",
            not_done="No rule was added",
            remedy=f"{untracking_command(top, name)}, then commit and try again",
        )


def _ignore(path: Path, state_directory: Path | None) -> list[str]:
    repository = repository_of(path)
    if repository is None or _is_ignored_for_all(path, repository):
        return []
    # A rule in the file's own directory is the narrowest; a directory yet to be made has no `.gitignore` of its own.
    name = os.path.relpath(physical(path), repository.folder)
    if "\n" in name:
        raise UnsafeDestinationError(
            f"No rule of a .gitignore can name {name!r}", why="It has a line break in it", not_done="No rule was added"
        )
    rule = rule_for(PurePosixPath(name))
    with lock_directory(repository.folder, state_directory=state_directory):
        was_ignored = repository.is_ignored(physical(path))
        edit = _Edit.of(repository.folder / ".gitignore", repository)
        edit.append(os.fsencode(rule))
        if _is_ignored_for_all(path, repository):
            return [f"Added the rule {rule} to {edit.file}"]
        edit.undo()
    if was_ignored:
        # A personal rule on a directory above keeps git from reading any `.gitignore` in there: a warning, no danger.
        return []
    raise UnsafeDestinationError(
        f"The rule {rule} in {edit.file} does not make git ignore {path}",
        not_done="The rule was taken out again",
        remedy=f"git -C {quote(str(repository.folder))} check-ignore -v {quote('./' + name)}",
    )


def _is_ignored_for_all(path: Path, repository: Repository) -> bool:
    place = physical(path)
    if not repository.is_ignored(place):
        return False
    rule = repository.ignore_rule(place)
    return rule is not None and rule.shared


@dataclass(frozen=True, slots=True)
class _Edit:
    """One change to a `.gitignore` that can be taken back byte by byte."""

    file: Path
    before: bytes | None
    status: os.stat_result | None
    staging: Path

    @classmethod
    def of(cls, file: Path, repository: Repository) -> _Edit:
        """The file as it is now; UnsafeDestinationError when it is none that git would read."""
        # Staged in git's own directory, a crash leaves nothing that could be committed.
        same_device = repository.git_dir.stat().st_dev == file.parent.stat().st_dev
        staging = repository.git_dir if same_device else file.parent
        try:
            found = file.lstat()
        except FileNotFoundError:
            return cls(file, None, None, staging)
        if not stat.S_ISREG(found.st_mode):
            link = stat.S_ISLNK(found.st_mode)
            raise UnsafeDestinationError(
                f"{file} is {'a symbolic link' if link else 'no regular file'}",
                why="Git does not read rules through one" if link else "Git reads no rules from it",
                not_done="No rule was added",
                remedy=f"put a regular file in place of {quote(str(file))}",
            )
        return cls(file, file.read_bytes(), found, staging)

    def append(self, rule: bytes) -> None:
        before = self.before or b""
        end = b"\r\n" if before.endswith(b"\r\n") or (b"\r\n" in before and not before.endswith(b"\n")) else b"\n"
        separator = end if before and not before.endswith(b"\n") else b""
        # Always with a final line break: else the next `echo rule >> .gitignore` would grow onto this rule.
        self._write(before + separator + rule + end)

    def undo(self) -> None:
        if self.before is None:
            self.file.unlink()
        else:
            self._write(self.before)

    def _write(self, content: bytes) -> None:
        try:
            handle, staged = tempfile.mkstemp(prefix="routic-ignore-", dir=self.staging)
            try:
                with os.fdopen(handle, "wb") as stream:
                    stream.write(content)
                    self._take_over_status(stream.fileno())
                    stream.flush()
                    os.fsync(stream.fileno())
                Path(staged).replace(self.file)
            except BaseException:
                Path(staged).unlink(missing_ok=True)
                raise
        except OSError as error:
            raise UnsafeDestinationError(
                f"{self.file} cannot be written", why=error.strerror or str(error), not_done="No rule was added"
            ) from error

    def _take_over_status(self, handle: int) -> None:
        if self.status is None:
            os.fchmod(handle, _NEW_FILE_MODE & ~_umask())
            return
        with suppress(PermissionError):  # only root can give a file back to its owner
            os.fchown(handle, self.status.st_uid, self.status.st_gid)
        os.fchmod(handle, stat.S_IMODE(self.status.st_mode))


def _umask() -> int:
    # There is no way to read it without setting it.
    umask = os.umask(0o077)
    os.umask(umask)
    return umask


def _tighten(path: Path) -> list[str]:
    if os.name != "posix":
        return []  # modes say nothing there
    try:
        # Without following a link, and without waiting for the other end of a pipe.
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise _untightened(path, error) from error
    try:
        mode = os.fstat(handle).st_mode
        if not stat.S_ISREG(mode) or not mode & WIDER_THAN_PRIVATE:
            return []
        os.fchmod(handle, 0o600)
    except OSError as error:
        raise _untightened(path, error) from error
    finally:
        os.close(handle)
    return [f"Tightened the mode of {path} from {stat.S_IMODE(mode):04o} to 0600"]


def _untightened(path: Path, error: OSError) -> UnsafeDestinationError:
    return UnsafeDestinationError(
        f"The mode of {path} cannot be tightened",
        why=error.strerror or str(error),
        remedy=f"chmod 600 {quote(str(path))}",
    )
