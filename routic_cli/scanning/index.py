"""Keys in what the next commit would contain and the last does not: the index's own blobs, not the work tree's."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final

from routic_cli.delivery.git_process import ask_git
from routic_cli.scanning.blobs import hits_of
from routic_cli.scanning.git_stream import asked, records, streaming
from routic_cli.scanning.names import keys_in_name
from routic_cli.scanning.repositories import Repository
from routic_cli.scanning.sightings import Scan, sighting

_NO_CONTENT: Final = frozenset({"000000", "160000"})  # removed; a commit of a submodule
_DIFF: Final = ("diff-index", "--cached", "--raw", "-z", "--no-renames", "--no-abbrev", "HEAD")


def scan_index(repository: Repository, scan: Scan, *, index: str = "") -> None:
    """Look into every blob that is staged. `index`: the file that git named to its hook, if not the usual one."""
    staged: dict[str, list[str]] = {}
    for oid, name in _staged(repository, index):
        staged.setdefault(oid, []).append(name)
        scan.add(keys_in_name(repository.shown(name)))
        scan.looked_at += 1
    for oid, hits in hits_of(repository.folder, list(staged)):
        for name in staged[oid]:
            scan.add(sighting(hit, repository.shown(name)) for hit in hits)


def _staged(repository: Repository, index: str) -> Iterator[tuple[str, str]]:
    """Blob and name of each entry that differs from HEAD; of all of them before the first commit."""
    question = ("rev-parse", "--verify", "--quiet", "HEAD^{tree}")
    if asked(ask_git, repository.folder, *question, accept=(0, 1)).returncode:
        with streaming(repository.folder, "ls-files", "-s", "-z", index=index) as stream:
            for line in records(stream):
                entry, _, file = line.partition(b"\t")
                mode, oid, _ = entry.decode().split(" ")
                if mode not in _NO_CONTENT:
                    yield oid, os.fsdecode(file)
        return
    with streaming(repository.folder, *_DIFF, index=index) as stream:
        pieces = records(stream)
        for piece in pieces:
            _, mode, _, oid, *_ = piece.decode().split(" ")
            name = os.fsdecode(next(pieces))
            if mode not in _NO_CONTENT and oid.strip("0"):
                yield oid, name
