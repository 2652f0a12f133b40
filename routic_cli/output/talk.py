"""Talk on standard error: marked, indented, wrapped; inert, and with a mask over everything shaped like a key."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from textwrap import wrap
from typing import Final

from routic_cli.output.inert import inert_lines, without_secrets
from routic_cli.output.streams import Stream

_RESET: Final = "\x1b[0m"
_RED: Final = "\x1b[31m"
_GREEN: Final = "\x1b[32m"
_YELLOW: Final = "\x1b[33m"
DIM: Final = "\x1b[2m"

_INDENT: Final = 2
_NARROWEST_WRAP: Final = 20


class Mark(Enum):
    """What kind of line it is: its symbol, what stands for it where that cannot be shown, its colour."""

    SUCCESS = ("✓", "+", _GREEN)
    FAILURE = ("✗", "x", _RED)
    WARNING = ("!", "!", _YELLOW)
    NOTICE = ("→", "-", DIM)


class Talk:
    """Makes lines for a stream that a person may be reading."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def line(self, text: str, style: str = "") -> None:
        """The text, with newlines of our own kept."""
        self.write(self.styled(clean(text), style) + "\n")

    def marked(self, mark: Mark, text: str) -> None:
        """The text behind its mark; further lines begin where the text does. No text is an empty line."""
        first, *rest = self._lines(text)
        head = f"{self.symbol(mark)} {first}\n" if text else "\n"
        self.write(head + _indented(rest))

    def paragraph(self, text: str) -> None:
        """What belongs to a marked line: begins where its text does."""
        self.write(_indented(self._lines(text)))

    def remedy(self, text: str) -> None:
        """The command to type, never wrapped, so that it can be copied."""
        body = clean(text).replace("\n", "\n       ")
        self.write(f"  {self.styled('Try:', DIM)} {body}\n")

    def symbol(self, mark: Mark) -> str:
        """The mark as this stream can show it."""
        beautiful, safe, colour = mark.value
        return self.styled(beautiful if self._stream.look.unicode else safe, colour)

    def styled(self, text: str, style: str) -> str:
        """Our own escape sequences around clean text, where colour is wanted."""
        return f"{style}{text}{_RESET}" if style and self._stream.look.colour else text

    def write(self, text: str) -> None:
        """Talk that cannot be written is lost: the work matters more, and the exit code says how it ended."""
        try:
            self._stream.write(text)
        except OSError:
            return

    def _lines(self, text: str) -> list[str]:
        """Wrapped on a terminal, between words only, so that paths and commands stay whole."""
        lines = clean(text).split("\n")
        if not self._stream.is_terminal:
            return lines
        width = max(self._stream.look.width - _INDENT, _NARROWEST_WRAP)
        wrapped = (wrap(line, width, break_long_words=False, break_on_hyphens=False) or [""] for line in lines)
        return [part for parts in wrapped for part in parts]


def clean(text: str) -> str:
    """Fit to be shown: nothing that a terminal obeys but newlines, nothing that is a secret."""
    return inert_lines(without_secrets(text))


def _indented(lines: Iterable[str]) -> str:
    return "".join(f"{' ' * _INDENT}{line}".rstrip() + "\n" for line in lines)
