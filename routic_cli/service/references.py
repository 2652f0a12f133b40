"""From a REF, as people type it, to the one key it means."""

from __future__ import annotations

import difflib
import unicodedata

from routic_cli.domain.errors import AmbiguousRefError
from routic_cli.domain.keys import Key, KeyId, KeyQuery, KeyStatus, is_key_id, is_key_id_prefix
from routic_cli.domain.lifecycle import ended_at
from routic_cli.domain.references import checked_ref, no_such_key, refuse_hint
from routic_cli.store.interface import StoreReader

_AMBIGUOUS_SHOWN = 5


def resolve(view: StoreReader, ref: str) -> Key:
    """The key by id, by name (a live key's, else the one that lost it last), or by a unique beginning of its id."""
    ref = checked_ref(ref)
    if is_key_id(ref):
        key = view.key(KeyId(ref))
        if key is not None:
            return key
    named = view.keys_named(unicodedata.normalize("NFC", ref))
    if named:
        return _live_or_latest(named)
    if is_key_id_prefix(ref):
        candidates = view.keys_by_id_prefix(ref, _AMBIGUOUS_SHOWN + 1)
        if len(candidates) == 1:
            return candidates[0]
        if candidates:
            raise _ambiguous(ref, candidates)
    refuse_hint(ref)
    names = [each.name for each in view.page(KeyQuery(status=KeyStatus.ACTIVE)).keys]
    raise no_such_key(ref, *difflib.get_close_matches(ref, names, n=3))


def _live_or_latest(named: list[Key]) -> Key:
    live = [key for key in named if key.status is KeyStatus.ACTIVE]
    # Of two that ended in the same second, the younger: `max` takes the first.
    return live[0] if live else max(reversed(named), key=lambda key: ended_at(key) or 0)


def _ambiguous(ref: str, candidates: list[Key]) -> AmbiguousRefError:
    shown = ", ".join(f"{key.id} ({key.name})" for key in candidates[:_AMBIGUOUS_SHOWN])
    more = " and more" if len(candidates) > _AMBIGUOUS_SHOWN else ""
    return AmbiguousRefError(
        f"'{ref}' is the beginning of several ids",
        why=f"{shown}{more}",
        not_done="Nothing was done",
        remedy="the same command with the whole id",
        param="ref",
    )
