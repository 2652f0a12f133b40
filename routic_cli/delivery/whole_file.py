"""A file that is written whole: private, at once, and over nothing but an earlier one of its own kind."""

from __future__ import annotations

import shlex
from pathlib import Path

from routic_cli.delivery.regular_file import read_regular, resolved
from routic_cli.delivery.staging import discard, place_beside, put_in_place, stage
from routic_cli.domain.errors import RouticError, UnsafeDestinationError
from routic_cli.domain.minting import mint_operation_id


class WholeFile:
    """The file at `path`, through links. `kind` names what is written in an error, such as `report`.

    `beginning` is what each of its kind begins with: another file is replaced with `force` only.
    """

    def __init__(self, path: Path, kind: str, beginning: str, *, force: bool, command: str) -> None:
        self._path = path
        self._kind = kind
        self._beginning = beginning.encode()
        self._force = force
        self._command = command

    def require_free(self) -> Path:
        """Where the path leads; UnsafeDestinationError for a file of somebody else's or none that is regular."""
        not_done = f"No {self._kind} was written"
        try:
            target = resolved(self._path)
            before = read_regular(target, limit=None)
        except RouticError as error:
            error.not_done = error.not_done or not_done
            raise
        except OSError as error:
            raise RouticError(
                f"{self._path} could not be looked at", why=error.strerror or "", not_done=not_done
            ) from error
        if before is not None and before.content and not self._force and not self._is_ours(before.content):
            raise UnsafeDestinationError(
                f"{self._path} exists, and is not an earlier {self._kind}",
                why="The whole file would be replaced",
                not_done=not_done,
                remedy=f"{self._command} --force --output {shlex.quote(str(self._path))}, or another file",
            )
        return target

    def write(self, text: str) -> Path:
        """The whole text, mode 0600 whatever the file had before; the real path. What was there stays on an error."""
        target = self.require_free()  # again: somebody may have made the file while the text was
        staged = place_beside(target, mint_operation_id())
        try:
            stage(staged, text.encode())
            put_in_place(staged, target, like=None)
        except OSError as error:
            raise RouticError(
                f"{self._path} could not be written",
                why=error.strerror or "",
                not_done=f"No {self._kind} was written",
            ) from error
        finally:
            discard(staged)
        return target

    def _is_ours(self, content: bytes) -> bool:
        return content.startswith(self._beginning)
