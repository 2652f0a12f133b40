"""uvicorn's HTTP protocol with an end to headers: its parser would take any length, and slower the longer it gets."""

from __future__ import annotations

from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LARGEST_HEAD: Final = 64 << 10


class BoundedProtocol(HttpToolsProtocol):
    """Closes a connection on which a request's head is larger than 64 KiB."""

    _head = 0
    _in_head = True
    _completed = False

    def data_received(self, data: bytes) -> None:
        """Parse, and look how much of a head there is that has not ended."""
        self._completed = False
        super().data_received(data)
        if self._in_head:
            # What came in one piece with the end of a request was mostly that request, and may be a large one.
            self._head = 0 if self._completed else self._head + len(data)
            if self._head > LARGEST_HEAD and not self.transport.is_closing():
                self.transport.close()

    def on_headers_complete(self) -> None:
        """The head has ended."""
        self._in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The next head may begin."""
        self._head, self._in_head, self._completed = 0, True, True
        super().on_message_complete()
