"""CSV for spreadsheets (RFC 4180), in which no cell is taken for a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final

from routic_cli.output.console import Console
from routic_cli.output.inert import inert

# Spreadsheets run a cell that begins with one of these: an agent `=cmd|' /C calc'!A0` would be a program's start.
_FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r")


def print_csv(console: Console, header: Sequence[str], rows: Iterable[Iterable[object]]) -> None:
    """A header and rows to standard output."""
    console.data(csv_text(header, rows))


def csv_text(header: Sequence[str], rows: Iterable[Iterable[object]]) -> str:
    """The header, a record for each row, CRLF at each end; nothing in a cell is obeyed by a terminal either."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows([_written(cell) for cell in row] for row in rows)
    return out.getvalue()


def defused(text: str) -> str:
    """The text behind an apostrophe where it would be a formula."""
    return f"'{text}" if text.startswith(_FORMULAS) else text


def _written(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float):
        return _plain_number(cell)
    return str(cell) if isinstance(cell, int) else inert(defused(str(cell)))


def _plain_number(number: float) -> str:
    """Without an exponent, which not every reader knows: `0.000012`, not `1.2e-05`."""
    from decimal import Decimal

    text = f"{Decimal(repr(number)):f}"
    return text.removesuffix(".0")
