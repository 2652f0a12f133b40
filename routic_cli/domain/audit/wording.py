"""How rules say what they found, and the commands that they propose."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final

from routic_cli.domain.audit.findings import Finding, RuleName, Severity
from routic_cli.domain.keys import Key, KeyStatus, UnixSeconds
from routic_cli.domain.rules import NAME_LENGTH
from routic_cli.domain.traffic import Traffic

MOST_ADDRESSES: Final = 10
_MOST_NAMED: Final = 3
_LONGEST_NAMED: Final = 60


def finding(
    rule: RuleName,
    severity: Severity,
    key: Key | None,
    rows: Sequence[Traffic],
    evidence: str,
    remedy: str | None,
    *,
    addresses: Iterable[tuple[str, int]] = (),
) -> Finding:
    """A finding of these calls. `addresses` come with their calls, in any order, and more than once."""
    return Finding(
        rule=rule,
        severity=severity,
        key_id=key.id if key is not None else None,
        key_name=key.name if key is not None else None,
        count=sum(row.calls for row in rows),
        first_at=min((row.first_at for row in rows), default=None),
        last_at=max((row.last_at for row in rows), default=None),
        addresses=most_active(addresses),
        evidence=evidence,
        remedy=remedy,
    )


def most_active(addresses: Iterable[tuple[str, int]]) -> tuple[str, ...]:
    """The addresses with the most calls, those first."""
    calls: Counter[str] = Counter()
    for address, count in addresses:
        if address:
            calls[address] += count
    ordered = sorted(calls.items(), key=lambda each: (-each[1], each[0]))
    return tuple(address for address, _ in ordered[:MOST_ADDRESSES])


def addresses_in(rows: Iterable[Traffic], place: int = 1) -> Iterable[tuple[str, int]]:
    """The addresses among the labels of rows, each with its calls."""
    return ((str(row.labels[place] or ""), row.calls) for row in rows)


def counted(count: int, one: str, several: str = "") -> str:
    """`1 call`, `12,400 calls`."""
    return f"{count:,} {one if count == 1 else several or one + 's'}"


def named(names: Iterable[str | None], *, none: str = "no user agent") -> str:
    """The first few of the names, and how many more there are."""
    listed = list(dict.fromkeys(none if name is None else _clipped(name) for name in names))
    rest = len(listed) - _MOST_NAMED
    text = ", ".join(listed[:_MOST_NAMED])
    return f"{text} and {rest:,} more" if rest > 0 else text


def moment(at: UnixSeconds) -> str:
    """`2026-11-01 12:30 UTC`."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")


def is_live(key: Key) -> bool:
    """Whether there is still something to be done about the key."""
    return key.status is KeyStatus.ACTIVE


def ref(key: Key) -> str:
    """The key in a command: by name, or by id once its name may be another key's."""
    return shlex.quote(key.name if is_live(key) else key.id)


def rotate_now(key: Key) -> str | None:
    """The command that ends the secret at once and delivers the next; None for a key that is dead."""
    return f"routic rotate {ref(key)} --now" if is_live(key) else None


def revoke(key: Key, reason: str) -> str | None:
    """The command that ends the key; None for one that is dead."""
    return f"routic keys revoke {ref(key)} --reason {shlex.quote(reason)}" if is_live(key) else None


def second_key(key: Key, suffix: str = "2", *, more: str = "") -> str | None:
    """The command that makes a key beside this one; None for a key that is dead."""
    if not is_live(key):
        return None
    name = f"{key.name[: NAME_LENGTH - len(suffix) - 1]}-{suffix}"
    return f"routic keys create --name {shlex.quote(name)}{more}"


def _clipped(text: str) -> str:
    return text if len(text) <= _LONGEST_NAMED else text[: _LONGEST_NAMED - 1] + "…"
