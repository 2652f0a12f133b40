"""Tables: keys in their columns, and any other rows. Lines with tabs into a pipe."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from routic_cli.domain.keys import Key, KeyStatus, UnixSeconds
from routic_cli.output.cells import (
    GAP,
    Cell,
    Line,
    Span,
    as_line,
    columns_of,
    fold,
    lay_out,
    lay_out_pairs,
    line_columns,
    paint,
    plain,
)
from routic_cli.output.console import Console
from routic_cli.output.streams import Look
from routic_cli.output.times import absolute, absolute_or_empty, last_use, relative

STATUS_STYLES: Final = {KeyStatus.ACTIVE: "good", KeyStatus.EXPIRED: "caution", KeyStatus.REVOKED: "gone"}

_HEADERS: Final = ("NAME", "ID", "STATUS", "HINT", "EXPIRES", "LAST USED", "CREATED")
# The columns after the id, in the order in which a narrow terminal loses them.
_FIRST_TO_GO: Final = ("CREATED", "LAST USED", "HINT", "EXPIRES", "STATUS")
_COMFORTABLE_NAME: Final = 24
_STACKED_BELOW: Final = 40
_EXPIRES_SOON: Final = 7 * 86400
_NARROWEST_FOLD: Final = 16


def print_keys(console: Console, keys: Sequence[Key], now: UnixSeconds) -> None:
    """A table for a person, lines for a pipe; nothing at all for no keys."""
    console.data(keys_table(keys, now, console.look) if console.stdout_is_terminal else keys_lines(keys))


def print_table(console: Console, headers: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
    """Any rows: a table for a person, lines without headers for a pipe; nothing at all for no rows."""
    console.data(simple_table(headers, rows, console.look) if console.stdout_is_terminal else simple_lines(rows))


def keys_lines(keys: Iterable[Key]) -> str:
    """For scripts, stable: id, name, status, hint, created_at, expires_at, last_used_at.

    Tabs between them, times in RFC 3339, nothing for a time there is not.
    """
    return simple_lines(
        (
            key.id,
            key.name,
            key.status.value,
            key.hint,
            absolute(key.created_at),
            absolute_or_empty(key.traits.expires_at),
            absolute_or_empty(key.last_used_at),
        )
        for key in keys
    )


def simple_lines(rows: Iterable[Sequence[Cell]]) -> str:
    """A line for each row, its cells between tabs; a tab or newline inside of a cell is visible as such."""
    return "".join("\t".join(plain(cell) for cell in row) + "\n" for row in rows)


def keys_table(keys: Sequence[Key], now: UnixSeconds, look: Look) -> str:
    """Name and id always whole; lesser columns go first, then a long name takes a line of its own."""
    if not keys:
        return ""
    rows = [_key_row(key, now, look) for key in keys]
    if look.width < _STACKED_BELOW:
        return paint(_stacked(rows, look.width), look)
    shown = _columns_that_fit(rows, look.width)
    cells = [[row[index] for index in shown] for row in rows]
    headers = [[Span(_HEADERS[index], "dim")] for index in shown]
    widths = [max(line_columns(row[column]) for row in [headers, *cells]) for column in range(len(shown))]
    room = look.width - sum(widths[1:]) - GAP * len(widths[1:])
    widths[0] = max([columns_of("NAME"), *(n for n in map(line_columns, (row[0] for row in cells)) if n <= room)])
    lines = lay_out(headers, widths)
    for row in cells:
        if line_columns(row[0]) > widths[0]:
            lines += [*fold(row[0], look.width), *lay_out([[], *row[1:]], widths)]
        else:
            lines += lay_out(row, widths)
    return paint(lines, look)


def simple_table(headers: Sequence[str], rows: Sequence[Sequence[Cell]], look: Look, *, indent: int = 0) -> str:
    """Columns as wide as they need; the last is folded, and where there is no room for it rows become blocks."""
    if not rows:
        return ""
    cells = [[as_line(cell) for cell in row] for row in rows]
    titles = [[Span(header.upper(), "dim")] for header in headers]
    widths = [max(line_columns(row[column]) for row in [titles, *cells]) for column in range(len(headers))]
    room = look.width - indent - sum(widths[:-1]) - GAP * len(widths[:-1])
    if room < min(widths[-1], _NARROWEST_FOLD):
        return paint(_blocks(headers, cells, look.width, indent), look)
    widths[-1] = min(widths[-1], room)
    return paint([line for row in [titles, *cells] for line in lay_out(row, widths, indent=indent)], look)


def _key_row(key: Key, now: UnixSeconds, look: Look) -> list[Line]:
    """The cells of all columns, in the order of the headers."""
    hint = key.hint if look.unicode else key.hint.replace("…", "...")
    return [
        as_line(cell)
        for cell in (
            Span(key.name, "dim" if key.status is KeyStatus.REVOKED else "strong"),
            key.id,
            Span(key.status.value, STATUS_STYLES[key.status]),
            Span(hint, "dim"),
            expiry_span(key, now),
            Span(last_use(key, now), "dim" if key.last_used_at is None else ""),
            Span(relative(key.created_at, now), "dim"),
        )
    ]


def expiry_span(key: Key, now: UnixSeconds) -> Span:
    """When the key ends: dim when it never does or when that is over, a caution in its last week."""
    at = key.traits.expires_at
    if at is None or key.status is not KeyStatus.ACTIVE:
        return Span(relative(at, now), "dim")
    return Span(relative(at, now), "caution" if at - now <= _EXPIRES_SOON else "")


def _columns_that_fit(rows: Sequence[Sequence[Line]], width: int) -> list[int]:
    """The indexes of the columns shown, with room for a name of a comfortable length."""
    widths = [max([columns_of(_HEADERS[i]), *(line_columns(row[i]) for row in rows)]) for i in range(len(_HEADERS))]
    widths[0] = min(widths[0], _COMFORTABLE_NAME)
    shown = list(range(len(_HEADERS)))
    for header in _FIRST_TO_GO:
        if sum(widths[index] + GAP for index in shown) - GAP <= width:
            break
        shown.remove(_HEADERS.index(header))
    return shown


def _stacked(rows: Sequence[Sequence[Line]], width: int) -> list[Line]:
    """A block for each key: its name, and under it the id and the status."""
    lines: list[Line] = []
    for name, key_id, status, *_ in rows:
        lines += [[]] if lines else []
        lines += fold(name, width)
        indent = [Span(" " * min(GAP, max(width - line_columns(key_id), 0)))]
        lines += [[*indent, *key_id], [*indent, *status]]
    return lines


def _blocks(headers: Sequence[str], rows: Sequence[Sequence[Line]], width: int, indent: int) -> list[Line]:
    """A block for each row: its cells under each other, the empty ones left out."""
    lines: list[Line] = []
    for row in rows:
        lines += [[]] if lines else []
        pairs = [(header[:1].upper() + header[1:], cell) for header, cell in zip(headers, row, strict=True) if cell]
        lines += lay_out_pairs(pairs, width, indent=indent)
    return lines
