"""A short way from the parser to the socket, for what can be answered at once: no task, and no messages of ASGI.

Of a bare application's time on uvicorn, half goes into those. What is not answered at once goes uvicorn's own way.
"""

from __future__ import annotations

from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from routic_cli.server.answer import Answer
from routic_cli.server.app import Application
from routic_cli.server.protocol import BoundedProtocol


class QuickProtocol(BoundedProtocol):
    """Asks an Application for what it can say at once, and writes it as uvicorn would."""

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        """Called by uvicorn when a request's head has been read, and no other request of the connection is open."""
        # While others wait behind it in a pipeline, each end begins the next one: thousands deep, without a task.
        if isinstance(app, Application) and not self.flow.write_paused and not self.pipeline:
            answer = self._at_once(app, cycle)
            if answer is not None:
                self._write(cycle, answer)
                return
        super()._start_asgi_task(cycle, app)

    def _at_once(self, app: Application, cycle: RequestResponseCycle) -> Answer | None:
        try:
            return app.at_once(cast("dict[str, Any]", cycle.scope))
        except Exception:  # noqa: BLE001  # uvicorn's own way meets the same, reports it, and answers 500
            return None

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


def _nothing() -> None:
    """There is nothing more to come."""
