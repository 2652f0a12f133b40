"""`routic keys revoke`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

import typer

from routic_cli.command_line import session_of
from routic_cli.commands.destinations import EnvFiles, InKeyring, Variable
from routic_cli.commands.keys.response import Response, settle
from routic_cli.commands.options import DryRun, Refs, confirm, described
from routic_cli.commands.waiting import await_verdicts
from routic_cli.delivery.sink import DEFAULT_VARIABLE
from routic_cli.domain.errors import InvalidRequestError, PartialFailureError, RouticError, UnavailableError
from routic_cli.domain.keys import Key, KeyStatus, Revocation
from routic_cli.domain.times import parse_duration
from routic_cli.output.incident import IncidentFormat
from routic_cli.output.json_out import print_json
from routic_cli.output.times import last_use, relative
from routic_cli.session import Session
from routic_cli.transport.wire import KEY_FIELDS, error_object, list_object, revocation_object

EXAMPLES: Final = """
routic keys revoke prod-backend
routic keys revoke key_7vz3 old-worker --reason "laptop stolen" --yes
gitleaks git -f json -r - | routic keys revoke --from - --leaked --yes
"""

_FIELDS: Final = (*KEY_FIELDS, "changed", "error")


def run(  # noqa: PLR0913, PLR0917  # one parameter for each flag
    ctx: typer.Context,
    refs: Refs = None,
    from_: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="FILE", help="Revoke what a scanner's report, or any text, tells of; - for stdin."
        ),
    ] = None,
    leaked: Annotated[
        bool, typer.Option("--leaked", help="They have leaked: says so, and who has called with them since.")
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="With --leaked: the next version first, where this machine has the key.")
    ] = False,
    env_file: EnvFiles = None,
    var: Variable = DEFAULT_VARIABLE,
    keyring: InKeyring = False,
    format_: Annotated[
        IncidentFormat | None, typer.Option("--format", help="With --leaked: the form of what came of it.")
    ] = None,
    reason: Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="Why; kept with the key.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    wait: Annotated[
        str | None,
        typer.Option("--wait", metavar="60s", help="End only when the store refuses the key, at most after this time."),
    ] = None,
    dry_run: DryRun = False,
) -> None:
    """End keys at once and for good.

    The next request with such a key is refused; requests in flight are not disturbed. Revoking a key again is success.

    With --from, every key of the store that a report tells of: of gitleaks, betterleaks, trufflehog, kingfisher,
    detect-secrets or GitHub, SARIF, or plain text. What is not ours is counted, and neither shown nor touched.

    With --leaked --replace a key stays: its next version goes where this machine has the key, and what leaked ends at
    once. A key that cannot be replaced is revoked all the same.
    """
    session = session_of(ctx)
    seconds = parse_duration(wait, param="wait") if wait is not None else None
    response = Response(reason, replace, env_file, var, keyring, format_, yes, dry_run, seconds)
    settle(session, response, leaked=leaked)
    if from_ is not None:
        from routic_cli.commands.keys.revoke_from import Asked, revoke_from

        _refuse_both(refs)
        revoke_from(session, Asked(from_, reason, leaked, yes, dry_run, seconds), response)
        return
    _revoke_named(session, refs or (), response, leaked=leaked)


def _revoke_named(session: Session, refs: Sequence[str], response: Response, *, leaked: bool) -> None:
    if not leaked:
        session.require_fields(_FIELDS)
    if not refs:
        raise InvalidRequestError(
            "No key was named", not_done="Nothing was revoked", remedy="routic keys revoke REF, or routic keys list"
        )
    keys, errors = _find_all(session, refs)
    if not keys:
        raise next(iter(errors.values()))
    if leaked:
        from routic_cli.commands.keys.leaked import revoke_named

        revoke_named(session, keys, errors, response, refs)
        return
    for line in _what_ends(keys, session.now()):
        session.console.notice(line)
    if response.dry_run:
        results = [Revocation(key.id, key, changed=False) for key in keys]
        session.console.notice("Dry run: nothing was revoked")
    else:
        from routic_cli.commands.keys.leak_measures import require_revoking

        require_revoking(session, session.transport)
        command = f"routic keys revoke {' '.join(refs)}"
        confirm(session, f"Revoke {_counted(keys)} for good?", yes=response.yes, command=command)
        results = session.revoking_transport.revoke([key.id for key in keys], response.reason)
        for key in keys:
            session.revoking_desk.forget_sealed(key.id)
        _tell(session, results)
        if response.wait is not None:
            await_verdicts(session, {v.sha256: False for key in keys for v in key.versions}, response.wait)
    _print(session, results, errors, single=len(refs) == 1)
    if errors:
        raise PartialFailureError(
            f"{len(errors)} of {len(refs)} were not revoked",
            why="; ".join(error.what for error in errors.values()),
            remedy="routic keys list",
        )


def _refuse_both(refs: Sequence[str] | None) -> None:
    if refs:
        raise InvalidRequestError(
            "It takes REFs, or --from", why="A report names its keys itself", not_done="Nothing was revoked"
        )


def _find_all(session: Session, refs: Sequence[str]) -> tuple[list[Key], dict[str, RouticError]]:
    """Each key once, in the order they were named, and what went wrong with the other names."""
    keys: dict[str, Key] = {}
    errors: dict[str, RouticError] = {}
    for ref in refs:
        try:
            key = session.transport.find(ref)
        except UnavailableError:
            raise
        except RouticError as error:
            errors[ref] = error
        else:
            keys.setdefault(key.id, key)
    return list(keys.values()), errors


def _what_ends(keys: Sequence[Key], now: int) -> list[str]:
    return [
        f"{described(key)} was revoked {relative(key.revoked_at, now)}"
        if key.status is KeyStatus.REVOKED
        else f"{described(key)}, {key.status}, last used: {last_use(key, now)}"
        for key in keys
    ]


def _counted(keys: Sequence[Key]) -> str:
    return described(keys[0]) if len(keys) == 1 else f"{len(keys)} keys"


def _tell(session: Session, results: Sequence[Revocation]) -> None:
    for result in results:
        if result.key is not None:
            state = "is revoked" if result.changed else "was revoked before; nothing changed"
            session.console.success(f"{described(result.key)} {state}")


def _print(session: Session, results: Sequence[Revocation], errors: dict[str, RouticError], *, single: bool) -> None:
    """For one REF its key, for several a list with one result each."""
    if not session.wants_json:
        return
    objects = [revocation_object(result, session.now()) for result in results]
    objects += [{"object": "api_key", "ref": ref} | error_object(error) for ref, error in errors.items()]
    shown = objects[0] if single else list_object(objects)
    print_json(session.console, shown, session.fields, known=_FIELDS)
