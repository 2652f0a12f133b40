"""Keys in objects that are named: exactly where they are in each."""

from __future__ import annotations

import io
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import cast

from routic_cli.scanning.find import Hit, hits_in
from routic_cli.scanning.git_stream import ScanError, spooled, streaming


def hits_of(repository: Path, oids: Collection[str]) -> Iterator[tuple[str, list[Hit]]]:
    """Each object with the keys in it, in the order asked for. ScanError for one that git does not have."""
    with (
        spooled(oid.encode() + b"\n" for oid in oids) as ids,
        streaming(repository, "cat-file", "--buffer", "--batch", stdin=ids) as raw,
    ):
        stream = cast("io.BufferedReader", io.BufferedReader(raw))
        for oid in oids:
            header = stream.readline().split()
            if len(header) != len(("id", "kind", "size")):
                raise ScanError(f"Git does not have the object {oid}", why="The clone may be partial, or damaged")
            yield oid, list(hits_in(_limited(stream, int(header[2]))))
            stream.read(1)


def _limited(stream: io.BufferedReader, size: int) -> Callable[[int], bytes]:
    left = [size]

    def read(count: int) -> bytes:
        data = stream.read(min(count, left[0]))
        left[0] -= len(data)
        return data

    return read
