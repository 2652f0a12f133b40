"""A report from its first byte to its last: which kind it is, and what it says."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from routic_cli.domain.errors import InvalidRequestError
from routic_cli.scanning.reports import plain_text
from routic_cli.scanning.reports.decoding import utf8, without_log
from routic_cli.scanning.reports.entry import NOWHERE, Format, Place, Record
from routic_cli.scanning.reports.errors import NOTHING_REVOKED, ReportError
from routic_cli.scanning.reports.registry import formats
from routic_cli.scanning.reports.report import Report
from routic_cli.scanning.reports.walk import records

STDIN: Final = "-"
_STDIN_FD: Final = 0
_BLOCK: Final = 1 << 20
_HEAD: Final = 4096
# No report begins with a number or a word: what does is a line of a log.
_JSON: Final = re.compile(rb"\s*(?:\[\s*(?:[\[{\]\"]|$)|\{\s*(?:[\"}]|$))")
# What a scanner prints before its report where both go to one file: no key, and no half of a finding. Of the report
# more must be there than its bracket.
_BANNER: Final = re.compile(
    rb"(?!\s*[\[{])(?:(?![^\n]*sk-)[^\n\"{}]*+\n)+?"
    rb"(?=(?:\[\s*)?\{\s*\"(?:RuleID|SourceMetadata|\$schema|runs|findings|schema_version)\"|\[\s*\{\s*\"Description\")"
)


@contextmanager
def opened(source: str) -> Iterator[tuple[Iterator[bytes], Sequence[Path]]]:
    """The blocks of a file, or of standard input for `-`, and the folders that names in it may be relative to."""
    if source == STDIN:
        yield _blocks(_STDIN_FD, "Standard input"), (Path(),)
        return
    try:
        fd = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        raise _refused(source, error) from error
    try:
        if stat.S_ISDIR(os.fstat(fd).st_mode):
            raise _refused(source, IsADirectoryError(0, "It is a folder"))
        yield _blocks(fd, source), (Path(), Path(source).parent)
    finally:
        os.close(fd)


def _blocks(fd: int, name: str) -> Iterator[bytes]:
    try:
        while block := os.read(fd, _BLOCK):
            yield block
    except OSError as error:
        raise _refused(name, error) from error


def _refused(name: str, error: Exception) -> InvalidRequestError:
    why = error.strerror if isinstance(error, OSError) else None
    return InvalidRequestError(f"{name} could not be read", why=why or str(error), not_done=NOTHING_REVOKED)


def read_report(blocks: Iterable[bytes], folders: Sequence[Path] = (Path(),)) -> Report:
    """What the report says. `folders` are where the files may be that it names.

    ReportError when it is empty, broken, of no form that is known, or tells of secrets without giving one of them: it
    would be dangerous to say that it has no keys of ours.
    """
    try:
        source = _Blocks(utf8(blocks))
        if not source.peek().strip():
            raise _empty()
        banner = _BANNER.match(source.peek())
        if banner:
            source = _Blocks(without_log(source.rest(banner.end())))
        is_json = banner is not None or _JSON.match(source.peek()) is not None
        report = _of_json(source, formats(folders)) if is_json else _of_text(source)
        if report.unreadable and not report.leaks:
            raise _nothing_readable(report)
    except ReportError as error:
        error.not_done = NOTHING_REVOKED
        raise
    return report


def _empty() -> ReportError:
    return ReportError(
        "The report is empty",
        why="A scanner that failed leaves nothing, and so does trufflehog when it found nothing. A report without"
        " findings is '[]'",
    )


class _Blocks:
    """Blocks as a file to be read, whose beginning can be looked at before."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._held = b""

    def peek(self) -> bytes:
        """What it begins with, behind white space."""
        while len(self._held.lstrip()) < _HEAD and (block := next(self._blocks, b"")):
            self._held = self._held.lstrip() + block if not self._held.strip() else self._held + block
        return self._held[: 2 * _HEAD]

    def rest(self, start: int) -> Iterator[bytes]:
        """All from there on."""
        yield self._held[start:]
        yield from self._blocks

    def read(self, size: int = -1) -> bytes:
        """At most so many bytes; nothing at the end."""
        if not self._held:
            self._held = next(self._blocks, b"")
        size = len(self._held) if size < 0 else size
        given, self._held = self._held[:size], self._held[size:]
        return given


def _of_json(source: _Blocks, known: Sequence[Format]) -> Report:
    report = Report()
    strange = 0
    ended: dict[str, bool | None] = {}
    for place, record in records(source):
        if not isinstance(record, dict) or not _take(report, known, place, record, ended):
            strange += 1
            report.cannot_read(NOWHERE, "of no form that routic knows")
    if False in ended.values():
        report.cannot_read(NOWHERE, "the scan did not come to its end")
    if strange and not report.formats:
        raise ReportError(
            "The report is JSON of no form that routic knows",
            why=f"It reads {', '.join(each.name for each in known)}, and plain text",
            remedy="jq -r '.. | strings' REPORT | routic keys revoke --from -",
        )
    return report


def _take(report: Report, known: Sequence[Format], place: Place, record: Record, ended: dict[str, bool | None]) -> bool:
    """Whether one of the formats knows the record; what it says is in the report then, and whether its scan `ended`."""
    for each in known:
        entries = each.read(place, record)
        if entries is None:
            continue
        if each.name not in report.formats:
            report.formats.append(each.name)
        report.at = report.at or each.dated(record)
        ended[each.name] = each.ended(record, ended.get(each.name))
        for entry in entries:
            report.add(entry, each.name, each.in_clear)
        return True
    return False


def _of_text(source: _Blocks) -> Report:
    report = Report()
    for entry in plain_text.entries(source):
        report.add(entry, plain_text.NAME, "")
    if not report.entries:
        raise ReportError(
            "There is no key in this text",
            why="It is no scanner's report that routic knows, and was searched for keys of routic's own form",
        )
    return report


def _nothing_readable(report: Report) -> ReportError:
    count = report.unreadable
    what = (
        f"None of {count:,} secrets in the report can be read"
        if count > 1
        else "The secret in the report cannot be read"
    )
    first, why = report.troubles[0]
    is_masked = report.masked == report.unreadable
    return ReportError(
        what,
        why="The scanner masked what it found" if is_masked else f"{first}: {why}",
        remedy=report.in_clear,
    )
