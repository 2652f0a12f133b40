"""A scan as SARIF 2.1.0, for code scanning: a result for each key in each place."""

from __future__ import annotations

import hashlib
import os
from typing import Any, Final
from urllib.parse import quote_from_bytes

from routic_cli import __version__
from routic_cli.output.audit.sarif import SCHEMA
from routic_cli.output.console import Console
from routic_cli.output.inert import inert
from routic_cli.output.json_out import json_text
from routic_cli.output.scan.report import FoundKey, Level, ScanReport

_RULES: Final = {
    "active-key": (Level.ERROR, "9.0", "An active key of the gateway is in a file or in the history of a repository."),
    "unverified-key": (
        Level.ERROR,
        "8.0",
        "A key of the gateway is here, and no store was asked whether it is active.",
    ),
    "unknown-key": (
        Level.WARNING,
        "5.0",
        "A text with the shape and the check characters of a key, unknown to the store.",
    ),
    "dead-key": (Level.NOTE, "2.0", "A key that was revoked or has expired."),
}
_RULE_OF: Final = {"active": "active-key", "not_asked": "unverified-key", "unknown": "unknown-key"}
_HELP: Final = (
    "Whoever can read the file, or clone the repository, can use the key. Removing it from the file is not enough:"
    " revoke it with `routic keys revoke NAME --reason leaked`, or replace it with `routic rotate NAME --now`."
)


def print_report(console: Console, report: ScanReport) -> None:
    """One run."""
    console.data(json_text(sarif_log(report), pretty=console.stdout_is_terminal) + "\n")


def sarif_log(report: ScanReport) -> dict[str, Any]:
    """The log object."""
    driver = {"name": "routic", "semanticVersion": __version__, "rules": [_rule(name) for name in _RULES]}
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "automationDetails": {"id": "routic/scan/"},
                "columnKind": "unicodeCodePoints",
                "results": [_result(report, found) for found in report.found],
            }
        ],
    }


def _rule(name: str) -> dict[str, Any]:
    level, score, text = _RULES[name]
    return {
        "id": name,
        "shortDescription": {"text": text},
        "help": {"text": _HELP.replace("`", ""), "markdown": _HELP},
        "defaultConfiguration": {"level": level.value},
        "properties": {"security-severity": score, "tags": ["security", "api-keys"]},
    }


def _result(report: ScanReport, found: FoundKey) -> dict[str, Any]:
    rule = _RULE_OF.get(found.status, "dead-key")
    remedies = "".join(f" Next: {remedy}." for remedy in report.remedies(found)[:1])
    text = inert(f"{report.sentence(found)}.{remedies}")
    return {
        "ruleId": rule,
        "ruleIndex": list(_RULES).index(rule),
        "level": found.level.value,
        # Brackets would be a link in a message, and a backslash what makes them none.
        "message": {"text": text.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")},
        "locations": [_location(found)],
        "partialFingerprints": {"routicKeyInPlace/v1": _fingerprint(found)},
        "properties": {
            "commit": found.sighting.commit,
            "key_id": found.key_id,
            "key_name": found.key_name,
            "status": found.status,
            "hint": found.sighting.hint,
        },
    }


def _location(found: FoundKey) -> dict[str, Any]:
    if found.file is None:
        return {"logicalLocations": [{"fullyQualifiedName": inert(found.where), "kind": "resource"}]}
    uri = quote_from_bytes(os.fsencode(found.file.replace(os.sep, "/")))
    location = {"uri": f"file://{uri}" if uri.startswith("/") else uri}
    return {"physicalLocation": {"artifactLocation": location, "region": {"startLine": found.sighting.line or 1}}}


def _fingerprint(found: FoundKey) -> str:
    """The same for the same key in the same file, whichever line it moves to."""
    about = f"{found.sighting.sha256} {found.file or found.where}"
    return hashlib.sha256(about.encode("utf-8", "surrogateescape")).hexdigest()[:32]
