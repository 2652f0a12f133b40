"""A short way from the parser to the socket, for what can be answered at once: no task, and no messages of ASGI.

Of a bare application's time on uvicorn, half goes into those. What is not answered at once goes uvicorn's own way.
"""

from __future__ import annotations

from typing import Any, Final, cast
from weakref import WeakKeyDictionary

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle
from uvicorn.server import ServerState

from routic_cli.server.answer import Answer
from routic_cli.server.app import Application
from routic_cli.server.protocol import BoundedProtocol


class QuickProtocol(BoundedProtocol):
    """Asks an Application for what it can say at once, and writes it as uvicorn would."""

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        """Called by uvicorn when a request's head has been read, and no other request of the connection is open."""
        if not isinstance(app, Application) or self.flow.write_paused:
            super()._start_asgi_task(cycle, app)
            return
        turn = _turns.get(self.server_state)
        if turn is None:
            turn = _turns[self.server_state] = _Turn(app)
        if not turn.waiting:
            self.loop.call_soon(turn.answer)
        turn.waiting.append((self, cycle))

    def at_once(self, cycle: RequestResponseCycle, app: Application) -> Answer | None:
        """The answer, where there is one without waiting."""
        try:
            return app.at_once(cast("dict[str, Any]", cycle.scope))
        except Exception:  # noqa: BLE001  # uvicorn's own way meets the same, reports it, and answers 500
            return None

    def finish(self, cycle: RequestResponseCycle, app: Application, answer: Answer | None) -> None:
        """Write the answer; where there is none, have uvicorn find it."""
        if answer is None:
            super()._start_asgi_task(cycle, cast("Any", app))
        elif not cycle.disconnected:
            self._write(cycle, answer)

    def _write(self, cycle: RequestResponseCycle, answer: Answer) -> None:
        parts = [STATUS_LINE[answer.status]]
        for name, value in self.server_state.default_headers:
            parts += (name, b": ", value, b"\r\n")
        if not cycle.keep_alive:
            parts.append(b"connection: close\r\n")
        parts.append(answer.head())
        if cycle.scope["method"] != "HEAD":
            parts.append(answer.body)
        self.transport.write(b"".join(parts))
        cycle.response_started = cycle.response_complete = True
        cycle.on_response = _nothing  # else the two would hold each other in memory
        if not cycle.keep_alive:
            self.transport.close()
        self.on_response_complete()


class _Turn:
    """The requests that came in one turn of the event loop: all are decided, then all are written.

    Who waits for several of them is woken once, which costs more than a decision; and the store is asked once for all
    of them whether it has changed, as all of them were there before.
    """

    def __init__(self, app: Application) -> None:
        self._app = app
        self.waiting: list[tuple[QuickProtocol, RequestResponseCycle]] = []

    def answer(self) -> None:
        """Answer all that wait."""
        waiting, self.waiting = self.waiting, []
        with self._app.at_one_moment():
            answers = [protocol.at_once(cycle, self._app) for protocol, cycle in waiting]
        for (protocol, cycle), answer in zip(waiting, answers, strict=True):
            protocol.finish(cycle, self._app, answer)


_turns: Final[WeakKeyDictionary[ServerState, _Turn]] = WeakKeyDictionary()


def _nothing() -> None:
    """There is nothing more to come."""
