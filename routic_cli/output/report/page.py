"""The whole document: what a browser may do with it, how it looks, and its parts."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from importlib.resources import files
from typing import Final

from routic_cli import __version__
from routic_cli.output.report import sections
from routic_cli.output.report.contents import Report
from routic_cli.output.report.dates import day
from routic_cli.output.report.markup import Markup, joined, tag

BEGINNING: Final = (
    '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><meta name="generator" content="routic usage report'
)
"""What every report begins with: by this one is told from a file of somebody else."""


def page(report: Report) -> str:
    """The report as one HTML file. It loads nothing, and the browser is told to refuse whatever would be loaded."""
    style = files("routic_cli.output.report").joinpath("style.css").read_text(encoding="utf-8")
    head = joined(
        [
            # No script at all, and no style but this one: the policy knows it by its hash.
            tag("meta", http_equiv="Content-Security-Policy", content=_policy(style)),
            tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
            tag("meta", name="color-scheme", content="light dark"),
            tag("meta", name="referrer", content="no-referrer"),
            tag("meta", name="robots", content="noindex"),
            tag("title", f"Usage of API keys, {day(report.since)} to {day(report.until)}"),
            tag("style", Markup(style)),
        ]
    )
    body = tag("body", sections.heading(report), tag("main", *_main(report)), _footer())
    return f'{BEGINNING} {__version__}">{head}</head>{body}</html>\n'


def _main(report: Report) -> list[Markup]:
    empty = "The usage log has no calls of this time. It fills as routic serve answers, or by routic usage import."
    notice = [] if report.calls else [tag("p", empty, class_="alert")]
    return [
        *notice,
        sections.tiles(report),
        sections.calls_section(report),
        sections.errors_section(report),
        sections.findings_section(report),
        sections.ages_section(report),
        sections.keys_section(report),
    ]


def _policy(style: str) -> str:
    digest = b64encode(sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def _footer() -> Markup:
    said = "It holds the addresses of callers: give it to those who may see them. The log counts whole hours, in UTC."
    return tag("footer", tag("p", f"Made by routic {__version__}. {said}"))
