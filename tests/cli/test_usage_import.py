"""`routic usage import`: whose calls they were, each counted once, whatever is wrong with the lines beside them."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from routic_cli.store.usage import UsageStore
from tests.cli.conftest import Stocked
from tests.support.gateways import routic_serve
from tests.support.sandbox import DEADLINE, Sandbox
from tests.support.terminal import Terminal
from tests.support.usage_events import all_events

WHEN = 1_795_435_592


def line(number: int, secret: str = "", **fields: Any) -> str:
    return json.dumps(
        {
            "msec": f"{WHEN + number}.123",
            "remote_addr": "192.0.2.7",
            "request_method": "POST",
            "request_uri": "/v1/chat/completions",
            "status": "200",
            "scheme": "https",
            "http_user_agent": "OpenAI/Python 2.8.1",
            "http_authorization": f"Bearer {secret}" if secret else "",
            "request_id": f"{number:032x}",
            **fields,
        }
    )


def text(count: int, secret: str = "", *, first: int = 0) -> str:
    return "".join(f"{line(number, secret)}\n" for number in range(first, first + count))


def events(sandbox: Sandbox) -> list[Any]:
    store = UsageStore(sandbox.key_store.with_name("usage.db"))
    try:
        return all_events(store)
    finally:
        store.close()


def log(sandbox: Sandbox, content: str | bytes, name: str = "access.log") -> Path:
    path = sandbox.cwd / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def imported(sandbox: Sandbox, *arguments: object, **options: Any) -> tuple[int, int, int]:
    data = sandbox.ok("usage", "import", *arguments, "--json", **options).data
    return data["new"], data["known"], data["bad"]


def test_a_call_is_known_by_its_key_and_the_key_is_in_no_file(stocked: Stocked) -> None:
    sandbox = stocked.sandbox
    done = sandbox.ok("usage", "import", "-", stdin=text(3, stocked.secret))

    assert [(event.key_id, event.version, event.sha256) for event in events(sandbox)] == [(stocked.key_id, 1, None)] * 3
    assert "3 calls imported, 0 known already, from 2026-11-23T12:06:32Z to 2026-11-23T12:06:34Z" in done.err
    assert done.out == ""
    assert sandbox.holders(stocked.secret) == []


def test_why_a_key_was_refused_is_found_out(stocked: Stocked) -> None:
    sandbox = stocked.sandbox
    now = int(time.time()) + 3600
    stocked.sandbox.ok("keys", "revoke", "prod", "--yes")
    refused = line(0, stocked.secret, status="401", msec=f"{now}.0")
    unknown = line(1, "sk-Ky9Pf34qY6Nb3wWD25RQ4F5ZR3qa7yEeeby3abP16aSEj", status="401", msec=f"{now + 1}.0")
    sandbox.ok("usage", "import", "-", stdin=f"{refused}\n{unknown}\n")

    assert [event.outcome for event in events(sandbox)] == ["revoked", "unknown"]


def test_a_key_that_was_minted_elsewhere_is_known_whatever_it_looks_like(stocked: Stocked) -> None:
    sandbox, secret = stocked.sandbox, "legacy-worker-0123456789"
    sandbox.ok("keys", "import", "--name", "legacy", stdin=secret)
    sandbox.ok("keys", "revoke", "legacy", "--yes")
    later = int(time.time()) + 3600
    sandbox.ok("usage", "import", "-", stdin=line(0, secret) + "\n" + line(1, secret, status="401", msec=f"{later}.0"))

    assert [(event.outcome, event.key_id is not None) for event in events(sandbox)] == [
        ("allowed", True),
        ("revoked", True),
    ]
    assert sandbox.holders(secret) == []


def test_a_line_counts_once_in_whatever_copy_it_comes(stocked: Stocked) -> None:
    sandbox = stocked.sandbox
    whole = text(100, stocked.secret)
    log(sandbox, text(60, stocked.secret))

    assert imported(sandbox, "access.log") == (60, 0, 0)
    assert imported(sandbox, "access.log") == (0, 60, 0)
    assert imported(sandbox, "-", stdin=whole) == (40, 60, 0)
    log(sandbox, gzip.compress(whole.encode()), "access.log.1.gz")
    assert imported(sandbox, "access.log.1.gz") == (0, 100, 0)
    assert imported(sandbox, "-", stdin=gzip.compress(whole.encode())) == (0, 100, 0)
    assert imported(sandbox, "-", stdin=whole.replace("\n", "\r\n")) == (0, 100, 0)


def test_two_calls_that_were_logged_alike_are_two(stocked: Stocked) -> None:
    alike = f"{line(0, request_id='')}\n"

    assert imported(stocked.sandbox, "-", stdin=alike * 2) == (2, 0, 0)
    assert imported(stocked.sandbox, "-", stdin=alike * 2) == (0, 2, 0)
    assert imported(stocked.sandbox, "-", stdin=alike * 3) == (1, 2, 0)


def test_a_request_is_one_call_however_often_its_line_comes_in_one_stream(stocked: Stocked) -> None:
    sandbox = stocked.sandbox
    archive = text(50, stocked.secret)

    assert imported(sandbox, "-", stdin=archive) == (50, 0, 0)
    assert imported(sandbox, "-", stdin=archive * 2) == (0, 100, 0)
    assert imported(sandbox, "-", stdin=archive + text(60, stocked.secret) * 2) == (10, 160, 0)


def test_archives_that_overlap_count_each_line_once(stocked: Stocked) -> None:
    sandbox = stocked.sandbox
    alike = f"{line(0, request_id='')}\n" * 2
    log(sandbox, alike + text(20, stocked.secret, first=1), "usage.log.1")
    log(sandbox, gzip.compress((alike + text(30, stocked.secret, first=1)).encode()), "usage.log.1.gz")

    assert imported(sandbox, "usage.log.1", "usage.log.1.gz") == (32, 22, 0)


def test_several_files_and_patterns_that_no_shell_has_expanded(stocked: Stocked) -> None:
    sandbox = stocked.sandbox
    log(sandbox, text(2), "a.log")
    log(sandbox, text(2, first=2), "b.log")
    log(sandbox, text(2, first=4), "c.json")

    data = sandbox.ok("usage", "import", "*.log", "c.json", "--json").data
    assert (data["files"], data["lines"], data["new"]) == (3, 6, 6)
    assert (data["first_at"], data["last_at"]) == (WHEN, WHEN + 5)


def test_bad_lines_are_shown_by_number_and_the_good_ones_counted(stocked: Stocked) -> None:
    sandbox = stocked.sandbox
    secret = stocked.secret
    log(sandbox, f"{line(0, secret)}\nBearer {secret}\n\n{line(1, secret)}\n{line(2, secret)[:-9]}")
    done = sandbox.ok("usage", "import", "access.log")

    assert "access.log, line 2: it is not JSON" in done.err
    assert "access.log, line 5: it is not JSON, or not all of a line" in done.err
    assert "2 of 4 lines could not be read" in done.err
    assert "2 calls imported" in done.err
    assert secret[3:] not in done.err
    data = sandbox.ok("usage", "import", "access.log", "--json").data
    assert [(bad["file"], bad["line"]) for bad in data["bad_lines"]] == [("access.log", 2), ("access.log", 5)]


def test_calls_of_a_clock_that_is_wrong_are_bad_lines(stocked: Stocked) -> None:
    tomorrow = f"{int(time.time()) + 23 * 3600}"
    lines = [line(0), line(1, msec=tomorrow), line(2, msec="7.0"), line(3, msec=f"{int(time.time()) + 25 * 3600}")]
    done = stocked.sandbox.ok("usage", "import", "-", stdin="\n".join(lines))

    assert "line 3: its time is before 2015" in done.err
    assert "line 4: its time is more than a day ahead of this machine's clock" in done.err
    assert len(events(stocked.sandbox)) == 2


def test_ten_bad_lines_are_shown_and_all_are_counted(stocked: Stocked) -> None:
    done = stocked.sandbox.ok("usage", "import", "-", stdin="nonsense\n" * 25 + line(0))

    assert done.err.count("standard input, line") == 10
    assert "25 of 26 lines could not be read" in done.err


def test_a_line_longer_than_a_mebibyte_is_a_bad_line(stocked: Stocked) -> None:
    done = stocked.sandbox.ok("usage", "import", "-", stdin=f"{line(0)}\n{'x' * (3 << 20)}\n{line(1)}\n")

    assert "line 2: it is longer than 1 MiB" in done.err
    assert len(events(stocked.sandbox)) == 2


def test_a_file_of_another_format_is_an_error_that_names_those_that_can_be_read(stocked: Stocked) -> None:
    log(stocked.sandbox, '192.0.2.7 - - [23/Nov/2026:12:06:32 +0000] "GET / HTTP/1.1" 200 1\n')
    done = stocked.sandbox.run("usage", "import", "access.log")

    assert done.code == 1
    for said in ("None of 1 line could be read", "nginx JSON", "Caddy JSON", "LiteLLM", "Nothing was imported"):
        assert said in done.err


def test_one_file_without_a_good_line_among_others_is_named(stocked: Stocked) -> None:
    log(stocked.sandbox, text(1), "good.log")
    log(stocked.sandbox, "nonsense\n", "wrong.log")

    assert "wrong.log has no line that could be read" in stocked.sandbox.ok("usage", "import", "*.log").err


def test_a_damaged_gzip_file_gives_what_is_good_of_it(stocked: Stocked) -> None:
    log(stocked.sandbox, gzip.compress(os.urandom(100) + b"\n" + text(2000).encode())[:-500], "cut.gz")
    done = stocked.sandbox.ok("usage", "import", "cut.gz")

    assert "its gzip data end here, in the middle" in done.err
    assert 0 < len(events(stocked.sandbox)) < 2000


def test_an_empty_log_is_no_mistake(stocked: Stocked) -> None:
    log(stocked.sandbox, "")

    assert "There is nothing in it" in stocked.sandbox.ok("usage", "import", "access.log").err


@pytest.mark.parametrize(
    ("argument", "said"),
    [("missing.log", "There is no such file"), ("*.none", "no such file"), (".", "It is a folder")],
)
def test_what_cannot_be_read_is_said_before_anything_is_stored(stocked: Stocked, argument: str, said: str) -> None:
    log(stocked.sandbox, text(1))
    done = stocked.sandbox.run("usage", "import", "access.log", argument)

    assert (done.code, said in done.err, events(stocked.sandbox)) == (2, True, [])


def test_a_large_log_is_read_by_a_process_beside(stocked: Stocked) -> None:
    sandbox = stocked.sandbox
    log(sandbox, f"nonsense\n{text(30_000, stocked.secret)}")
    log(sandbox, text(10, stocked.secret, first=30_000), "b.log")

    assert (sandbox.cwd / "access.log").stat().st_size > 8 << 20
    done = sandbox.ok("usage", "import", "access.log", "b.log")
    assert "30,010 calls imported" in done.err
    assert "access.log, line 1: it is not JSON" in done.err
    assert imported(sandbox, "b.log") == (0, 10, 0)
    assert {event.key_id for event in events(sandbox)} == {stocked.key_id}


def test_no_module_of_the_working_directory_reads_the_log(stocked: Stocked) -> None:
    for name in ("orjson.py", "marshal.py", "queue.py", "sitecustomize.py"):
        (stocked.sandbox.cwd / name).write_text("open('was-here', 'w').close()")
    stocked.sandbox.ok("usage", "import", "-", stdin=text(3))

    assert not (stocked.sandbox.cwd / "was-here").exists()


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGKILL])
def test_an_import_that_was_broken_off_is_repeated_and_gives_the_same(stocked: Stocked, sign: signal.Signals) -> None:
    sandbox = stocked.sandbox
    reading, writing = os.pipe()
    process = sandbox.start("usage", "import", "-", stdin=reading)
    os.close(reading)
    with os.fdopen(writing, "w") as pipe:
        pipe.write(text(5000, stocked.secret))
        pipe.flush()
        wait_until(lambda: len(events(sandbox)) > 0)
        process.send_signal(sign)
        _, said = process.communicate(timeout=DEADLINE)

    assert process.returncode == (130 if sign is signal.SIGINT else -signal.SIGKILL)
    if sign is signal.SIGINT:
        assert b"the same command again adds the rest" in said
    before = len(events(sandbox))
    assert imported(sandbox, "-", stdin=text(6000, stocked.secret)) == (6000 - before, before, 0)
    assert len(events(sandbox)) == 6000


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


class Followed:
    """A log that grows while the command follows it."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.path = log(sandbox, text(2))
        self.process = sandbox.start("usage", "import", "--follow", "access.log")

    def write(self, more: str) -> None:
        with self.path.open("a") as stream:
            stream.write(more)

    def await_events(self, count: int) -> None:
        wait_until(lambda: len(events(self.sandbox)) >= count)
        assert len(events(self.sandbox)) == count

    def stop(self, sign: signal.Signals = signal.SIGINT) -> str:
        self.process.send_signal(sign)
        _, said = self.process.communicate(timeout=DEADLINE)
        assert self.process.returncode == 130
        return said.decode()


def test_following_stores_what_comes_and_ends_with_what_came_of_it(stocked: Stocked) -> None:
    followed = Followed(stocked.sandbox)
    followed.await_events(2)
    followed.write(text(3, first=2) + line(5)[:40])
    followed.await_events(5)
    followed.write(line(5)[40:] + "\n")
    followed.await_events(6)

    assert "6 calls imported, 0 known already" in followed.stop()
    assert imported(stocked.sandbox, "access.log") == (0, 6, 0)


def test_following_goes_on_across_a_rotation(stocked: Stocked) -> None:
    followed = Followed(stocked.sandbox)
    followed.await_events(2)
    old = followed.path.open("a")
    followed.path.rename(followed.path.with_suffix(".1"))
    old.write(text(1, first=2))  # a server goes on with the old file until it is told
    old.close()
    followed.await_events(3)
    followed.path.write_text(text(2, first=3))
    followed.await_events(5)
    followed.write(text(1, first=5))
    followed.await_events(6)

    assert "6 calls imported" in followed.stop(signal.SIGTERM)


def test_following_begins_again_with_a_file_that_was_cut(stocked: Stocked) -> None:
    followed = Followed(stocked.sandbox)
    followed.await_events(2)
    os.truncate(followed.path, 0)
    time.sleep(1)
    followed.write(text(1, first=2))
    followed.await_events(3)
    followed.stop()


def test_following_standard_input_is_refused_with_the_command_that_does_it(stocked: Stocked) -> None:
    done = stocked.sandbox.run("usage", "import", "--follow", "-")

    assert done.code == 2
    assert "routic usage import -" in done.err


def test_what_comes_through_a_pipe_is_stored_while_it_comes(stocked: Stocked) -> None:
    sandbox = stocked.sandbox
    process = sandbox.start("usage", "import", "-", stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(text(2).encode())
    process.stdin.flush()
    wait_until(lambda: len(events(sandbox)) == 2)
    _, said = process.communicate(text(1, first=2).encode(), timeout=DEADLINE)

    assert (process.returncode, b"3 calls imported" in said) == (0, True)


def test_a_store_behind_an_admin_api_takes_the_same_lines(stocked: Stocked) -> None:
    sandbox = stocked.sandbox
    token = sandbox.ok("keys", "create", "--name", "importer", "--scope", "usage:write").secret
    content = f"{line(0, stocked.secret, status='401')}\nnonsense\n" + text(12_000, stocked.secret, first=1)
    with routic_serve(sandbox) as serving:
        remote = {"ROUTIC_TOKEN": token, "ROUTIC_STORE": serving.url}
        assert imported(sandbox, "-", stdin=content, env=remote) == (12_001, 0, 1)
        assert imported(sandbox, "-", stdin=content, env=remote) == (0, 12_001, 1)

    assert imported(sandbox, "-", stdin=content) == (0, 12_001, 1)
    assert {event.key_id for event in events(sandbox)} == {stocked.key_id}
    assert sandbox.holders(stocked.secret) == []


def test_what_usage_log_prints_goes_into_another_store_and_back(stocked: Stocked) -> None:
    sandbox = stocked.sandbox
    sandbox.ok("usage", "import", "-", stdin=text(20, stocked.secret))
    printed = sandbox.ok("usage", "log", "--since", "2026-11-23", "--until", "2026-11-24", "--json").out
    elsewhere = Sandbox(sandbox.root / "elsewhere")
    shutil.copytree(sandbox.key_store.parent, elsewhere.key_store.parent)
    elsewhere.key_store.with_name("usage.db").unlink()

    assert imported(sandbox, "-", stdin=printed) == (0, 20, 0)
    assert imported(elsewhere, "-", stdin=printed) == (20, 0, 0)
    assert events(elsewhere) == events(sandbox)


def test_a_server_that_is_away_is_said_with_what_came_before(stocked: Stocked) -> None:
    remote = {"ROUTIC_TOKEN": stocked.secret, "ROUTIC_STORE": "http://127.0.0.1:9"}
    done = stocked.sandbox.run("usage", "import", "-", stdin=text(1), env=remote)

    assert done.code == 7
    assert "0 calls imported before it; the same command again adds the rest" in done.err


def test_a_reading_process_that_is_killed_is_no_end_of_the_log(stocked: Stocked) -> None:
    sandbox = stocked.sandbox
    process = sandbox.start("usage", "import", "-", stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(text(2).encode())
    process.stdin.flush()
    wait_until(lambda: len(events(sandbox)) == 2)
    [reader] = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    os.kill(int(reader), signal.SIGKILL)
    _, said = process.communicate(timeout=DEADLINE)

    assert process.returncode == 1
    assert b"2 calls imported before it; the same command again adds the rest" in said


def test_a_terminal_is_shown_how_many_lines_there_are_and_how_fast_they_come(stocked: Stocked) -> None:
    path = log(stocked.sandbox, text(3))
    with Terminal(stocked.sandbox, "usage", "import", "--follow", "access.log") as terminal:
        terminal.expect("3 lines, ")
        terminal.expect("/s")
        with path.open("a") as stream:
            stream.write(text(1, first=3))
        terminal.expect("4 lines, ")
        os.kill(terminal.pid, signal.SIGINT)
        terminal.expect("4 calls imported")


def test_standard_input_that_is_closed_is_said(stocked: Stocked) -> None:
    done = stocked.sandbox.shell("routic usage import - <&-")

    assert done.code == 2
    assert "Standard input cannot be read" in done.err


def test_other_commands_do_not_pay_for_the_readers_of_logs(stocked: Stocked) -> None:
    code = (
        "import sys; from routic_cli.app import run; run(['keys', 'list']);"
        "sys.exit(sorted(m for m in sys.modules if m == 'orjson' or m.startswith('routic_cli.importing.logs')) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=stocked.sandbox.cwd,
        env=stocked.sandbox.environ,
        capture_output=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
