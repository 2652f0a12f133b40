"""Which keys are asked for, as the query part of an address and back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Final, TypeVar

from routic_cli.domain.errors import InvalidRequestError
from routic_cli.domain.keys import KeyId, KeyQuery, KeyStatus, SortField, is_key_id
from routic_cli.domain.times import LATEST

E = TypeVar("E", bound=StrEnum)
Parameters = list[tuple[str, str]]

DEFAULT_LIMIT: Final = 100
HIGHEST_LIMIT: Final = 1000
COUNTS: Final = "counts"
_NUMBER: Final = re.compile(r"[0-9]{1,18}", re.ASCII)


def query_parameters(query: KeyQuery) -> Parameters:
    """GET /keys."""
    pairs = {
        "status": query.status,
        "name": query.name_glob,
        "unused_since": query.unused_since,
        "expires_before": query.expires_before,
        "after": query.after,
        "sort": f"{'-' if query.descending else ''}{query.sort}",
        "limit": query.limit,
    }
    return [(name, str(value)) for name, value in pairs.items() if value is not None] + [
        ("tag", f"{name}={value}") for name, value in query.tags.items()
    ]


class Asked:
    """The parameters of one request: each may be taken once, and what nobody took is an error."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._pairs = list(pairs)
        self._taken: set[str] = set()

    def one(self, name: str) -> str | None:
        """The value of a parameter that may come once."""
        found = self.many(name)
        if len(found) > 1:
            raise InvalidRequestError(f"'{name}' may be given once", param=name)
        return found[0] if found else None

    def many(self, name: str) -> Sequence[str]:
        """The values of a parameter that may come several times."""
        self._taken.add(name)
        return [value for each, value in self._pairs if each == name]

    def number(self, name: str, *, lowest: int = 0, highest: int = LATEST) -> int | None:
        """A whole number within its bounds."""
        text = self.one(name)
        if text is None:
            return None
        if _NUMBER.fullmatch(text) is None or not lowest <= int(text) <= highest:
            raise InvalidRequestError(f"'{name}' must be a whole number from {lowest} to {highest}", param=name)
        return int(text)

    def limit(self) -> int:
        """How many are wanted at most."""
        return self.number("limit", lowest=1, highest=HIGHEST_LIMIT) or DEFAULT_LIMIT

    def end(self) -> None:
        """InvalidRequestError for a parameter that the route does not have."""
        for name, _ in self._pairs:
            if name not in self._taken:
                # Not its name: whatever somebody put there by mistake must not come back in a reply.
                raise InvalidRequestError(
                    "There is a parameter that is not known", why=f"There are: {', '.join(sorted(self._taken))}"
                )


def query_from(asked: Asked) -> tuple[KeyQuery, bool]:
    """The query of a request, and whether it asks for counts as well."""
    status, sort, after = asked.one("status"), asked.one("sort"), asked.one("after")
    if after is not None and not is_key_id(after):
        raise InvalidRequestError("'after' is not a key id", why="A page begins behind a key", param="after")
    sort = "name" if sort is None else sort
    query = KeyQuery(
        status=None if status is None else _member(KeyStatus, status, "status"),
        name_glob=asked.one("name"),
        tags=_tags(asked.many("tag")),
        unused_since=asked.number("unused_since"),
        expires_before=asked.number("expires_before"),
        sort=_member(SortField, sort.removeprefix("-"), "sort"),
        descending=sort.startswith("-"),
        after=None if after is None else KeyId(after),
        limit=asked.limit(),
    )
    included = asked.many("include")
    if any(each != COUNTS for each in included):
        raise InvalidRequestError(f"'include' knows {COUNTS} only", param="include")
    asked.end()
    return query, bool(included)


def _member(kind: type[E], text: str, param: str) -> E:
    try:
        return kind(text)
    except ValueError:
        raise InvalidRequestError(f"'{param}' must be one of: {', '.join(kind)}", param=param) from None


def _tags(texts: Sequence[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in texts]
    if not all(name and equals for name, equals, _ in pairs):
        raise InvalidRequestError("'tag' takes K=V", param="tag")
    return {name: value for name, _, value in pairs}
