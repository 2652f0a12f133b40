"""A key in three files, and the moments around a rotation of it."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.support.sandbox import SECRET, Done, Sandbox

FILES: Final = (".env", "api/.env", "../elsewhere/.env")


BEFORE: Final = {
    ".env": b"# kept\r\nOTHER=1\r\nexport ROUTIC_API_KEY=old   # why\r\nLAST=x",
    "api/.env": b"\xef\xbb\xbfROUTIC_API_KEY=old\nROUTIC_API_KEY_2=b\n",
    "../elsewhere/.env": b"",
}


MORNING: Final = "2027-01-15 08:00:00"


A_SECOND_SHORT_OF_A_DAY_LATER: Final = "2027-01-16 07:59:59"


A_DAY_LATER: Final = "2027-01-16 08:00:00"


@dataclass(frozen=True, slots=True)
class Placed:
    """A key called `prod` in three files: at the top of a repository, deeper in it, and outside of it."""

    sandbox: Sandbox
    key: dict[str, Any]
    secret: str

    def file(self, name: str) -> Path:
        return self.sandbox.cwd / name

    def contents(self) -> dict[str, bytes]:
        return {name: self.file(name).read_bytes() for name in FILES if self.file(name).exists()}

    def held(self) -> list[str]:
        """The secret in each file."""
        return [SECRET.findall(content.decode())[0] for content in self.contents().values()]

    def rotate(self, *arguments: object, at: str = "", **options: Any) -> Done:
        return self.sandbox.run("rotate", "prod", *arguments, env={"FAKETIME": at or MORNING}, **options)

    def rotated(self, *arguments: object, at: str = "") -> str:
        """Rotate, which ends with 0; the new secret in the first file."""
        done = self.rotate(*arguments, at=at)
        assert done.code == 0, done.err
        return self.held()[0]

    def verify(self, secret: str, *, at: str = "") -> int:
        return self.sandbox.run("keys", "verify", stdin=secret, env={"FAKETIME": at or MORNING}).code

    def show(self) -> dict[str, Any]:
        shown: dict[str, Any] = self.sandbox.ok("keys", "show", "prod", "--json").data
        return shown

    def status(self) -> dict[str, Any]:
        shown: dict[str, Any] = self.rotate("--status", "--json").data
        return shown


def clock(at: str) -> dict[str, str]:
    """The environment in which a command sees this moment, UTC, and no other."""
    shown = subprocess.run(["faketime", "-f", at, "env"], capture_output=True, text=True, check=True).stdout
    preload = next(line for line in shown.splitlines() if line.startswith("LD_PRELOAD="))
    return {"TZ": "UTC", "FAKETIME": at, "LD_PRELOAD": preload.partition("=")[2]}
