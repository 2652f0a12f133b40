"""`python -m tests.bench.bench_audit [--events N] [--folder F]`: the audit, beside DuckDB asked for the same counts.

Weeks of made-up traffic with incidents go into a usage log, and the same events into a DuckDB file. Then the audit is
made, and the questions that its rules ask are put to DuckDB. Both must answer the same; each runs in a process of its
own, so that its memory is its own. A folder that is named is kept, and used again for the same number of events.

DuckDB is no dependency of anything else here: `pip install duckdb` first.
"""

from __future__ import annotations

import argparse
import csv
import json
import pickle
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any, Final

from routic_cli.domain.audit.findings import AuditQuery
from routic_cli.domain.audit.rules import RULES
from routic_cli.domain.clients import family_of
from routic_cli.domain.networks import network_of
from routic_cli.domain.traffic import HOUR_SECONDS, Dimension, Strangers, Traffic, TrafficQuery
from routic_cli.domain.usage import Flag
from routic_cli.service.audit import StoreFacts, audit
from routic_cli.service.usage import UsageService
from routic_cli.store.sqlite import SqliteStore
from tests.support.audit_world import MONDAY
from tests.support.traffic import fill
from tests.support.traffic_plans import LOOKED_AT, with_incidents

_RUNS: Final = 3
_PAGE: Final = 50_000
_COLUMNS: Final = (
    "time", "key", "version", "outcome", "method", "status", "address", "network", "agent", "family", "origin",
    "model", "flags", "sha256", "tokens_in", "tokens_out", "cost",
)  # fmt: skip
_TYPES: Final = dict.fromkeys(("time", "version", "status", "flags", "tokens_in", "tokens_out", "cost"), "BIGINT")
_FLAGS: Final = {flag.value: 1 << place for place, flag in enumerate(Flag)}
_QUERY: Final = AuditQuery(MONDAY - LOOKED_AT, MONDAY)

Question = tuple[str, TrafficQuery | tuple[int, int, int, bool]]


def main(count: int, folder: Path) -> None:
    """Build what is not there yet, ask both, compare."""
    if not (folder / "events.duckdb").exists():
        _build(count, folder)
    _child("questions", folder)
    ours = min((_child("ours", folder) for _ in range(_RUNS)), key=lambda each: float(each["seconds"]))
    theirs = min((_child("duckdb", folder) for _ in range(_RUNS)), key=lambda each: float(each["seconds"]))
    print(f"Audit of {ours['events']:,} events, {ours['findings']} findings, the quicker of {_RUNS} runs")
    for name, each in (("routic, all rules", ours), (f"DuckDB, the same {theirs['questions']} questions", theirs)):
        print(f"  {name:<34} {each['seconds']:8.3f} s   peak {each['peak'] / 1024:6.0f} MiB")
    print(f"  {'ratio':<34} {ours['seconds'] / theirs['seconds']:8.2f}")
    print(f"  files: usage.db {_megabytes(folder / 'usage.db')}, events.duckdb {_megabytes(folder / 'events.duckdb')}")


def _build(count: int, folder: Path) -> None:
    began = time.perf_counter()
    plan = with_incidents(1, MONDAY).scaled_to(count)
    with closing(SqliteStore(folder / "keys.db", account="default")) as store:
        plan.register(store)
        written = fill(UsageService(store, lambda: MONDAY), plan)
        print(f"{written:,} events appended in {time.perf_counter() - began:.0f} s", flush=True)
        _copy(folder)
    print(f"copied to DuckDB; {time.perf_counter() - began:.0f} s in all", flush=True)


def _copy(folder: Path) -> None:
    """The events of the log, row by row, into a table of DuckDB with the same columns, in the order of time."""
    import sqlite3

    import duckdb

    lines = folder / "events.csv"
    texts = "".join(
        f", (SELECT text FROM texts WHERE id = {name})"
        for name in ("key_id", "outcome", "method", "address", "agent", "origin", "model")
    )
    with closing(sqlite3.connect(folder / "usage.db")) as log, lines.open("w", newline="") as file:
        series = {
            row[0]: _labels(*row[1:])
            for row in log.execute(f"SELECT id, nullif(version, 0), status, flags{texts} FROM series")
        }
        writer = csv.writer(file)
        rows = log.execute(
            "SELECT time, series, nullif(hex(sha256), ''), tokens_in, tokens_out, cost"
            " FROM events ORDER BY time, identity"
        )
        while page := list(islice(rows, _PAGE)):
            writer.writerows((at, *series[number], *rest) for at, number, *rest in page)
    types = ", ".join(f"'{name}': '{_TYPES.get(name, 'VARCHAR')}'" for name in _COLUMNS)
    with closing(duckdb.connect(str(folder / "building.duckdb"))) as made:
        made.execute(f"CREATE TABLE events AS SELECT * FROM read_csv('{lines}', header=false, columns={{{types}}})")
    lines.unlink()
    (folder / "building.duckdb").rename(folder / "events.duckdb")


def _labels(
    version: int | None, status: int, flags: int, key: str, outcome: str, method: str, address: str, *more: str
) -> tuple[Any, ...]:
    """The labels of a series in the order of the table."""
    agent, origin, model = more
    families = network_of(address), agent, family_of(agent)
    return (key, version, outcome, method, status, address, *families, origin, model, flags)


class _Asking(StoreFacts):
    """Facts that remember what was asked for."""

    def __init__(self, store: SqliteStore) -> None:
        super().__init__(store, _QUERY, MONDAY)
        self.questions: list[Question] = []

    def traffic(self, query: TrafficQuery) -> Sequence[Traffic]:
        if query not in self._asked:
            self.questions.append(("traffic", query))
        return super().traffic(query)

    def strangers(self, *, since: int, until: int, least: int, apart: bool = True) -> Sequence[Strangers]:
        self.questions.append(("strangers", (since, until, least, apart)))
        return super().strangers(since=since, until=until, least=least, apart=apart)


def _ours(folder: Path) -> dict[str, Any]:
    with closing(SqliteStore(folder / "keys.db", account="default")) as store:
        began = time.perf_counter()
        found = audit(store, _QUERY, MONDAY)
        took = time.perf_counter() - began
        (events,) = store.usage.traffic(TrafficQuery(()))
        return {"seconds": took, "peak": _peak(), "events": events.calls, "findings": len(found)}


def _questions(folder: Path) -> dict[str, Any]:
    """What the rules ask, and what the log answers, kept for DuckDB's process."""
    with closing(SqliteStore(folder / "keys.db", account="default")) as store:
        facts = _Asking(store)
        for find in RULES.values():
            list(find(facts))
        answers = [_answer(store, question) for question in facts.questions]
    (folder / "questions.pickle").write_bytes(pickle.dumps(facts.questions))
    (folder / "answers.pickle").write_bytes(pickle.dumps(answers))
    return {}


def _duckdb(folder: Path) -> dict[str, Any]:
    import duckdb

    questions: list[Question] = pickle.loads((folder / "questions.pickle").read_bytes())
    with closing(duckdb.connect(str(folder / "events.duckdb"), read_only=True)) as log:
        began = time.perf_counter()
        theirs = [log.execute(*_sql(question)).fetchall() for question in questions]
        log.execute("SELECT key, version, max(time), count(*) FROM events WHERE key NOT NULL GROUP BY ALL").fetchall()
        log.execute("SELECT min(time) FROM events").fetchall()
        took, peak = time.perf_counter() - began, _peak()
    answers = pickle.loads((folder / "answers.pickle").read_bytes())
    for question, ours, other in zip(questions, answers, theirs, strict=True):
        if ours != {tuple(row) for row in other}:
            raise SystemExit(f"DuckDB answers {question} differently: {len(ours)} and {len(other)} rows")
    return {"seconds": took, "peak": peak, "questions": len(theirs) + 2}


def _answer(store: SqliteStore, question: Question) -> set[tuple[Any, ...]]:
    _, asked = question
    if isinstance(asked, TrafficQuery):
        rows = store.usage.traffic(asked, account=store.account)
        return {(*_plain(asked.by, row.labels), *row[1:]) for row in rows}
    since, until, least, apart = asked
    return {tuple(each) for each in store.usage.strangers(since=since, until=until, least=least, apart=apart)}


def _plain(by: Sequence[Dimension], labels: Sequence[Any]) -> Iterator[Any]:
    for dimension, label in zip(by, labels, strict=True):
        yield sum(_FLAGS[name] for name in label) if dimension is Dimension.FLAGS else label


def _sql(question: Question) -> tuple[str, list[Any]]:
    """The question to the table of events; hours that are touched count whole, as in the log."""
    _, asked = question
    if not isinstance(asked, TrafficQuery):
        since, until, least, apart = asked
        sql = (
            f"SELECT {'address' if apart else chr(39) * 2}, count(DISTINCT sha256), count(*), min(time), max(time)"
            " FROM events WHERE sha256 NOT NULL AND outcome <> 'allowed' AND time >= ? AND time < ?"
            " GROUP BY 1 HAVING count(DISTINCT sha256) >= ?"
        )
        return sql, [_floor(since), _ceiling(until), least]
    conditions, values = ["true"], list[Any]()
    for condition, value in (
        ("time >= ?", None if asked.since is None else _floor(asked.since)),
        ("time < ?", None if asked.until is None else _ceiling(asked.until)),
        ("list_contains(?, key)", None if asked.key_ids is None else list(asked.key_ids)),
        ("list_contains(?, outcome)", None if asked.outcomes is None else list(map(str, asked.outcomes))),
        ("flags & ? <> 0", None if asked.flag is None else _FLAGS[asked.flag]),
    ):
        if value is not None:
            conditions.append(condition)
            values.append(value)
    columns = "".join("time - time % 3600 AS hour, " if each == "hour" else f"{each}, " for each in asked.by)
    sums = "count(*), count(*) FILTER (status >= 400)" + "".join(
        f", ifnull(sum({each}), 0)::BIGINT" for each in ("tokens_in", "tokens_out", "cost")
    )
    return (
        f"SELECT {columns}{sums}, min(time), max(time) FROM events WHERE {' AND '.join(conditions)} GROUP BY ALL",
        values,
    )


def _floor(at: int) -> int:
    return at - at % HOUR_SECONDS


def _ceiling(at: int) -> int:
    return _floor(at + HOUR_SECONDS - 1)


def _child(name: str, folder: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.bench.bench_audit", "--child", name, "--folder", str(folder)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _peak() -> int:
    """The most memory that this process ever had, in KiB; ru_maxrss would count its parent's, from before exec."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) if found else 0


def _megabytes(path: Path) -> str:
    return f"{path.stat().st_size / 1e6:,.0f} MB"


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--child", choices=["ours", "questions", "duckdb"])
    options = parser.parse_args()
    if options.child:
        asked: Callable[[Path], dict[str, Any]] = {"ours": _ours, "questions": _questions, "duckdb": _duckdb}[
            options.child
        ]
        print(json.dumps(asked(options.folder)))
    elif options.folder:
        options.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        main(options.events, options.folder)
    else:
        with tempfile.TemporaryDirectory() as made:
            main(options.events, Path(made))
