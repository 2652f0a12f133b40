"""Keys in all that a repository remembers: sift every object, then tell where the few with a key come from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from routic_cli.scanning.blobs import hits_of
from routic_cli.scanning.find import Hit
from routic_cli.scanning.git_stream import ScanError, records, streaming
from routic_cli.scanning.names import typed
from routic_cli.scanning.objects import Suspect, sift
from routic_cli.scanning.origins import History, Origin, first_of_each, reachable, short_name
from routic_cli.scanning.repositories import Repository
from routic_cli.scanning.sightings import Scan, Sighting, Told, sighting, telling_nobody

_SHORT: Final = 12
_Hits = Mapping[str, Sequence[Hit]]


def scan_history(
    repository: Repository,
    scan: Scan,
    *,
    unreachable: bool = False,
    told: Told = telling_nobody,
) -> None:
    """Look into every blob, commit and tag that a ref, reflog, index or ORIG_HEAD reaches; others on demand.

    Each key is told once for each file that had it, with the first commit that did.
    """
    sifted = sift(repository.folder, told=told)
    scan.looked_at += sifted.looked_at
    for error in sifted.errors:
        scan.failed(error)
    scan.notices += _gaps(repository)
    if not sifted.suspects:
        return
    hits = dict(hits_of(repository.folder, [suspect.oid for suspect in sifted.suspects]))
    try:
        told_of, left = _Explanation(repository, hits).sightings(sifted.suspects)
    except ScanError as error:  # where a key comes from matters less than that it is there
        scan.troubles.append((f"{'. '.join(error.sentences())}. Where the keys come from is not known", error.remedy))
        scan.add(_unplaced(sifted.suspects, hits))
        return
    scan.add(told_of)
    if unreachable:
        scan.add(_unplaced(left, hits, "unreachable "))
    elif left:
        one = len(left) == 1
        what = f"{'1 more object has a key' if one else f'{len(left)} more objects have keys'}, and nothing reaches"
        what += " it" if one else " them"
        scan.notices.append((what, "routic scan --history --unreachable"))


class _Explanation:
    """Makes sightings of hits, by asking the repository where their objects come from."""

    def __init__(self, repository: Repository, hits: _Hits) -> None:
        self._repository = repository
        self._hits = hits
        self._history = History(repository)

    def sightings(self, suspects: Sequence[Suspect]) -> tuple[list[Sighting], list[Suspect]]:
        """What is reached by something, and the objects that nothing reaches."""
        blobs = [suspect.oid for suspect in suspects if suspect.kind == "blob"]
        origins = self._history.origins(set(blobs)) if blobs else {}
        told = [*self._in_files(origins), *self._in_messages(suspects)]
        held = self._history.holders({each.commit for each in told if each.commit})
        told = [replace(each, held_by=short_name(held.get(each.commit or "", ""))) for each in told]
        left = [s for s in suspects if s.oid not in origins and not (s.kind == "commit" and self._history.has(s.oid))]
        if left:
            names = reachable(self._repository)
            told += self._beside_commits([suspect for suspect in left if suspect.oid in names], names)
            left = [suspect for suspect in left if suspect.oid not in names]
        return told, left

    def _in_files(self, origins: Mapping[str, Sequence[Origin]]) -> Iterator[Sighting]:
        by_key: dict[str, list[tuple[str, Origin]]] = {}
        for oid, places in origins.items():
            for sha256 in dict.fromkeys(hit.sha256 for hit in self._hits[oid]):
                by_key.setdefault(sha256, []).extend((oid, origin) for origin in places)
        for key, found in by_key.items():
            for oid, origin in first_of_each(found):
                file = self._repository.shown(origin.file)
                for hit in self._hits[oid]:
                    if hit.sha256 == key:
                        yield sighting(hit, file, commit=origin.commit)

    def _in_messages(self, suspects: Sequence[Suspect]) -> Iterator[Sighting]:
        for oid, kind in suspects:
            if kind == "commit" and self._history.has(oid):
                for hit in self._hits[oid]:
                    yield Sighting(None, None, oid, hit.sha256, hit.hint, place="(commit message)")

    def _beside_commits(self, suspects: Sequence[Suspect], names: Mapping[str, str]) -> Iterator[Sighting]:
        """What is staged, and annotated tags; a tag may also hold a file or a tree."""
        tags = self._tags() if any(kind == "tag" for _, kind in suspects) else {}
        for oid, kind in suspects:
            for hit in self._hits[oid]:
                if kind == "tag":
                    name = tags.get(oid, oid[:_SHORT])
                    yield Sighting(None, None, None, hit.sha256, hit.hint, place=f"(message of {name})")
                elif names[oid]:
                    yield sighting(hit, self._repository.shown(names[oid]), held_by="the index, or a tag")
                else:
                    yield Sighting(None, hit.line, None, hit.sha256, hit.hint, place=f"({kind} {oid})")

    def _tags(self) -> Mapping[str, str]:
        with streaming(self._repository.folder, "for-each-ref", "--format=%(objectname) %(refname)") as stream:
            pairs = (line.decode(errors="replace").partition(" ") for line in records(stream, b"\n"))
            return {oid: short_name(name) for oid, _, name in pairs}


def _unplaced(suspects: Sequence[Suspect], hits: _Hits, what: str = "") -> Iterator[Sighting]:
    for oid, kind in suspects:
        for hit in hits[oid]:
            yield Sighting(None, hit.line, None, hit.sha256, hit.hint, place=f"({what}{kind} {oid})")


def _gaps(repository: Repository) -> Iterator[tuple[str, str]]:
    """What a clone has left out, which only its origin could show, and the command that fetches it."""
    git = f"git -C {typed(str(repository.folder))}"
    if (repository.store / "shallow").exists():
        yield f"The history of {repository.folder} is cut off: it is a shallow clone", f"{git} fetch --unshallow"
    if any((repository.store / "objects/pack").glob("*.promisor")):
        what = f"{repository.folder} is a partial clone: the files that it has not fetched yet were not scanned"
        yield what, f"{git} backfill"
