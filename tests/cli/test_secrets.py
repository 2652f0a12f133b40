"""Where a secret is after a whole session: where it was asked for, and nowhere else."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.support.sandbox import SECRET, Done, Sandbox
from tests.support.syscalls import needs_strace, strace
from tests.support.terminal import Terminal

ELSEWHERE = "sk-elsewhere-0123456789-ABCDEFGHIJ"


class Session:
    """Commands on one machine, with everything that any of them said."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.said: list[str] = []

    def run(self, *arguments: str, stdin: str = "") -> Done:
        done = self.sandbox.run(*arguments, stdin=stdin)
        self.said.append(done.out + done.err)
        return done

    def at_terminal(self, *arguments: str, typing: str, prompt: str) -> None:
        with Terminal(self.sandbox, *arguments) as terminal:
            terminal.expect(prompt)
            terminal.type(f"{typing}\r")
            done = terminal.finish()
        self.said.append(done.out + done.err)


def test_after_a_whole_session_a_secret_is_where_it_was_asked_for_and_nowhere_else(repository: Sandbox) -> None:
    session = Session(repository)
    run = session.run
    (repository.cwd / ".env").write_text("DEBUG=1\n")
    printed = run("keys", "create", "--name", "printed").secret
    as_json = str(run("keys", "create", "--name", "as-json", "--json").data["value"])
    assert run("keys", "create", "--name", "in-file", "--env-file", ".env").code == 0
    (in_file,) = SECRET.findall((repository.cwd / ".env").read_text())
    for secret in (printed, as_json, in_file, ELSEWHERE):
        _go_through_everything(session, secret)
    said = "".join(session.said)
    assert [said.count(secret) for secret in (printed, as_json, in_file, ELSEWHERE)] == [1, 1, 0, 0]
    assert set(SECRET.findall(said)) == {printed, as_json}
    assert [repository.holders(secret) for secret in (printed, as_json, in_file, ELSEWHERE)] == [
        [],
        [],
        ["work/.env"],
        [],
    ]
    halves = [half for secret in (printed, as_json, in_file) for half in (secret[3:25], secret[25:])]
    assert [half for half in halves if repository.holders(half) not in ([], ["work/.env"])] == []


def _go_through_everything(session: Session, secret: str) -> None:
    run = session.run
    run("keys", "verify", stdin=secret)
    run("keys", "verify", "--json", stdin=secret)
    run("keys", "verify", stdin=secret[:-1])
    run("keys", "verify", stdin=f"{secret} {secret}")
    session.at_terminal("keys", "verify", typing=secret, prompt="Key to verify: ")
    run("keys", "import", "--name", "again", stdin=secret)
    run("keys", "import", "--from", "-", stdin=json.dumps({"name": "x", "sha256": secret}))
    run("keys", "import", "--from", "-", stdin=json.dumps({"name": secret, "sha256": "0" * 64}))
    run("keys", "import", "--from", "-", "--json", stdin=f'{{"name": "{secret}"')
    run("keys", "show", secret)
    run("keys", "rename", "printed", secret, "--json")
    run("keys", "list", f"--tag=a={secret}")
    run("env", "check")
    run("env", "check", "--json")
    for name in ("printed", "as-json", "in-file", "again"):
        run("keys", "show", name)
        run("keys", "revoke", name, "--yes", "--reason", "done")
    run("keys", "list", "--all", "--json")


@needs_strace
@pytest.mark.parametrize("more", [[], ["--env-file", ".env"], ["--env-file", ".env", "--show", "--json"]], ids=str)
def test_no_process_has_the_secret_in_its_arguments_or_environment(repository: Sandbox, more: list[str]) -> None:
    (repository.cwd / ".env").write_text("DEBUG=1\n")
    log = repository.root / "strace"
    traced = strace("-f", "-v", "-s", "100000", "-e", "trace=execve", "-o", str(log))
    done = repository.ok("keys", "create", "--name", "a", *more, through=traced)
    (secret,) = set(SECRET.findall(done.out + (repository.cwd / ".env").read_text()))
    calls = log.read_text()
    log.unlink()
    assert 'git"' in calls or not more
    assert secret not in calls
    assert repository.holders(secret) == (["work/.env"] if more else [])


@needs_strace
def test_a_secret_that_comes_in_goes_to_no_other_process_and_to_no_file(sandbox: Sandbox) -> None:
    secret = sandbox.ok("keys", "create", "--name", "a").secret
    log = sandbox.root / "strace"
    traced = strace("-f", "-s", "100000", "-e", "trace=execve,write,pwrite64,writev,sendto,sendmsg", "-o", str(log))
    for command in (["keys", "verify"], ["keys", "import", "--name", "b"]):
        sandbox.run(*command, stdin=secret, through=traced)
        assert [line for line in _calls(log.read_text()) if secret in line] == []
        log.unlink()


def _calls(log: str) -> Iterator[str]:
    return (re.sub(r"^\d+ +", "", line) for line in log.splitlines())


FAULTY = """
import resource, sys
from routic_cli.commands.keys import verify
from routic_cli.__main__ import main

def choke(secret):
    raise ValueError(f"cannot digest {secret}")

verify.defect_of = choke
code = main(["keys", "verify"])
print(resource.getrlimit(resource.RLIMIT_CORE)[0])
sys.exit(code)
"""


@pytest.mark.parametrize(
    "env", [{}, {"PYTHONFAULTHANDLER": "1", "PYTHONDEVMODE": "1", "TYPER_STANDARD_TRACEBACK": "1"}]
)
def test_a_mistake_inside_of_routic_shows_no_traceback_no_secret_and_dumps_no_core(
    sandbox: Sandbox, env: dict[str, str]
) -> None:
    secret = "sk-0123456789abcdefghijABCDEFGHIJ0123456789abcdef12"
    done = subprocess.run(
        [sys.executable, "-c", FAULTY],
        env={**sandbox.environ, **env},
        cwd=sandbox.cwd,
        input=secret,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "0\n")
    assert "Internal error: ValueError in verify.py" in done.stderr
    assert [text for text in ("Traceback", "digest", secret[:12], secret[-12:]) if text in done.stderr] == []
