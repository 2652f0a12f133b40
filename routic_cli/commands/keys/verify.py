"""`routic keys verify`."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from routic_cli.command_line import session_of
from routic_cli.commands.secret_input import read_secret
from routic_cli.domain.key_format import defect_of
from routic_cli.domain.keys import UnixSeconds, Verdict, VerdictStatus
from routic_cli.domain.secret import Secret
from routic_cli.output.json_out import print_json
from routic_cli.output.panel import print_pairs
from routic_cli.output.times import absolute, relative
from routic_cli.transport.wire import VERDICT_FIELDS, JsonObject, verdict_object

EXAMPLES: Final = """
routic keys verify < key.txt
pbpaste | routic keys verify --offline
"""

_LET_IN: Final = 0
_NOT_A_KEY: Final = 3
_NO_LONGER: Final = 9


def run(
    ctx: typer.Context,
    offline: Annotated[bool, typer.Option("--offline", help="Judge the shape only; ask no store.")] = False,
) -> int:
    """Say what a secret is, and whether it would be let in.

    Reads one secret from standard input or a hidden prompt. Ends with 0 when it would be let in, 3 when it is
    malformed or unknown, 9 when it is expired or revoked. With --offline, 0 says that the shape is right.
    """
    session = session_of(ctx)
    session.require_fields(VERDICT_FIELDS)
    secret = read_secret(session, "Key to verify")
    now = session.now()
    if offline:
        answer, code = _offline(secret)
    else:
        verdict = session.transport.verify(secret.fingerprint)
        answer, code = _answer(secret, verdict, now)
    if session.wants_json:
        print_json(session.console, answer, session.fields, known=VERDICT_FIELDS)
    else:
        print_pairs(session.console, _pairs(answer, now))
    return code


def _offline(secret: Secret) -> tuple[JsonObject, int]:
    defect = defect_of(secret.reveal())
    status = "malformed" if defect else "well_formed"
    return verdict_object(status, secret.hint, defect, None, 0), _NOT_A_KEY if defect else _LET_IN


def _answer(secret: Secret, verdict: Verdict, now: UnixSeconds) -> tuple[JsonObject, int]:
    # The store first: a key that was imported may have any shape.
    if verdict.status is not VerdictStatus.UNKNOWN:
        shown = verdict_object(verdict.status.value, secret.hint, None, verdict, now)
        return shown, _LET_IN if verdict.status is VerdictStatus.ACTIVE else _NO_LONGER
    defect = defect_of(secret.reveal())
    status = "malformed" if defect else "unknown"
    why = defect or "its shape is right, and no key of this store has it"
    return verdict_object(status, secret.hint, why, None, now), _NOT_A_KEY


def _pairs(answer: JsonObject, now: UnixSeconds) -> list[tuple[str, str]]:
    pairs = [("Status", str(answer["status"])), ("Hint", str(answer["hint"]))]
    if answer["detail"]:
        pairs.append(("Why", str(answer["detail"])))
    key = answer["key"]
    if isinstance(key, dict):
        pairs += [("Name", str(key["name"])), ("ID", str(key["id"])), ("Version", str(answer["version"]))]
        for label, field in (("Expires", "expires_at"), ("Revoked", "revoked_at")):
            if key[field] is not None:
                pairs.append((label, f"{relative(key[field], now)} ({absolute(key[field])})"))
        if key["revoke_reason"]:
            pairs.append(("Reason", str(key["revoke_reason"])))
    return pairs
