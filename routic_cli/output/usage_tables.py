"""Usage in a table: what was called how often, with a bar for how much of all and a sparkline for when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final, NamedTuple

from routic_cli.domain.keys import UnixSeconds
from routic_cli.domain.tallies import Tally
from routic_cli.output.amounts import exact_money, magnitude, money, places_for, share
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
)
from routic_cli.output.charts import bar_of_parts, gathered, sparkline
from routic_cli.output.console import Console
from routic_cli.output.streams import Look
from routic_cli.output.tables import simple_lines
from routic_cli.output.times import absolute, relative

_STEPS: Final = (31, 15)
"""Most characters of a sparkline: where there is room, and where there is not."""
_SHORTEST_BAR: Final = 6
_LONGEST_BAR: Final = 40
_COMFORTABLE_NAME: Final = 28
_STACKED_BELOW: Final = 40
_ALARMING: Final = 0.1
_LAST_CALL: Final = "LAST CALL"
# The figures that a narrow terminal loses, the first to go first. The name and the calls always stay.
_FIRST_TO_GO: Final = (_LAST_CALL, "OUT", "TOKENS IN", "COST", "ERRORS")


class UsageRow(NamedTuple):
    """One line of usage: its name for a person, the fields that say the same to a script, its numbers."""

    name: Cell
    fields: tuple[str, ...]
    tally: Tally


@dataclass(frozen=True, slots=True)
class UsageTable:
    """The rows with what their columns are called. `period` is the heading over sparklines.

    Without a currency costs are bare numbers. `timed`: the rows are times themselves, of which none is the last call.
    """

    heading: str
    period: str
    rows: Sequence[UsageRow]
    currency: str | None = None
    timed: bool = False


class _Column(NamedTuple):
    header: str
    cells: Sequence[Line]

    @property
    def width(self) -> int:
        return max([columns_of(self.header), *map(line_columns, self.cells)])


def print_usage(console: Console, table: UsageTable, now: UnixSeconds) -> None:
    """A table for a person, lines for a pipe; nothing at all for no rows."""
    console.data(usage_table(table, now, console.look) if console.stdout_is_terminal else usage_lines(table.rows))


def usage_lines(rows: Sequence[UsageRow]) -> str:
    """For scripts, stable: the fields of the row, calls, errors, tokens in, tokens out, cost, last call."""
    return simple_lines(
        (
            *row.fields,
            str(row.tally.calls),
            str(row.tally.errors),
            str(row.tally.tokens_in),
            str(row.tally.tokens_out),
            exact_money(row.tally.cost),
            absolute(row.tally.last_at),
        )
        for row in rows
    )


def usage_table(table: UsageTable, now: UnixSeconds, look: Look) -> str:
    """One line for each row where there is room for its bar and its sparkline; else they have a line of their own."""
    if not table.rows:
        return ""
    names = [as_line(row.name) for row in table.rows]
    figures = _figures(table, now)
    if look.width < _STACKED_BELOW:
        return paint(_stacked(names, figures, table, look), look)
    needed = min(max(map(line_columns, names)), _COMFORTABLE_NAME)
    needed = max(needed, columns_of(table.heading))
    timeless = [column for column in figures if column.header != _LAST_CALL]
    # Where no sparkline says when, the last call does so only if there is room; a bar beside its number is worth more.
    choices = [figures] if any(row.tally.course for row in table.rows) else [figures, timeless]
    for shown, steps in product(choices, _STEPS):
        courses = _courses(table, steps, look)
        taken = sum(column.width + GAP for column in [*shown, *courses])
        bar = min(look.width - needed - taken - GAP, _LONGEST_BAR)
        if bar >= _SHORTEST_BAR:
            columns = [_Column(table.heading, names), shown[0], _bars(table, bar, look), *shown[1:], *courses]
            return paint(_one_line_each(columns, needed, bar, look.width), look)
    return paint(_two_lines_each(table, names, figures, needed, look), look)


def _one_line_each(columns: Sequence[_Column], name: int, bar: int, width: int) -> list[Line]:
    widths = [column.width for column in columns]
    widths[0], widths[2] = name, bar
    return [line for lines in _rows(columns, widths, width) for line in lines]


def _two_lines_each(
    table: UsageTable, names: Sequence[Line], figures: Sequence[_Column], needed: int, look: Look
) -> list[Line]:
    shown = list(figures)
    for header in _FIRST_TO_GO:
        if needed + sum(column.width + GAP for column in shown) <= look.width:
            break
        shown = [column for column in shown if not column.header.startswith(header)]
    columns = [_Column(table.heading, names), *shown]
    widths = [needed, *(column.width for column in shown)]
    room = min(look.width, sum(widths) + GAP * len(shown)) - GAP
    for steps in _STEPS:
        courses = _courses(table, steps, look)
        bar = room - sum(column.width + GAP for column in courses)
        if bar >= _SHORTEST_BAR:
            break
    else:
        courses, bar = [], room
    charts = [_bars(table, bar, look), *courses]
    heads, *rows = _rows(columns, widths, look.width)
    found = list(heads)
    if courses:
        found += lay_out([[], [Span(courses[0].header, "dim")]], [bar, courses[0].width], indent=GAP)
    for number, lines in enumerate(rows):
        found += lines
        cells = [column.cells[number] for column in charts]
        found += lay_out(cells, [bar, *(column.width for column in courses)], indent=GAP)
    return found


def _rows(columns: Sequence[_Column], widths: Sequence[int], width: int) -> list[list[Line]]:
    """The headers, and each row, as the lines they take; a name too long for its column has a line of its own."""
    headers: list[Line] = [[Span(column.header, "dim")] for column in columns]
    # Over figures, which end where their column ends, so does the header.
    for place, column in enumerate(columns):
        if place and column.header.startswith(_TO_THE_RIGHT):
            headers[place] = _to_the_right(headers[place], widths[place])
    found = [lay_out(headers, widths)]
    for number in range(len(columns[0].cells)):
        cells = [column.cells[number] for column in columns]
        if line_columns(cells[0]) > widths[0]:
            found.append([*fold(cells[0], width), *lay_out([[], *cells[1:]], widths)])
        else:
            found.append(lay_out(cells, widths))
    return found


_TO_THE_RIGHT: Final = ("CALLS", "TOKENS IN", "OUT", "COST")


def _figures(table: UsageTable, now: UnixSeconds) -> list[_Column]:
    """The columns of numbers; those that are nothing in every row are left out."""
    tallies = [row.tally for row in table.rows]
    columns = [_numbers("CALLS", [Span(f"{each.calls:,}", "strong") for each in tallies])]
    if any(each.errors for each in tallies):
        columns.append(_Column("ERRORS", _errors(tallies)))
    if any(each.tokens_in or each.tokens_out for each in tallies):
        columns.append(_numbers("TOKENS IN", [_dim_when_zero(magnitude(each.tokens_in)) for each in tallies]))
        columns.append(_numbers("OUT", [_dim_when_zero(magnitude(each.tokens_out)) for each in tallies]))
    if any(each.cost for each in tallies):
        places = places_for(each.cost for each in tallies)
        costs = [Span(money(each.cost, places=places), "" if each.cost else "dim") for each in tallies]
        columns.append(_numbers(f"COST {table.currency}" if table.currency else "COST", costs))
    if not table.timed:
        columns.append(_Column(_LAST_CALL, [[Span(relative(each.last_at, now), "dim")] for each in tallies]))
    return columns


def _numbers(header: str, spans: Sequence[Span]) -> _Column:
    width = max([columns_of(header), *(columns_of(span.text) for span in spans)])
    return _Column(header, [_to_the_right([span], width) for span in spans])


def _dim_when_zero(text: str) -> Span:
    return Span(text, "dim" if text == "0" else "")


def _errors(tallies: Sequence[Tally]) -> list[Line]:
    """How many, and how many of a hundred; in red where it is alarming, dim where there are none."""
    counts = [f"{each.errors:,}" for each in tallies]
    shares = [share(each.errors, each.calls) if each.errors else "" for each in tallies]
    widest, widest_share = max(map(len, counts)), max(map(len, shares))
    lines: list[Line] = []
    for each, count, part in zip(tallies, counts, shares, strict=True):
        style = "dim" if not each.errors else "bad" if each.errors >= each.calls * _ALARMING else ""
        lines.append([Span(count.rjust(widest), style), Span(f" {part.rjust(widest_share)}", "dim")])
    return lines


def _to_the_right(line: Line, width: int) -> Line:
    return [Span(" " * max(width - line_columns(line), 0)), *line]


def _bars(table: UsageTable, width: int, look: Look) -> _Column:
    largest = max(row.tally.calls for row in table.rows)
    return _Column(
        "",
        [
            bar_of_parts(row.tally.calls - row.tally.errors, row.tally.errors, largest, width, unicode=look.unicode)
            for row in table.rows
        ],
    )


def _courses(table: UsageTable, steps: int, look: Look) -> list[_Column]:
    """The column of sparklines, where there are any."""
    if not any(row.tally.course for row in table.rows):
        return []
    lines = [sparkline(gathered(row.tally.course, steps), unicode=look.unicode) for row in table.rows]
    return [_Column(table.period.upper(), lines)]


def _stacked(names: Sequence[Line], figures: Sequence[_Column], table: UsageTable, look: Look) -> list[Line]:
    """A block for each row: its name, and under it the figures and the charts."""
    lines: list[Line] = []
    bars = _bars(table, look.width - GAP, look)
    for number, name in enumerate(names):
        lines += [[]] if lines else []
        lines += fold(name, look.width)
        lines.append([Span(" " * GAP), *bars.cells[number]])
        pairs = [(column.header.capitalize(), _without_padding(column.cells[number])) for column in figures]
        lines += lay_out_pairs(pairs, look.width, indent=GAP)
    return lines


def _without_padding(line: Line) -> Line:
    return [
        Span(span.text.strip() if place == 0 else span.text, span.style)
        for place, span in enumerate(line)
        if span.text.strip()
    ]
