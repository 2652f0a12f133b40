"""What `doctor` looks at: one function for each area, each giving what is wrong there and the command that mends it."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, NoReturn

from routic_cli.config import Config
from routic_cli.credentials import Credential
from routic_cli.delivery.safety import judge
from routic_cli.delivery.sink import ENV_FILE, KEYRING
from routic_cli.delivery.verdict import Finding, Severity
from routic_cli.domain.errors import (
    CredentialError,
    InsufficientScopeError,
    KeyNotFoundError,
    RouticError,
    UnavailableError,
)
from routic_cli.domain.keys import Key, KeyId, KeyQuery, KeyStatus, SortField, UnixSeconds
from routic_cli.domain.operations import PlacedVersion
from routic_cli.private_files import check_private
from routic_cli.store.state import StateStore
from routic_cli.store_url import LocalStore, RemoteStore
from routic_cli.transport.interface import Transport
from routic_cli.workflows.journal import Journal
from routic_cli.workflows.placements import PlacementState, inspect
from routic_cli.workflows.remote_checkup import credential_findings, file_findings

# Before this nobody can have run this code: a clock that says so is wrong, and so would be every expiry.
_EARLIEST: Final = 1_790_000_000


@dataclass(frozen=True, slots=True)
class Patient:
    """What is examined. `config` and the rest are functions: opening them may be what fails.

    `credential` is asked of a remote store only.
    """

    config: Callable[[], Config]
    credential: Callable[[], Credential]
    transport: Callable[[], Transport]
    state: Callable[[], StateStore]
    journal: Callable[[], Journal]
    now: UnixSeconds


FORGETTABLE: Final = frozenset({PlacementState.MISSING, PlacementState.CHANGED})
"""What a place may hold that nothing can be done about but to forget it."""

Check = Callable[[Patient], Iterator[Finding]]


def examine(patient: Patient) -> Iterator[tuple[str, list[Finding]]]:
    """Each area and what is wrong in it. An area that cannot be looked at is a finding itself."""
    said: set[str] = set()
    for area, check in _AREAS:
        try:
            found = list(check(patient))
        except RouticError as error:
            found = [Finding(error.code, Severity.REFUSE, ". ".join(error.sentences()), error.remedy)]
            if isinstance(error, CredentialError | UnavailableError):  # asking again would wait again, for the same
                patient = replace(patient, transport=_raising(error))
        # What keeps one area from being looked at keeps others, too: the first says it.
        yield area, [finding for finding in found if finding.message not in said]
        said |= {finding.message for finding in found}


def _raising(error: RouticError) -> Callable[[], NoReturn]:
    def ask() -> NoReturn:
        raise error

    return ask


def _configuration(patient: Patient) -> Iterator[Finding]:
    config = patient.config()
    if isinstance(config.store_url, RemoteStore):
        yield from file_findings(config)


def _permissions(patient: Patient) -> Iterator[Finding]:
    store, state_file = patient.config().store_url, patient.config().paths.state_file
    private = [(store.path, "key store")] if isinstance(store, LocalStore) else []
    for path, label in (*private, (state_file, "state file")):
        if path.exists() or path.is_symlink():
            check_private(path, label)
        if path.parent.is_dir() and path.parent.stat().st_mode & 0o022:
            message = f"Others can put files into {path.parent}, where the {label} is"
            yield Finding("open-folder", Severity.WARN, message, f"chmod go-w {shlex.quote(str(path.parent))}")


def _store(patient: Patient) -> Iterator[Finding]:
    store = patient.config().store_url
    if isinstance(store, RemoteStore):
        yield from credential_findings(store, patient.credential(), patient.transport(), patient.now)
        return
    patient.transport().require_writable()
    for problem in patient.transport().check():
        backups = f"ls -t {shlex.quote(str(store.path.parent))}/*.bak"
        yield Finding("store-damaged", Severity.REFUSE, f"The key store is damaged: {problem}", backups)


def _clock(patient: Patient) -> Iterator[Finding]:
    if patient.now < _EARLIEST:
        yield Finding(
            "clock", Severity.REFUSE, "The clock of this machine is years behind", "sudo timedatectl set-ntp true"
        )
        return
    try:
        newest = patient.transport().page(KeyQuery(sort=SortField.CREATED_AT, descending=True, limit=1)).keys
    except InsufficientScopeError:  # a credential for one purpose, such as revoking
        return
    if newest and newest[0].created_at > patient.now + 60:
        message = f"The clock is behind: '{newest[0].name}' was created in its future"
        yield Finding("clock", Severity.WARN, message, "sudo timedatectl set-ntp true")


def _operations(patient: Patient) -> Iterator[Finding]:
    url = patient.config().keys_url
    for operation in patient.journal().open_operations():
        with patient.journal().abandoned(operation) as dead:
            if not dead:
                continue
        here = operation.store == url
        store, _, account = operation.store.partition("#")
        where = "" if here else f" --store {shlex.quote(store)}"
        whose = f"ROUTIC_ACCOUNT={shlex.quote(account)} " if account and not here else ""
        yield Finding(
            "open-operation",
            Severity.WARN,
            f"A {operation.kind} of {operation.key_id} was cut short; the next change of this store tidies up",
            f"{whose}routic doctor --fix{where}",
        )


def _placements(patient: Patient) -> Iterator[Finding]:
    placements = patient.state().all_placements(patient.config().keys_url)
    for placed in placements:
        key = _key_of(patient.transport(), placed.key_id)
        if key is not None:
            again = _renewal(placed, key, placements, patient.transport())
            yield from _placement_findings(placed, key, patient.now, again)


def _renewal(placed: PlacedVersion, key: Key, placements: Sequence[PlacedVersion], transport: Transport) -> str:
    """The command that gives a place a key that is let in; of a dead key, all its places at once."""
    if key.status is KeyStatus.ACTIVE:
        return f"routic rotate {key.name}"
    together = [each for each in placements if each.key_id == key.id and each.variable == placed.variable]
    files = [f" --env-file {shlex.quote(each.location)}" for each in together if each.kind == ENV_FILE]
    variable = f" --var {placed.variable}" if files else ""
    keyring = " --keyring" if placed.kind == KEYRING else ""
    successor = transport.find(key.name)  # the live key of that name, else this one
    command = f"rotate {key.name}" if successor.status is KeyStatus.ACTIVE else f"keys create --name {key.name}"
    return f"routic {command}{''.join(files)}{variable}{keyring}"


def lost_placements(transport: Transport, placements: Sequence[PlacedVersion], now: UnixSeconds) -> list[PlacedVersion]:
    """The places that do not hold their keys any more, or whose keys the store does not know."""
    lost = []
    for placed in placements:
        key = _key_of(transport, placed.key_id)
        if key is None or inspect(placed, key, now) in FORGETTABLE:
            lost.append(placed)
    return lost


def _key_of(transport: Transport, key_id: KeyId) -> Key | None:
    try:
        return transport.find(key_id)
    except KeyNotFoundError:
        return None


def _placement_findings(placed: PlacedVersion, key: Key, now: UnixSeconds, renewal: str) -> Iterator[Finding]:
    in_keyring = placed.kind == KEYRING
    where = "The keyring" if in_keyring else placed.location
    state = inspect(placed, key, now)
    if state is PlacementState.ENDED:
        what = f"{where} holds a version of '{key.name}' that is dead"
        yield Finding("dead-placement", Severity.REFUSE, what, renewal)
    elif state is PlacementState.RETIRING:
        what = f"{where} holds the retiring version of '{key.name}'"
        yield Finding("retiring-placement", Severity.WARN, what, f"routic rotate {key.name}")
    elif state in FORGETTABLE:
        what = f"{where} does not hold '{key.name}' any more; --fix forgets the place"
        yield Finding("lost-placement", Severity.WARN, what, "routic doctor --fix")
    elif state is PlacementState.UNREADABLE and not in_keyring:  # the keyring has an area of its own
        remedy = f"ls -l {shlex.quote(placed.location)}"
        yield Finding("unreadable-placement", Severity.WARN, f"{where} cannot be read any more", remedy)


def _env_files(patient: Patient) -> Iterator[Finding]:
    placements = patient.state().all_placements(patient.config().keys_url)
    files = {placed.location for placed in placements if placed.kind == ENV_FILE}
    for location in sorted(files):
        path = Path(location)
        if path.exists():
            for finding in judge(path, None).findings:
                if finding.severity is Severity.REFUSE or finding.rule == "wide-mode":
                    yield finding


def _keyring(patient: Patient) -> Iterator[Finding]:
    placements = patient.state().all_placements(patient.config().keys_url)
    for placed in placements:
        if placed.kind == KEYRING:
            from routic_cli.delivery.keyring_sink import read_keyring_secret

            read_keyring_secret(placed.key_id)  # an error here is the finding
            break
    yield from ()


_AREAS: Final[Sequence[tuple[str, Check]]] = (
    ("Configuration", _configuration),
    ("Permissions", _permissions),
    ("Key store", _store),
    ("Clock", _clock),
    ("Open operations", _operations),
    ("Keyring", _keyring),
    ("Placements", _placements),
    (".env files", _env_files),
)
