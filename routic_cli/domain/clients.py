"""Which program is behind a user agent: what stays when versions change, and whether it is a browser."""

from __future__ import annotations

import re
from typing import Final

BROWSER: Final = "browser"
UNNAMED: Final = "unnamed"
_LONGEST: Final = 64

# Every browser says Mozilla/5.0 and names an engine; crawlers do so too and add what they are ("compatible; …").
_BROWSER: Final = re.compile(r"Mozilla/\d[\d.]* \((?!compatible;).*\b(?:AppleWebKit|Gecko|Trident|Presto)/")
_NAMED_BROWSERS: Final = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
# A program for the desktop that a browser's engine draws: its own name stands before the engine's.
_DESKTOP: Final = re.compile(r"like Gecko\) ?(?:(?!Chrome/|Electron/)([^/\s]+)/)?.*\bElectron/")
_COMPATIBLE: Final = re.compile(r"\(compatible; ([^;/)\s]+)")


def family_of(agent: str | None) -> str | None:
    """`OpenAI/Python` of `OpenAI/Python 2.8.1`, `curl` of `curl/8.5.0`, `browser: Firefox`; None for no agent."""
    if not agent:
        return None
    desktop = _DESKTOP.search(agent)
    if desktop is not None:
        return (desktop[1] or "Electron")[:_LONGEST]
    if _BROWSER.match(agent):
        name = next((name for mark, name in _NAMED_BROWSERS if mark in agent), "another")
        return f"{BROWSER}: {name}"
    crawler = _COMPATIBLE.search(agent)
    if crawler is not None:
        return crawler[1][:_LONGEST]
    words = agent.split()
    if not words:
        return UNNAMED
    # A product is NAME/VERSION; `OpenAI/Python 2.8.1` has its version apart from a name that has the slash.
    name, _, version = words[0].partition("/")
    if version and not version[0].isdigit() and not (version[0] == "v" and version[1:2].isdigit()):
        name = words[0]
    return name.rstrip("/:;,")[:_LONGEST] or UNNAMED


def is_browser(family: str | None) -> bool:
    """Whether `family_of` found a browser that a person sits at."""
    return family is not None and family.startswith(BROWSER)
