"""An incident for programs: one object. docs/leaks.md describes its fields."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from routic_cli.delivery.sink import Placement
from routic_cli.domain.keys import UnixSeconds
from routic_cli.output.incident.incident import Caller, FoundVersion, Incident, KeyAudit, LeakedKeyReport, ToDo
from routic_cli.output.inert import without_secrets
from routic_cli.transport.wire import JsonObject, finding_object, key_object

INCIDENT_FIELDS: Final = (
    "object", "created_at", "by", "store", "reason", "dry_run", "changed", "formats", "not_ours", "kept_back",
    "of_another_account", "unreadable", "keys",
)  # fmt: skip


def incident_object(incident: Incident) -> JsonObject:
    """The whole of it."""
    return {
        "object": "incident",
        "created_at": incident.at,
        "by": incident.by,
        "store": incident.store,
        "reason": incident.reason,
        "dry_run": incident.is_dry_run,
        "changed": any(each.changed for each in incident.keys),
        "formats": list(incident.formats),
        "not_ours": incident.not_ours,
        "kept_back": incident.kept_back,
        "of_another_account": incident.of_another_account,
        "unreadable": incident.unreadable,
        "keys": [_key(each, incident.at) for each in incident.keys],
    }


def _key(report: LeakedKeyReport, now: UnixSeconds) -> JsonObject:
    replacement: JsonObject | None = None
    if report.replacement is not None:
        version = report.replacement
        replacement = {"version": version.number, "hint": version.hint, "places": list(map(_place, report.places))}
    return {
        "key": key_object(report.key, now),
        "action": report.action.value,
        "changed": report.changed,
        "ended_at": report.ended_at,
        "found": [_found(each) for each in report.found],
        "replacement": replacement,
        "trouble": without_secrets(report.trouble) or None,
        "audit": None if report.audit is None else _audit(report.audit),
        "to_do": [_to_do(each) for each in report.to_do],
    }


def _found(found: FoundVersion) -> JsonObject:
    return {
        "version": found.version.number,
        "hint": found.version.hint,
        "was_let_in": found.was_let_in,
        "count": found.count,
        "at": found.at,
        "places": [
            {"file": _clean(place.file), "line": place.line, "commit": _clean(place.commit)} for place in found.places
        ],
    }


def _place(place: Placement) -> JsonObject:
    return {"kind": place.kind, "location": place.location, "variable": place.variable or None}


def _audit(audit: KeyAudit) -> JsonObject:
    looked = audit.was_made
    return {
        "looked_at": looked,
        "trouble": without_secrets(audit.trouble) or None,
        "since": audit.since,
        "since_when": audit.since_when.value,
        "log_since": audit.log_since,
        "calls": audit.calls if looked else None,
        "refused": audit.refused if looked else None,
        "after_end": audit.after_end if looked else None,
        "callers": _callers(audit.callers),
        "findings": [finding_object(each) for each in audit.findings],
    }


def _callers(callers: Sequence[Caller]) -> list[JsonObject]:
    return [
        {
            "address": each.address,
            "calls": each.calls,
            "refused": each.refused,
            "first_at": each.first_at,
            "last_at": each.last_at,
        }
        for each in callers
    ]


def _to_do(to_do: ToDo) -> JsonObject:
    return {"text": without_secrets(to_do.text), "command": without_secrets(to_do.command) or None}


def _clean(text: str | None) -> str | None:
    return None if text is None else without_secrets(text)
