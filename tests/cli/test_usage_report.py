"""`routic usage report`: a page that stands alone, says what the other commands say, and is nobody else's to read."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.conftest import Stocked
from tests.support.gateways import routic_serve
from tests.support.report_page import Element, read_page, section, tile
from tests.support.sandbox import Sandbox
from tests.support.usage_log import call, write_log

HOUR = 3600
DAY = 24 * HOUR
HOSTILE = "</svg></style><script>alert(1)</script>\u202e'\""
WITHOUT_CHARTS = """
import sys
sys.modules["vl_convert"] = None
from routic_cli.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


@dataclass(frozen=True, slots=True)
class Logged:
    """Three weeks of `prod` and `batch`, a guesser, and a browser that has a key."""

    sandbox: Sandbox
    prod: str

    @property
    def file(self) -> Path:
        return self.sandbox.cwd / "routic-usage.html"

    def page(self, *arguments: str) -> Element:
        """The page as the command writes it."""
        self.sandbox.ok("usage", "report", *arguments)
        return read_page(self.file.read_text())


@pytest.fixture
def logged(stocked: Stocked) -> Logged:
    box = stocked.sandbox
    batch = box.ok("keys", "create", "--name", "batch", "--json").data["id"]
    box.ok("keys", "create", "--name", "idle")
    now = int(time.time())
    events = [
        call(now - hour * HOUR - 60, key_id=stocked.key_id, version=1, address="10.0.0.2", tokens_in=100, tokens_out=10,
             cost=1_500_000_001, model="gpt-5-mini", request_id=f"{hour}")
        for hour in range(21 * 24)
    ]  # fmt: skip
    events += [call(now - n * DAY - 120, key_id=batch, version=1, address="10.0.0.3") for n in range(20)]
    events += [
        call(now - n * DAY - 90, key_id=batch, version=1, outcome="rate_limited", status=429, address="10.0.0.3")
        for n in range(3)
    ]
    events += [call(now - 900, key_id=batch, version=1, status=503, address="10.0.0.3")]
    events += [
        call(now - 3 * DAY + n, outcome="unknown", status=401, sha256=f"{n:064x}", address="198.51.100.6")
        for n in range(30)
    ]
    events += [
        call(now - 500, key_id=batch, version=1, origin="https://app.example", address="198.51.100.7", agent=HOSTILE),
        call(now - 400, outcome=HOSTILE, status=403, address="198.51.100.8", agent=HOSTILE, model=HOSTILE),
    ]
    write_log(box, events)
    return Logged(box, stocked.key_id)


def test_the_page_refers_to_nothing_and_runs_nothing(logged: Logged) -> None:
    page = logged.page()

    elements = {each.name for each in page}
    assert elements.isdisjoint(
        {"script", "link", "iframe", "object", "embed", "img", "image", "base", "form", "use", "a"}
    )
    attributes = {(name, value) for each in page for name, value in each.attributes.items()}
    assert not [
        name for name, _ in attributes if name.startswith("on") or name in {"src", "href", "style", "xlink:href"}
    ]
    assert not [value for _, value in attributes if "//" in value or "url(" in value]
    style = page.one("style").text
    assert "url(" not in style
    assert "@import" not in style
    (policy,) = [each.attributes["content"] for each in page.all("meta") if "http-equiv" in each.attributes]
    assert re.fullmatch(
        r"default-src 'none'; style-src 'sha256-[\w+/]{43}='; base-uri 'none'; form-action 'none'", policy
    )


def test_its_figures_are_those_of_usage_show(logged: Logged) -> None:
    page = logged.page()
    shown = logged.sandbox.ok("usage", "show", "--since", "30d", "--json").data["data"]

    for name, field in (("Calls", "calls"), ("Errors", "errors"), ("Cost", "cost")):
        assert float(tile(page, name).one("dd", "figure").value) == pytest.approx(sum(row[field] for row in shown))
    assert int(tile(page, "Tokens").value) == sum(row["tokens_in"] + row["tokens_out"] for row in shown)
    rows = {row.one("th").text: row for row in section(page, "Keys").one("tbody").all("tr")}
    assert len(shown) == 3
    for each in shown:
        row = rows[f"{each['key_name']}{each['key_id']}" if each["key_id"] else "Without a key of ours"]
        figures = [float(cell.attributes["value"]) for cell in row.all("data")]
        fields = ("calls", "errors", "tokens_in", "tokens_out", "cost")
        assert figures == pytest.approx([each[field] for field in fields])


def test_the_charts_count_what_the_tiles_count(logged: Logged) -> None:
    page = logged.page()

    for title, of in (("Calls per key", "Calls"), ("Errors by kind", "Errors")):
        chart = section(page, title)
        total = int(tile(page, of).value)
        assert sum(int(each.attributes["value"]) for each in chart.one("ul", "legend").all("data")) == total
        cells = chart.one("details").one("tbody").all("td")
        assert sum(int(cell.text.replace(",", "")) for cell in cells) == total
        for form in ("wide", "narrow"):
            marks = [each.text for each in chart.one("svg", form).all("path") if each.all("title")]
            counts = [re.fullmatch(r".*: ([\d,]+) (?:calls?|errors?), \d.*", mark) for mark in marks]
            assert sum(int(count[1].replace(",", "")) for count in counts if count) == total


def test_errors_are_told_apart_by_what_came_of_the_call(logged: Logged) -> None:
    legend = section(logged.page(), "Errors by kind").one("ul", "legend")

    kinds = {each.one("bdi").text: int(each.value) for each in legend.all("li")}
    assert {name: count for name, count in kinds.items() if "script" not in name} == {
        "unknown key": 30,
        "over its limit": 3,
        "let in, then 503": 1,
    }


def test_findings_have_their_evidence_their_remedy_and_their_place_in_time(logged: Logged) -> None:
    found = section(logged.page(), "Findings")
    audit = logged.sandbox.ok("usage", "audit", "--since", "30d", "--json").data["data"]

    text = found.one("table").text
    assert {"guessing", "browser-origin", "no-expiry"} <= {each["rule"] for each in audit}
    for each in audit:
        assert each["rule"] in text
        if each["remedy"]:
            assert each["remedy"] in text
    timed = [each for each in audit if each["first_at"] is not None]
    for form in ("wide", "narrow"):
        lines = [each.text for each in found.one("svg", form).all("line") if each.all("title")]
        assert sorted(line.partition(",")[0] for line in lines) == sorted(each["rule"] for each in timed)


def test_keys_are_drawn_by_age_with_their_last_use(logged: Logged) -> None:
    ages = section(logged.page(), "Keys by age and last use")

    drawn = [each.text for each in ages.one("svg", "wide").all("path") if each.all("title")]
    assert any(re.match(r"prod: last used \d+ \w+ ago|prod: last used just now", each) for each in drawn)
    assert [each for each in drawn if each.startswith("idle: last use ")]
    assert {each.partition(":")[0] for each in drawn} == {"prod", "batch", "idle"}


def test_what_callers_send_is_text_and_nothing_else(logged: Logged) -> None:
    page = logged.page()
    text = logged.file.read_text()

    assert "<script" not in text
    assert "\u202e" not in text
    shown = [each.text for each in section(page, "Errors by kind").all("bdi")]
    assert "</svg></style><script>alert(1)</script>\\u202e'\"" in shown


def test_an_empty_log_is_a_page_that_says_so(stocked: Stocked) -> None:
    done = stocked.sandbox.ok("usage", "report")
    page = read_page((stocked.sandbox.cwd / "routic-usage.html").read_text())

    assert "The usage log has no calls of this time" in page.one("main").text
    assert "No calls were looked at" in done.err
    assert tile(page, "Calls").value == "0"
    assert "prod" in section(page, "Keys").text


def test_a_store_without_keys_is_a_page_too(sandbox: Sandbox) -> None:
    sandbox.ok("keys", "create", "--name", "gone")
    sandbox.ok("keys", "revoke", "gone", "--yes")
    sandbox.ok("usage", "report", "--output", "page.html")

    page = read_page((sandbox.cwd / "page.html").read_text())
    assert "There is no active key" in section(page, "Keys by age and last use").text
    assert tile(page, "Active keys").one("dd", "figure").value == "0"


def wide_open() -> None:
    os.umask(0)


def test_only_its_owner_can_read_the_file(logged: Logged) -> None:
    logged.sandbox.ok("usage", "report", before=wide_open)
    assert logged.file.stat().st_mode & 0o777 == 0o600

    logged.file.chmod(0o644)
    logged.page()
    assert logged.file.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in logged.sandbox.cwd.iterdir() if each.name.startswith(".routic-usage")] == []


def test_a_file_that_is_no_report_is_left_alone(logged: Logged) -> None:
    logged.file.write_text("<!DOCTYPE html><p>somebody's own")
    done = logged.sandbox.run("usage", "report")

    assert done.code == 6
    assert "not an earlier report" in done.err
    assert "No report was written" in done.err
    assert "routic usage report --force --output routic-usage.html" in done.err
    assert logged.file.read_text() == "<!DOCTYPE html><p>somebody's own"

    logged.page("--force")
    logged.page()


@pytest.mark.parametrize(("output", "code"), [("no/such/folder.html", 1), (".", 6), ("/dev/null", 6)])
def test_where_no_file_can_be_nothing_is_written(stocked: Stocked, output: str, code: int) -> None:
    before = sorted(stocked.sandbox.cwd.iterdir())
    done = stocked.sandbox.run("usage", "report", "--output", output)

    assert done.code == code, done.err
    assert "No report was written" in done.err
    assert sorted(stocked.sandbox.cwd.iterdir()) == before


def test_standard_output_gets_the_page_and_nothing_else(logged: Logged) -> None:
    done = logged.sandbox.ok("usage", "report", "--output", "-")

    assert done.err == ""
    assert tile(read_page(done.out), "Calls").value == tile(logged.page(), "Calls").value


def test_json_says_what_was_written(logged: Logged) -> None:
    said = logged.sandbox.ok("usage", "report", "--since", "24h", "--json").data
    page = read_page(logged.file.read_text())

    assert said["object"] == "usage_report"
    assert said["path"] == str(logged.file)
    assert said["bytes"] == logged.file.stat().st_size
    assert said["until"] - said["since"] == DAY
    assert said["calls"] == int(tile(page, "Calls").value)
    assert said["active_keys"] == 3
    assert said["findings"]["high"] > 0
    assert logged.sandbox.ok("usage", "report", "--fields", "path").data == {"path": str(logged.file)}
    assert logged.sandbox.run("usage", "report", "--json", "--output", "-").code == 2


def test_it_says_where_the_page_is_and_how_to_open_it(logged: Logged) -> None:
    done = logged.sandbox.ok("usage", "report")

    assert done.out == ""
    assert str(logged.file) in done.err
    assert f"file://{logged.file}" in done.err


def without_charts(sandbox: Sandbox, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command where the package that draws is not installed."""
    command = [sys.executable, "-c", WITHOUT_CHARTS, "usage", "report", *arguments]
    return subprocess.run(command, cwd=sandbox.cwd, env=sandbox.environ, capture_output=True, text=True, check=False)


def test_without_its_package_it_names_the_extra(logged: Logged) -> None:
    done = without_charts(logged.sandbox)

    assert done.returncode == 1
    assert "pip install 'routic[report]'" in done.stderr
    assert "No report was made" in done.stderr
    assert not logged.file.exists()
    assert without_charts(logged.sandbox, "--help").returncode == 0


def test_a_server_s_store_gives_the_same_page(logged: Logged, tmp_path: Path) -> None:
    token = logged.sandbox.ok("keys", "create", "--name", "ops", "--scope", "usage:read", "--scope", "keys:read").secret
    here = logged.page("--until", "2033-05-18", "--force")
    elsewhere = Sandbox(tmp_path / "elsewhere")
    with routic_serve(logged.sandbox) as serving:
        elsewhere.ok("--store", serving.url, "usage", "report", "--until", "2033-05-18", env={"ROUTIC_TOKEN": token})
        there = read_page((elsewhere.cwd / "routic-usage.html").read_text())

    assert serving.url in there.one("header").text
    assert token not in (elsewhere.cwd / "routic-usage.html").read_text()
    for title in ("Calls per key", "Errors by kind"):
        assert section(there, title).text == section(here, title).text
    figures = [[each.attributes["value"] for each in page.all("data")] for page in (here, there)]
    assert figures[0] == figures[1]
