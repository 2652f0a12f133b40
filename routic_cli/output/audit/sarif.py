"""An audit as SARIF 2.1.0, for code scanning: the rules with their texts, a result for each finding."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from typing import Any, Final
from urllib.parse import quote

from routic_cli import __version__
from routic_cli.domain.audit.findings import Finding, RuleName, Severity
from routic_cli.output.audit.report import AuditReport
from routic_cli.output.audit.rule_texts import RULE_TEXTS
from routic_cli.output.console import Console
from routic_cli.output.inert import inert, without_secrets
from routic_cli.output.json_out import json_text
from routic_cli.output.times import absolute

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS: Final = {Severity.HIGH: "error", Severity.MEDIUM: "warning", Severity.LOW: "note"}
# GitHub sorts its alerts by this number: from 7.0 it is high, from 4.0 medium.
_SCORES: Final = {Severity.HIGH: "8.0", Severity.MEDIUM: "5.0", Severity.LOW: "2.0"}
_RULES: Final = tuple(RuleName)


def print_report(console: Console, report: AuditReport) -> None:
    """One run."""
    console.data(json_text(sarif_log(report), pretty=console.stdout_is_terminal) + "\n")


def sarif_log(report: AuditReport) -> dict[str, Any]:
    """The log object."""
    seen: Counter[str] = Counter()
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {"name": "routic", "semanticVersion": __version__, "rules": list(map(_rule, _RULES))}
                },
                "automationDetails": {"id": "routic/usage-audit/"},
                "invocations": [{"executionSuccessful": True, "endTimeUtc": absolute(report.now)}],
                "columnKind": "unicodeCodePoints",
                "results": [_result(finding, seen) for finding in report.findings],
                "properties": {
                    "since": report.since,
                    "until": report.until,
                    "calls": report.calls,
                    "keys": report.keys,
                },
            }
        ],
    }


def _rule(name: RuleName) -> dict[str, Any]:
    text = RULE_TEXTS[name]
    return {
        "id": name.value,
        "shortDescription": {"text": f"{text.summary}."},
        "fullDescription": {"text": text.meaning},
        "help": {"text": f"{text.meaning} {text.advice}", "markdown": f"{text.meaning}\n\n{text.advice}"},
        "defaultConfiguration": {"level": _LEVELS[text.severity]},
        "properties": {"security-severity": _SCORES[text.severity], "tags": ["security", "api-keys"]},
    }


def _result(finding: Finding, seen: Counter[str]) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.rule.value,
        "ruleIndex": _RULES.index(finding.rule),
        "level": _LEVELS[finding.severity],
        "message": {"text": _message(finding)},
        "locations": [_location(finding)],
        "partialFingerprints": {"primaryLocationLineHash": _fingerprint(finding, seen)},
        "properties": {
            "key_id": finding.key_id,
            "key_name": finding.key_name,
            "count": finding.count,
            "first_at": finding.first_at,
            "last_at": finding.last_at,
            "addresses": [inert(address) for address in finding.addresses],
            "remedy": finding.remedy,
        },
    }
    if finding.count > 0:
        result["occurrenceCount"] = finding.count
    return result


def _message(finding: Finding) -> str:
    """Brackets would be a link in a message, and a backslash what makes them none."""
    parts = [f"{finding.key_name}: " if finding.key_name else "", finding.evidence.rstrip(".") + "."]
    if finding.addresses:
        parts.append(f" From {', '.join(finding.addresses)}.")
    if finding.remedy:
        parts.append(f" Next: {finding.remedy}.")
    text = inert(without_secrets("".join(parts)))
    return text.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")


def _location(finding: Finding) -> dict[str, Any]:
    """A key has no line in a file, and code scanning shows nothing without one: a path that names the key."""
    name = finding.key_name or finding.key_id
    path = f"routic/keys/{quote(name, safe='')}" if name else "routic/usage"
    location: dict[str, Any] = {
        "physicalLocation": {"artifactLocation": {"uri": path}, "region": {"startLine": 1}},
    }
    if name:
        logical = {"name": name, "fullyQualifiedName": finding.key_id or name, "kind": "resource"}
        location["logicalLocations"] = [logical]
    return location


def _fingerprint(finding: Finding, seen: Counter[str]) -> str:
    """The same for what is the same problem tomorrow: of the rule and the key, or the addresses where it has none."""
    about = [finding.rule.value, finding.key_id or sorted(finding.addresses)]
    digest = hashlib.sha256(json.dumps(about).encode()).hexdigest()[:32]
    seen[digest] += 1
    return f"{digest}:{seen[digest]}"
