"""How many requests without a key are written down: else anybody could fill the disk, and would need no key for it."""

from __future__ import annotations

from typing import Final

from routic_cli.domain.keys import UnixSeconds
from routic_cli.domain.usage import Outcome

WITHOUT_KEY: Final = frozenset({Outcome.MISSING, Outcome.MALFORMED, Outcome.IN_URL})
"""Where there may be nothing to remember the caller by but an address."""

_PER_ADDRESS: Final = 20
_PER_MINUTE: Final = 1000
_MINUTE: Final = 60


class Strangers:
    """Lets the first few of each address through in each minute, and so many of all; counts the others in `folded`."""

    def __init__(self, per_address: int = _PER_ADDRESS, per_minute: int = _PER_MINUTE) -> None:
        self._per_address = per_address
        self._per_minute = per_minute
        self._minute = 0
        self._noted = 0
        self._by_address: dict[str, int] = {}
        self.folded = 0

    def is_to_be_noted(self, address: str, now: UnixSeconds) -> bool:
        """Whether this one is to be written down."""
        minute = now // _MINUTE
        if minute != self._minute:
            self._minute, self._noted, self._by_address = minute, 0, {}
        count = self._by_address.get(address, 0)
        if count >= self._per_address or self._noted >= self._per_minute:
            self.folded += 1
            return False
        self._by_address[address] = count + 1  # not more of them than are noted in a minute
        self._noted += 1
        return True
