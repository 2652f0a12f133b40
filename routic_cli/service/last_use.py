"""When keys were used last, as the log beside their store tells. A log in trouble keeps no key from being shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from routic_cli.domain.errors import RouticError
from routic_cli.domain.keys import Key, KeyQuery, SortField
from routic_cli.domain.traffic import LastUses
from routic_cli.store.interface import NEVER_USED, LastUsed, Store

_UNKNOWN = LastUses({}, None)


class UseRecord:
    """What one run knows of last uses. `trouble` is told once why it knows nothing; without it, that is an error."""

    def __init__(self, store: Store, trouble: Callable[[RouticError], None] | None) -> None:
        self._store = store
        self._trouble = trouble
        self._all: LastUses | None = None
        self._given_up = False

    def asked_by(self, query: KeyQuery) -> LastUsed:
        """What a query asks of the use of keys. An error when the log cannot say: a wrong list would be acted upon."""
        if query.unused_since is None and query.sort is not SortField.LAST_USED_AT:
            return NEVER_USED
        if self._all is None:  # once a run: the pages of a list have to fit together
            self._all = self._store.last_uses()
        return self._all.by_key()

    def shown(self, keys: Sequence[Key]) -> list[Key]:
        """The keys with what is known of their last use."""
        uses = self._all or self._looked_up(keys)
        return [_with_use(key, uses) for key in keys] if uses.began is not None else list(keys)

    def shown_one(self, key: Key) -> Key:
        """The same for one."""
        return self.shown([key])[0]

    def _looked_up(self, keys: Sequence[Key]) -> LastUses:
        if self._given_up or not keys:
            return _UNKNOWN
        try:
            return self._store.last_uses([key.id for key in keys])
        except RouticError as error:
            if self._trouble is None:
                raise
            self._given_up = True
            self._trouble(error)
            return _UNKNOWN


def _with_use(key: Key, uses: LastUses) -> Key:
    times = {v.number: use.at for v in key.versions if (use := uses.by_version.get((key.id, v.number))) is not None}
    if not times:
        return replace(key, usage_since=uses.began)
    versions = tuple(replace(v, last_used_at=times[v.number]) if v.number in times else v for v in key.versions)
    return replace(key, versions=versions, last_used_at=max(times.values()), usage_since=uses.began)
