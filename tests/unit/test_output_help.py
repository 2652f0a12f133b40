"""Help is plain where it is piped, and bold headings where colour is on; in both cases without Rich."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

_APP = """
from typing import Annotated
import typer
from typer.core import TyperCommand, TyperGroup
from routic_cli.output.help import HelpContext

class Group(TyperGroup):
    context_class = HelpContext

class Command(TyperCommand):
    context_class = HelpContext

app = typer.Typer(cls=Group, rich_markup_mode=None, add_completion=False, help="Administer keys.")

@app.command(cls=Command)
def create(name: Annotated[str, typer.Option(help="word " * 30)]) -> None:
    "Mint a key."

@app.command(cls=Command)
def show(ref: str) -> None:
    "One key."

app(prog_name="routic")
"""


def page(*arguments: str, **env: str) -> str:
    settings = {name: value for name, value in os.environ.items() if "COLOR" not in name} | {"COLUMNS": "80"} | env
    return subprocess.run(
        [sys.executable, "-c", _APP, *arguments], capture_output=True, text=True, check=True, env=settings
    ).stdout


def test_a_pipe_gets_plain_headings() -> None:
    text = page("--help")

    assert "\x1b" not in text
    assert text.startswith("Usage: routic [OPTIONS] COMMAND [ARGS]...\n")
    assert "\nOptions:\n" in text
    assert "\nCommands:\n  create  Mint a key.\n" in text


def test_colour_gives_bold_capitals_and_the_usage_a_line_of_its_own() -> None:
    text = page("--help", FORCE_COLOR="1")

    assert text.startswith("\x1b[1mUSAGE\x1b[0m\n  routic [OPTIONS] COMMAND [ARGS]...\n")
    assert "\n\x1b[1mCOMMANDS\x1b[0m\n  create  Mint a key.\n" in text
    assert "Usage:" not in text


def test_no_color_wins() -> None:
    assert "\x1b" not in page("--help", FORCE_COLOR="1", NO_COLOR="1")


@pytest.mark.parametrize(("columns", "widest"), [("80", 80), ("100", 100), ("200", 100), ("60", 60)])
def test_the_width_is_used_up_to_a_hundred_columns(columns: str, widest: int) -> None:
    longest = max(len(line) for line in page("create", "--help", COLUMNS=columns).splitlines())

    assert widest - 8 < longest <= widest
