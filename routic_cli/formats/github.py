"""GitHub Actions: `::add-mask::` on standard output, then `VAR=value` into the file that $GITHUB_ENV names.

In this order: the runner reads standard output while the step runs and the file when it has ended, so that from the
mask on no log shows the value. Masks are obeyed on the step's own output only, so it must not be redirected.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from routic_cli.domain.errors import InvalidRequestError
from routic_cli.formats.interface import Entry, Format
from routic_cli.formats.values import text_of


def render(entries: Sequence[Entry]) -> str:
    """The masks. What goes into the file is looked at as well, so that nothing is printed if that cannot be written."""
    render_file(entries)
    return "".join(f"::add-mask::{_command_data(text_of(entry, 'github'))}\n" for entry in entries)


def render_file(entries: Sequence[Entry]) -> str:
    """The variables, each in the runner's one-line form, or between delimiters when the value needs it."""
    return "".join(_assignment(_checked_variable(entry.variable), text_of(entry, "github")) for entry in entries)


def _command_data(text: str) -> str:
    """As the runner decodes it again: the data of a workflow command is one line."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _assignment(variable: str, text: str) -> str:
    if text.isprintable():
        return f"{variable}={text}\n"
    import secrets

    # Not to be guessed: a value with the delimiter on a line of its own could set variables of its own.
    delimiter = f"routic_{secrets.token_hex(16)}"
    return f"{variable}<<{delimiter}\n{text}\n{delimiter}\n"


def _checked_variable(name: str) -> str:
    """The runner would ignore or refuse these without a word to us."""
    if name.startswith(("GITHUB_", "RUNNER_")) or name == "NODE_OPTIONS":
        raise InvalidRequestError(
            f"GitHub Actions lets no step set {name}",
            not_done="Nothing was exported",
            remedy="--var ROUTIC_API_KEY",
            param="var",
        )
    return name


FORMAT: Final = Format(
    "github",
    render,
    usage="routic export REF --format github",
    file_variable="GITHUB_ENV",
    render_file=render_file,
)
