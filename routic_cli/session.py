"""The composition root: what a command works with, each part made when it is first touched."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from routic_cli.config import Config, Flags, asks_for_no_input, load_config
from routic_cli.delivery.sink import KEYRING
from routic_cli.domain.errors import InvalidRequestError, RouticError
from routic_cli.domain.keys import KeyId, UnixSeconds
from routic_cli.output.console import Console
from routic_cli.store_url import LocalStore, RemoteStore, is_speakable

if TYPE_CHECKING:
    from routic_cli.credentials import Credential, Credentials
    from routic_cli.delivery.env_file import EnvFileSink
    from routic_cli.delivery.keyring_backend import Keyring
    from routic_cli.delivery.sink import Placement, Sink
    from routic_cli.domain.operations import PlacedVersion
    from routic_cli.domain.secret import Secret
    from routic_cli.service.keys import KeyService
    from routic_cli.store.state import StateStore
    from routic_cli.transport.interface import Transport
    from routic_cli.workflows.issue import Desk
    from routic_cli.workflows.journal import Journal
    from routic_cli.workflows.revoking import RevokingDesk


class Session:
    """One run of routic. `flags` fill while the command line is parsed; everything else follows from them."""

    def __init__(
        self,
        flags: Flags | None = None,
        *,
        environ: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.flags = flags or Flags()
        self.environ = os.environ if environ is None else environ
        self._clock = clock

    def now(self) -> UnixSeconds:
        """The time, in whole unix seconds."""
        return int(self._clock())

    @cached_property
    def config(self) -> Config:
        """What flags, environment and file say."""
        return load_config(self.flags, self.environ)

    @cached_property
    def console(self) -> Console:
        """The only thing that prints."""
        # Not through `config`: a configuration that cannot be read must still be able to say so. With --json an error
        # is all that standard error has: a script that parses it must not find our talk before it.
        return Console(quiet=self.flags.quiet or self.wants_json, no_input=asks_for_no_input(self.flags, self.environ))

    @property
    def wants_json(self) -> bool:
        """Whether data and errors are JSON; `--fields` implies it."""
        return self.flags.json or self.flags.fields is not None

    @property
    def fields(self) -> list[str] | None:
        """The fields asked for, in their order; None for all."""
        if self.flags.fields is None:
            return None
        return [field.strip() for field in self.flags.fields.split(",") if field.strip()]

    def with_its_flags(self, remedy: str) -> str:
        """A command of ours as it has to be typed here: with the store or the profile that this one was given."""
        flags = "".join(
            f" --{name} {shlex.quote(value)}"
            for name, value in (("store", self.flags.store), ("profile", self.flags.profile))
            if value and f"--{name}" not in remedy and is_speakable(value)  # one that was refused may hold a password
        )
        return f"routic{flags}{remedy.removeprefix('routic')}" if remedy.startswith("routic ") else remedy

    def require_fields(self, known: Sequence[str]) -> None:
        """InvalidRequestError for a field in --fields that the answer will not have; before anything is changed."""
        if self.fields is not None:
            from routic_cli.output.json_out import check_fields

            check_fields(self.fields, known)

    @property
    def actor(self) -> str:
        """Who runs this: the user of the operating system, at this machine."""
        return _actor()

    @cached_property
    def transport(self) -> Transport:
        """The store of keys, here or behind an admin API. For changes, use `changing_transport`."""
        store = self.config.store_url
        if isinstance(store, RemoteStore):
            return self.remote_transport(store, self.credential.token)
        return self._local_transport(store)

    def _local_transport(self, store: LocalStore) -> KeyService:
        from routic_cli.service.keys import KeyService
        from routic_cli.store.sqlite import SqliteStore

        keys = SqliteStore(store.path, account=self.config.account_name)
        return KeyService(keys, clock=self.now, actor=_actor(), trouble=self._warn_of_last_uses)

    def _warn_of_last_uses(self, error: RouticError) -> None:
        self.console.warn(". ".join(["Last uses are not known", *error.sentences()]))

    def remote_transport(self, store: RemoteStore, token: Secret) -> Transport:
        """The admin API of the store, asked with this token. The caller closes it."""
        from routic_cli.transport.remote import RemoteTransport

        ca_file, account = self.config.ca_file, self.config.account
        return RemoteTransport(
            store.url,
            token,
            ca_file=Path(ca_file.value) if ca_file else None,
            account=account.value if account else None,
        )

    @cached_property
    def credential(self) -> Credential:
        """The admin credential for the store, which is a remote one; CredentialError when there is none."""
        store = self.config.store_url
        if not isinstance(store, RemoteStore):
            raise InvalidRequestError("A store that is a file needs no credential")
        return self.credentials(store).find()

    def credentials(self, store: RemoteStore) -> Credentials:
        """Where the credential for a store may be."""
        from routic_cli.credentials import Credentials

        keyring: list[Keyring] = []  # made when it is asked, and once

        def opened() -> Keyring:
            if not keyring:
                keyring.append(self._keyring())
            return keyring[0]

        return Credentials(store, self.environ, self.config.token_file_for(store), opened)

    def _keyring(self) -> Keyring:
        from routic_cli.credentials import OTHERWISE
        from routic_cli.delivery.keyring_backend import CALL_SECONDS, UNLOCK_SECONDS, Keyring

        return Keyring(
            timeout=UNLOCK_SECONDS if self.console.can_ask else CALL_SECONDS,
            waiting=lambda: self.console.notice("The keyring may be waiting for you to unlock it"),
            instead=OTHERWISE,
        )

    @property
    def changing_transport(self) -> Transport:
        """The store of keys, after what a crash left open on it has been finished or undone.

        DeliveryError when --json will have to print what came of the change, and standard output is closed.
        """
        self._require_a_reader()
        return self.desk.transport

    @property
    def revoking_transport(self) -> Transport:
        """The same for ending keys: they end also where this machine's memory cannot be read or written."""
        self._require_a_reader()
        return self.revoking_desk.transport

    def _require_a_reader(self) -> None:
        if self.wants_json:
            from routic_cli.delivery.stdout import require_open_stdout

            require_open_stdout()

    @cached_property
    def memory_trouble(self) -> RouticError | None:
        """Why this machine does not know what it has placed and left open; a warning tells it once."""
        store = self.config.keys_url
        try:
            self.state.operations(store)
        except RouticError as error:
            return self._warn_of_memory(error)
        return None

    @cached_property
    def revoking_desk(self) -> RevokingDesk:
        """What a revocation works with, after recovery where that is possible."""
        from routic_cli.workflows.revoking import RevokingDesk

        transport, store = self.transport, self.config.keys_url  # trouble with these is an error
        if self.memory_trouble is None:
            try:
                self.desk  # noqa: B018  # what a crash left open
            except RouticError as error:
                self.memory_trouble = self._warn_of_memory(error)
        warn, trouble = self.console.warn, self.memory_trouble
        return RevokingDesk(transport, store, self.journal, self.now(), self.state, warn, trouble)

    def _warn_of_memory(self, error: RouticError) -> RouticError:
        said = ["What this machine remembers of its keys cannot be used", error.what, error.why]
        self.console.warn(". ".join(part.rstrip(".") for part in said if part))
        if error.remedy:
            self.console.remedy(self.with_its_flags(error.remedy))
        return error

    @cached_property
    def state(self) -> StateStore:
        """What this machine remembers."""
        from routic_cli.store.state import StateStore

        return StateStore(self.config.paths.state_file)

    @cached_property
    def journal(self) -> Journal:
        """The operations open on this machine."""
        from routic_cli.workflows.journal import Journal

        return Journal(self.state, self.config.paths.operation_locks)

    @cached_property
    def desk(self) -> Desk:
        """What an issue works with, after recovery."""
        from routic_cli.workflows.issue import Desk
        from routic_cli.workflows.recovery import recover

        desk = Desk(self.transport, self.config.keys_url, self.journal, self.now(), self.state, self.console.warn)
        for recovery in recover(desk, self._sink_of):
            operation = recovery.operation
            text = f"{operation.kind} of {operation.key_id}, which was cut short: {recovery.outcome}"
            if recovery.error is None:
                self.console.notice(f"Tidied up the {text}")
            else:
                self.console.warn(f"The {text}. {'. '.join(recovery.error.sentences())}")
            for problem in recovery.problems:
                self.console.warn(problem)
        return desk

    def env_file_sink(
        self, path: Path, variable: str, *, token: str, force: bool, nothing_happened: str
    ) -> EnvFileSink:
        """A `.env` file as a destination, judged by the rules of git safety. `token` names the staged file."""
        from routic_cli.delivery.env_file import EnvFileSink
        from routic_cli.delivery.safety import judge

        return EnvFileSink(
            path,
            variable,
            judge=judge,
            staging_token=token,
            force=force,
            nothing_happened=nothing_happened,
            state_directory=self.config.paths.state_file.parent,
        )

    def placement_at(self, place: Placement) -> PlacedVersion | None:
        """What this machine remembers of a place, whichever store it was for."""
        return self.state.placement_at(place.kind, place.location, place.variable)

    def placements(self, key_id: KeyId) -> list[PlacedVersion]:
        """Where this machine has the key."""
        return self.state.placements(self.config.keys_url, key_id)

    def close(self) -> None:
        """Let go of what was opened."""
        for name in ("transport", "state"):
            opened = self.__dict__.get(name)
            if opened is not None:
                opened.close()

    def _sink_of(self, record: Mapping[str, str]) -> Sink:
        if record["kind"] == KEYRING:
            from routic_cli.delivery.keyring_sink import KeyringSink

            return KeyringSink.from_record(record)
        from routic_cli.delivery.env_file import EnvFileSink

        return EnvFileSink.from_record(record, state_directory=self.config.paths.state_file.parent)


def _actor() -> str:
    """Who the audit trail names: the user of the operating system, at this machine; no variable can pretend."""
    if os.name != "posix":
        import getpass
        import platform

        return f"{getpass.getuser()}@{platform.node()}"
    import pwd

    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's user id without a name
        user = str(os.getuid())
    return f"{user}@{os.uname().nodename}"
