"""`python -m routic_cli.server.usage_writer PATH`: the process that appends what comes through its standard input."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from routic_cli.domain.errors import RouticError
from routic_cli.domain.usage import UsageEvent
from routic_cli.process import forbid_core_dumps
from routic_cli.server import server_log
from routic_cli.server.writer_process import Row, receive, send
from routic_cli.store.usage import UsageStore
from routic_cli.transport.wire.errors import error_object

_NICER: Final = 5


def main() -> None:
    """Append until the pipe ends, be it in the middle of a batch: then its giver is dead, and has not been answered."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        # What ends the server, sent to all of its processes, must not end this one: the last batch is yet to come.
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    forbid_core_dumps()
    server_log.install()
    if hasattr(os, "nice"):
        with suppress(OSError):
            os.nice(_NICER)  # whoever waits for an answer comes first
    with (
        closing(UsageStore(Path(sys.argv[1]))) as store,
        suppress(EOFError, BrokenPipeError),
        os.fdopen(os.dup(sys.stdout.fileno()), "wb") as answers,
    ):
        while True:
            send(answers, _appended(store, receive(sys.stdin.buffer)))


def _appended(store: UsageStore, rows: Sequence[Row]) -> object:
    """None when all of them are in the log; the text of a ValueError; the object of any other error."""
    try:
        store.append([UsageEvent(*row) for row in rows])  # type: ignore[arg-type]  # a UsageEvent was made a row of
    except RouticError as error:
        return error_object(error)
    except ValueError as error:
        return str(error)
    except Exception as error:  # noqa: BLE001  # whatever it is, the parent must hear it, and try again
        return error_object(RouticError("The usage log could not be written", why=f"{type(error).__name__}: {error}"))
    return None


if __name__ == "__main__":
    main()
