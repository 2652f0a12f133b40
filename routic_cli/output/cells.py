"""Pieces of styled text, measured in terminal columns, folded, aligned and painted. Nothing is ever cut off."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from routic_cli.output.inert import inert
from routic_cli.output.streams import Look

GAP: Final = 2

# What a piece means, and Rich's word for how that looks. The sixteen colours are the reader's own palette.
_STYLES: Final = {
    "": "",
    "strong": "bold",
    "dim": "dim",
    "accent": "cyan",
    "good": "green",
    "caution": "yellow",
    "bad": "red",
    "gone": "dim red",
}
_NARROWEST_VALUE: Final = 20  # an id, and a moment in RFC 3339
_BREAK_AFTER: Final = frozenset("-_/:,=")


class Span(NamedTuple):
    """Text with one meaning. Whoever makes it passes text as it came; it is made inert when it is laid out."""

    text: str
    style: str = ""


Line = list[Span]
Cell = str | Span | Line
"""What a row or a description takes: plain text, one span, or several spans on one line."""


def as_line(cell: Cell) -> Line:
    """The cell as spans of inert text."""
    spans = [Span(cell)] if isinstance(cell, str) else [cell] if isinstance(cell, Span) else cell
    return [Span(inert(span.text), span.style) for span in spans]


def plain(cell: Cell) -> str:
    """The cell's inert text alone, for a line in a pipe."""
    return "".join(span.text for span in as_line(cell))


def columns_of(text: str) -> int:
    """How many terminal columns the text takes: East Asian characters take two."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def line_columns(line: Line) -> int:
    """The same for spans."""
    return sum(columns_of(span.text) for span in line)


def fold(line: Line, width: int) -> list[Line]:
    """The line over as many lines as it takes: broken at a space, else after punctuation, else anywhere."""
    folded: list[Line] = []
    rest = [span for span in line if span.text]
    while rest and line_columns(rest) > width:
        text = "".join(span.text for span in rest)
        at = _break_before(text, max(width, 1))
        head, rest = _split(rest, at)
        folded.append(_without_trailing_space(head))
        while rest and rest[0].text.startswith(" "):
            rest = _split(rest, 1)[1]
    return [*folded, rest] if rest or not folded else folded


def lay_out(cells: Sequence[Line], widths: Sequence[int], *, indent: int = 0) -> list[Line]:
    """One row of a table: each cell folded to its column, as many lines as the tallest cell has."""
    folded = [fold(cell, width) for cell, width in zip(cells, widths, strict=True)]
    lines = []
    for number in range(max(len(parts) for parts in folded)):
        line: Line = [Span(" " * indent)]
        for parts, width in zip(folded, widths, strict=True):
            part = parts[number] if number < len(parts) else []
            line += [*part, Span(" " * (max(width - line_columns(part), 0) + GAP))]
        lines.append(_without_trailing_space(line))
    return lines


def lay_out_pairs(pairs: Sequence[tuple[str, Line]], width: int, *, indent: int = 0) -> list[Line]:
    """Names, and values aligned beside them; under them where there is no room beside."""
    names = max((columns_of(name) for name, _ in pairs), default=0)
    beside = width - indent - names - GAP
    lines: list[Line] = []
    for name, line in pairs:
        if beside >= _NARROWEST_VALUE:
            lines += lay_out([[Span(name, "dim")], line], [names, beside], indent=indent)
        else:
            lines += [[Span(" " * indent + name, "dim")]]
            lines += [[Span(" " * (indent + GAP)), *part] for part in fold(line, width - indent - GAP)]
    return lines


def paint(lines: Iterable[Line], look: Look) -> str:
    """The lines as text, each with its newline.

    In colour each span is rendered by a Rich style alone: that way there is no markup, emoji, highlighting or wrapping
    to be turned off, and Rich's console need not be imported.
    """
    if not look.colour:
        return "".join("".join(span.text for span in line) + "\n" for line in lines)
    from rich.color import ColorSystem
    from rich.style import Style

    styles = {name: Style.parse(words) for name, words in _STYLES.items()}
    return "".join(
        "".join(styles[style].render(text, color_system=ColorSystem.STANDARD) for text, style in line) + "\n"
        for line in lines
    )


def _break_before(text: str, width: int) -> int:
    """The index that begins the next line; at least one character stays on this one."""
    end, used = 0, 0
    for char in text:
        used += columns_of(char)
        if used > width:
            break
        end += 1
    if end < len(text) and text[end] == " ":
        return max(end, 1)
    space = text.rfind(" ", 0, end)
    if space > 0:
        return space
    # A break so early that most of the line stays empty would make more lines, not better ones.
    for index in range(end - 1, end // 2, -1):
        if text[index] in _BREAK_AFTER:
            return index + 1
    return max(end, 1)


def _split(line: Line, at: int) -> tuple[Line, Line]:
    head: Line = []
    tail: Line = []
    for text, style in line:
        head.append(Span(text[:at], style))
        tail.append(Span(text[at:], style))
        at = max(at - len(text), 0)
    return [span for span in head if span.text], [span for span in tail if span.text]


def _without_trailing_space(line: Line) -> Line:
    kept = list(line)
    while kept:
        last = kept.pop()
        if text := last.text.rstrip(" "):
            return [*kept, Span(text, last.style)]
    return kept
