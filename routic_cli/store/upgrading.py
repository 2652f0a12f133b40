"""Bringing a file to the version that this routic writes: forward only, after a backup copy, whole or not at all."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from routic_cli.private_files import PRIVATE_FILE, sync_folder
from routic_cli.store.connection import Kind, connect, pragma, run_steps
from routic_cli.store.sqlite_errors import damaged


def upgrade(connection: sqlite3.Connection, path: Path, kind: Kind) -> None:
    """Bring an older file up, after a backup copy beside it, in one transaction that no other writer overlaps."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = pragma(connection, "user_version")
        if version < kind.version:  # another process may have done it while we waited
            problem = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            if problem != "ok":
                raise damaged(path, kind.label, problem)
            backup = _back_up(path, version)
            try:
                apply_steps(connection, kind)
            except BaseException:
                connection.execute("ROLLBACK")
                backup.unlink()  # of a file that is as it was: each attempt would leave another
                raise
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def apply_steps(connection: sqlite3.Connection, kind: Kind) -> None:
    """Every step that the file has not had yet."""
    from sqlite_utils import Database, Migrations

    migrations = Migrations(kind.label)
    for number, statements in enumerate(kind.steps, start=1):

        def step(database: Database, statements: tuple[str, ...] = statements) -> None:
            run_steps(database.conn, kind, statements)

        migrations(name=f"{number}")(step)
    # execute_plugins: other packages' entry points have no business in a store of keys.
    migrations.apply(Database(connection, execute_plugins=False))
    connection.execute(f"PRAGMA application_id={kind.application_id}")
    connection.execute(f"PRAGMA user_version={kind.version}")


def _back_up(path: Path, version: int) -> Path:
    """A copy of the file, made while our own transaction keeps writers out."""
    target = path.with_name(f"{path.name}.v{version}-{os.urandom(4).hex()}.bak")
    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_RDWR, PRIVATE_FILE))
    try:
        target.chmod(PRIVATE_FILE)
        source, copy = connect(path), connect(target)
        try:
            source.backup(copy)
        finally:
            copy.close()
            source.close()
    except BaseException:
        target.unlink()  # half a backup is worse than none
        raise
    sync_folder(path.parent)
    return target
