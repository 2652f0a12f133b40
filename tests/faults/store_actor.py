"""One process among several that use a store at the same time: `python -m tests.faults.store_actor VERB PATH …`.

Says `ready` when it is loaded, and begins when it is told to by a line on standard input.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from routic_cli.service.keys import KeyService
from routic_cli.store.database import open_database
from routic_cli.store.migrations import KEY_STORE
from routic_cli.store.sqlite import SqliteStore
from routic_cli.store.sqlite_views import SqliteWriter
from tests.support.keys import NOW, new_key

NEXT_STEP = ("ALTER TABLE keys ADD COLUMN note TEXT", "CREATE TABLE notes (text TEXT NOT NULL) STRICT")
NEXT_KIND = replace(KEY_STORE, steps=(*KEY_STORE.steps, NEXT_STEP))


def main(verb: str, path: Path, *numbers: str) -> None:
    store = SqliteStore(path, account="default")
    service = KeyService(store, clock=lambda: NOW, actor="actor")
    _tell("ready")
    sys.stdin.readline()
    if verb == "register":
        first, count = map(int, numbers)
        for n in range(first, first + count):
            service.register(new_key(n))
    elif verb == "hold":
        with store.writing(NOW):
            _tell("held")
            sys.stdin.readline()
    elif verb == "spill":
        with store.writing(NOW) as tx:
            assert isinstance(tx, SqliteWriter)
            tx._connection.execute("PRAGMA cache_size=1")  # so that pages reach the file before the commit
            tx.insert_keys([new_key(n) for n in range(1000, 3000)])
            _tell("spilt")
            sys.stdin.readline()
    elif verb == "upgrade":
        open_database(path, NEXT_KIND).close()
    service.close()


def _tell(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:])
