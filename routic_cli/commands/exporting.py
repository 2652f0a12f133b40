"""What `export` does once its line is understood; kept from Typer, so that a shell's start-up file can call it."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from routic_cli.commands.variables import assigned
from routic_cli.domain.errors import InvalidRequestError, RouticError, UnsafeDestinationError
from routic_cli.formats import Entry, Format, detect, load, parent_process_name
from routic_cli.formats.command_file import append, command_file
from routic_cli.session import Session

_NOTHING: Final = "Nothing was exported"


def failing_text(arguments: Sequence[str]) -> str:
    """What makes the `eval` of a failed `export` fail, too; nothing for a data format, a file or a terminal."""
    values = {
        flag: word.partition("=")[2] or following
        for word, following in zip(arguments, [*arguments[1:], ""], strict=True)
        for flag in ("--format", "--output")
        if word.partition("=")[0] == flag
    }
    if "--output" in values or os.isatty(1):
        return ""
    try:
        return chosen_format(values.get("--format")).failure
    except RouticError:
        return load("sh").failure


def chosen_format(name: str | None) -> Format:
    """The format that is named, else that of the shell that asks."""
    return load(name or detect(os.environ, parent_process_name))


def export(
    session: Session,
    chosen: Format,
    refs: Sequence[str] | None,
    variable: str | None,
    output: Path | None,
    *,
    show: bool,
    force: bool = False,
) -> None:
    """Give the secrets to standard output, or to a file of their own."""
    if output is None and session.console.stdout_is_terminal and not show:
        raise InvalidRequestError(
            "The secret would be shown on the terminal",
            not_done=_NOTHING,
            remedy=f"{chosen.usage}, or --show to see it",
        )
    entries = [
        Entry(name, found.secret, found.key.name)
        for name, found in assigned(session, refs, variable, nothing_happened=_NOTHING)
    ]
    text = chosen.render(entries)
    also = command_file(chosen, os.environ)
    if output is not None:
        _write_file(output, text, force=force)
        session.console.success(f"Exported to {output}")
        return
    session.console.data(text)
    if chosen.render_file is not None and also is not None:
        append(also, chosen.render_file(entries))


def _write_file(path: Path, text: str, *, force: bool) -> None:
    """The whole file at once, private, and only where git would not publish it."""
    from routic_cli.delivery.regular_file import read_regular, require_replaceable, resolved, status_of
    from routic_cli.delivery.safety import judge
    from routic_cli.delivery.staging import discard, put_in_place, stage, staging_place
    from routic_cli.delivery.verdict import Severity
    from routic_cli.domain.minting import mint_operation_id

    refusals = [each for each in judge(path, None).findings if each.severity is Severity.REFUSE]
    if refusals:
        raise UnsafeDestinationError(
            f"{path} is no safe place for a key",
            why=". ".join(finding.message for finding in refusals),
            not_done=_NOTHING,
            remedy=next((finding.remedy for finding in refusals if finding.remedy), ""),
        )
    try:
        target = resolved(path)
        require_replaceable(target, status_of(target))
        before = read_regular(target, limit=None)
        if before is not None and not force:
            _require_earlier_export(path, before.content, text)
        staged = staging_place(target, mint_operation_id())
    except RouticError as error:
        error.not_done = error.not_done or _NOTHING
        raise
    try:
        stage(staged, text.encode())
        put_in_place(staged, target, like=before.status if before else None)
    except OSError as error:
        raise RouticError(f"{path} could not be written", why=error.strerror or "", not_done=_NOTHING) from error
    finally:
        discard(staged)


def _require_earlier_export(path: Path, before: bytes, text: str) -> None:
    """A file may be replaced that says the same of other secrets: an older version of the key, say."""
    if before.strip() and _KEY.sub("", before.decode(errors="replace")) != _KEY.sub("", text):
        raise UnsafeDestinationError(
            f"{path} exists, and is not an earlier export of the same",
            why="The whole file would be replaced",
            remedy=f"routic export --force --output {shlex.quote(str(path))} …, or another file",
        )


# A key as it is, and in base64.
_KEY: Final = re.compile(r"sk-[0-9A-Za-z]{45}|c2st[0-9A-Za-z+/]{60}")
