"""A report that does not give away what it found is an error: "0 keys" would be taken for "no leak"."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma

import pytest

from routic_cli.domain.errors import RouticError
from routic_cli.domain.secret import fingerprint_of
from routic_cli.scanning.reports.errors import ReportError
from tests.support.reports import OLD, data_of, read

FINDING = {"RuleID": "routic-api-key", "StartLine": 1, "File": "a.py"}


def refused(data: bytes | str) -> ReportError:
    with pytest.raises(ReportError) as caught:
        read(data)
    assert caught.value.not_done == "No key was revoked"
    return caught.value


@pytest.mark.parametrize("data", [b"", b"\n", b" \r\n\t ", b"\xef\xbb\xbf", b"\xff\xfe", gzip.compress(b"", mtime=0)])
def test_an_empty_one_is_what_a_scanner_that_failed_leaves(data: bytes) -> None:
    assert refused(data).what == "The report is empty"


@pytest.mark.parametrize(
    "name",
    [
        "gitleaks-redacted.json",
        "gitleaks-redacted40.json",
        "gitleaks-redacted.sarif",
        "betterleaks-redacted.json",
        "kingfisher-redacted.json",
    ],
)
def test_a_masked_one_is_refused_with_the_command_that_makes_one_in_clear(name: str) -> None:
    error = refused(data_of(name))
    assert error.why == "The scanner masked what it found"
    assert "redact" in error.remedy


@pytest.mark.parametrize("name", ["gitleaks.json", "gitleaks.sarif", "detect-secrets.json", "trufflehog.jsonl"])
def test_one_that_was_cut_off_is_refused_wherever_the_cut_is(name: str) -> None:
    data = data_of(name).rstrip()
    for at in range(1, len(data) - 1, 97):
        if not data[:at].endswith((b"}", b"}\n")):  # of JSON lines, whole ones are a whole report
            assert refused(data[:at]).what == "The report could not be read", at


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "[{}]",
        "[[{}]]",
        '["a"]',
        '{"results": []}',
        '{"findings": []}',
        '{"findings": [{"id": 1}]}',
        '{"runs": []}',
        '{"version": "2.1.0", "runs": []}',
        '{"version": "2.1.0", "runs": null}',
        '{"version": "2.1.0", "runs": [{"tool": {}, "results": null}]}',
        '{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}}',
        '{"level": "info", "ts": 1, "msg": "started"}',
        '{"message": "Not Found", "documentation_url": "https://docs.github.com/rest"}',
        f'{{"keys": ["{OLD}"]}}',
    ],
)
def test_json_of_no_form_that_is_known_is_refused_even_if_it_is_empty(text: str) -> None:
    error = refused(text)
    assert OLD not in " ".join([*error.sentences(), error.remedy])


@pytest.mark.parametrize(
    "text",
    [
        "no leaks found",
        "1",
        "null",
        "true",
        "Secret: REDACTED",
        "panic: runtime error",
        "sk-",
        "[1, 2]",
        "sk-AbCd…WxYz",
    ],
)
def test_text_without_a_key_is_refused(text: str) -> None:
    refused(text)


@pytest.mark.parametrize(
    "data",
    [
        b"[] x",
        b'[{"RuleID": "a", "StartLine": 1, "Secret": "x"},]',
        b'[{"RuleID": "a", "Secret": "\xff", "StartLine": 1}]',
        b'[{"RuleID": "a", "Secret": NaN}]',
        b"[" + b"[" * 100_000,
        b'[{"RuleID": "a", "StartLine": ' + b"9" * 6_000 + b"}]",
        gzip.compress(data_of("gitleaks.json"))[:-40],
        b"\xff\xfe" + data_of("gitleaks.json")[:1001],
    ],
)
def test_what_is_broken_further_on_is_refused(data: bytes) -> None:
    error = refused(data)
    assert error.what in {"The report could not be read", "The report is JSON of no form that routic knows"}


@pytest.mark.parametrize(
    "secret",
    [
        "REDACTED",
        "redacted",
        "[REDACTED:d82d3e6b]",
        "***",
        "sk-AbCd...",
        "sk-AbCd…WxYz",
        "xxxxxxxx",
        "",
        "  ",
        None,
        7,
        {},
        "abc...",
    ],
)
def test_a_finding_without_its_secret_is_counted_beside_those_that_have_one(secret: object) -> None:
    report = read(json.dumps([FINDING | {"Secret": secret}, FINDING | {"Secret": OLD}]))
    assert (report.unreadable, len(report.leaks)) == (1, 1)
    refused(json.dumps([FINDING | {"Secret": secret}]))


def test_a_record_of_no_form_among_good_ones_is_counted() -> None:
    assert read(json.dumps([FINDING | {"Secret": OLD}, {"id": 1}, 5])).unreadable == 2


def test_a_key_that_a_rule_cut_short_is_said_to_be_one() -> None:
    [leak] = read(json.dumps([FINDING | {"Secret": OLD[:35]}])).leaks
    assert leak.is_cut


def test_a_scan_that_says_that_it_failed_is_no_success() -> None:
    failed = '{"level":"error","ts":"2026-11-23T13:35:15Z","logger":"trufflehog","msg":"encountered errors"}\n'
    refused(failed)
    assert read(data_of("trufflehog.jsonl") + failed.encode()).unreadable == 1


def test_no_error_repeats_what_is_in_the_report() -> None:
    for text in (f'[{{"RuleID": "x", "Secret": "{OLD}"', f'[{{"a": "{OLD}"}}]', f'["{OLD}" "'):
        with pytest.raises(RouticError) as caught:
            read(text)
        assert OLD not in repr(caught.value) + " ".join(caught.value.sentences())
        assert caught.value.__cause__ is None


def _sarif(snippet: str) -> str:
    place = {"artifactLocation": {"uri": "a.py"}, "region": {"startLine": 1, "snippet": {"text": snippet}}}
    run = {"tool": {}, "results": [{"message": {"text": "m"}, "locations": [{"physicalLocation": place}]}]}
    return json.dumps({"version": "2.1.0", "runs": [run]})


def _is_said(data: str) -> bool:
    """Whether the report is refused, or tells that something of it could not be read."""
    try:
        report = read(data)
    except ReportError:
        return True
    return bool(report.unreadable) or any(leak.is_cut for leak in report.leaks)


@pytest.mark.parametrize(
    "secret",
    [
        f"KEY={OLD[:30]}",
        f'"{OLD[:30]}"',
        f"Authorization: Bearer {OLD[:40]}",
        "<hidden>",
        "[FILTERED]",
        "requires login",
        "Sensitive",
        "<removed by policy>",
        "\u2039secret\u203a",
        f"{OLD[:5]}**",
        f"{OLD[:6]}**{OLD[-4:]}",
        f"{OLD[:20]} ... {OLD[-4:]}",
        OLD[:-1] + "A",
        OLD[:7],
        f"{OLD[:10]}\n",
    ],
)
def test_a_stump_or_a_mask_in_whatever_stands_around_it_is_never_just_not_ours(secret: str) -> None:
    assert _is_said(json.dumps([FINDING | {"Secret": secret}]))
    assert _is_said(_sarif(secret))
    assert _is_said(_sarif(f"ROUTIC_API_KEY = {secret}"))


@pytest.mark.parametrize("snippet", ["import os", "requires login", "os.environ['ROUTIC_API_KEY']", "}", "key = get()"])
def test_a_snippet_without_a_secret_in_it_is_never_just_not_ours(snippet: str) -> None:
    assert _is_said(_sarif(snippet))


def test_a_masked_secret_is_unreadable_though_another_key_is_in_its_line() -> None:
    report = read(json.dumps([FINDING | {"Secret": "REDACTED", "Line": f"old={OLD}"}]))
    assert (report.unreadable, len(report.leaks)) == (1, 1)


def test_a_stump_beside_a_whole_key_is_said() -> None:
    assert read(json.dumps([FINDING | {"Secret": OLD, "Line": f"{OLD} sk-Zz9Yy8Xx7Ww6"}])).unreadable == 1
    assert read(json.dumps([FINDING | {"Secret": OLD, "Line": OLD[:20]}])).unreadable == 0


@pytest.mark.parametrize("secret", ["sk-ant-api03-AbCd", "sk-0123456789abcdef0123456789abcdef", "a-plain-password"])
def test_a_whole_secret_of_others_is_no_stump(secret: str) -> None:
    assert not _is_said(json.dumps([FINDING | {"Secret": secret}]))
    assert not _is_said(_sarif(f'KEY = "{secret}"'))


@pytest.mark.parametrize(
    "data",
    [
        bz2.compress(OLD.encode()),
        lzma.compress(OLD.encode()),
        gzip.compress(gzip.compress(OLD.encode(), mtime=0), mtime=0),
        b"PK\x03\x04\x14\0\0\0 " + OLD.encode(),
        b"\x28\xb5\x2f\xfd " + OLD.encode(),
        b"\x04\x22\x4d\x18 " + OLD.encode(),
        b"7z\xbc\xaf\x27\x1c " + OLD.encode(),
        b"%PDF-1.7\n" + OLD.encode(),
        gzip.compress(b"a.txt" + b"\0" * 100 + OLD.encode(), mtime=0),
        OLD.encode() + b"\n\x7fELF\x02\x01\x01",
        b"x" * (3 << 20) + b"\0" + OLD.encode(),
    ],
    ids=range(11),
)
def test_what_is_packed_or_no_text_is_not_searched_for_the_pieces_that_stand_in_it_by_chance(data: bytes) -> None:
    assert refused(data).what == "The report could not be read"


def test_a_log_in_colours_is_text() -> None:
    assert len(read(f"\x1b[31m{OLD}\x1b[0m\a\f\n").leaks) == 1


_RUN: dict[str, object] = {"tool": {}, "results": []}
_LOG = '{"level": "info-0", "ts": "2026-11-23T13:35:15Z", "logger": "trufflehog", "msg": "%s"}\n'


@pytest.mark.parametrize(
    "data",
    [
        json.dumps({"version": "2.1.0", "runs": [_RUN | {"invocations": [{"executionSuccessful": False}]}]}),
        json.dumps({"version": "2.1.0", "runs": [_RUN | {"externalPropertyFileReferences": {"results": [{}]}}]}),
        json.dumps({"version": "2.1.0", "runs": [_RUN | {"results": {"0": {"message": {}}}}]}),
        json.dumps({"version": "2.1.0", "runs": [_RUN | {"results": {}}]}),
        json.dumps({"version": "1.5.0", "plugins_used": [], "results": {"a": {"hashed_secret": "0" * 40}}}),
        json.dumps({"version": "1.5.0", "plugins_used": [], "results": {"a": None}}),
        json.dumps({"version": "1.5.0", "plugins_used": [], "results": None}),
        _LOG % "running source",
        _LOG % "finished scanning" + _LOG % "running source",
    ],
)
def test_a_scan_that_failed_or_is_not_wholly_there_has_not_found_nothing(data: str) -> None:
    refused(data)


def test_a_scan_that_was_killed_behind_its_first_finding_is_said() -> None:
    with_log = data_of("trufflehog-with-log.jsonl")
    assert read(with_log).unreadable == 0
    assert read(with_log[: with_log.rstrip().rindex(b"\n") + 1]).unreadable == 1


@pytest.mark.parametrize(
    "data",
    [
        json.dumps({"version": "2.1.0", "runs": [_RUN | {"invocations": [{"executionSuccessful": True}]}]}),
        _LOG % "running source" + _LOG % "finished scanning",
    ],
)
def test_a_scan_that_came_to_its_end_and_found_nothing_is_believed(data: str) -> None:
    assert (read(data).unreadable, read(data).leaks) == (0, [])


@pytest.mark.parametrize(
    "other", ["sk-*****", "sk-AbCd**", "[redacted]", "<hidden>", "(filtered by policy)", "sk-xxxxxxxx"]
)
def test_a_mask_in_a_text_beside_another_key_is_counted(other: str) -> None:
    report = read(f"ours: {OLD}\nanother: {other}\n")
    assert (report.unreadable, len(report.leaks)) == (1, 1)


def test_a_key_that_a_text_breaks_over_three_lines_is_said() -> None:
    report = read(f"{data_of('chat.txt').decode()}\nmine: {OLD[:15]}\n{OLD[15:30]}\n{OLD[30:]}\n")
    assert report.unreadable == 1


def test_the_half_of_a_finding_or_a_key_is_no_banner() -> None:
    finding = json.dumps({"SourceMetadata": {}, "DetectorName": "x", "Raw": "other-secret-of-somebody"})
    for before in (f'Raw": "{OLD}"}}', f"the key was {OLD}"):
        assert [leak.hashes[0] for leak in read(f"{before}\n{finding}\n").leaks] == [fingerprint_of(OLD)]
