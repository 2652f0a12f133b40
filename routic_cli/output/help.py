"""Help pages in the manner of gh, without Rich: it would cost every `--help` as much as all the rest.

A command class of ours says `context_class = HelpContext`; everything it prints then goes through `HelpFormatter`.
"""

from __future__ import annotations

import os
from typing import Any, Final

from typer._click.core import Context  # Typer carries its own click and exports none of these two
from typer._click.formatting import HelpFormatter as PlainFormatter

from routic_cli.output.streams import STDOUT, Stream

_WIDEST: Final = 100
_NARROWEST: Final = 40
_BOLD: Final = "\x1b[1m"
_RESET: Final = "\x1b[0m"
_USAGE: Final = "Usage"


class HelpFormatter(PlainFormatter):
    """Bold capitals over each section where colour is on, click's plain headings elsewhere; up to 100 columns."""

    def __init__(self, indent_increment: int = 2, width: int | None = None, max_width: int | None = None) -> None:
        look = _standard_output().look
        widest = min(look.width, max_width or _WIDEST)
        super().__init__(indent_increment, width or max(widest, _NARROWEST), max_width)
        self._colour = look.colour

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """The heading on a line of its own in colour, `Usage: ` before the command otherwise."""
        if not self._colour or prefix is not None:
            super().write_usage(prog, args, prefix)
            return
        self.write_heading(_USAGE)
        with self.indentation():
            super().write_usage(prog, args, prefix="")

    def write_heading(self, heading: str) -> None:
        """`OPTIONS` in bold, or `Options:`."""
        if self._colour:
            self.write(f"{'':>{self.current_indent}}{_BOLD}{heading.upper()}{_RESET}\n")
        else:
            super().write_heading(heading)


class HelpContext(Context):
    """A context whose help is ours, in the colours that we decided on: click's own guess knows no NO_COLOR."""

    formatter_class = HelpFormatter

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.color = _standard_output().look.colour


def _standard_output() -> Stream:
    return Stream(STDOUT, os.environ)
