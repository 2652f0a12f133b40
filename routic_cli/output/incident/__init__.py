"""What came of a leak, in the forms of `keys revoke --leaked --format`."""

from __future__ import annotations

from enum import StrEnum


class IncidentFormat(StrEnum):
    """How an incident is shown."""

    TEXT = "text"
    MARKDOWN = "markdown"
    JSON = "json"
