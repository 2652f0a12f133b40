"""A change that finds no room: it says where room is needed, and how much."""

from __future__ import annotations

import shlex
import sqlite3  # noqa: TID253  # SQLite itself, to run out of room
from contextlib import closing
from pathlib import Path

import pytest

from routic_cli.domain.errors import UnavailableError
from routic_cli.store.sqlite_errors import translated_errors


def test_without_room_it_says_where_how_much_is_needed(tmp_path: Path) -> None:
    path = tmp_path / "my usage.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("CREATE TABLE t (x)")
        connection.execute("INSERT INTO t VALUES (zeroblob(1500000))")
        connection.execute("PRAGMA max_page_count=1")  # as many as there are already
        with pytest.raises(UnavailableError) as caught, translated_errors(path, "usage log"):
            connection.execute("INSERT INTO t VALUES (zeroblob(1500000))")
    assert "full" in caught.value.why
    assert caught.value.not_done == "Nothing was changed"
    assert caught.value.remedy.startswith(f"df -h {shlex.quote(str(tmp_path))}, and free 2 MB")
