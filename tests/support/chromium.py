"""Pages in a headless Chromium that reports whatever it asks for or complains of."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

# What a browser does for itself would fill the network of a closed machine.
_QUIET: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass(slots=True)
class Opened:
    """A page that is open, with every request and every message of its console since it was."""

    page: Page
    requests: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)

    def ask(self, script: str) -> Any:
        """What a script of the tester's answers; the page's own policy does not bind it."""
        return self.page.evaluate(script)


@dataclass(frozen=True, slots=True)
class Chromium:
    """A running browser."""

    browser: Browser

    @contextmanager
    def open(
        self, file: Path, *, width: int = 1200, scheme: Literal["light", "dark"] = "light", media: str = "screen"
    ) -> Iterator[Opened]:
        """A file on a screen of that width, as its reader opens it."""
        context = self.browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
        try:
            opened = Opened(context.new_page())
            opened.page.on("request", lambda request: opened.requests.append(request.url))
            opened.page.on("console", lambda message: opened.messages.append(message.text))
            opened.page.on("pageerror", lambda error: opened.messages.append(str(error)))
            opened.page.emulate_media(media="print" if media == "print" else "screen")
            opened.page.goto(file.as_uri(), wait_until="load")
            yield opened
        finally:
            context.close()


@contextmanager
def chromium() -> Iterator[Chromium]:
    """Debian's Chromium, or another one that is called so."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("chromium is not installed, and nothing else shows the page as its readers see it")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(_QUIET))
        try:
            yield Chromium(browser)
        finally:
            browser.close()
