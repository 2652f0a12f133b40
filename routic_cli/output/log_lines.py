"""Lines of JSON on standard error, for those who collect logs: each line whole, inert, without a secret."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from typing import Final

from routic_cli.output.inert import without_secrets
from routic_cli.output.streams import STDERR, Stream, open_at_start

LONGEST_TEXT: Final = 500
_ATOMIC: Final = 4096
"""So many bytes a pipe takes in one piece (PIPE_BUF on Linux; POSIX promises 512): workers share this descriptor."""


def log_line(fields: Mapping[str, object]) -> str:
    """The fields as one line: ASCII alone, so that nothing in it acts on a terminal."""
    return json.dumps({name: _value(value) for name, value in fields.items()}, separators=(",", ":")) + "\n"


def _value(value: object) -> object:
    if value is None or isinstance(value, (bool, int, float)):
        return value
    text = without_secrets(str(value))  # before it is cut: half a key is not recognised as one
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"


class LogLines:
    """Standard error as a place for log lines. Where it was closed at start, nobody wants them."""

    def __init__(self) -> None:
        self._stream = Stream(STDERR, os.environ) if open_at_start(STDERR) == STDERR else None

    def write(self, lines: Iterable[Mapping[str, object]]) -> None:
        """All of them in order, or OSError."""
        if self._stream is None:
            return
        pending = ""
        for fields in lines:
            line = log_line(fields)
            if pending and len(pending) + len(line) > _ATOMIC:
                self._stream.write(pending)
                pending = ""
            pending += line
        if pending:
            self._stream.write(pending)
