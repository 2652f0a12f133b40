"""One sequence of command lines on a file and through a server: what was said, with names for what has to differ."""

from __future__ import annotations

import datetime as dt
import re
import shlex
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.request import Request, urlopen

from tests.support.gateways import routic_serve
from tests.support.sandbox import DEADLINE, SECRET, Done, Sandbox

NOW: Final = int(time.time())
"""What both sequences measure their times from, in whole hours."""

_HOUR: Final = 3600
_ID: Final = re.compile(r"key_[0-9a-z]{16}\b")
_HASH: Final = re.compile(r"\b[0-9a-f]{64}\b")
_HINT: Final = re.compile(r"sk-[0-9A-Za-z]{4}…[0-9A-Za-z]{4}")
_UNIX: Final = re.compile(r"\b1[6-9]\d{8}\b")
_RFC_3339: Final = re.compile(r"\b20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_RECENTLY: Final = re.compile(r"\bjust now\b|\b\d+ (?:seconds?|minutes?) ago\b")
_ONE_OF_A_KIND: Final = (("SECRET", SECRET), ("ID", _ID), ("SHA256", _HASH), ("HINT", _HINT))


@dataclass(frozen=True, slots=True)
class Step:
    """A command line and how it ends.

    `{web.id}` and `{web.secret}` are what the last step that `learns` web found out; `files` are written before.
    """

    line: str
    code: int = 0
    stdin: str = ""
    learns: str = ""
    files: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.line


@dataclass(slots=True)
class Side:
    """A machine whose commands go to one store, and what it has learnt of its keys."""

    sandbox: Sandbox
    store: str
    names: dict[str, str] = field(default_factory=dict)
    seen: dict[str, str] = field(default_factory=dict)

    def play(self, steps: Sequence[Step]) -> list[Done]:
        """What each step ended with and said."""
        return [self._step(each) for each in steps]

    def plain(self, text: str) -> str:
        """The text without what differs from one store to the next.

        Each id, hash, hint and secret becomes a name of its own, so that the same one has to come back in the same
        place; a time becomes the hours from now.
        """
        text = text.replace(self.store, "STORE").replace(str(self.sandbox.root), "MACHINE")
        text = _RECENTLY.sub("recently", text)
        for kind, pattern in _ONE_OF_A_KIND:
            for found in pattern.findall(text):
                text = text.replace(found, self._name(kind, found))
        text = _UNIX.sub(lambda found: _hours(int(found[0])), text)
        return _RFC_3339.sub(lambda found: _hours(_unix(found[0])), text)

    def _step(self, step: Step) -> Done:
        for name, text in step.files.items():
            (self.sandbox.cwd / name).write_text(self._filled(text))
        done = self.sandbox.run(*shlex.split(self._filled(step.line)), stdin=self._filled(step.stdin))
        if step.learns and done.code == 0:
            self._learn(step.learns, done)
        return Done(done.code, self.plain(done.out), self.plain(done.err))

    def _filled(self, text: str) -> str:
        for name, value in self.names.items():
            text = text.replace(f"{{{name}}}", value)
        return text

    def _learn(self, name: str, done: Done) -> None:
        if not done.out.startswith("{"):
            self.names[f"{name}.secret"] = done.secret
            return
        self.names[f"{name}.id"] = done.data["id"]
        if "value" in done.data:
            self.names[f"{name}.secret"] = done.data["value"]

    def _name(self, kind: str, text: str) -> str:
        number = sum(each.startswith(kind) for each in self.seen.values()) + 1
        return self.seen.setdefault(text, f"{kind}-{number}")


@contextmanager
def both_sides(root: Path) -> Iterator[tuple[Side, Side]]:
    """One machine that opens its store itself, and one that asks the `routic serve` of a copy of that store.

    In the store are the admin key that the second needs, and a key that has been used.
    """
    server = Sandbox(root / "server", measured=False)
    token = _stock(server)
    shutil.copytree(server.home, root / "one/home")
    file, remote = (Sandbox(root / side, measured=False) for side in ("one", "two"))
    for machine in (file, remote):
        machine.make_repository()
    with routic_serve(server) as serving:
        remote.extra |= {"ROUTIC_STORE": serving.url, "ROUTIC_TOKEN": token}
        yield Side(file, f"sqlite:///{file.key_store}"), Side(remote, serving.url)


def _stock(server: Sandbox) -> str:
    token = server.ok("keys", "create", "--name", "ops", "--scope", "admin").secret
    used = server.ok("keys", "create", "--name", "used").secret
    # What a server has recorded is written when it ends.
    with routic_serve(server) as serving:
        question = Request(f"{serving.url}/auth", headers={"Authorization": f"Bearer {used}"})
        with urlopen(question, timeout=DEADLINE) as answer:
            assert answer.status < 300
    return token


def _unix(text: str) -> int:
    return int(dt.datetime.fromisoformat(text).timestamp())


def _hours(moment: int) -> str:
    return f"<now{round((moment - NOW) / _HOUR):+d}h>"
