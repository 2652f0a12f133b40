"""GitLab's dotenv report (`artifacts:reports:dotenv`): `VAR=value`, for the jobs that follow.

GitLab's own parser, whatever the name says: no quotes, no comments, no empty lines; spaces at the ends are cut off,
and its documentation allows none inside. The variables are not `raw`: `$NAME` and `%NAME%` in a value are expanded.
By default the file has to be below 5 KiB, with 50 to 150 variables by plan. Beware: these variables are not masked
in job logs, and whoever may download the job's artifacts can read the report, unless `artifacts:access` says otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from routic_cli.formats.interface import Entry, Format
from routic_cli.formats.values import line_of, not_carried


def render(entries: Sequence[Entry]) -> str:
    """One variable a line."""
    return "".join(f"{entry.variable}={_checked(entry)}\n" for entry in entries)


def _checked(entry: Entry) -> str:
    text = line_of(entry, "gitlab")
    if not set(" $%").isdisjoint(text):
        raise not_carried(entry, "gitlab", "GitLab takes no spaces there, and expands $ and %")
    return text


FORMAT: Final = Format("gitlab", render, usage="routic export REF --format gitlab --output routic.env")
