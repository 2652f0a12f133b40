"""A word for whoever waits, and nothing left of it afterwards."""

from __future__ import annotations

import os
import pty
from collections.abc import Iterator

import pyte
import pytest

from routic_cli.output.console import Console
from routic_cli.output.patience import patience

Ends = tuple[int, int]


@pytest.fixture
def terminal() -> Iterator[Ends]:
    ours, theirs = pty.openpty()
    yield ours, theirs
    os.close(ours)
    os.close(theirs)


def shown(end: int) -> list[str]:
    screen = pyte.Screen(80, 5)
    pyte.ByteStream(screen).feed(os.read(end, 65536))
    return [line.rstrip() for line in screen.display if line.strip()]


def test_a_question_that_takes_long_is_told_and_leaves_nothing(terminal: Ends) -> None:
    ours, theirs = terminal
    console = Console(stderr_fd=theirs, environ={"TERM": "xterm"})
    with patience(console, "Looking\x1b", after=0):
        assert shown(ours)[0].startswith("Looking\\x1b")
    console.say("done")
    assert shown(ours) == ["done"]


@pytest.mark.parametrize(
    ("after", "quiet", "environ"), [(60, False, {}), (0, True, {}), (0, False, {"TERM": "dumb"})], ids=str
)
def test_nothing_is_drawn_for_what_is_quick_quiet_or_on_a_dumb_terminal(
    terminal: Ends, after: float, quiet: bool, environ: dict[str, str]
) -> None:
    ours, theirs = terminal
    console = Console(stderr_fd=theirs, quiet=quiet, environ=environ)
    with patience(console, "Looking", after=after):
        pass
    console.say("done")
    assert shown(ours) == ["done"]


def test_the_word_goes_when_the_question_fails(terminal: Ends) -> None:
    ours, theirs = terminal
    console = Console(stderr_fd=theirs, environ={"TERM": "xterm"})

    def ask() -> None:
        with patience(console, "Looking", after=0):
            shown(ours)
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        ask()
    console.say("done")
    assert shown(ours) == ["done"]
