"""Pages put together again."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from routic_cli.domain.keys import Key, KeyQuery
from routic_cli.transport.interface import Transport

_PAGE_SIZE: Final = 20_000
"""What is asked for at once: each page has to be put in order anew. A server gives as many as it likes."""


def all_keys(transport: Transport, query: KeyQuery, limit: int | None) -> tuple[list[Key], bool]:
    """The keys of every page, at most `limit`, and whether there are more."""
    keys: list[Key] = []
    while True:
        wanted = _PAGE_SIZE if limit is None else min(_PAGE_SIZE, limit - len(keys))
        page = transport.page(replace(query, after=keys[-1].id if keys else query.after, limit=wanted))
        keys += page.keys
        if not page.has_more or len(keys) == limit:
            return keys, page.has_more
