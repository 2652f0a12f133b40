"""The usage report in a real browser: alone, on a phone, in the dark, on paper."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal

import pytest

from tests.support.chromium import Chromium, chromium
from tests.support.sandbox import Sandbox
from tests.support.usage_log import call, write_log

HOUR: Final = 3600
DAY: Final = 24 * HOUR
LONG: Final = "analytics-dashboard-of-the-growth-team-in-the-far-east-region-01"
HOSTILE: Final = "</svg><script>document.title='taken over'</script>"
Scheme = Literal["light", "dark"]

# Everything that shows text of its own, with the colour behind it.
CONTRASTS: Final = """() => {
  const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((c) => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const behind = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const colour = rgb(getComputedStyle(each).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
  };
  const found = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || !element.checkVisibility() || element.tagName === "title") continue;
    const style = getComputedStyle(element);
    const [a, b] = [rgb(element.tagName === "text" ? style.fill : style.color), behind(element)].map(light);
    found.push([(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), element.textContent.slice(0, 40)]);
  }
  return found;
}"""

# Words of one chart that lie on each other, and words that leave the card they are in.
COLLISIONS: Final = """() => {
  const found = [];
  const card = (element) => element.closest("section, .tile, header, footer").getBoundingClientRect();
  for (const svg of document.querySelectorAll("svg")) {
    if (!svg.checkVisibility()) continue;
    const boxes = [...svg.querySelectorAll("text")].map((text) => [text.textContent, text.getBoundingClientRect()]);
    boxes.forEach(([name, a], place) => boxes.slice(place + 1).forEach(([other, b]) => {
      if (a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom) found.push([name, other]);
    }));
  }
  for (const element of document.querySelectorAll("svg text, p, dd, dt, td, tbody th, li, h1, h2, bdi, code")) {
    if (!element.checkVisibility() || element.closest(".scroll")) continue;
    const [a, b] = [element.getBoundingClientRect(), card(element)];
    if (a.left < b.left - 1 || a.right > b.right + 1) found.push([element.textContent, "leaves its card"]);
    const block = !element.closest("svg") && getComputedStyle(element).display === "block";
    if (block && element.scrollWidth > element.clientWidth + 1) found.push([element.textContent, "is cut"]);
  }
  return found;
}"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A month of twelve keys, with long names and texts that callers chose."""
    sandbox = Sandbox(tmp_path_factory.mktemp("report"))
    names = ["prod-backend", "prod-worker", LONG, "日本語のサービス", "مفتاح", *(f"service-{n}" for n in range(7))]
    ids = [sandbox.ok("keys", "create", "--name", name, "--json").data["id"] for name in names]
    now = int(time.time())
    write_log(
        sandbox,
        [
            call(now - hour * HOUR - 60 * number, key_id=key_id, address=f"10.0.{number}.1", version=1,
                 tokens_in=12_345, tokens_out=678, cost=98_765_432_100, request_id=f"{hour}",
                 status=503 if hour % 50 == 0 else 200)
            for number, key_id in enumerate(ids[:-1])
            for hour in range(0, 29 * 24, number + 1)
        ]
        + [
            call(now - 5 * DAY + n, outcome="unknown", status=401, sha256=f"{n:064x}", address="2001:db8:ffff:ffff::1")
            for n in range(60)
        ]
        + [
            call(now - DAY - n, key_id=ids[2], version=1, outcome="allowed", agent="Mozilla/5.0 Chrome/140.0",
                 origin=f"https://{'frontend-' * 12}.example", flags=("plain_http",), address="198.51.100.7")
            for n in range(20)
        ]
        + [call(now - 50, outcome=HOSTILE, status=403, agent=HOSTILE, address="198.51.100.8")],
    )  # fmt: skip
    sandbox.ok("usage", "report")
    return sandbox.cwd / "routic-usage.html"


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    with chromium() as found:
        yield found


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 360, 768, 1200])
def test_it_loads_nothing_complains_of_nothing_and_fits_its_screen(
    browser: Chromium, report: Path, tmp_path: Path, width: int, scheme: Scheme
) -> None:
    with browser.open(report, width=width, scheme=scheme) as opened:
        assert opened.ask("document.documentElement.scrollWidth") <= width
        assert opened.ask(COLLISIONS) == []
        pale = [each for each in opened.ask(CONTRASTS) if each[0] < 4.5]
        assert pale == []
        opened.page.screenshot(path=tmp_path / "page.png", full_page=True)  # for whoever changes the page
        assert opened.requests == [report.as_uri()]
        assert opened.messages == []


@pytest.mark.parametrize(("width", "form"), [(360, "narrow"), (1200, "wide")])
def test_each_chart_is_shown_once_in_letters_that_can_be_read(
    browser: Chromium, report: Path, width: int, form: str
) -> None:
    with browser.open(report, width=width) as opened:
        shown = opened.ask(
            "[...document.querySelectorAll('svg')].filter(e => e.checkVisibility()).map(e => e.classList[1])"
        )
        sizes = opened.ask(
            "[...document.querySelectorAll('svg text')].filter(e => e.checkVisibility())"
            ".map(e => parseFloat(e.getAttribute('font-size')) * e.getCTM().a)"
        )

    assert shown == [form] * 4
    assert min(sizes) > 9


def test_the_dark_is_dark(browser: Chromium, report: Path) -> None:
    shades = {}
    for scheme in ("light", "dark"):
        with browser.open(report, scheme=scheme) as opened:
            ground = opened.ask("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
            bar = opened.ask("getComputedStyle(document.querySelector('svg.wide path')).fill")
            shades[scheme] = (sum(ground), bar)

    assert shades["light"][0] > 600
    assert shades["dark"][0] < 150
    assert shades["light"][1] != shades["dark"][1]


def test_a_mark_says_what_it_stands_for(browser: Chromium, report: Path) -> None:
    with browser.open(report) as opened:
        titles = opened.ask("[...document.querySelectorAll('svg.wide path title')].map(e => e.textContent)")
        named = opened.ask("[...document.querySelectorAll('svg')].every(e => e.getAttribute('aria-label'))")

    assert any(title.startswith("prod-backend: ") and " calls, " in title for title in titles)
    assert named


def test_the_figures_of_a_chart_open_beneath_it(browser: Chromium, report: Path) -> None:
    with browser.open(report, width=360) as opened:
        assert not opened.page.locator("details table").first.is_visible()
        opened.page.locator("summary").first.click()
        assert opened.page.locator("details table").first.is_visible()
        assert opened.ask("document.documentElement.scrollWidth") <= 360


def test_on_paper_it_is_black_on_white_with_its_charts(browser: Chromium, report: Path) -> None:
    with browser.open(report, width=700, scheme="dark", media="print") as opened:
        colours = opened.ask("['color', 'backgroundColor'].map(name => getComputedStyle(document.body)[name])")
        assert colours == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]
        assert opened.page.locator("svg.wide").first.is_visible()
        assert opened.page.pdf(format="A4").startswith(b"%PDF")


def test_what_callers_send_does_not_run(browser: Chromium, report: Path) -> None:
    with browser.open(report) as opened:
        assert opened.page.title().startswith("Usage of API keys")
        assert HOSTILE in opened.ask("document.body.innerText")
        assert opened.ask("document.scripts.length") == 0


def test_even_what_got_into_the_page_would_not_run_or_call_home(
    browser: Chromium, report: Path, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        home = f"http://127.0.0.1:{listener.getsockname()[1]}"
        smuggled = (
            "<script>document.title = 'taken over'</script>"
            f"<script src='{home}/w'></script><img src='{home}/x' onerror='document.title = 1'>"
            f"<link rel=stylesheet href='{home}/y'>"
            f"<style>body {{ background: url({home}/z) }}</style><p style='position: fixed'>"
        )
        tampered = tmp_path / "tampered.html"
        tampered.write_text(report.read_text().replace("<main>", f"<main>{smuggled}"))

        with browser.open(tampered) as opened:
            assert opened.page.title().startswith("Usage of API keys")
            assert opened.ask("getComputedStyle(document.body).backgroundImage") == "none"
            assert len([each for each in opened.messages if "Content Security Policy" in each]) >= 5
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()
