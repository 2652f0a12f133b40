"""Ignore files that no program answers for: `.npmignore`, `.dockerignore`, npm's `files`. For git, git is asked.

Good enough for a warning: the last rule that matches the path or a directory above it decides, as npm and Docker do.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

_TOKENS: Final = re.compile(
    r"""(?P<any_directories>(?<![^/])\*\*/) | (?P<anything>\*\*) | (?P<star>\*) | (?P<one>\?)
      | \[ (?P<negation>[!^]?) (?P<members>\]?[^\]]*) \] | \\(?P<escaped>.) | (?P<literal>.)""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of an ignore file."""

    negated: bool
    directories_only: bool
    regex: re.Pattern[str]


def read_rules(lines: Sequence[str], *, anchored: bool, ignore_case: bool = False) -> list[Rule]:
    """The rules in the lines. `anchored` (Docker, `files`): a name without a slash counts at the top only."""
    rules = []
    for line in lines:
        pattern = line.strip()
        if not pattern or pattern.startswith("#"):
            continue
        negated = pattern.startswith("!")
        pattern = pattern.removeprefix("!").removeprefix("./")
        directories_only = pattern.endswith("/") and not anchored
        pattern = pattern.rstrip("/")
        somewhere = "" if anchored or "/" in pattern else "(?:.*/)?"
        try:
            regex = re.compile(somewhere + _regex(pattern.lstrip("/")), re.IGNORECASE if ignore_case else 0)
        except re.error:
            continue  # a malformed class matches nothing
        rules.append(Rule(negated, directories_only, regex))
    return rules


def last_word(rules: Sequence[Rule], path: PurePosixPath) -> bool | None:
    """Whether the rules match the path (True), take it back (False) or say nothing of it (None)."""
    above = [str(parent) for parent in path.parents][:-1]
    word = None
    for rule in rules:
        candidates = above if rule.directories_only else [str(path), *above]
        if any(rule.regex.fullmatch(candidate) for candidate in candidates):
            word = not rule.negated
    return word


def rule_for(path: PurePosixPath) -> str:
    r"""The `.gitignore` line that matches this relative path and no other.

    A line break cannot be written in one; a path that has one must not come here.
    """
    escaped = "/" + re.sub(r"([\\*?\[])", r"\\\1", str(path))
    # Git cuts trailing spaces and one trailing carriage return off a line.
    bare = escaped.rstrip(" ")
    escaped = bare + "\\ " * (len(escaped) - len(bare))
    return escaped.removesuffix("\r") + "[\r]" if escaped.endswith("\r") else escaped


def _regex(glob: str) -> str:
    return "".join(_translated(token) for token in _TOKENS.finditer(glob))


def _translated(token: re.Match[str]) -> str:
    fixed = {"any_directories": "(?:.*/)?", "anything": ".*", "star": "[^/]*", "one": "[^/]"}
    kind = token.lastgroup or "literal"
    if kind in fixed:
        return fixed[kind]
    if kind == "members":
        members = token["members"].replace("\\", r"\\").replace("[", r"\[")
        return f"[{'^' if token['negation'] else ''}{members}]"
    return re.escape(token[kind])
