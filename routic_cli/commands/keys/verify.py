"""`routic keys verify`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Final

import typer

from routic_cli.command_line import session_of
from routic_cli.commands.missing_store import missing_store
from routic_cli.commands.secret_input import read_secret
from routic_cli.domain.key_format import defect_of, is_well_formed
from routic_cli.domain.keys import KeyStatus, Scope, UnixSeconds, Verdict, VerdictStatus
from routic_cli.domain.secret import Secret
from routic_cli.output.json_out import print_json
from routic_cli.output.panel import print_pairs
from routic_cli.output.times import absolute, relative
from routic_cli.transport.wire import VERDICT_FIELDS, JsonObject, verdict_object

EXAMPLES: Final = """
routic keys verify < key.txt
pbpaste | routic keys verify --offline
"""

_WHOLE: Final = re.compile(r"sk-[0-9A-Za-z]{45}")
_QUOTES: Final = ("'", '"', "`", "\u201c", "\u201d", "\u2018", "\u2019")
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
        answer, code = _answer(secret, verdict, now, missing_store(session))
    if session.wants_json:
        print_json(session.console, answer, session.fields, known=VERDICT_FIELDS)
    else:
        print_pairs(session.console, _pairs(answer, now))
    return code


def _offline(secret: Secret) -> tuple[JsonObject, int]:
    defect = _defect(secret.reveal())
    status = "malformed" if defect else "well_formed"
    return verdict_object(status, secret.hint, defect, None, 0), _NOT_A_KEY if defect else _LET_IN


def _answer(secret: Secret, verdict: Verdict, now: UnixSeconds, missing: Path | None) -> tuple[JsonObject, int]:
    # The store first: a key that was imported may have any shape.
    if verdict.status is not VerdictStatus.UNKNOWN:
        shown = verdict_object(verdict.status.value, secret.hint, _what_became_of(verdict), verdict, now)
        return shown, _LET_IN if verdict.status is VerdictStatus.ACTIVE else _NO_LONGER
    if verdict.elsewhere is not None:
        return verdict_object("unknown", secret.hint, "it is of another account of this store", None, now), _NOT_A_KEY
    defect = _defect(secret.reveal())
    status = "malformed" if defect else "unknown"
    nobody = "no key of this store has it" if missing is None else f"there is no store at {missing}: nobody was asked"
    why = defect or f"its shape is right, and {nobody}"
    return verdict_object(status, secret.hint, why, None, now), _NOT_A_KEY


def _defect(text: str) -> str | None:
    """Why the text is no key, also where a whole one stands in it: it was pasted with something around it."""
    defect = defect_of(text)
    found = _WHOLE.search(text) if defect else None
    if found is None or not is_well_formed(found[0]):
        return defect
    before, behind = bool(text[: found.start()]), bool(text[found.end() :])
    where = "around" if before and behind else "before" if before else "behind"
    quoted = " (quotation marks)" if text[:1] in _QUOTES and text[-1:] in _QUOTES else ""
    return f"a whole key is in it, and something stands {where} it{quoted}: it was not sent as it is"


def _what_became_of(verdict: Verdict) -> str | None:
    """What the status does not say: that a rotation replaced this secret, or is about to; that it may not call."""
    key = verdict.key
    if key is None or verdict.status is VerdictStatus.REVOKED:
        return None
    version = next(each for each in key.versions if each.number == verdict.version)
    is_replaced = key.status is KeyStatus.ACTIVE and version.number != key.current.number
    if verdict.status is VerdictStatus.EXPIRED:
        if not is_replaced or version.expires_at is None:
            return "the key itself has expired"
        ended = absolute(version.expires_at)
        return f"version {version.number} ended at {ended}: version {key.current.number} took its place"
    if is_replaced and version.expires_at is not None:
        return f"version {key.current.number} takes its place; this one ends at {absolute(version.expires_at)}"
    if {Scope.API, Scope.ADMIN}.isdisjoint(key.traits.scopes):
        return f"it may not call the gateway: its scopes are {', '.join(key.traits.scopes)}"
    return None


def _pairs(answer: JsonObject, now: UnixSeconds) -> list[tuple[str, str]]:
    pairs = [("Status", str(answer["status"])), ("Hint", str(answer["hint"]))]
    if answer["detail"]:
        pairs.append(("Why", str(answer["detail"])))
    key = answer["key"]
    if isinstance(key, dict):
        pairs += [("Name", str(key["name"])), ("ID", str(key["id"])), ("Version", str(answer["version"]))]
        pairs.append(("Created", f"{relative(key['created_at'], now)} ({absolute(key['created_at'])})"))
        if key["last_used_at"] is not None:
            pairs.append(("Last used", f"{relative(key['last_used_at'], now)} ({absolute(key['last_used_at'])})"))
        for label, field in (("Expires", "expires_at"), ("Revoked", "revoked_at")):
            if key[field] is not None:
                pairs.append((label, f"{relative(key[field], now)} ({absolute(key[field])})"))
        if key["revoke_reason"]:
            pairs.append(("Reason", str(key["revoke_reason"])))
    return pairs
