"""Bars and sparklines made of characters: heavy lines and blocks where they can be shown, ASCII where not."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from routic_cli.output.cells import Line, Span

# Lines, not blocks: the bars of two rows must not grow together.
_LINE: Final = "━"
_HALF: Final = "╸"
_LEVELS: Final = "▁▂▃▄▅▆▇█"
_NOTHING: Final = "·"
_ASCII_BAR: Final = "#"
_ASCII_LEVELS: Final = ":-=+*x%@"
_ASCII_NOTHING: Final = "."
_STEPS_OF_HOURS: Final = (1, 2, 3, 4, 6, 8, 12, 24, 48, 72, 168, 336, 720)


def bar(value: int, largest: int, width: int, *, unicode: bool) -> str:
    """As long as the value is beside the largest, which takes the whole width; never nothing for more than nothing."""
    if value <= 0 or largest <= 0:
        return ""
    if not unicode:
        return _ASCII_BAR * max(round(value * width / largest), 1)
    whole, half = divmod(max(round(value * width * 2 / largest), 1), 2)
    return _LINE * whole + _HALF * half


def bar_of_parts(good: int, bad: int, largest: int, width: int, *, unicode: bool) -> Line:
    """A bar whose end is the bad part of it, where that is as long as a character."""
    whole = bar(good + bad, largest, width, unicode=unicode)
    if not bad or not whole:
        return [Span(whole, "accent")]
    share = round(len(whole) * bad / (good + bad))
    return [Span(whole[: len(whole) - share], "accent"), Span(whole[len(whole) - share :], "bad")]


def sparkline(values: Sequence[int], *, unicode: bool, largest: int | None = None) -> Line:
    """A character for each value, as high as it is beside the largest; a dot for nothing."""
    levels, nothing = (_LEVELS, _NOTHING) if unicode else (_ASCII_LEVELS, _ASCII_NOTHING)
    top = max([*values, 1]) if largest is None else max(largest, 1)
    line: Line = []
    for value in values:
        # Rounded up: one call among thousands is still seen as one, at the lowest level.
        text = nothing if value <= 0 else levels[min(-(-value * len(levels) // top), len(levels)) - 1]
        style = "dim" if value <= 0 else "accent"
        if line and line[-1].style == style:
            line[-1] = Span(line[-1].text + text, style)
        else:
            line.append(Span(text, style))
    return line


def gathered(values: Sequence[int], most: int) -> list[int]:
    """Hours added up to steps that a day is made of, so that at most so many are left; the last step is a whole one.

    Steps that do not divide a day would make a rhythm of their own out of one that is the same every day.
    """
    step = next((step for step in _STEPS_OF_HOURS if -(-len(values) // step) <= most), -(-len(values) // most))
    first = len(values) % step
    edges = [*([0] if first else []), *range(first, len(values) + 1, step)]
    return [sum(values[begin:end]) for begin, end in pairwise(edges)]
