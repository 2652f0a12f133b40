"""The usage report: what a server may call things stays text, and the period is cut so that nothing is left out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routic_cli.domain.accounts import Account
from routic_cli.domain.audit.findings import Finding, RuleName, Severity
from routic_cli.domain.keys import Key, KeyId, KeyStatus, KeyTraits, KeyVersion
from routic_cli.domain.secret import Fingerprint
from routic_cli.domain.traffic import Traffic
from routic_cli.output.report.contents import Course, KeyUsage, Report, Steps
from routic_cli.output.report.page import BEGINNING, page
from routic_cli.workflows.usage_report import steps_of
from tests.support.report_page import read_page, section

NOW = 1_790_000_000
DAY = 86400
KEY = "sk-" + "A" * 45
NAMES = (
    "</svg></title><script>alert(1)</script>",
    "\u202egnp.evil\u2066",
    "a\x00b\x1b]8;;\ud800",
    "&lt;b&gt;'\"`",
    KEY,
)


def report_of(name: str) -> Report:
    """A page on which everything that can be named is called so."""
    traffic = Traffic((None,), 3, 1, 5, 7, 11, NOW - 3 * DAY, NOW - DAY)
    version = KeyVersion(1, Fingerprint("0" * 64), "sk-AbCd…WxYz", NOW - 9 * DAY, None, NOW - DAY)
    key = Key(KeyId("key_" + "0" * 16), KeyTraits(name), KeyStatus.ACTIVE, (version,), NOW - 9 * DAY, NOW - DAY)
    return Report(
        account=Account(name, name, 5, 0, None, {}),
        store=name,
        since=NOW - 7 * DAY,
        until=NOW,
        made_at=NOW,
        keys=[KeyUsage(key.id, name, key, traffic)],
        findings=[
            Finding(
                RuleName.GUESSING, Severity.HIGH, key.id, name, 3, NOW - 3 * DAY, NOW, (name,), name, f"routic {name}"
            )
        ],
        steps=Steps(NOW - 7 * DAY, DAY, 7),
        calls=[Course(name, (1, 0, 0, 0, 1, 0, 1))],
        errors=[Course(name, (0, 0, 0, 0, 0, 0, 1))],
    )


@pytest.mark.parametrize("name", NAMES, ids=["markup", "bidi", "control", "entities", "secret"])
def test_a_name_is_text_wherever_it_stands(name: str) -> None:
    text = page(report_of(name))

    assert text.startswith(BEGINNING)
    assert "<script" not in text
    assert all(char.isprintable() or char == "\n" for char in text)
    assert KEY not in text
    document = read_page(text)
    assert {each.name for each in document} == {each.name for each in read_page(page(report_of("prod")))}
    shown = section(document, "Keys").one("bdi").text
    assert shown == {NAMES[0]: name, NAMES[1]: "\\u202egnp.evil\\u2066", NAMES[2]: "a\\x00b\\x1b]8;;\\ud800",
                     NAMES[3]: name, KEY: "sk-AAAA…AAAA"}[name]  # fmt: skip


@given(since=st.integers(0, NOW), span=st.integers(1, 50 * 365 * DAY), first=st.integers(0, 50 * 365 * DAY))
def test_the_steps_cover_every_call_of_the_period_in_a_number_that_can_be_drawn(
    since: int, span: int, first: int
) -> None:
    first = since + first % span

    steps = steps_of(since, since + span, first)

    assert steps.begin <= first
    assert steps.end >= since + span
    assert steps.end - steps.length < since + span
    assert 1 <= steps.count <= 110
