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
_VERSION: Final = re.compile(r"v?\d")
# `worker-2.6.0-rc.1`, `worker@v2`, `worker-3f2a9bc`: each deploy has another. A word may be spelled in a to f alone.
_SUFFIX: Final = re.compile(
    r"(?<=[^-@_])[-@_](?:v?\d[\d.]*(?:[-+._]?(?:a|b|rc|alpha|beta|dev|post)[-.]?\d*)?|(?=[a-f]*\d)[0-9a-f]{7,40})$"
)
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
    return _without_version(words[0], apart=_VERSION.match(words[1]) is not None if words[1:] else False)[:_LONGEST]


def _without_version(word: str, *, apart: bool) -> str:
    """The name in a product, which is NAME/VERSION by the book; `apart` when its version is the next word.

    What is behind the slash is a version: a number, a commit, `build-812`, the name of a branch. Only with a version
    behind it all is it a part of the name, as in `OpenAI/Python 2.8.1`.
    """
    name, slash, rest = word.removeprefix("@").partition("/")
    if slash and (word[0] == "@" or (apart and rest.isalpha())):  # @SCOPE/NAME, as packages of npm are called
        name += slash + rest.partition("/")[0]
    name = ("@" if word[0] == "@" else "") + name
    return (_SUFFIX.sub("", name) or name).rstrip("/:;,") or UNNAMED


def is_browser(family: str | None) -> bool:
    """Whether `family_of` found a browser that a person sits at."""
    return family is not None and family.startswith(BROWSER)
