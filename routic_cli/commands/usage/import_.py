"""`routic usage import`."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from itertools import chain
from typing import Annotated, Final

import typer

from routic_cli.command_line import session_of
from routic_cli.domain.errors import InterruptedByUserError, InvalidRequestError, RouticError
from routic_cli.domain.keys import UnixSeconds
from routic_cli.domain.usage import AHEAD
from routic_cli.importing.logs.beside import frames_beside, is_worth_it
from routic_cli.importing.logs.formats import FORMATS
from routic_cli.importing.logs.frames import frames_of
from routic_cli.importing.logs.sources import STDIN, followed, found_paths, opened
from routic_cli.output.json_out import print_json
from routic_cli.output.progress import Progress, progress
from routic_cli.output.times import absolute
from routic_cli.session import Session
from routic_cli.store_url import RemoteStore
from routic_cli.workflows.interruption import Interruption
from routic_cli.workflows.usage_import import Shown, Tally, UsageImport

EXAMPLES: Final = """
routic usage import /var/log/nginx/access.json.log*
zcat archive.json.gz | routic usage import -
routic usage import --follow /var/log/caddy/access.log
"""

_FIELDS: Final = ("object", "files", "lines", "new", "known", "bad", "bad_lines", "first_at", "last_at")
_BATCH: Final = 20_000
_REMOTE_BATCH: Final = 5_000  # what a server takes in one request


def run(
    ctx: typer.Context,
    files: Annotated[
        list[str], typer.Argument(metavar="FILE…", help="Logs, plain or gzip; - for stdin.", show_default=False)
    ],
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on reading as the files grow, also when they are rotated.")
    ] = False,
) -> None:
    """Read logs into the usage log: who called with which key, from where, and what came of it.

    It reads JSON lines of routic's own, nginx's and Caddy's JSON access logs, and LiteLLM's spend logs, and tells them
    apart by what is in them. A key in a line becomes its hash on reading, and is stored nowhere. A line that was
    imported before counts once, so that an import can be repeated, and goes on where it was interrupted. Lines that
    cannot be read are counted, and the first ten are shown.
    """
    session = session_of(ctx)
    session.require_fields(_FIELDS)
    paths = found_paths(files)
    if follow and STDIN in paths:
        raise InvalidRequestError(
            "--follow is for files",
            why="Standard input is read for as long as it is open",
            not_done="Nothing was imported",
            remedy="routic usage import -",
        )
    (_follow if follow else _import)(session, paths)


def _import(session: Session, paths: Sequence[str]) -> None:
    with ExitStack() as stack:
        # All of them are opened before the first is read: one that cannot be is said before anything is stored.
        sources = [stack.enter_context(opened(path)) for path in paths]
        sizes = [source.size for source in sources]
        total = None if None in sizes else sum(size or 0 for size in sizes)
        bar = stack.enter_context(progress(session.console, "Importing", total))
        work = _work(session, bar)
        try:
            latest = _latest(session)
            frames = (
                stack.enter_context(frames_beside(sources, latest()))
                if is_worth_it(sources)
                else chain.from_iterable(frames_of(source, latest) for source in sources)
            )
            work.read([source.name for source in sources], frames)
        except (RouticError, KeyboardInterrupt) as error:
            raise _broken_off(work.tally, error) from error
    if work.tally.bad and not (work.tally.new or work.tally.known):
        raise _nothing_readable(work.tally)
    _tell(session, work.tally)


def _follow(session: Session, paths: Sequence[str]) -> None:
    with ExitStack() as stack:
        sources = [stack.enter_context(followed(path)) for path in paths]
        bar = stack.enter_context(progress(session.console, "Following", None))
        work = _work(session, bar)
        with Interruption().watching():
            try:
                work.follow(sources, _latest(session))
            except InterruptedByUserError:
                work.store()
    _tell(session, work.tally)
    raise InterruptedByUserError("Stopped following")


def _latest(session: Session) -> Callable[[], UnixSeconds]:
    return lambda: session.now() + AHEAD


def _work(session: Session, bar: Progress) -> UsageImport:
    began = time.monotonic()

    def moved(count: int) -> None:
        lines = work.tally.lines
        bar.advance(count, f"{lines:,} lines, {lines / max(time.monotonic() - began, 1):,.0f}/s")

    is_remote = isinstance(session.config.store_url, RemoteStore)
    batch = _REMOTE_BATCH if is_remote else _BATCH
    work = UsageImport(session.transport.usage, batch=batch, bad=_teller(session), moved=moved)
    return work


def _teller(session: Session) -> Callable[[Shown], None]:
    def tell(shown: Shown) -> None:
        if not session.wants_json:  # the object has them
            session.console.warn(f"{shown.file}, line {shown.line.number}: {shown.line.why}")

    return tell


def _tell(session: Session, tally: Tally) -> None:
    console = session.console
    if session.wants_json:
        print_json(console, _object(tally), session.fields, known=_FIELDS)
        return
    for name in tally.unreadable:
        console.warn(f"{name} has no line that could be read")
    if tally.bad:
        console.warn(f"{tally.bad:,} of {tally.lines:,} lines could not be read")
    if not tally.lines:
        console.notice("There is nothing in it" if tally.files == 1 else "There is nothing in them")
        return
    span = ""
    if tally.first_at is not None and tally.last_at is not None:
        span = f", from {absolute(tally.first_at)} to {absolute(tally.last_at)}"
    console.success(f"{_counted(tally.new, 'call')} imported, {tally.known:,} known already{span}")


def _object(tally: Tally) -> dict[str, object]:
    return {
        "object": "usage_import",
        "files": tally.files,
        "lines": tally.lines,
        "new": tally.new,
        "known": tally.known,
        "bad": tally.bad,
        "bad_lines": [{"file": file, "line": line.number, "why": line.why} for file, line in tally.shown],
        "first_at": tally.first_at,
        "last_at": tally.last_at,
    }


def _broken_off(tally: Tally, error: RouticError | KeyboardInterrupt) -> RouticError:
    """The same error, saying what was stored before it."""
    stored = f"{_counted(tally.new, 'call')} imported before it; the same command again adds the rest, each call once"
    if isinstance(error, RouticError):
        error.not_done = f"{error.not_done.rstrip('.')}. {stored}" if error.not_done else stored
        return error
    return InterruptedByUserError("Interrupted", not_done=stored)


def _nothing_readable(tally: Tally) -> RouticError:
    known = ", ".join(each.name for each in FORMATS)
    first = tally.shown[0]
    return RouticError(
        f"None of {_counted(tally.bad, 'line')} could be read",
        why=f"{first.file}, line {first.line.number}: {first.line.why}. The formats that routic reads are {known}",
        not_done="Nothing was imported",
    )


def _counted(count: int, word: str) -> str:
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"
