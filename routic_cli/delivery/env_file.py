"""The sink that puts a secret into a variable of a `.env` file, so that a crash at any moment leaves old or new."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Self

from routic_cli.delivery.dotenv_text import checked_variable, prove, read_variables, set_variable
from routic_cli.delivery.locks import LOCK_TIMEOUT, DirectoryLock, lock_directory
from routic_cli.delivery.regular_file import (
    SIZE_LIMIT,
    Snapshot,
    read_regular,
    require_replaceable,
    resolved,
    status_of,
)
from routic_cli.delivery.sink import Placement
from routic_cli.delivery.staging import discard, next_to, place_beside, put_in_place, remove, stage, staging_place
from routic_cli.delivery.verdict import SafetyVerdict, Severity
from routic_cli.domain.errors import DeliveryError, RouticError, UnsafeDestinationError
from routic_cli.domain.key_format import LENGTH, PREFIX
from routic_cli.domain.secret import Fingerprint, Secret, fingerprint_of

Judge = Callable[[Path, str], SafetyVerdict]

# Of the length and the alphabet of a key, to try the edit with before there is one.
_SAMPLE: Final = PREFIX + "0" * (LENGTH - len(PREFIX))
# What is staged may be longer than the file it replaces by one line.
_STAGED_LIMIT: Final = 2 * SIZE_LIMIT


class EnvFileSink:
    """One variable of one `.env` file.

    `judge` says whether the file is a safe place, `force` turns its refusals into notices. `staging_token` goes into
    the staged file's name: every sink needs one of its own. `nothing_happened` is said of errors before registration.
    Several sinks on one file are undone in reverse order of their commits.
    """

    kind = "env_file"

    def __init__(
        self,
        path: Path,
        variable: str,
        *,
        judge: Judge,
        staging_token: str,
        force: bool = False,
        nothing_happened: str = "No key was created",
        lock_timeout: float = LOCK_TIMEOUT,
        state_directory: Path | None = None,
    ) -> None:
        self._path = path
        self._variable = checked_variable(variable)
        self._judge = judge
        self._token = staging_token
        self._force = force
        self._unchanged = f"{path} has not been changed"
        self._nothing_happened = f"{nothing_happened} and {self._unchanged}"
        self._lock_timeout = lock_timeout
        self._state_directory = state_directory
        self._notices: list[str] = []
        self._target: Path | None = None
        self._staged: Path | None = None
        self._lock: DirectoryLock | None = None
        self._expected: Fingerprint | None = None
        self._before: Snapshot | None = None
        self._written: bytes | None = None
        self._begun = False
        self._committed = False

    @classmethod
    def from_record(
        cls, record: Mapping[str, str], *, lock_timeout: float = LOCK_TIMEOUT, state_directory: Path | None = None
    ) -> Self:
        """The sink of a process that crashed, to be committed, undone, or asked what it holds."""
        sink = cls(
            Path(record["path"]),
            record["variable"],
            judge=lambda path, _: SafetyVerdict(path, ()),
            staging_token="",
            lock_timeout=lock_timeout,
            state_directory=state_directory,
        )
        sink._target = Path(record["path"])
        sink._staged = Path(record["staged"])
        sink._begun = True
        return sink

    @property
    def notices(self) -> list[str]:
        """What the user should know of the file, in sentences; filled by preflight and commit."""
        return self._notices

    def preflight(self) -> None:
        """UnsafeDestinationError or DeliveryError unless the secret can be written. Writes nothing."""
        self._notices.clear()
        with self._telling(self._nothing_happened):
            target = self._where()
            status = status_of(target)
            self._weigh(self._judge(self._path, self._variable))
            require_replaceable(target, status)
            self._edited(read_regular(target), _SAMPLE)
            self._where_staged()
            if status is not None and status.st_nlink > 1:
                self._notices.append(
                    f"{self._path} has {status.st_nlink} names (hard links); the others keep the old content"
                )

    def record(self) -> Mapping[str, str]:
        """Enough to finish or undo after a crash; never the secret."""
        with self._telling(self._nothing_happened):
            return {
                "kind": self.kind,
                "path": str(self._where()),
                "variable": self._variable,
                "staged": str(self._where_staged()),
            }

    def prepare(self, secret: Secret) -> None:
        """Lock the directory, and put the edited file beside git's own, durable and proved. The lock stays."""
        try:
            with self._telling(self._nothing_happened):
                target, staged = self._where(), self._where_staged()
                self._take_lock(target)
                self._begun = True
                edited = self._edited(read_regular(target), secret.reveal())
                try:
                    stage(staged, edited)
                except FileExistsError:
                    self._begun = False  # that file is not ours to remove
                    raise
                written = read_regular(staged, limit=_STAGED_LIMIT)
                if written is None or written.content != edited:
                    raise DeliveryError(f"What was written to {staged} does not read back the same")
                self._expected = secret.fingerprint
        except BaseException:
            self.undo()
            raise

    def commit(self) -> Placement:
        """Rename what is staged over the file. An edit that someone else made since is kept."""
        with self._telling(self._unchanged):
            target, staged = self._where(), self._where_staged()
            if not self._committed:
                self._take_lock(target)
                self._replace(target, staged)
                self._committed = True
                self._release_lock()
        return Placement(self.kind, str(target), self._variable)

    def placement(self) -> Placement:
        """The file that the name leads to."""
        return Placement(self.kind, str(self._where()), self._variable)

    def undo(self) -> None:
        """Remove what is staged; after a commit by this process, put the old bytes back if nobody wrote since."""
        target, staged = self._target, self._staged
        if not self._begun or target is None or staged is None:
            self._release_lock()
            return
        try:
            with self._telling(""):
                # The lock also says that the process whose record this is does not live any more.
                if target.parent.is_dir():
                    self._take_lock(target)
                discard(staged)
                if self._written is not None:
                    self._put_back(target, staged, self._written)
                self._begun = self._committed = False
        finally:
            self._release_lock()

    def holds(self, sha256: Fingerprint) -> bool:
        """Whether the file's variable has this fingerprint now; a missing or unreadable text holds nothing."""
        with self._telling(""):
            try:
                now = read_regular(self._where(), limit=None)
                value = None if now is None else read_variables(now.content).get(self._variable)
            except (DeliveryError, UnsafeDestinationError):
                return False
        return value is not None and fingerprint_of(value) == sha256

    def _where(self) -> Path:
        if self._target is None:
            self._target = resolved(self._path)
        return self._target

    def _where_staged(self) -> Path:
        if self._staged is None:
            target = self._where()
            try:
                self._staged = staging_place(target, self._token)
            except UnsafeDestinationError as refusal:
                if not self._force:
                    raise
                self._notices.extend(refusal.sentences()[:2])
                self._staged = place_beside(target, self._token)
        return self._staged

    def _weigh(self, verdict: SafetyVerdict) -> None:
        refusals = [finding for finding in verdict.findings if finding.severity is Severity.REFUSE]
        if refusals and not self._force:
            raise UnsafeDestinationError(
                f"{self._path} is no safe place for a key",
                why=". ".join(finding.message.rstrip(".") for finding in refusals),
                remedy=next((finding.remedy for finding in refusals if finding.remedy), ""),
            )
        self._notices.extend(finding.message for finding in verdict.findings if finding.severity >= Severity.WARN)

    def _edited(self, now: Snapshot | None, value: str) -> bytes:
        before = b"" if now is None else now.content
        after = set_variable(before, self._variable, value, name=str(self._path))
        prove(before, after, self._variable, value, name=str(self._path))
        return after

    def _replace(self, target: Path, staged: Path) -> None:
        waiting = read_regular(staged, limit=_STAGED_LIMIT)
        value = None if waiting is None else read_variables(waiting.content).get(self._variable)
        if waiting is None or value is None or self._expected not in {None, fingerprint_of(value)}:
            raise DeliveryError(f"What was prepared for {self._path} is no longer at {staged}")
        before = read_regular(target)
        wanted = self._edited(before, value)
        source = staged
        if wanted != waiting.content:
            # The staged file stays until the other is in place: after a crash it alone would hold the secret.
            source = next_to(staged)
            remove(source)
            stage(source, wanted)
        self._before, self._written = before, wanted
        put_in_place(source, target, like=before.status if before else None)
        if before is not None:
            self._tell_of_mode(stat.S_IMODE(before.status.st_mode))
        discard(staged)

    def _tell_of_mode(self, old: int) -> None:
        if old & ~0o600:
            was = f"was readable by others ({old:04o})" if old & 0o044 else f"had mode {old:04o}"
            self._notices.append(f"{self._path} {was}; it is {old & 0o600:04o} now")

    def _put_back(self, target: Path, staged: Path, written: bytes) -> None:
        now, before = read_regular(target, limit=None), self._before
        if now is not None and now.content == written:
            if before is None:
                remove(target)
            else:
                stage(staged, before.content)
                put_in_place(staged, target, like=before.status, mask=0o7777)
                discard(staged)
        elif now is not None and (before is None or now.content != before.content):
            self._notices.append(f"{self._path} was changed by another program since, and has been left as it is")
        self._before = self._written = None

    def _take_lock(self, target: Path) -> None:
        if self._lock is None:
            self._lock = lock_directory(
                target.parent, timeout=self._lock_timeout, state_directory=self._state_directory
            )

    def _release_lock(self) -> None:
        lock, self._lock = self._lock, None
        if lock is not None:
            lock.release()

    @contextmanager
    def _telling(self, not_done: str) -> Iterator[None]:
        """Complete every error with what did not happen, and turn the system's into ours."""
        try:
            yield
        except RouticError as error:
            error.not_done = error.not_done or not_done
            raise
        except OSError as error:
            raise DeliveryError(
                f"{self._path} could not be written", why=error.strerror or "", not_done=not_done
            ) from error
