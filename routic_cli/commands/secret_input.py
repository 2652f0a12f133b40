"""How a secret comes in: one line of standard input, or a hidden prompt. Never an argument."""

from __future__ import annotations

import os
from typing import Final

from routic_cli.domain.errors import InvalidRequestError
from routic_cli.domain.key_format import is_hint
from routic_cli.domain.secret import Secret
from routic_cli.session import Session

_STDIN: Final = 0
_LONGEST: Final = 4096


def read_secret(session: Session, prompt: str) -> Secret:
    """One secret, without the white space around it; InvalidRequestError when there is none, or more than one line."""
    text = session.console.prompt_secret(prompt) if session.console.stdin_is_terminal else _read_stdin().strip()
    problem = ""
    if not text:
        problem = "No secret was given"
    elif text.split()[0].lower() in {"bearer", "authorization:"}:
        problem = f"'{text.split()[0]}' stands before the secret"
    elif len(text) > _LONGEST or len(text.split()) > 1:
        problem = "This is more than one secret"
    elif is_hint(text):
        problem = "This is a hint, not the secret"
    if problem:
        raise InvalidRequestError(
            problem,
            why="It takes one secret, whole, on standard input or at the prompt",
            not_done="Nothing was done",
        )
    return Secret(text)


def _read_stdin() -> str:
    data = b""
    try:
        while len(data) <= _LONGEST and (chunk := os.read(_STDIN, _LONGEST)):
            data += chunk
    except OSError:
        return ""  # closed: nothing was given
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise InvalidRequestError("Standard input is not UTF-8 text", not_done="Nothing was done") from error
