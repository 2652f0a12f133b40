"""The file beside standard output that a CI runner reads variables from."""

from __future__ import annotations

import os
from collections.abc import Mapping

from routic_cli.domain.errors import DeliveryError, InvalidRequestError
from routic_cli.formats.interface import Format


def command_file(chosen: Format, environ: Mapping[str, str]) -> str | None:
    """The path of the format's file; None when it has none, InvalidRequestError when the runner named none."""
    if not chosen.file_variable:
        return None
    path = environ.get(chosen.file_variable, "")
    if not path:
        raise InvalidRequestError(
            f"{chosen.file_variable} is not set",
            why=f"The format {chosen.name} works inside a job of its runner, which names a file in that variable",
            not_done="Nothing was exported",
            remedy="routic export --format dotenv REF",
            param="format",
        )
    return path


def append(path: str, text: str) -> None:
    """Put the text on lines of its own at the end of the file, which the runner has made; DeliveryError otherwise."""
    data = text.encode()
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
        with os.fdopen(descriptor, "r+b", buffering=0) as file:
            # What an earlier step wrote may lack its final newline; ours would become part of that value.
            if file.seek(0, os.SEEK_END) and file.seek(-1, os.SEEK_END) >= 0 and file.read(1) != b"\n":
                data = b"\n" + data
            while data:
                data = data[file.write(data) :]
    except OSError as error:
        raise DeliveryError(
            f"{path} cannot be written", why=os.strerror(error.errno or 0), not_done="Nothing was exported"
        ) from error
