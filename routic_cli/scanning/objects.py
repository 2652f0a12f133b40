"""Which objects of a repository have a key in them: every blob, commit and tag that git stores, each looked at once.

Walking the history would tell in which order and under which names they are there, which takes longer than looking
into them, and nearly all have no key. So git is asked for all that is stored, in the order of its packs, which is the
quickest for it; and what comes is searched as one stream, in which a line of our own begins each object.
"""

from __future__ import annotations

import os
import secrets  # noqa: TID253  # this module is imported by the scan of a history alone
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Final, NamedTuple

from routic_cli.scanning.find import LONGEST, keys_in
from routic_cli.scanning.git_stream import PIPE, ScanError, records, spooled, streaming, workers
from routic_cli.scanning.sightings import Told, telling_nobody

_SLICES_PER_WORKER: Final = 3
_SMALLEST_SLICE: Final = 2000
_LARGEST_SLICE: Final = 20_000  # the progress is told after each, and an interrupt waits for it
_LONGEST_HEADER: Final = 128
_TREE: Final = b"tree "
_MISSING: Final = b" missing"


class Suspect(NamedTuple):
    """An object that has a key in it."""

    oid: str
    kind: str


class Sifted(NamedTuple):
    """The objects with keys, how many were looked at, and what could not be read."""

    suspects: list[Suspect]
    looked_at: int
    errors: list[ScanError]


def sift(repository: Path, *, told: Told = telling_nobody) -> Sifted:
    """Every object that has a key, reachable or not. `told(done, total)` is called as it goes on."""
    oids = _stored(repository)
    size = min(max(len(oids) // (workers() * _SLICES_PER_WORKER) + 1, _SMALLEST_SLICE), _LARGEST_SLICE)
    slices = [oids[at : at + size] for at in range(0, len(oids), size)]
    sifted = Sifted([], len(oids), [])
    done = 0
    # Threads, not processes: git inflates in its own process, and searching a stream takes a fraction of that.
    with ThreadPoolExecutor(workers()) as pool:
        futures = {pool.submit(_sift_some, repository, some): len(some) for some in slices}
        try:
            for future in as_completed(futures):
                suspects, error = future.result()
                sifted.suspects.extend(suspects)
                if error is not None:
                    sifted.errors.append(error)
                done += futures[future]
                told(done, len(oids))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return sifted


def _stored(repository: Path) -> list[bytes]:
    """The ids of all that is stored but trees, in the order of the packs, where what resembles lies together."""
    question = ("cat-file", "--batch-all-objects", "--unordered", "--buffer")
    with streaming(repository, *question, "--batch-check=%(objecttype) %(objectname)", lenient=True) as stream:
        lines = [line for line in records(stream, b"\n") if not line.startswith(_TREE)]
    # Of a damaged object git says `ID missing`. Reading it will fail, and that will be told.
    return [line.removesuffix(_MISSING) if line.endswith(_MISSING) else line.rpartition(b" ")[2] for line in lines]


def _sift_some(repository: Path, oids: Sequence[bytes]) -> tuple[list[Suspect], ScanError | None]:
    mark = secrets.token_hex(16).encode()  # nothing in the repository can pretend to be it
    form = f"--batch={mark.decode()} %(objectname) %(objecttype)"
    suspects: dict[Suspect, None] = {}
    try:
        with (
            spooled(oid + b"\n" for oid in oids) as ids,
            streaming(repository, "cat-file", "--buffer", form, stdin=ids) as stream,
        ):
            suspects.update(dict.fromkeys(_suspects(stream.fileno(), mark + b" ")))
    except ScanError as error:
        return list(suspects), error
    return list(suspects), None


def _suspects(descriptor: int, mark: bytes) -> Iterator[Suspect]:
    overlap = max(LONGEST, _LONGEST_HEADER)
    data = header = b""
    while fresh := os.read(descriptor, PIPE):
        data = data[-overlap:] + fresh
        for found in keys_in(data):
            yield _suspect(_last_header(data, mark, found.start) or header)
        header = _last_header(data, mark, len(data)) or header


def _last_header(data: bytes, mark: bytes, before: int) -> bytes:
    """The last whole header in front of a place; nothing when the data has none there."""
    end = before
    while (at := data.rfind(mark, 0, end)) >= 0:
        newline = data.find(b"\n", at)
        if newline >= 0:
            return data[at + len(mark) : newline]
        end = at
    return b""


def _suspect(header: bytes) -> Suspect:
    oid, _, kind = header.decode("ascii").partition(" ")
    return Suspect(oid, kind)
