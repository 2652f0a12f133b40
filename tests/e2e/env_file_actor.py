"""Another process for the tests of the `.env` sink, run as a script: it writes, waits, loses rights, or dies on time.

Everything it says is one JSON value per line of stdout.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dotenv.parser  # noqa: F401, TID253  # loaded before the rights to read it are dropped

from routic_cli.delivery.env_file import EnvFileSink
from routic_cli.delivery.locks import lock_directory
from routic_cli.delivery.verdict import SafetyVerdict
from routic_cli.domain.errors import DeliveryTimeoutError, RouticError
from routic_cli.domain.secret import Secret

NOBODY = 65534
TOUCHING_THE_DISK = (
    "open",
    "fdopen",
    "close",
    "fchmod",
    "fchown",
    "fsync",
    "mkdir",
    "chmod",
    "replace",
    "unlink",
    "rmdir",
)


def say(value: object) -> None:
    print(json.dumps(value), flush=True)


def sink(path: Path, variable: str, token: str) -> EnvFileSink:
    return EnvFileSink(path, variable, judge=lambda place, _: SafetyVerdict(place, ()), staging_token=token)


def deliver(path: Path, variable: str, secret: str, token: str) -> None:
    destination = sink(path, variable, token)
    destination.preflight()
    destination.prepare(Secret(secret))
    destination.commit()


def fill(path: str, prefix: str, count: str) -> None:
    """Set `count` variables, one delivery each."""
    for number in range(int(count)):
        deliver(Path(path), f"{prefix}_{number}", f"sk-{prefix}{number}", f"{prefix}{number}")


def hold(directory: str) -> None:
    """Keep the directory locked until stdin ends."""
    with lock_directory(Path(directory)):
        say("held")
        sys.stdin.read()


def attempt(path: str, *rights: str) -> None:
    """Preflight as a user without rights, where we are one who can become it; the error or null."""
    if os.geteuid() == 0 and "as-root" not in rights:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    try:
        sink(Path(path), "K", "token").preflight()
    except RouticError as error:
        say({"code": error.code, "what": error.what, "not_done": error.not_done, "remedy": error.remedy})
    else:
        say(None)


def fork(directory: str) -> None:
    """Whether a forked child takes its parent's lock for its own."""
    with lock_directory(Path(directory)):
        child = os.fork()
        if child == 0:
            try:
                lock_directory(Path(directory), timeout=0)
            except DeliveryTimeoutError:
                os._exit(1)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        say(os.waitstatus_to_exitcode(status) == 0)


def die_everywhere(template: str, secret: str, edit: str) -> None:
    """Copy the template for every call that touches the disk, and be killed there before it; then once without.

    An edit replaces the file between prepare and commit, as an editor would that knows nothing of the lock.
    """
    number, alive = 0, False
    while not alive:
        number += 1
        case = Path(template).with_name(f"case-{number}")
        shutil.copytree(template, case, symlinks=True)
        destination = sink(case / ".env", "K", f"token{number}")
        destination.preflight()
        record = dict(destination.record())
        child = os.fork()
        if child == 0:
            _die_before_call(number)
            destination.prepare(Secret(secret))
            if edit:
                (case / ".env").write_text(edit)
            destination.commit()
            os._exit(0)
        _, status = os.waitpid(child, 0)
        alive = not os.WIFSIGNALED(status)
        say({"case": str(case), "record": record, "exit": os.waitstatus_to_exitcode(status)})


def _die_before_call(number: int) -> None:
    calls = iter(range(1, sys.maxsize))

    def counted(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            if next(calls) == number:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*arguments, **options)

        return call

    for name in TOUCHING_THE_DISK:
        setattr(os, name, counted(getattr(os, name)))


ACTIONS: dict[str, Callable[..., None]] = {
    "fill": fill,
    "hold": hold,
    "fork": fork,
    "attempt": attempt,
    "die-everywhere": die_everywhere,
}

if __name__ == "__main__":
    ACTIONS[sys.argv[1]](*sys.argv[2:])
