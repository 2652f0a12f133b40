"""A key in three `.env` files, and `routic` in forked processes that have its code already: real files, real SQLite.

Forking saves what starting Python takes, so that a test can kill a rotation at every step; and a step is a call that
the parent can wrap. Everything goes through the command line, as the installed command does.
"""

from __future__ import annotations

import importlib
import itertools
import os
import re
import shutil
import sqlite3  # noqa: TID253  # the ground truth
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

from routic_cli import app
from routic_cli.config import Flags
from routic_cli.delivery.env_file import EnvFileSink
from routic_cli.domain.keys import Key, KeyQuery, KeyStatus, KeyVersion, VerdictStatus
from routic_cli.domain.operations import PlacedVersion
from routic_cli.domain.secret import fingerprint_of
from routic_cli.service.keys import KeyService
from routic_cli.session import Session
from routic_cli.store.state import StateStore
from routic_cli.workflows.journal import Journal
from tests.support.ground import open_operations
from tests.support.sandbox import Sandbox

NOW: Final = 1_800_000_000
GRACE: Final = 86_400
NAME: Final = "service"
VARIABLE: Final = "ROUTIC_API_KEY"
BEFORE: Final = b"# kept\nOTHER=1\r\nexport ROUTIC_API_KEY=old\nLAST=x"
KILLED: Final = 77

NOTHING: Final[dict[str, object]] = {
    "refused": [],
    "open operations": 0,
    "staged": [],
    "active and in nobody's hands": [],
}
"""What `Machine.leftovers` gives when everything is as it has to be."""

_VALUE: Final = re.compile(rf"^(?:export )?{VARIABLE}=(.*)$", re.MULTILINE)

for module in ("keys.create", "keys.revoke", "rotate", "doctor"):
    importlib.import_module(f"routic_cli.commands.{module}")  # a forked process has it then
for module in ("dotenv", "sqlite_utils", "secrets", "routic_cli.workflows.recovery", "routic_cli.delivery.safety"):
    importlib.import_module(module)


@contextmanager
def folder_in_memory() -> Iterator[Path]:
    """A private folder where `fsync` takes no time, on systems that have one; hundreds of rotations sync a lot."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as folder:
        yield Path(folder).resolve()


@dataclass(slots=True)
class Machine:
    """A home and files below `root`, and a store that other machines may share.

    `now` is the time that every process sees; with `ticking`, when it looks first, and a second later at each look.
    """

    root: Path
    now: int = NOW
    home: str = "home"
    files: tuple[str, ...] = ("a/.env", "b/.env", "c/.env")
    ticking: bool = False

    def __post_init__(self) -> None:
        for name in self.files:
            path = self.path(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                path.write_bytes(BEFORE)
                path.chmod(0o600)

    def path(self, name: str) -> Path:
        return self.root / name

    def elsewhere(self) -> Machine:
        """Another machine with the same store, which knows nothing of our journal."""
        return Machine(self.root, now=self.now, home="elsewhere", files=("there/.env",))

    def keep(self) -> None:
        """Remember everything below the root, for `restore`."""
        shutil.copytree(self.root, self.root.with_suffix(".kept"), symlinks=True)

    def restore(self) -> None:
        """Make everything below the root as it was at `keep`."""
        shutil.rmtree(self.root)
        shutil.copytree(self.root.with_suffix(".kept"), self.root, symlinks=True)

    def start(self, *arguments: object, out: Path | None = None) -> int:
        """Fork a process that runs a command line, and let it go on; its id. What it says is added to `self.said`."""
        return start_child(lambda: self._become(arguments, out))

    def run(self, *arguments: object, out: Path | None = None) -> int:
        """Run a command line to its end; its exit code, -N for a signal."""
        return end_of_child(self.start(*arguments, out=out))

    def installed(self) -> Sandbox:
        """The installed command on this machine, by the clock of the world."""
        # Not measured: what is made to fail here must be routic, and not how coverage writes its data.
        return Sandbox(self.root, measured=False, extra=self._environ())

    def create(self, *names: str) -> int:
        """The key, in all files unless some are named."""
        return self.run("keys", "create", "--name", NAME, "--tag", "team=blue", *self._to(names or self.files))

    def rotate(self, *arguments: object, names: Sequence[str] = (), out: Path | None = None) -> int:
        """The next version, wherever the key is unless files are named."""
        return self.run("rotate", NAME, "--yes", *arguments, *self._to(names), out=out)

    def abort(self) -> int:
        return self.run("rotate", NAME, "--abort", "--yes")

    def recover(self) -> int:
        """A command that changes something, and nothing but what a crash has left; 0, or 9 when it has findings."""
        return self.run("doctor", "--fix")

    @property
    def said(self) -> str:
        """What all commands said on standard error."""
        return (self.root / "said").read_text()

    def key(self) -> Key:
        with self._session() as session:
            return session.transport.find(NAME)

    def placements(self) -> list[PlacedVersion]:
        """Where this machine knows the key to be."""
        with self._session() as session:
            return session.placements(session.transport.find(NAME).id)

    def sealed(self) -> list[int]:
        """The versions that a previous secret is kept sealed by."""
        with closing(sqlite3.connect(self._state)) as connection:
            return [row[0] for row in connection.execute("SELECT number FROM sealed")]

    def forget_sealed(self) -> None:
        """As if this machine had never been able to read the previous secret."""
        with closing(sqlite3.connect(self._state)) as connection, connection:
            connection.execute("DELETE FROM sealed")

    def versions(self) -> dict[int, int | None]:
        """Of each version let in, when it ends."""
        return {version.number: version.expires_at for version in self._let_in()}

    def held(self, name: str) -> str:
        """What the file has as the secret, read without routic."""
        return str(_VALUE.findall(self.path(name).read_text())[-1].strip())

    def verdict(self, secret: str) -> VerdictStatus:
        with self._session() as session:
            return session.transport.verify(fingerprint_of(secret)).status

    def refused(self, names: Sequence[str] = ()) -> list[str]:
        """The files whose secret the gateway would not let in."""
        return [name for name in names or self.files if self.verdict(self.held(name)) is not VerdictStatus.ACTIVE]

    def unheld(self, *given: str) -> list[int]:
        """The versions that are let in for ever, and that no file and none of the texts given away has."""
        texts = [*given, *(self.held(name) for name in self.files if self.path(name).exists())]
        held = {fingerprint_of(text) for text in texts}
        return [
            version.number for version in self._let_in() if version.expires_at is None if version.sha256 not in held
        ]

    def leftovers(self, *given: str) -> dict[str, object]:
        """Everything that must be nothing once a crash has been tidied up."""
        return {
            "refused": self.refused([n for n in self.files if self.path(n).exists()]),
            "open operations": self.open_operations(),
            "staged": self.staged(),
            "active and in nobody's hands": self.unheld(*given),
        }

    def open_operations(self) -> int:
        """How many deliveries the journal takes for unfinished."""
        return open_operations(self._state)

    def staged(self) -> list[str]:
        """What a delivery has left beside the files, or in git's directory."""
        ours = (self.root / self.home, *(self.path(name) for name in self.files))
        found = (path for path in self.root.rglob("*routic*") if not any(path.is_relative_to(each) for each in ours))
        return sorted(str(path.relative_to(self.root)) for path in found if path.is_file())

    @property
    def _state(self) -> Path:
        return self.root / self.home / "state/routic/state.db"

    def _let_in(self) -> list[KeyVersion]:
        with self._session() as session:
            keys = session.transport.page(KeyQuery(status=KeyStatus.ACTIVE)).keys
        versions = (version for key in keys for version in key.versions)
        return [version for version in versions if version.expires_at is None or version.expires_at > self.now]

    def _to(self, names: Sequence[str]) -> list[str]:
        return [text for name in names for text in ("--env-file", str(self.path(name)))]

    @contextmanager
    def _session(self) -> Iterator[Session]:
        session = Session(Flags(quiet=True), environ=self._environ(), clock=lambda: self.now)
        try:
            yield session
        finally:
            session.close()

    def _environ(self) -> dict[str, str]:
        home = self.root / self.home
        home.mkdir(exist_ok=True)
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "XDG_DATA_HOME": str(home / "data"),
            "XDG_STATE_HOME": str(home / "state"),
            "XDG_CONFIG_HOME": str(home / "config"),
            "ROUTIC_STORE": str(self.root / "keys.db"),
            "GIT_CONFIG_NOSYSTEM": "1",
        }

    def _become(self, arguments: Sequence[object], out: Path | None) -> int:
        """Be a process of this machine. Imports nothing: what is not here yet is counted by who counts calls."""
        environ = self._environ()
        os.environ.clear()
        os.environ.update(environ)
        os.chdir(self.root)
        for descriptor, path in enumerate((Path(os.devnull), out or self.root / "printed", self.root / "said")):
            flags = os.O_RDONLY if descriptor == 0 else os.O_WRONLY | os.O_CREAT | os.O_APPEND
            os.dup2(os.open(path, flags, 0o600), descriptor)
        sys.stdin, sys.stdout, sys.stderr = sys.__stdin__, sys.__stdout__, sys.__stderr__  # not the test runner's
        clock = itertools.count(self.now).__next__ if self.ticking else lambda: self.now
        app.Session = lambda: Session(clock=clock)  # type: ignore[assignment,attr-defined,misc]  # in this process alone
        return app.run([str(argument) for argument in arguments])


STEPS: Final[Sequence[tuple[type, str]]] = (
    (Journal, "begin"),
    (Journal, "end"),
    (EnvFileSink, "prepare"),
    (EnvFileSink, "commit"),
    (EnvFileSink, "undo"),
    (KeyService, "register"),
    (KeyService, "add_version"),
    (KeyService, "end_version"),
    (KeyService, "give_up"),
    (KeyService, "revoke"),
    (StateStore, "keep_sealed"),
    (StateStore, "forget_sealed"),
)
"""What a workflow does, one by one; a fault comes before or after each."""


@contextmanager
def at_boundary(number: int, fault: Callable[[], object], *, named: str = "") -> Iterator[None]:
    """Let `fault` happen at the number-th boundary of a step, from 1; with `named`, of those such as `after commit`.

    In this process and in those that are forked inside the block, each of which counts for itself.
    """
    count = 0

    def boundary(name: str) -> None:
        nonlocal count
        count += named in {"", name}
        if count == number and named in {"", name}:
            fault()

    def wrapped(function: Callable[..., object], name: str) -> Callable[..., object]:
        def step(*arguments: object, **options: object) -> object:
            boundary(f"before {name}")
            result = function(*arguments, **options)
            boundary(f"after {name}")
            return result

        return step

    originals = [(owner, name, getattr(owner, name)) for owner, name in STEPS]
    for owner, name, function in originals:
        setattr(owner, name, wrapped(function, name))
    try:
        yield
    finally:
        for owner, name, function in originals:
            setattr(owner, name, function)


def die() -> NoReturn:
    """End this process as a power cut would: nothing is cleaned up."""
    os._exit(KILLED)


def start_child(work: Callable[[], int | None]) -> int:
    """Fork a process that does the work and ends with the code that it gives; its id."""
    with warnings.catch_warnings():
        # Python 3.12 warns of threads, which the test runner has; the child only does the work and ends.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        code = 1
        try:
            code = work() or 0
        finally:
            os._exit(code)  # the child must never return into the test runner
    return child


def end_of_child(child: int) -> int:
    """Wait for a process, and give its exit code, or -N for a signal."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
