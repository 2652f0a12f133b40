"""The process's standard streams by descriptor: what each can show, and writing that never fails in silence."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Mapping
from typing import Final, NamedTuple

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
    """A standard stream. Bytes go to the descriptor itself: no buffer that can fail when the interpreter ends."""

    def __init__(self, fd: int, environ: Mapping[str, str], *, encoding: str = "utf-8") -> None:
        self.fd = fd
        self.is_terminal = is_terminal(fd)
        self._encoding = encoding
        self._environ = environ

    @property
    def look(self) -> Look:
        """Measured when asked: a terminal changes its size while we run."""
        return Look(self._width(), self._colour(), self._unicode())

    def write(self, text: str) -> None:
        """All of the text, or OSError.

        Into a pipe or file, file names that are not text go out as the bytes they are.
        """
        rest = memoryview(self._encoded(text))
        while rest:
            try:
                rest = rest[os.write(self.fd, rest) :]
            except BlockingIOError:
                _wait_until_writable(self.fd)

    def _encoded(self, text: str) -> bytes:
        if not self.is_terminal:
            try:
                return text.encode(self._encoding, "surrogateescape")
            except UnicodeEncodeError:
                pass
        return text.encode(self._encoding, "backslashreplace")

    def _width(self) -> int:
        columns = self._environ.get("COLUMNS", "")
        if columns.isdecimal() and int(columns) > 0:
            return int(columns)
        for fd in (self.fd, STDERR, STDOUT):
            try:
                width = os.get_terminal_size(fd).columns
            except (OSError, ValueError):
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
        return self.is_terminal and not self._is_dumb()

    def _unicode(self) -> bool:
        if self._is_dumb():
            return False
        try:
            _SYMBOLS.encode(self._encoding)
        except UnicodeEncodeError:
            return False
        return True

    def _is_dumb(self) -> bool:
        return self._environ.get("TERM") == "dumb"


def is_terminal(fd: int) -> bool:
    """Whether the descriptor is a terminal; a closed one is not."""
    try:
        return os.isatty(fd)
    except OSError:
        return False


def guard_standard_streams() -> None:
    """Occupy the standard descriptors that were closed at start (`>&-`), first of all things a process does.

    Otherwise the next file opened, a store perhaps, becomes descriptor 1 and is written over. Standard output is
    occupied by something that cannot be written, so that data which goes nowhere is an error and not a success.
    """
    for fd in (STDIN, STDOUT, STDERR):
        try:
            os.fstat(fd)
        except OSError:
            flags = os.O_WRONLY if fd == STDERR else os.O_RDONLY
            opened = os.open(os.devnull, flags)
            if opened != fd:
                os.dup2(opened, fd)
                os.close(opened)


def encoding_of_standard_stream(fd: int) -> str:
    """What Python found out of the locale and PYTHONIOENCODING; UTF-8 for a stream that was closed at start."""
    stream = {STDIN: sys.stdin, STDOUT: sys.stdout, STDERR: sys.stderr}.get(fd)
    return getattr(stream, "encoding", None) or "utf-8"


def _wait_until_writable(fd: int) -> None:
    """For a pipe that somebody made non-blocking."""
    select.select([], [fd], [])
