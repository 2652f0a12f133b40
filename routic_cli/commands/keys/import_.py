"""`routic keys import`."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated, Final

import typer

from routic_cli.command_line import session_of
from routic_cli.commands.options import DryRun, described, parse_tags
from routic_cli.commands.secret_input import read_secret
from routic_cli.domain.errors import InvalidRequestError, PartialFailureError, RouticError
from routic_cli.domain.keys import DEFAULT_SCOPES, KeyTraits, NewKey, Scope
from routic_cli.domain.minting import mint_key_id
from routic_cli.domain.rules import checked_traits
from routic_cli.domain.times import parse_expiry
from routic_cli.importing.reader import Line, read_lines
from routic_cli.output.json_out import print_json
from routic_cli.output.progress import progress
from routic_cli.session import Session
from routic_cli.transport.wire import KEY_FIELDS, key_object
from routic_cli.workflows.issue import version_of

EXAMPLES: Final = """
routic keys import --name legacy-worker < key.txt
psql -Atc 'SELECT row_to_json(t) FROM "LiteLLM_VerificationToken" t' | routic keys import --from -
"""

_SHORTEST: Final = 16
_FAILURES_SHOWN: Final = 20
_BATCH_FIELDS: Final = ("object", "imported", "already_here", "failed", "errors", "dry_run")


def run(
    ctx: typer.Context,
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="Adopt one key; its secret comes on standard input.")
    ] = None,
    from_: Annotated[
        str | None,
        typer.Option("--from", metavar="FILE", help="Adopt many: JSON lines with hashes, from a file or - for stdin."),
    ] = None,
    expires: Annotated[
        str, typer.Option("--expires", metavar="WHEN", help="With --name: 90d, a date, or never.")
    ] = "never",
    tag: Annotated[list[str] | None, typer.Option("--tag", metavar="K=V", help="With --name: a tag.")] = None,
    rpm: Annotated[int | None, typer.Option("--rpm", metavar="N", help="With --name: requests per minute.")] = None,
    scope: Annotated[list[Scope] | None, typer.Option("--scope", help="With --name: what the key may do.")] = None,
    dry_run: DryRun = False,
) -> None:
    """Adopt keys that were minted elsewhere, without issuing them again.

    With --name, one key, whose secret is read from standard input or a hidden prompt. With --from, JSON lines that
    carry SHA-256 hashes: {name, sha256, hint, …}, rows of LiteLLM's LiteLLM_VerificationToken, or keys exported from
    Unkey. Importing a file again changes nothing.
    """
    session = session_of(ctx)
    session.require_fields(KEY_FIELDS if from_ is None else _BATCH_FIELDS)
    if (name is None) == (from_ is None):
        raise InvalidRequestError(
            "It takes --name, or --from", not_done="Nothing was imported", remedy="routic keys import --help"
        )
    if name is not None:
        traits = KeyTraits(
            name,
            parse_tags(tag),
            tuple(scope) if scope else DEFAULT_SCOPES,
            rpm,
            parse_expiry(expires, now=session.now()),
        )
        _import_one(session, checked_traits(traits), dry_run=dry_run)
    elif from_ is not None:
        _import_many(session, from_, dry_run=dry_run)


def _import_one(session: Session, traits: KeyTraits, *, dry_run: bool) -> None:
    secret = read_secret(session, f"Secret of {traits.name}")
    if len(secret.reveal()) < _SHORTEST:
        raise InvalidRequestError(
            "This secret is too short to be a key",
            why=f"It has fewer than {_SHORTEST} characters, and its hash would give it away",
            not_done="Nothing was imported",
        )
    if dry_run:
        session.console.notice(f"Dry run: {traits.name} ({secret.hint}) was not imported")
        return
    version = version_of(secret, number=1, at=session.now())
    key = session.changing_transport.register(NewKey(mint_key_id(), traits, version))
    session.console.success(f"{described(key)} is active, with the secret that it has: {key.hint}")
    if session.wants_json:
        print_json(session.console, key_object(key, session.now()), session.fields, known=KEY_FIELDS)


def _import_many(session: Session, source: str, *, dry_run: bool) -> None:
    gc.disable()  # a fifth of a large import is the collector looking at keys that all live to the end
    lines = _read_all(session, source)
    good = [line for line in lines if line.key is not None]
    failures = [(line.number, line.error) for line in lines if line.error is not None]
    created = known = 0
    if not dry_run:
        keys = [line.key for line in good if line.key is not None]
        for line, result in zip(good, session.changing_transport.register_many(keys), strict=True):
            created += result.created
            known += result.key is not None and not result.created
            if result.error is not None:
                failures.append((line.number, result.error))
    failures.sort(key=lambda failure: failure[0])
    if session.wants_json:
        _print_counts(session, created=created, known=known, failures=failures, dry_run=dry_run)
    else:
        _tell_failures(session, failures)
    if dry_run:
        session.console.notice(f"Dry run: {len(good)} keys could be read, none was imported")
    elif created or known:
        session.console.success(f"{created} keys imported, {known} were here already")
    if failures:
        what = f"{len(failures)} of {len(lines)} lines were not imported"
        if not created and not known and not dry_run:
            raise InvalidRequestError(what, why=failures[0][1].what, not_done="No key was imported")
        raise PartialFailureError(what, why="Each is reported with its line number")


def _read_all(session: Session, source: str) -> list[Line]:
    with _opened(source) as stream, progress(session.console, "Reading", None) as bar:
        lines = []
        for line in read_lines(stream, session.now()):
            lines.append(line)
            bar.advance()
    if not lines:
        raise InvalidRequestError(
            f"There is nothing in {'standard input' if source == '-' else source}",
            why="An import of nothing is a mistake more often than not",
            not_done="Nothing was imported",
        )
    return lines


@contextmanager
def _opened(source: str) -> Iterator[IO[bytes]]:
    if source == "-":
        yield sys.stdin.buffer
        return
    try:
        with Path(source).open("rb") as stream:
            yield stream
    except OSError as error:
        raise InvalidRequestError(
            f"{source} could not be read", why=error.strerror or str(error), not_done="Nothing was imported"
        ) from error


def _tell_failures(session: Session, failures: Sequence[tuple[int, RouticError]]) -> None:
    for number, error in failures[:_FAILURES_SHOWN]:
        session.console.warn(f"Line {number}: {'. '.join(error.sentences())}")
    if len(failures) > _FAILURES_SHOWN:
        session.console.warn(f"{len(failures) - _FAILURES_SHOWN} more lines; --json lists them all")


def _print_counts(
    session: Session, *, created: int, known: int, failures: Sequence[tuple[int, RouticError]], dry_run: bool
) -> None:
    shown = {
        "object": "import",
        "imported": created,
        "already_here": known,
        "failed": len(failures),
        "errors": [
            {"line": number, "code": error.code, "message": ". ".join(error.sentences())} for number, error in failures
        ],
        "dry_run": dry_run,
    }
    print_json(session.console, shown, session.fields, known=_BATCH_FIELDS)
