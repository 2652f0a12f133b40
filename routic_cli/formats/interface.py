"""What an export format is, and what it is given to write."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from routic_cli.domain.secret import Secret


class Entry(NamedTuple):
    """A secret, the variable that shall hold it, and the name of its key."""

    variable: str
    secret: Secret
    key_name: str


class Format(NamedTuple):
    """How one program wants to be told variables. A module of this package has one, called FORMAT.

    `render` gives the whole text for standard output; it raises InvalidRequestError for a value that the format cannot
    carry, and then nothing has been written. `failure` is the text that makes a shell's `eval` fail when there is
    nothing to export; data formats have none. `usage` is what a person types, with REF for the key.
    A format that also writes into a file whose path the environment gives names that in `file_variable`;
    `render_file` gives the text to append once standard output has been written (see `command_file`).
    """

    name: str
    render: Callable[[Sequence[Entry]], str]
    usage: str
    is_shell: bool = False
    failure: str = ""
    file_variable: str = ""
    render_file: Callable[[Sequence[Entry]], str] | None = None
