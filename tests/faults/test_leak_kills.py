"""An incident that is killed at any moment, or has no room: the same command again ends it, and makes nothing twice."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.support.ground import open_operations
from tests.support.leaks import REPLACE, Machine, actions, gitleaks, secret_in
from tests.support.sandbox import Done, Sandbox
from tests.support.syscalls import Fault, needs_strace

pytestmark = needs_strace
_ONE_REVOKED: Final = 8
_LEFT: Final = ("routic-key_", ".staged")


@dataclass(frozen=True, slots=True)
class Leak:
    """A key `prod` in two files and a key `lone` in none; both have leaked."""

    machine: Machine
    secret: str
    lone: str

    @property
    def report(self) -> Path:
        return self.machine.sandbox.root / "report.json"

    @property
    def command(self) -> list[object]:
        words: list[object] = list(REPLACE)
        words[words.index("-")] = self.report
        return words

    @property
    def files(self) -> list[Path]:
        return [self.machine.sandbox.cwd / name for name in (".env", ".env.worker")]

    def assert_closed(self, done: Done, where: str) -> None:
        """What the same command, run again until it ends with success, has left: at most one new version."""
        first = self.machine.run(*self.command, "--json")
        assert first.code in {0, 8}, f"{where}: {first.err}"
        again = self.machine.run(*self.command, "--json")
        assert (again.code, again.data["changed"]) == (0, False), f"{where}: {again.err}"
        assert {action for _, action, _ in actions(again)} == {"none"}, where
        assert self.machine.verdict(self.lone) == "revoked", where
        assert not self.machine.is_let_in(self.secret), where
        held = {secret_in(path) for path in self.files}
        prod = self.machine.key("prod")
        if prod["status"] == "active":
            assert len(held) == 1, f"neither all nor nothing, {where}: {done.err}"
            assert self.machine.is_let_in(held.pop()), where
            assert prod["version"] == 2, where
        else:
            assert held == {self.secret}, where
        self.assert_tidy(where)

    def assert_tidy(self, where: str) -> None:
        sandbox = self.machine.sandbox
        assert open_operations(sandbox.state_file) == 0, where
        assert sandbox.committable() == [], where
        assert [path for path in sandbox.files() if any(mark in path.name for mark in _LEFT)] == [], where


@pytest.fixture(scope="module")
def new_leak(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Leak]:
    """Makes the same one again and again, where the places of its keys are remembered to be: one at a time."""
    root, kept = tmp_path_factory.mktemp("leak") / "machine", tmp_path_factory.mktemp("kept") / "machine"
    sandbox = Sandbox(root, measured=False)
    sandbox.make_repository()
    sandbox.ok("keys", "create", "--name", "prod", "--env-file", ".env", "--env-file", ".env.worker")
    lone = sandbox.ok("keys", "create", "--name", "lone").secret
    secret = secret_in(sandbox.cwd / ".env")
    (root / "report.json").write_text(gitleaks(lone, secret))
    shutil.copytree(root, kept, symlinks=True)

    def make() -> Leak:
        shutil.rmtree(root)
        shutil.copytree(kept, root, symlinks=True)
        return Leak(Machine(Sandbox(root, measured=False)), secret, lone)

    return make


@pytest.mark.parametrize(("call", "step"), [("fsync", 1), ("rename", 1), ("fdatasync", 3)])
def test_killed_at_any_moment_the_same_command_ends_it(new_leak: Callable[[], Leak], call: str, step: int) -> None:
    number, befell = 1, 0
    while True:
        leak = new_leak()
        where = f"killed at {call} {number}"
        done = Fault(call, "signal=KILL", number).befalls(leak.machine.sandbox, *leak.command)
        if done is None or done.code == _ONE_REVOKED:  # it came to its end
            break
        befell += 1
        leak.assert_closed(done, where)
        number += step
    assert befell > 0


@pytest.mark.parametrize("call", ["fsync", "rename", "fdatasync"])
def test_without_room_what_leaked_dies_or_the_command_says_that_it_lives(
    new_leak: Callable[[], Leak], call: str
) -> None:
    number, befell = 1, 0
    while True:
        leak = new_leak()
        where = f"no room at {call} {number}"
        done = Fault(call, "error=ENOSPC", number).befalls(leak.machine.sandbox, *leak.command)
        if done is None:
            break
        befell += 1
        is_alive = leak.machine.is_let_in(leak.secret) or leak.machine.is_let_in(leak.lone)
        assert not is_alive or done.code not in {0, 8}, f"{where}: {done.err}"
        leak.assert_closed(done, where)
        number += 3
    assert befell > 0


def test_a_store_that_cannot_be_written_any_more_is_no_success_and_is_told(new_leak: Callable[[], Leak]) -> None:
    leak = new_leak()
    fault = Fault("fdatasync", "error=ENOSPC", 8, lasting=True)
    done = fault.befalls(leak.machine.sandbox, *leak.command)
    assert done is not None
    assert leak.machine.is_let_in(leak.secret)
    assert done.code not in {0, 8}
    assert "What leaked of prod" in done.err
    assert "may still be let in" in done.err
    leak.assert_closed(done, "without a store")
