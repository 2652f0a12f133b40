"""JSON of any length, one value or many in a row: its records, each with the place where it stands.

A record is an object that is not looked into further: an element of an array, a whole line, one finding of many. Only
one of them is in memory at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final, Protocol

from routic_cli.scanning.reports.entry import GoneBy, Place
from routic_cli.scanning.reports.errors import unreadable

if TYPE_CHECKING:
    from ijson import ObjectBuilder

BLOCK: Final = 1 << 16
_STARTS: Final = frozenset({"start_map", "start_array"})
_ENDS: Final = frozenset({"end_map", "end_array"})
_DEEPEST: Final = 8  # pages of alerts are arrays of arrays, and no report is deeper than two of them
# What holds findings, and is looked into therefore.
_OPEN: Final = frozenset({"findings", "results", "runs"})
_RESULTS: Final = "results"


class Readable(Protocol):
    """What gives bytes, and nothing at its end."""

    def read(self, size: int = -1) -> bytes:
        """At most so many."""


def records(source: Readable) -> Iterator[tuple[Place, object]]:
    """Every record, behind those that are inside of it. ReportError where it is not JSON to its end."""
    import ijson

    walk = _Walk()
    try:
        # With big numbers whole: with `use_float` one that is too big would be an error, and reports are full of them.
        for event, value in ijson.basic_parse(source, multiple_values=True, buf_size=BLOCK):
            yield from walk.step(event, value)
    except ijson.IncompleteJSONError as error:  # its text quotes the report
        cut = "premature EOF" in str(error)
        raise unreadable(_CUT if cut else _BROKEN) from None
    except (ijson.JSONError, ValueError, ArithmeticError, SystemError):  # the last of a number of 5,000 digits
        raise unreadable(_BROKEN) from None


_CUT: Final = "it is JSON that ends in the middle: the scanner was interrupted, or the report was not copied whole"
_BROKEN: Final = "it begins as JSON, and is none further on"


class _Walk:
    """Where the walk is: the containers that are open and looked into, and the value that is being built."""

    def __init__(self) -> None:
        self._place: list[str | None] = []
        self._open: list[dict[str, Any] | None] = []  # the members of each; None for an array
        self._filled: list[bool] = []  # whether there is anything in each
        self._builder: ObjectBuilder | None = None
        self._depth = 0

    def step(self, event: str, value: Any) -> Iterator[tuple[Place, object]]:
        """What is complete with this event."""
        if self._builder is not None:
            yield from self._build(event, value)
        elif event == "map_key":
            self._place[-1] = value
        elif event in _ENDS:
            yield from self._close()
        elif event in _STARTS and self._is_open(event):
            self._open.append({} if event == "start_map" else None)
            self._filled.append(False)
            self._place.append("" if event == "start_map" else None)
        elif event in _STARTS:
            import ijson

            self._builder = ijson.ObjectBuilder()
            yield from self._build(event, value)
        else:
            yield from self._complete(value)

    def _is_open(self, event: str) -> bool:
        """Whether the container that begins is looked into."""
        if len(self._place) > _DEEPEST:
            return False
        at_top = all(name is None for name in self._place)
        if event == "start_array":
            # Arrays at the top, of arrays too, and `findings`, `runs`, `results`, and each file of a baseline.
            return at_top or self._place[-1] in _OPEN or self._is_file()
        return at_top or self._is_run() or self._place[-1] == _RESULTS

    def _is_file(self) -> bool:
        return len(self._place) > 1 and self._place[-2] == _RESULTS and self._place[-1] is not None

    def _is_run(self) -> bool:
        return len(self._place) > 1 and self._place[-2] == "runs" and self._place[-1] is None

    def _build(self, event: str, value: Any) -> Iterator[tuple[Place, object]]:
        builder = self._builder
        if builder is None:
            raise AssertionError("nothing is being built")
        builder.event(event, value)
        self._depth += (event in _STARTS) - (event in _ENDS)
        if not self._depth:
            self._builder = None
            yield from self._complete(builder.value)

    def _close(self) -> Iterator[tuple[Place, object]]:
        members, is_filled = self._open.pop(), self._filled.pop()
        self._place.pop()
        if members is None:
            self._keep(GoneBy.ARRAY if is_filled else GoneBy.NOTHING)
            return
        is_plain = all(isinstance(value, GoneBy) for value in members.values())
        if not self._keep(GoneBy.OBJECT if is_plain else GoneBy.STRANGE) or self._is_run():
            yield tuple(self._place), members

    def _keep(self, value: object) -> bool:
        """Put a value into the object around it; whether there is one. Of a container that was looked into, a sign."""
        if self._filled:
            self._filled[-1] = True
        around = self._open[-1] if self._open else None
        name = self._place[-1] if self._place else None
        if around is None or name is None:
            return False
        around[name] = value
        return True

    def _complete(self, value: object) -> Iterator[tuple[Place, object]]:
        if not self._keep(value):
            yield tuple(self._place), value
