"""`run`: routic becomes the command, which finds the key in its environment and everything else as it was."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.support.sandbox import DEADLINE, ROUTIC, SECRET, Sandbox
from tests.support.syscalls import needs_strace, strace
from tests.support.terminal import Terminal

NOT_OURS: Final = "sk-0123456789abcdefghijABCDEFGHIJ0123456789abcdef12"


@dataclass(frozen=True, slots=True)
class Home:
    """A repository with `prod` in `.env` and `worker` as WORKER_KEY in `.env.worker`; nobody may change it."""

    sandbox: Sandbox
    prod: str
    worker: str


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    sandbox = Sandbox(tmp_path_factory.mktemp("run"))
    sandbox.make_repository()
    sandbox.ok("keys", "create", "--name", "prod", "--env-file", ".env")
    sandbox.ok("keys", "create", "--name", "worker", "--env-file", ".env.worker", "--var", "WORKER_KEY")
    (prod,) = SECRET.findall((sandbox.cwd / ".env").read_text())
    (worker,) = SECRET.findall((sandbox.cwd / ".env.worker").read_text())
    return Home(sandbox, prod, worker)


def python(code: str) -> list[str]:
    """The command line of a child that runs the code. `-I`: what a test measures does not follow into it."""
    return [sys.executable, "-I", "-c", code]


# --- what the child is given


@pytest.mark.parametrize(
    ("words", "variables"),
    [
        (["prod"], {"ROUTIC_API_KEY": "prod"}),
        (["OPENAI_API_KEY=prod"], {"OPENAI_API_KEY": "prod"}),
        (["--var", "OPENAI_API_KEY", "prod"], {"OPENAI_API_KEY": "prod"}),
        (["prod", "worker"], {"ROUTIC_API_KEY": "prod", "WORKER_KEY": "worker"}),
        (["A=prod", "B=prod", "C=worker"], {"A": "prod", "B": "prod", "C": "worker"}),
        ([], {"ROUTIC_API_KEY": "prod", "WORKER_KEY": "worker"}),
    ],
    ids=str,
)
def test_the_keys_are_added_to_the_environment_and_nothing_else_changes(
    home: Home, words: list[str], variables: dict[str, str]
) -> None:
    environ = {"ROUTIC_API_KEY": "an older one", "KEPT": "é\n"}
    done = home.sandbox.ok("run", *words, "--", "env", "-0", env=environ)
    found = dict(pair.split("=", 1) for pair in done.out.rstrip("\0").split("\0"))
    assert found == home.sandbox.environ | environ | {name: getattr(home, key) for name, key in variables.items()}
    assert done.err == ""


def test_routics_own_credential_does_not_follow_into_the_child_unless_it_is_named(home: Home) -> None:
    environ = {"ROUTIC_TOKEN": home.worker, "ROUTIC_TOKEN_FILE": "/run/token", "ROUTIC_TOKENS": "another variable"}
    for words, given in ((["prod"], None), (["ROUTIC_TOKEN=prod"], home.prod)):
        done = home.sandbox.ok("run", *words, "--", "env", "-0", env=environ)
        found = dict(pair.split("=", 1) for pair in done.out.rstrip("\0").split("\0"))
        assert found.get("ROUTIC_TOKEN") == given
        assert "ROUTIC_TOKEN_FILE" not in found
        assert found["ROUTIC_TOKENS"] == "another variable"


ARGUMENTS: Final = [
    "--",
    "",
    "é😀",
    "--var",
    "X",
    "--json",
    "-q",
    "a b",
    "*",
    "$HOME",
    "\n",
    "--help",
    "--version",
    "--",
]


def test_the_child_gets_its_arguments_exactly_as_they_were_given(home: Home) -> None:
    child = python("import json, sys; print(json.dumps(sys.argv[1:]))")
    assert home.sandbox.ok("run", "prod", "--", *child, *ARGUMENTS).data == ARGUMENTS


def test_arguments_need_not_be_text(home: Home) -> None:
    child = python("import os, sys; print(os.fsencode(sys.argv[1]).hex())")
    done = subprocess.run(
        [os.fsencode(word) for word in (str(ROUTIC), "run", "prod", "--", *child)] + [b"\xff\xfe"],
        cwd=home.sandbox.cwd,
        env=home.sandbox.environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, b"fffe\n")


def test_the_first_double_dash_ends_what_is_ours(home: Home) -> None:
    done = home.sandbox.run("--quiet", "run", "prod", "--no-input", "--", "printf", "%s|", "--", "--store", "x")
    assert (done.code, done.out) == (0, "--|--store|x|")


def test_the_three_streams_are_the_childs(home: Home) -> None:
    child = python("import sys; sys.stdout.write(sys.stdin.read().upper()); sys.stderr.write('talk')")
    done = home.sandbox.run("run", "prod", "--", *child, stdin="data")
    assert (done.code, done.out, done.err) == (0, "DATA", "talk")


def test_a_terminal_is_the_childs_terminal(home: Home) -> None:
    with Terminal(
        home.sandbox, "run", "prod", "--", *python("import os; print([os.isatty(n) for n in range(3)])")
    ) as t:
        done = t.finish()
    assert (done.code, done.out) == (0, "[True, True, True]\n")


PROCESS: Final = """
import json, os, resource, signal
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(json.dumps({
    "ignored": status["SigIgn"], "blocked": status["SigBlk"], "core": resource.getrlimit(resource.RLIMIT_CORE),
    "umask": status["Umask"], "folder": os.getcwd(), "files": sorted(os.listdir("/proc/self/fd")),
}))
"""


def _prepare() -> None:
    """A caller with habits: a core limit, an umask, a signal that is ignored and one that is blocked."""
    resource.setrlimit(resource.RLIMIT_CORE, (4096, 8192))
    os.umask(0o027)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})


def test_the_child_starts_as_if_its_caller_had_started_it(home: Home) -> None:
    child = python(PROCESS)
    direct = subprocess.run(
        child, cwd=home.sandbox.cwd, env=home.sandbox.environ, preexec_fn=_prepare, capture_output=True, check=True
    )
    through = home.sandbox.ok("run", "prod", "--", *child, before=_prepare)
    # The child is a Python, which ignores SIGPIPE and SIGXFSZ from its start: of those, the next test.
    assert through.data == json.loads(direct.stdout)
    assert through.data["core"] == [4096, 8192]
    assert through.data["umask"].strip() == "0027"


def test_no_signal_is_ignored_that_the_caller_does_not_ignore(home: Home) -> None:
    done = home.sandbox.ok("run", "prod", "--", "grep", "-E", "^Sig(Ign|Blk)", "/proc/self/status")
    assert [int(line.split()[1], 16) for line in done.out.splitlines()] == [0, 0]


def test_a_pipe_that_ends_early_ends_the_childs_children(home: Home) -> None:
    done = home.sandbox.run("run", "prod", "--", "bash", "-c", "yes | head -1; exit ${PIPESTATUS[0]}")
    assert (done.code, done.out, done.err) == (128 + signal.SIGPIPE, "y\n", "")


def test_a_file_that_the_caller_keeps_open_for_the_child_stays_open(home: Home) -> None:
    read, write = os.pipe()
    child = python(f"import os; os.write({write}, b'through')")
    with home.sandbox.start("run", "prod", "--", *child, pass_fds=[write]) as process:
        os.close(write)
        assert os.read(read, 100) == b"through"
        assert process.wait(DEADLINE) == 0
    os.close(read)


# --- how it ends


@pytest.mark.parametrize("code", [0, 2, 125, 255])
def test_the_exit_code_is_the_childs(home: Home, code: int) -> None:
    assert home.sandbox.run("run", "prod", "--", "sh", "-c", f"exit {code}").code == code


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL, signal.SIGSEGV])
def test_a_child_that_dies_of_a_signal_is_seen_to_die_of_it(home: Home, number: signal.Signals) -> None:
    before = [path for path in home.sandbox.cwd.iterdir() if "core" in path.name]
    assert home.sandbox.run("run", "prod", "--", "sh", "-c", f"ulimit -c 0; kill -{int(number)} $$").code == -number
    assert [path for path in home.sandbox.cwd.iterdir() if "core" in path.name] == before


WAITER: Final = """
import os, signal, sys
awaited = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
signal.pthread_sigmask(signal.SIG_BLOCK, awaited)
print(os.getpid(), flush=True)
sys.exit(100 + signal.sigwait(awaited))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_to_routic_reaches_the_child_which_is_the_same_process(home: Home, number: signal.Signals) -> None:
    with home.sandbox.start("run", "prod", "--", *python(WAITER)) as process:
        assert process.stdout is not None
        assert int(process.stdout.readline()) == process.pid
        process.send_signal(number)
        assert process.wait(DEADLINE) == 100 + number


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_child_that_handles_no_signals_ends_by_them(home: Home, number: signal.Signals) -> None:
    with home.sandbox.start("run", "prod", "--", "sh", "-c", "echo ready; exec sleep 600") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(number)
        assert process.wait(DEADLINE) == -number


@pytest.mark.parametrize(
    ("command", "code", "complaint"),
    [
        (["nope"], 127, "There is no such command"),
        (["./nope"], 127, "There is no such command"),
        ([".env"], 127, "There is no such command"),
        (["./.env"], 126, "Permission denied"),
        (["."], 126, "."),
        (["/"], 126, "Permission denied"),
        ([""], 127, ""),
        (["", "x"], 127, ""),
    ],
    ids=str,
)
def test_a_command_that_cannot_be_run_is_told_from_one_that_failed(
    home: Home, command: list[str], code: int, complaint: str
) -> None:
    done = home.sandbox.run("run", "prod", "--", *command)
    assert (done.code, done.out) == (code, "")
    assert [text for text in ("was not run", complaint) if text not in done.err] == []
    assert SECRET.search(done.err) is None
    under_json = home.sandbox.run("run", "prod", "--json", "--", *command)
    assert (under_json.code, under_json.out) == (code, "")
    assert "was not run" in under_json.error["message"]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["prod"], "No command was given"),
        (["prod", "--"], "No command was given"),
        (["prod", "true"], "No command was given"),
        (["nope", "--", "touch", "ran"], "No key is called 'nope'"),
        (["A=prod", "A=worker", "--", "touch", "ran"], "Two keys would have the variable A"),
        (["--var", "A", "prod", "worker", "--", "touch", "ran"], "--var names one variable"),
        (["--var", "1x", "prod", "--", "touch", "ran"], "cannot be the name of a variable"),
        (["--store", "other.db", "--", "touch", "ran"], "No key was named"),
        (["--profile", "nope", "prod", "--", "touch", "ran"], "There is no profile"),
        (["--bad", "prod", "--", "touch", "ran"], "No such option"),
    ],
    ids=str,
)
def test_what_stops_routic_itself_ends_with_125_and_runs_nothing(home: Home, words: list[str], complaint: str) -> None:
    done = home.sandbox.run("run", *words)
    assert (done.code, done.out) == (125, "")
    assert complaint in done.err
    under_json = home.sandbox.run("run", "--json", *words)
    assert (under_json.code, under_json.out) == (125, "")
    assert complaint in under_json.error["message"]
    assert not (home.sandbox.cwd / "ran").exists()


@pytest.mark.parametrize(
    "words", [[NOT_OURS, "--", "touch", "ran"], ["prod", "--", "echo", NOT_OURS]], ids=["ref", "child"]
)
def test_a_key_as_an_argument_is_refused_and_not_echoed(home: Home, words: list[str]) -> None:
    done = home.sandbox.run("run", *words)
    assert (done.code, done.out) == (2, "")
    assert NOT_OURS[:20] not in done.err
    assert not (home.sandbox.cwd / "ran").exists()


# --- where the secret is


@needs_strace
def test_no_argument_list_has_the_secret_on_the_way(home: Home, tmp_path: Path) -> None:
    log = tmp_path / "strace"
    traced = strace("-f", "-s", "100000", "-e", "trace=execve,write,pwrite64,sendto,sendmsg", "-o", str(log))
    done = home.sandbox.run("run", "prod", "--", "sh", "-c", 'test -n "$ROUTIC_API_KEY"; exit $?', through=traced)
    assert (done.code, done.out, done.err) == (0, "", "")
    calls = log.read_text()
    assert calls.count('["sh", "-c"') >= 1
    assert home.prod not in calls


def test_the_child_has_the_secret_in_its_environment_and_not_in_its_command_line(home: Home) -> None:
    command = ["sh", "-c", "echo ready; exec sleep 600"]
    with home.sandbox.start("run", "prod", "--", *command) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        assert _proc(process.pid, "environ").count(f"\0ROUTIC_API_KEY={home.prod}\0") == 1
        assert home.prod not in _proc(process.pid, "cmdline")
        process.kill()


def _proc(pid: int, name: str) -> str:
    return "\0" + Path(f"/proc/{pid}/{name}").read_text()


def test_running_a_command_changes_nothing_on_this_machine(home: Home) -> None:
    before = home.sandbox.snapshot()
    home.sandbox.ok("run", "prod", "--", "true")
    assert home.sandbox.snapshot() == before


def test_a_run_inside_a_run_has_both_keys(home: Home) -> None:
    inner = [
        sys.executable,
        "-m",
        "routic_cli",
        "run",
        "worker",
        "--",
        "sh",
        "-c",
        "echo $ROUTIC_API_KEY $WORKER_KEY",
    ]
    assert home.sandbox.ok("run", "prod", "--", *inner).out == f"{home.prod} {home.worker}\n"
