"""SARIF, of whichever scanner: the secret is the snippet, or stands in it or in the message."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from routic_cli.domain.keys import UnixSeconds
from routic_cli.scanning.reports.entry import (
    Entry,
    Format,
    GoneBy,
    Place,
    Record,
    moment_of,
    text_of,
    value_of,
    where_of,
)

_RUN: Final = ("runs", None)
_RESULT: Final = ("runs", None, "results", None)
_COMMITS: Final = ("commitSha", "commit", "commitHash")


def _read(place: Place, record: Record) -> Sequence[Entry] | None:
    if place[-4:] == _RESULT:
        return [_result(record)]
    if place[-2:] == _RUN:
        # A run whose results are null says that nothing was looked for.
        results = record.get("results")
        is_run = "tool" in record and (results is GoneBy.NOTHING or results is GoneBy.ARRAY)
        return list(_failures(record)) if is_run else None
    return [] if record.get("runs") is GoneBy.ARRAY and {"version", "$schema"} & record.keys() else None


def _failures(run: Record) -> Iterator[Entry]:
    """What a run says against itself: without this, one that failed is a report without findings."""
    if any(value_of(each, "executionSuccessful") is False for each in _items(run.get("invocations"))):
        yield Entry(None, why="the scanner says that it failed")
    if value_of(run, "externalPropertyFileReferences", "results"):
        yield Entry(None, why="results of it are in another file")


def _result(record: Record) -> Entry:
    snippets, where = [], where_of(None, None, None)
    for location in _items(record.get("locations")):
        physical = value_of(location, "physicalLocation")
        uri, region = text_of(physical, "artifactLocation", "uri"), value_of(physical, "region")
        if where.file is None and uri:
            where = where_of(uri.removeprefix("./"), value_of(region, "startLine"), None)
        snippets += [text for at in ("region", "contextRegion") if (text := text_of(physical, at, "snippet", "text"))]
    marks = [value_of(record, name) for name in ("partialFingerprints", "fingerprints", "properties")]
    commit = next((text for mark in marks for name in _COMMITS if (text := text_of(mark, name))), None)
    at = next((moment for mark in marks if (moment := moment_of(value_of(mark, "date")))), None)
    message = text_of(record, "message", "text")
    why = "" if snippets else "it has no snippet"
    around = [*snippets[1:], *([message] if message else [])]
    return Entry(snippets[0] if snippets else None, around, where._replace(commit=commit), at, why, is_excerpt=True)


def _items(value: object) -> Iterator[Any]:
    return iter(value if isinstance(value, list) else ())


def _dated(record: Record) -> UnixSeconds | None:
    times = (moment_of(value_of(each, "endTimeUtc")) for each in _items(record.get("invocations")))
    return next((at for at in times if at), None)


FORMAT: Final = Format("SARIF", _read, "the scanner again with snippets and without redaction", _dated)
