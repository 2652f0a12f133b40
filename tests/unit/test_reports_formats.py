"""Reports of real scanners: what they found is found again, with its place and its time, whatever the format."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from routic_cli.domain.key_format import check_characters
from routic_cli.domain.secret import fingerprint_of
from routic_cli.scanning.reports.detect_secrets import format_for
from routic_cli.scanning.reports.report import Leak, Report
from tests.support.reports import BOTH, CONFIG, FRONTEND, OLD, OTHERS, PLANTED, data_of, read

WHOLE = {"config", "old", "frontend", "both"}
GOLDEN = {
    "gitleaks.json": ("gitleaks", WHOLE, 3),
    "gitleaks.sarif": ("SARIF", WHOLE, 3),
    "gitleaks.csv": ("plain text", WHOLE, 0),
    "gitleaks.junit": ("plain text", WHOLE, 0),
    "betterleaks.json": ("betterleaks", {"config", "old", "frontend"}, 2),
    "betterleaks.jsonl": ("betterleaks", {"config", "old", "frontend"}, 2),
    "kingfisher.json": ("kingfisher", WHOLE, 1),
    "kingfisher.jsonl": ("kingfisher", WHOLE, 1),
    "kingfisher.sarif": ("SARIF", WHOLE, 1),
    # A baseline is of the working tree; and of GitHub's token the scanner hashes the first three letters, too.
    "detect-secrets.json": ("detect-secrets", {"config", "frontend", "both"}, 4),
    "trufflehog.jsonl": ("trufflehog", {"config", "old", "frontend"}, 1),
    "trufflehog-with-log.jsonl": ("trufflehog", {"config", "old", "frontend"}, 1),
    "github-partner.json": ("GitHub secret scanning", {"config", "frontend"}, 1),
    "github-alerts.json": ("GitHub secret scanning", {"config", "frontend"}, 0),
    "github-alerts-paged.json": ("GitHub secret scanning", {"config", "frontend"}, 0),
    "github-webhook.json": ("GitHub secret scanning", {"config"}, 0),
    "chat.txt": ("plain text", {"config", "frontend"}, 1),
}


def leak_of(report: Report, secret: str) -> Leak | None:
    return next((each for each in report.leaks if fingerprint_of(secret) in each.hashes), None)


def found(report: Report) -> set[str]:
    return {name for name, secret in PLANTED.items() if leak_of(report, secret)}


def said(report: Report) -> tuple[object, ...]:
    """All that a report says, to be compared."""
    return (report.formats, report.at, report.entries, report.unreadable, report.troubles, report.leaks)


@pytest.mark.parametrize("name", GOLDEN)
def test_every_planted_key_is_found_and_everything_else_is_counted(name: str) -> None:
    report = read(data_of(name))

    kind, planted, others = GOLDEN[name]
    assert report.formats == [kind]
    assert found(report) == planted
    assert len(report.leaks) - len(planted) == others
    assert (report.unreadable, report.troubles) == (0, [])


@pytest.mark.parametrize("name", GOLDEN)
@pytest.mark.parametrize(
    "encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "gzip", "crlf", "drip"]
)
def test_neither_the_encoding_nor_the_size_of_the_pieces_changes_what_a_report_says(name: str, encoding: str) -> None:
    data = data_of(name)
    match encoding:
        case "gzip":
            report = read(gzip.compress(data))
        case "crlf":
            report = read(data.replace(b"\n", b"\r\n"))
        case "drip":
            report = read(data, chunk=7)
        case _:
            report = read(data.decode().encode(encoding))

    assert said(report) == said(read(data))


@pytest.mark.parametrize("name", ["gitleaks.json", "betterleaks.json", "trufflehog.jsonl", "gitleaks.sarif"])
def test_a_finding_has_its_place_its_commit_and_the_time_of_that_commit(name: str) -> None:
    leak = leak_of(read(data_of(name)), OLD)

    assert leak is not None
    assert [(str(place), place.commit) for place in leak.places] == [
        ("old.env:1", "8597db55b6f5d7d7b24115abc629b9af8ab3bef4")
    ]
    assert leak.at == 1_791_187_200


def test_a_secret_in_several_places_is_one_leak_from_the_first_time_on() -> None:
    leak = leak_of(read(data_of("gitleaks.json")), CONFIG)

    assert leak is not None
    assert (leak.count, leak.at) == (2, 1_791_187_200)
    assert {str(place) for place in leak.places} == {"both.py:1", "config.py:4"}


@pytest.mark.parametrize(
    ("name", "at"), [("detect-secrets.json", 1_795_440_915), ("gitleaks.json", None), ("chat.txt", None)]
)
def test_a_report_that_says_when_it_was_made_is_believed(name: str, at: int | None) -> None:
    assert read(data_of(name)).at == at


@pytest.mark.parametrize("name", ["gitleaks-empty.json", "detect-secrets-empty.json", "kingfisher-empty.json"])
def test_a_report_without_findings_is_one(name: str) -> None:
    report = read(data_of(name))
    assert (report.entries, report.unreadable, report.leaks) == (0, 0, [])


def test_a_key_is_found_in_whatever_a_rule_takes_for_the_secret() -> None:
    finding = {"RuleID": "generic", "StartLine": 1, "Secret": f'"Bearer {OLD}";', "Match": f"x={FRONTEND}"}
    report = read(json.dumps([finding]))
    assert found(report) == {"old", "frontend"}


def test_a_masked_secret_whose_line_was_forgotten_to_be_masked_is_found() -> None:
    finding = {"RuleID": "generic", "StartLine": 1, "Secret": "REDACTED", "Match": f"key={BOTH}"}
    assert found(read(json.dumps([finding]))) == {"both"}


def test_a_key_of_another_form_is_known_by_the_hash_of_the_whole_secret() -> None:
    for written in (
        "an-older-secret-minted-elsewhere",
        '"an-older-secret-minted-elsewhere"',
        "Bearer an-older-secret-minted-elsewhere ",
    ):
        report = read(json.dumps([{"RuleID": "generic", "StartLine": 1, "Secret": written}]))
        assert leak_of(report, "an-older-secret-minted-elsewhere"), written


def test_a_secret_that_github_has_encoded_is_found() -> None:

    [alert, _] = json.loads(data_of("github-alerts.json"))
    alert |= {"secret": base64.b64encode(OLD.encode()).decode(), "is_base64_encoded": True}
    assert found(read(json.dumps([alert]))) == {"old"}


def test_a_baseline_whose_file_has_moved_on_still_leads_to_the_key() -> None:
    baseline = json.loads(data_of("detect-secrets.json"))
    for findings in baseline["results"].values():
        for finding in findings:
            finding["line_number"] += 1
    report = read(json.dumps(baseline))

    assert found(report) == {"config", "frontend", "both"}
    assert report.unreadable > 0  # of the others' secrets nobody can tell any more


@pytest.mark.parametrize("name", ["gone.py", "../../../../../../dev/zero", "/dev/zero", "a\0b", "frontend"])
def test_a_file_of_a_baseline_that_is_not_there_is_said_and_nothing_but_a_file_is_opened(name: str) -> None:
    baseline = json.loads(data_of("detect-secrets.json"))
    baseline["results"] = {name: baseline["results"]["config.py"], "both.py": baseline["results"]["both.py"]}
    report = read(json.dumps(baseline))

    assert found(report) == {"config", "both"}
    assert report.unreadable == 3
    assert {why for _, why in report.troubles} == {"the file is not here, or cannot be read"}


def test_nothing_that_a_report_leaves_behind_has_a_secret_in_it() -> None:
    for name in GOLDEN:
        report = read(data_of(name))
        shown = repr(report) + repr(report.leaks)
        assert not [secret for secret in (*PLANTED.values(), *OTHERS) if secret in shown]
        assert not re.search(r"sk-[0-9A-Za-z]{20}", shown)


def test_an_entry_does_not_show_its_texts() -> None:
    from routic_cli.scanning.reports.entry import Entry

    assert OLD not in repr(Entry(OLD, [OLD]))


@pytest.mark.parametrize(
    "text",
    [
        f"GET /v1/models?key={OLD}&x=1",
        f"{OLD}{FRONTEND[:3]}",
        f"a{OLD}",
        f"{OLD}\n",
        f"{'x' * 3_000_000}{OLD}{'y' * 3_000_000}",
        f"[2026-10-01] leaked {OLD}",
        f"{{not json {OLD}",
    ],
)
def test_in_text_a_key_is_found_whatever_stands_around_it(text: str) -> None:
    assert found(read(text)) == {"old"}


def test_hashes_of_what_could_be_guessed_are_told_apart_from_those_of_keys() -> None:
    from routic_cli.scanning.reports.report import is_guessable

    guessable = ["hunter2", "correct-horse-battery-7812", "Summer2024Password", "a secret with spaces in it", "x" * 64]
    keys: list[Any] = [
        *PLANTED.values(),
        *OTHERS[1:],
        "5f2b1c9e-93a4-4d0e-8a51-0c1d2e3f4a5b",
        "sk-proj-0123456789abcdef",
    ]
    assert [text for text in guessable if not is_guessable(text)] == []
    assert [text for text in keys if is_guessable(text)] == []


@pytest.mark.parametrize(
    "written",
    [
        f"{OLD[:10]}\n{OLD[10:]}",
        f"{OLD[:10]}=\r\n{OLD[10:]}",
        f'"{OLD[:10]}" +\n    "{OLD[10:]}"',
        OLD.removeprefix("sk-"),
        OLD.replace("-", "%2D"),
        OLD.replace("-", "=2D"),
        OLD.replace("-", "\u2011"),
        base64.b64encode(OLD.encode()).decode(),
        "Basic " + base64.b64encode(f"user:{OLD}".encode()).decode(),
        base64.encodebytes(f"user:{OLD}".encode()).decode(),
    ],
)
def test_a_key_that_was_broken_or_encoded_on_its_way_is_found(written: str) -> None:
    assert found(read(json.dumps([{"RuleID": "generic", "StartLine": 1, "Secret": written}]))) == {"old"}


@pytest.mark.parametrize(
    "line",
    [
        'API_KEY = "pk_live_51HabcDEF23456789xyz"',
        "API_KEY=pk_live_51HabcDEF23456789xyz",
        "key: 'pk_live_51HabcDEF23456789xyz', // old",
        'curl -H "Authorization: Bearer pk_live_51HabcDEF23456789xyz" -v',
        "pk_live_51HabcDEF23456789xyz",
    ],
)
def test_a_key_of_another_form_is_found_in_the_line_of_a_snippet(line: str) -> None:
    place = {"artifactLocation": {"uri": "a.py"}, "region": {"startLine": 1, "snippet": {"text": line}}}
    run = {"tool": {}, "results": [{"message": {"text": "m"}, "locations": [{"physicalLocation": place}]}]}
    report = read(json.dumps({"version": "2.1.0", "runs": [run]}))
    assert leak_of(report, "pk_live_51HabcDEF23456789xyz")
    assert (report.unreadable, [leak.is_cut for leak in report.leaks]) == (0, [False])


def test_thousands_of_keys_on_one_line_are_each_looked_at_once() -> None:
    bodies = [f"sk-{number:039d}" for number in range(20_000)]
    assert len(read(",".join(body + check_characters(body) for body in bodies)).leaks) == len(bodies)


def test_white_space_in_a_secret_is_walked_over_once() -> None:
    secret = "a" + " " * 500_000 + "b"
    assert len(read(json.dumps([{"RuleID": "generic", "StartLine": 1, "Secret": secret}])).leaks) == 1


def test_a_baseline_that_fits_nowhere_is_given_up_after_so_many_pieces_and_said_to_be(tmp_path: Path) -> None:
    lines = [f"{number:03d}{'x' * 390}" for number in range(40)]
    (tmp_path / "a.py").write_text("\n".join([*lines, OLD]))
    scan = format_for([tmp_path]).read
    gone = [{"hashed_secret": f"{number:040x}", "line_number": number} for number in range(1, len(lines) + 1)]
    there = {"hashed_secret": hashlib.sha1(OLD.encode(), usedforsecurity=False).hexdigest(), "line_number": 1}
    entries = [entry for each in [*gone, there] for entry in scan(("results", "a.py", None), each) or ()]

    assert [entry.secret for entry in entries] == [None] * len(gone) + [OLD]
    assert {entry.why for entry in entries[:20]} == {"the line has changed since"}
    assert {entry.why for entry in entries[30:-1]} == {"too much of it has changed"}


@pytest.mark.parametrize(
    "text",
    [
        f"mine: sk-\n{OLD[3:]} is it",
        f"mine: {OLD[:20]}=\r\n{OLD[20:]}",
        f"> mine: {OLD[:20]}\n> {OLD[20:]}",
        OLD.replace("-", "\u2011"),
        OLD.replace("-", "%2D"),
    ],
)
def test_in_text_a_key_is_found_that_was_wrapped_or_has_another_hyphen(text: str) -> None:
    assert found(read(text)) == {"old"}


@pytest.mark.parametrize(
    "log", ["", "3:04PM WRN leaks found: 2\n", "\x1b[90m3:04PM\x1b[0m \x1b[33mWRN\x1b[0m leaks found: 2"]
)
def test_a_report_behind_a_banner_is_read_as_the_report(log: str) -> None:
    banner = b"\n    o\n    |\\\n    gitleaks\n\n3:03PM INF 3 commits scanned.\n"
    report = read(banner + data_of("gitleaks.json") + log.encode())
    assert report.formats == ["gitleaks"]
    assert said(report) == said(read(data_of("gitleaks.json")))


def test_prose_with_json_in_it_stays_text() -> None:
    assert found(read(f'see this:\n{{"version": 1, "key": "{OLD}"}}\nbye\n')) == {"old"}
