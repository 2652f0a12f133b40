"""GitHub secret scanning: what partners are sent, the alerts of the REST API, and the alert in a webhook."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Final

from routic_cli.scanning.reports.entry import (
    Entry,
    Format,
    Place,
    Record,
    moment_of,
    text_of,
    where_of,
)

_ALERT: Final = frozenset({"secret_type", "secret", "locations_url"})


def _read(_: Place, record: Record) -> Sequence[Entry] | None:
    if "token" in record and "type" in record and not {"url", "source"}.isdisjoint(record):
        return [Entry(text_of(record, "token"), (), where_of(record.get("url"), None, None))]
    alert = record.get("alert") if "action" in record else record
    if not isinstance(alert, dict) or "number" not in alert or _ALERT.isdisjoint(alert):
        return None
    return [_alert(alert)]


def _alert(alert: Record) -> Entry:
    secret = text_of(alert, "secret")
    around = [decoded] if secret and alert.get("is_base64_encoded") is True and (decoded := _decoded(secret)) else []
    place = alert.get("first_location_detected")
    seen = place if isinstance(place, dict) else {}
    where = where_of(
        seen.get("path") or alert.get("html_url"),
        seen.get("start_line"),
        seen.get("commit_sha") or seen.get("blob_sha"),
    )
    why = "" if secret else "the alert comes without its secret"
    return Entry(secret, around, where, moment_of(alert.get("created_at")), why)


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, ValueError):
        return ""


FORMAT: Final = Format(
    "GitHub secret scanning", _read, in_clear="gh api --paginate repos/OWNER/REPO/secret-scanning/alerts"
)
