"""The process's standard streams by descriptor: what each can show, and writing that never fails in silence."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Mapping
from typing import Final, NamedTuple, TextIO

STDIN: Final = 0
STDOUT: Final = 1
STDERR: Final = 2

DEFAULT_WIDTH: Final = 80
_NOT_ON: Final = frozenset({"", "0", "false", "no", "off"})
_SYMBOLS: Final = "✓✗→…"


class Look(NamedTuple):
    """What may be used to make a text legible: columns, colours, characters beyond ASCII."""

    width: int
    colour: bool
    unicode: bool


class Stream:
    """A standard stream. Bytes go to the descriptor itself: no buffer that can fail when the interpreter ends.

    Where somebody in this process has put another object in the place of `sys.stdout` or `sys.stderr`, as test runners
    and `contextlib.redirect_stdout` do, that object is written instead.
    """

    def __init__(self, fd: int, environ: Mapping[str, str], *, encoding: str | None = None) -> None:
        self.fd = fd
        self._stand_in = _stand_in(fd)
        self.is_terminal = self._stand_in.isatty() if self._stand_in else os.isatty(fd)
        self.encoding = encoding or _locale_encoding(fd)
        self._environ = environ

    @property
    def look(self) -> Look:
        """Measured when asked: a terminal changes its size while we run."""
        return Look(self._width(), self._colour(), self._unicode())

    @property
    def is_dumb(self) -> bool:
        """Whether the terminal says that it obeys nothing."""
        return self._environ.get("TERM") == "dumb"

    def write(self, text: str) -> None:
        """All of the text, or OSError.

        Into a pipe or file, file names that are not text go out as the bytes they are.
        """
        if self._stand_in is not None:
            self._stand_in.write(text)
            self._stand_in.flush()
            return
        rest = memoryview(self._encoded(text))
        while rest:
            try:
                rest = rest[os.write(self.fd, rest) :]
            except BlockingIOError:
                _wait_until_writable(self.fd)

    def _encoded(self, text: str) -> bytes:
        if not self.is_terminal:
            try:
                return text.encode(self.encoding, "surrogateescape")
            except UnicodeEncodeError:
                pass
        return text.encode(self.encoding, "backslashreplace")

    def _width(self) -> int:
        columns = self._environ.get("COLUMNS", "")
        if columns.isdecimal() and int(columns) > 0:
            return int(columns)
        for fd in (self.fd, STDERR, STDOUT):
            try:
                width = os.get_terminal_size(fd).columns
            except OSError:
                continue
            if width > 0:
                return width
        return DEFAULT_WIDTH

    def _colour(self) -> bool:
        env = self._environ
        if env.get("NO_COLOR"):
            return False
        if any(env.get(name, "").lower() not in _NOT_ON for name in ("FORCE_COLOR", "CLICOLOR_FORCE")):
            return True
        if env.get("CLICOLOR") == "0" or env.get("FORCE_COLOR", "").lower() in _NOT_ON - {""}:
            return False
        return self.is_terminal and not self.is_dumb

    def _unicode(self) -> bool:
        if self.is_dumb:
            return False
        try:
            _SYMBOLS.encode(self.encoding)
        except UnicodeEncodeError:
            return False
        return True


def open_at_start(fd: int) -> int:
    """The descriptor, or -1 when it was closed at start (`>&-`): what has its number by now is not ours to write."""
    stream = {STDIN: sys.stdin, STDOUT: sys.stdout, STDERR: sys.stderr}[fd]
    return -1 if stream is None else fd


def _locale_encoding(fd: int) -> str:
    """What Python made of the locale and PYTHONIOENCODING; UTF-8 for a stream that was closed at start."""
    stream = {STDIN: sys.stdin, STDOUT: sys.stdout, STDERR: sys.stderr}.get(fd)
    return getattr(stream, "encoding", None) or "utf-8"


def _stand_in(fd: int) -> TextIO | None:
    pairs = {STDOUT: (sys.stdout, sys.__stdout__), STDERR: (sys.stderr, sys.__stderr__)}
    current, original = pairs.get(fd, (None, None))
    return None if current is original else current


def _wait_until_writable(fd: int) -> None:
    """For a pipe that somebody made non-blocking."""
    select.select([], [fd], [])
