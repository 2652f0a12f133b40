"""Secrets that this machine can read again: those it placed, as long as they are the current version."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from routic_cli.delivery.placed import read_secret
from routic_cli.delivery.sink import ENV_FILE
from routic_cli.domain.errors import InvalidRequestError, KeyGoneError, RouticError, SecretUnreadableError
from routic_cli.domain.keys import Key, KeyStatus
from routic_cli.domain.operations import PlacedVersion
from routic_cli.domain.secret import Secret
from routic_cli.store.state import StateStore
from routic_cli.transport.interface import Transport


@dataclass(frozen=True, slots=True)
class Readable:
    """A key's current secret, and the variable it has in the place where it was found; none in a keyring."""

    key: Key
    secret: Secret
    variable: str


def read_current(ref: str, transport: Transport, state: StateStore, store_url: str) -> Readable:
    """The current secret of a key. KeyNotFoundError; KeyGoneError when it lets nobody in; SecretUnreadableError."""
    key = transport.find(ref)
    if key.status is not KeyStatus.ACTIVE:
        raise KeyGoneError(
            f"The key '{key.name}' ({key.id}) is {key.status}",
            why="It would let nobody in",
            remedy="routic keys create --name NAME --env-file PATH",
        )
    placements = state.placements(store_url, key.id)
    troubles: list[RouticError] = []
    for placed in placements:
        try:
            secret = read_secret(placed, expected=key.current.sha256)
        except RouticError as error:
            troubles.append(error)
            continue
        if secret is not None and secret.fingerprint == key.current.sha256:
            return Readable(key, secret, placed.variable)
    again = f"routic rotate {key.name} --env-file PATH, for a new secret that stays here"
    raise SecretUnreadableError(
        f"The secret of '{key.name}' cannot be read on this machine",
        why=_why(placements, key, troubles),
        remedy=next((trouble.remedy for trouble in troubles if trouble.remedy), again),
    )


def _why(placements: Sequence[PlacedVersion], key: Key, troubles: Sequence[RouticError]) -> str:
    if troubles:
        return "; ".join(sentence for trouble in troubles for sentence in (trouble.what, trouble.why) if sentence)
    if not placements:
        return "No file or keyring here is known to hold it, and a store has its hash only"
    places = ", ".join(placed.location for placed in placements)
    return f"Version {key.current.number} is not in {places}"


def refs_here(folder: Path, state: StateStore, store_url: str) -> list[str]:
    """The ids of the keys that the files of a folder were given, for when no REF is named."""
    here = str(folder.resolve())
    found = [
        placed.key_id
        for placed in state.all_placements(store_url)
        if placed.kind == ENV_FILE and str(Path(placed.location).parent) == here
    ]
    if not found:
        raise InvalidRequestError(
            "No key was named",
            why="Without a REF it takes the keys in the files of this folder, and there are none",
            remedy="routic keys list",
            param="ref",
        )
    return list(dict.fromkeys(found))
