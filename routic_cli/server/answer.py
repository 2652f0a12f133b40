"""A reply of /auth: as ASGI has it, and as it travels."""

from __future__ import annotations

from typing import NamedTuple

from routic_cli.server.replies import Headers


class Answer(NamedTuple):
    """Status, headers and body. `lines` are the headers as they travel, where they have been made before."""

    status: int
    its_headers: Headers
    body: bytes
    request_id: str
    lines: bytes | None = None

    def headers(self) -> Headers:
        """All of them, as ASGI has them."""
        return [*self.its_headers, (b"x-request-id", self.request_id.encode())]

    def head(self) -> bytes:
        """All of them as they travel, up to the body."""
        lines = header_lines(self.its_headers) if self.lines is None else self.lines
        return b"%sx-request-id: %s\r\n\r\n" % (lines, self.request_id.encode())


def header_lines(headers: Headers) -> bytes:
    """As they travel. Nothing is checked: texts of others are in them as JSON in ASCII, or percent-encoded."""
    return b"".join([b"%s: %s\r\n" % header for header in headers])
