"""One thing, described: its traits under each other, aligned for a person, `name:<TAB>value` for a pipe."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from routic_cli.delivery.sink import Placement
from routic_cli.domain.keys import Key, KeyStatus, KeyVersion, UnixSeconds, VersionStatus
from routic_cli.domain.lifecycle import version_status
from routic_cli.output.cells import GAP, Cell, Span, as_line, fold, lay_out_pairs, paint, plain
from routic_cli.output.console import Console
from routic_cli.output.streams import Look
from routic_cli.output.tables import STATUS_STYLES, expiry_span, simple_table
from routic_cli.output.times import absolute, absolute_or_empty, last_use, relative

_VERSION_STYLES: Final = {VersionStatus.CURRENT: "good", VersionStatus.RETIRING: "caution", VersionStatus.ENDED: "gone"}
_VERSION_HEADERS: Final = ("Version", "Status", "Hint", "Created", "Last used", "Ends")
_PLACEMENT_HEADERS: Final = ("Kind", "Variable", "Holds", "Location")

Pairs = Sequence[tuple[str, Cell]]
Place = tuple[Placement, str]
"""A placement, and what it holds now: `current`, `retiring`, `ended`, `changed`, `missing`."""


def print_key(console: Console, key: Key, places: Sequence[Place], now: UnixSeconds) -> None:
    """Everything there is to know of a key, for a person or for a pipe."""
    if console.stdout_is_terminal:
        console.data(key_panel(key, places, now, console.look))
    else:
        console.data(key_lines(key, places, now))


def print_pairs(console: Console, pairs: Pairs) -> None:
    """Names and values, for a person or for a pipe."""
    console.data(describe(pairs, console.look) if console.stdout_is_terminal else pair_lines(pairs))


def describe(pairs: Pairs, look: Look) -> str:
    """Values aligned beside their names, folded where long, under their names where there is no room beside."""
    return paint(lay_out_pairs([(name, as_line(cell)) for name, cell in pairs], look.width), look)


def pair_lines(pairs: Pairs) -> str:
    """`name:<TAB>value`, names in lower case with `_` for a space."""
    return "".join(f"{name.lower().replace(' ', '_')}:\t{plain(cell)}\n" for name, cell in pairs)


def key_panel(key: Key, places: Sequence[Place], now: UnixSeconds, look: Look) -> str:
    """The key's traits, then its versions when there are several, then the places that hold its secret."""
    text = describe(list(_traits(key, now, look)), look)
    if len(key.versions) > 1:
        rows = [_version_row(key, version, now, look) for version in reversed(key.versions)]
        text += _titled("Versions", simple_table(_VERSION_HEADERS, rows, look, indent=GAP), look)
    if places:
        rows = [(place.kind, place.variable, _holding(holds), place.location) for place, holds in places]
        text += _titled("Placements on this machine", simple_table(_PLACEMENT_HEADERS, rows, look, indent=GAP), look)
    return text


def key_lines(key: Key, places: Iterable[Place], now: UnixSeconds) -> str:
    """For scripts, stable: every trait on its line even when empty, then a line for each version and placement.

    A version's line holds number, status, hint, created_at, expires_at and last_used_at; a placement's kind, location,
    variable, and what it holds now.
    """
    pairs = [
        ("name", key.name),
        ("id", key.id),
        ("status", key.status.value),
        ("hint", key.hint),
        ("version", str(key.current.number)),
        ("created_at", absolute(key.created_at)),
        ("expires_at", absolute_or_empty(key.traits.expires_at)),
        ("last_used_at", absolute_or_empty(key.last_used_at)),
        ("scopes", " ".join(key.traits.scopes)),
        ("tags", " ".join(f"{name}={value}" for name, value in key.traits.tags.items())),
        ("rpm", "" if key.traits.rpm is None else str(key.traits.rpm)),
        ("revoked_at", absolute_or_empty(key.revoked_at)),
        ("revoke_reason", key.revoke_reason or ""),
        ("usage_since", absolute_or_empty(key.usage_since)),
    ]
    rows = [
        (
            "versions",
            str(version.number),
            version_status(key, version, now).value,
            version.hint,
            absolute(version.created_at),
            absolute_or_empty(version.expires_at),
            absolute_or_empty(version.last_used_at),
        )
        for version in key.versions
    ]
    placed = [("placement", place.kind, place.location, place.variable, holds) for place, holds in places]
    return pair_lines(pairs) + "".join(
        f"{label}:\t" + "\t".join(plain(cell) for cell in rest) + "\n" for label, *rest in [*rows, *placed]
    )


def _traits(key: Key, now: UnixSeconds, look: Look) -> Iterable[tuple[str, Cell]]:
    traits = key.traits
    yield "Name", Span(key.name, "strong")
    yield "ID", key.id
    yield "Status", Span(key.status.value, STATUS_STYLES[key.status])
    if key.revoked_at is not None:
        yield "Reason", key.revoke_reason or Span("none given", "dim")
    yield "Hint", _hint(key.hint, look)
    yield "Version", str(key.current.number)
    yield from _moments(key, now)
    yield "Scopes", ", ".join(traits.scopes)
    if traits.tags:
        yield "Tags", ", ".join(f"{name}={value}" for name, value in traits.tags.items())
    yield "Limit", Span("none", "dim") if traits.rpm is None else f"{traits.rpm} requests per minute"


def _moments(key: Key, now: UnixSeconds) -> Iterable[tuple[str, Cell]]:
    """The distances for the eye, the moments aligned beside them for the record."""
    unused = "dim" if key.last_used_at is None else ""
    moments = [
        ("Created", Span(relative(key.created_at, now)), key.created_at),
        ("Last used", Span(last_use(key, now), unused), key.last_used_at),
        ("Expired" if key.status is KeyStatus.EXPIRED else "Expires", expiry_span(key, now), key.traits.expires_at),
    ]
    if key.revoked_at is not None:
        moments.append(("Revoked", Span(relative(key.revoked_at, now)), key.revoked_at))
    widest = max(len(span.text) for _, span, _ in moments)
    for label, span, at in moments:
        record = [] if at is None else [Span(" " * (widest - len(span.text) + GAP)), Span(absolute(at), "dim")]
        yield label, [span, *record]


def _version_row(key: Key, version: KeyVersion, now: UnixSeconds, look: Look) -> Sequence[Cell]:
    status = version_status(key, version, now)
    ends = Span("with the key", "dim") if version.expires_at is None else Span(relative(version.expires_at, now))
    created = Span(relative(version.created_at, now), "dim")
    used = Span(last_use(key, now, version), "dim" if version.last_used_at is None else "")
    return (
        str(version.number),
        Span(status.value, _VERSION_STYLES[status]),
        Span(_hint(version.hint, look), "dim"),
        created,
        used,
        ends,
    )


def _hint(hint: str, look: Look) -> str:
    return hint if look.unicode else hint.replace("…", "...")


def _holding(holds: str) -> Span:
    """Green for the current version, as an active key is; red for what no longer works."""
    return Span(holds, {"current": "good", "retiring": "caution", "missing": "dim"}.get(holds, "bad"))


def _titled(title: str, table: str, look: Look) -> str:
    return "\n" + paint(fold([Span(title, "strong")], look.width), look) + table
