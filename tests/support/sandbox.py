"""A machine for one test: the installed `routic`, a throwaway home, and nothing of the caller's environment."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

ROUTIC: Final = Path(sys.executable).with_name("routic")
SECRET: Final = re.compile(r"sk-[0-9A-Za-z]{45}")
DEADLINE: Final = 60.0
"""Seconds after which a command hangs; nothing is ever asserted of how fast one is."""

FileLike = int | IO[Any] | None


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended, and what it said where."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """Standard output as one JSON value."""
        return json.loads(self.out)

    @property
    def error(self) -> Mapping[str, Any]:
        """The one error object that is all of standard error."""
        document = json.loads(self.err)
        assert list(document) == ["error"]
        error: Mapping[str, Any] = document["error"]
        return error

    @property
    def secret(self) -> str:
        """The bare secret that is all of standard output."""
        assert SECRET.fullmatch(self.out.removesuffix("\n")), f"not a bare secret: {SECRET.sub('SECRET', self.out)!r}"
        assert self.out.endswith("\n")
        return self.out.removesuffix("\n")


@dataclass(slots=True)
class Sandbox:
    """A home and a working directory below `root`. `measured` lets coverage follow into the processes."""

    root: Path
    measured: bool = True
    extra: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for folder in (self.home, self.cwd):
            folder.mkdir(parents=True, exist_ok=True)

    @property
    def home(self) -> Path:
        return self.root / "home"

    @property
    def cwd(self) -> Path:
        return self.root / "work"

    @property
    def key_store(self) -> Path:
        return self.home / ".local/share/routic/keys.db"

    @property
    def state_file(self) -> Path:
        return self.home / ".local/state/routic/state.db"

    @property
    def environ(self) -> dict[str, str]:
        """Everything a command sees of the world around it."""
        kept = {name: value for name, value in os.environ.items() if self.measured and name.startswith("COVERAGE_")}
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "XDG_CONFIG_HOME": str(self.home / ".config"),
            "XDG_DATA_HOME": str(self.home / ".local/share"),
            "XDG_STATE_HOME": str(self.home / ".local/state"),
            "GIT_CONFIG_NOSYSTEM": "1",
            "LC_ALL": "C.UTF-8",
            "TERM": "xterm-256color",
            **kept,
            **self.extra,
        }

    def run(
        self,
        *arguments: object,
        stdin: str | bytes | FileLike = None,
        stdout: FileLike = subprocess.PIPE,
        stderr: FileLike = subprocess.PIPE,
        env: Mapping[str, str] | None = None,
        before: Callable[[], None] | None = None,
        through: tuple[str, ...] = (),
    ) -> Done:
        """Run `routic` to its end, as a script does. `through` is a command line that runs it, such as strace's."""
        options: dict[str, Any] = {"stdin": subprocess.DEVNULL if stdin is None else stdin}
        if isinstance(stdin, str | bytes):
            options = {"input": stdin.encode() if isinstance(stdin, str) else stdin}
        done = subprocess.run(
            [*through, str(ROUTIC), *map(str, arguments)],
            cwd=self.cwd,
            env={**self.environ, **(env or {})},
            stdout=stdout,
            stderr=stderr,
            preexec_fn=before,
            timeout=DEADLINE,
            check=False,
            **options,
        )
        return Done(done.returncode, (done.stdout or b"").decode(), (done.stderr or b"").decode())

    def ok(self, *arguments: object, **options: Any) -> Done:
        """Run `routic`, which ends with 0."""
        done = self.run(*arguments, **options)
        assert done.code == 0, f"routic {' '.join(map(str, arguments))} ended with {done.code}: {done.err}"
        return done

    def start(
        self, *arguments: object, env: Mapping[str, str] | None = None, **options: Any
    ) -> subprocess.Popen[bytes]:
        """Start `routic` and go on."""
        streams = dict.fromkeys(("stdout", "stderr"), subprocess.PIPE) | {"stdin": subprocess.DEVNULL}
        command = [str(ROUTIC), *map(str, arguments)]
        return subprocess.Popen(command, cwd=self.cwd, env={**self.environ, **(env or {})}, **{**streams, **options})

    def shell(self, script: str, *, interpreter: tuple[str, ...] = ("bash", "-c")) -> Done:
        """Run a shell script in which `routic` is found."""
        path = f"{ROUTIC.parent}:{os.environ['PATH']}"
        done = subprocess.run(
            [*interpreter, script],
            cwd=self.cwd,
            env={**self.environ, "PATH": path},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def git(self, *arguments: str) -> str:
        """What git answers in the working directory."""
        command = ["git", "-c", "user.name=T", "-c", "user.email=t@example.org", *arguments]
        done = subprocess.run(
            command,
            cwd=self.cwd,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def make_repository(self) -> None:
        """Make the working directory a git repository with one commit, in which `.env` and its kin are ignored."""
        self.git("init", "--quiet", "--initial-branch=main")
        (self.cwd / ".gitignore").write_text(".env*\n")
        (self.cwd / "app.py").write_text("print('hello')\n")
        self.git("add", ".")
        self.git("commit", "--quiet", "--message=Begin")

    def committable(self) -> list[str]:
        """What `git add --all` would take up."""
        lines = self.git("status", "--porcelain", "--untracked-files=all").splitlines()
        return [line[3:] for line in lines]

    def files(self) -> Iterator[Path]:
        """Every file below the root, git's own included."""
        return (path for path in sorted(self.root.rglob("*")) if path.is_file() and not path.is_symlink())

    def snapshot(self) -> dict[str, str]:
        """Every file and folder below the root, with what is in it and its mode."""
        return {
            str(path.relative_to(self.root)): f"{path.lstat().st_mode:o} "
            + (hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "")
            for path in sorted(self.root.rglob("*"))
        }

    def holders(self, secret: str) -> list[str]:
        """The files below the root that have a secret in them."""
        return [str(path.relative_to(self.root)) for path in self.files() if secret.encode() in path.read_bytes()]
