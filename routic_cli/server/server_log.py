"""What the server and its libraries say beside the access log: one JSON object a line, and no value of any request."""

from __future__ import annotations

import logging
import re
import sys
import threading
import traceback
from types import TracebackType
from typing import Final

from routic_cli.output.log_lines import LogLines

LOGGER: Final = "routic.server"

_FRAMES: Final = 4
_BEFORE_A_VALUE: Final = re.compile(r"[^<({\[:'\"]*")


def install() -> None:
    """From now on, in this process: warnings, errors of threads and of the interpreter, and whatever libraries log."""
    root = logging.getLogger()
    if not any(isinstance(handler, _LinesHandler) for handler in root.handlers):
        root.addHandler(_LinesHandler(LogLines()))
    logging.captureWarnings(capture=True)
    sys.excepthook = _interpreter_failed
    threading.excepthook = _thread_failed
    sys.unraisablehook = _nobody_heard


class _LinesHandler(logging.Handler):
    """Writes at once: these lines are few, and the last of them matter most."""

    def __init__(self, lines: LogLines) -> None:
        super().__init__()
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        """One line. When nobody can be told any more, there is nobody to tell that."""
        try:
            self._lines.write([_fields(record)])
        except OSError:
            return


def _fields(record: logging.LogRecord) -> dict[str, object]:
    fields: dict[str, object] = {
        "time": int(record.created),
        "event": "message",
        "level": record.levelname.lower(),
        "logger": record.name,
        "message": _message(record),
    }
    request_id = getattr(record, "request_id", None)
    if request_id is not None:
        fields["request_id"] = request_id
    if record.exc_info and record.exc_info[0] is not None:
        kind, _, trace = record.exc_info
        fields |= {"exception": f"{kind.__module__}.{kind.__qualname__}", "place": _place(trace)}
    return fields


def _message(record: logging.LogRecord) -> str:
    """Its first line, up to where a value could begin in what asyncio and the warnings module put together."""
    line = (record.getMessage().splitlines() or [""])[0]
    if record.name == "py.warnings":
        return "Warning" if ": " not in line else line.split(": ")[1]
    found = _BEFORE_A_VALUE.match(line) if record.name == "asyncio" else None
    return found[0].strip() if found is not None else line


def _place(trace: TracebackType | None) -> str:
    """The innermost frames, the last first: where, and never with what. Even the error's text may quote a request."""
    frames = traceback.extract_tb(trace)[-_FRAMES:]
    return " < ".join(f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in reversed(frames))


def _short(filename: str) -> str:
    return "/".join(filename.replace("\\", "/").split("/")[-3:])


def _interpreter_failed(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    logging.getLogger(LOGGER).critical("The process ends", exc_info=(kind, error, trace))


def _thread_failed(arguments: threading.ExceptHookArgs) -> None:
    if arguments.exc_value is not None:
        logging.getLogger(LOGGER).error(
            "A thread ended", exc_info=(arguments.exc_type, arguments.exc_value, arguments.exc_traceback)
        )


def _nobody_heard(arguments: sys.UnraisableHookArgs) -> None:
    if arguments.exc_value is not None:
        logging.getLogger(LOGGER).error(
            "An error was ignored", exc_info=(arguments.exc_type, arguments.exc_value, arguments.exc_traceback)
        )
