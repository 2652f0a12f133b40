"""The configuration file: read by what Python brings, changed in place with its comments kept."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from routic_cli.delivery.locks import lock_directory
from routic_cli.domain.errors import RouticError
from routic_cli.private_files import (
    PRIVATE_FILE,
    check_private,
    check_private_folder,
    is_there,
    make_private_folder,
    sync_folder,
)

if TYPE_CHECKING:
    from tomlkit import TOMLDocument

_LABEL: Final = "configuration"


def read_document(path: Path) -> Mapping[str, object]:
    """What the file says; nothing when there is none. UnsafeDestinationError when it is not private."""
    if not is_there(path, _LABEL):
        return {}
    check_private(path, _LABEL)
    try:
        return _parsed(path.read_bytes())
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error


def edit_document(path: Path, edit: Callable[[TOMLDocument], None], *, state_directory: Path) -> None:
    """Change the file, which is made when there is none: whole or not at all, and one change at a time.

    What `edit` leaves alone stays as it was written, comments and order included.
    """
    make_private_folder(path.parent)
    check_private_folder(path.parent, _LABEL)
    with lock_directory(path.parent, state_directory=state_directory):
        before = _bytes_of(path)
        after = _edited(path, before, edit)
        if after != before:
            _replace(path, after)


def _bytes_of(path: Path) -> bytes:
    if not is_there(path, _LABEL):
        return b""
    check_private(path, _LABEL)
    try:
        return path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from error


def _edited(path: Path, content: bytes, edit: Callable[[TOMLDocument], None]) -> bytes:
    import tomlkit

    try:
        _parsed(content)  # tomlkit is laxer than the parser that every other command reads the file with
        document = tomlkit.parse(content)
    except ValueError as error:
        raise _unreadable(path, error) from error
    edit(document)
    changed = tomlkit.dumps(document).encode()
    if _parsed(changed) != document.unwrap():
        raise RouticError(
            f"The configuration {path} is written in a way that cannot be changed here",
            why="What would have been written does not read back as what was meant",
            not_done="Nothing was written",
            remedy=_editor(path),
        )
    return changed


def _parsed(content: bytes) -> dict[str, object]:
    import tomllib

    return tomllib.loads(content.decode())


def _replace(path: Path, content: bytes) -> None:
    """Beside it under a name of its own, synced, then renamed over it: a crash leaves the old file or the new."""
    staged = path.with_name(f".{path.name}.{os.urandom(8).hex()}")
    outcome = "It is as it was"
    try:
        descriptor = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), PRIVATE_FILE)
        try:
            with os.fdopen(descriptor, "wb") as file:
                if os.name == "posix":
                    os.fchmod(descriptor, PRIVATE_FILE)  # whatever the umask
                file.write(content)
                file.flush()
                os.fsync(descriptor)
            staged.replace(path)
            outcome = "It is written, and may not outlast a power cut"
        except BaseException:
            with suppress(FileNotFoundError):
                staged.unlink()
            raise
        if os.name == "posix":
            sync_folder(path.parent)
    except OSError as error:
        raise RouticError(
            f"The configuration {path} could not be written",
            why=error.strerror or str(error),
            not_done=outcome,
            remedy=f"ls -ld {shlex.quote(str(path.parent))}",
        ) from error


def _unreadable(path: Path, error: Exception) -> RouticError:
    return RouticError(
        f"The configuration {path} could not be read", why=str(error), not_done="Nothing was done", remedy=_editor(path)
    )


def _editor(path: Path) -> str:
    return f"${{EDITOR:-vi}} {shlex.quote(str(path))}"
