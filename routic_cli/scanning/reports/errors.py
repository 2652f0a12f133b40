"""What is said of a report that cannot be trusted to have been read."""

from __future__ import annotations

from typing import Final

from routic_cli.domain.errors import RouticError

NOTHING_REVOKED: Final = "No key was revoked"


class ReportError(RouticError):
    """A report that is empty, cut off, masked, or of no form that is known: whether it tells of our keys is unknown."""

    code = "report_unreadable"


def unreadable(why: str, *, remedy: str = "") -> ReportError:
    """A report that is broken; `why` never repeats what is in it."""
    return ReportError("The report could not be read", why=why[:1].upper() + why[1:], remedy=remedy)
