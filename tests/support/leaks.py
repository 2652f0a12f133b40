"""Keys in a real repository, some of which a scanner reports: for the commands that close an incident."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.support.sandbox import SECRET, Done, Sandbox

RESPOND: Final = ("keys", "revoke", "--from", "-", "--leaked", "--yes")
REPLACE: Final = (*RESPOND, "--replace")
_TRY: Final = re.compile(r"^\s*Try: routic (.*)$", re.MULTILINE)


def finding(
    secret: str, *, file: str = "src/app.py", line: int = 3, date: str = "", commit: str = ""
) -> dict[str, Any]:
    """One finding, as gitleaks writes it."""
    return {
        "RuleID": "routic-api-key",
        "Description": "A key of routic",
        "StartLine": line,
        "EndLine": line,
        "StartColumn": 1,
        "EndColumn": 48,
        "Match": f"key={secret}",
        "Secret": secret,
        "File": file,
        "SymlinkFile": "",
        "Commit": commit,
        "Entropy": 4.9,
        "Author": "A",
        "Email": "a@example.org",
        "Date": date,
        "Message": "Begin",
        "Tags": [],
        "Fingerprint": f"{commit}:{file}:routic-api-key:{line}",
    }


def gitleaks(*found: str | dict[str, Any]) -> str:
    """A report of these secrets."""
    return json.dumps([each if isinstance(each, dict) else finding(each) for each in found])


def secret_in(path: Path, variable: str = "ROUTIC_API_KEY") -> str:
    """What an application would read from the file."""
    (line,) = (line for line in path.read_text().splitlines() if line.startswith(f"{variable}="))
    return line.partition("=")[2]


@dataclass(slots=True)
class Machine:
    """A sandbox, and what it printed so far, in which no secret may be."""

    sandbox: Sandbox
    printed: list[str] = field(default_factory=list)

    def run(self, *arguments: object, **options: Any) -> Done:
        done = self.sandbox.run(*arguments, **options)
        self.printed += [done.out, done.err]
        assert SECRET.search(done.out + done.err) is None, "a key was printed"
        return done

    def respond(self, report: str, *more: object, code: int = 0) -> Done:
        done = self.run(*REPLACE, *more, stdin=report)
        assert done.code == code, f"{done.code}: {done.err}"
        return done

    def verdict(self, secret: str) -> str:
        """What the store says of a secret."""
        return str(self.sandbox.run("keys", "verify", "--json", stdin=secret).data["status"])

    def is_let_in(self, secret: str) -> bool:
        return self.sandbox.run("keys", "verify", stdin=secret).code == 0

    def key(self, ref: str) -> dict[str, Any]:
        shown: dict[str, Any] = self.sandbox.ok("keys", "show", ref, "--json").data
        return shown

    def follow(self, done: Done) -> Done:
        """Run the command that an error proposes."""
        (line,) = _TRY.findall(done.err)
        return self.sandbox.shell(f"routic {line}")

    @property
    def env_file(self) -> Path:
        return self.sandbox.cwd / ".env"


def actions(done: Done) -> Sequence[tuple[str, str, bool]]:
    """What the object says was done: name, action, changed."""
    return [(each["key"]["name"], each["action"], each["changed"]) for each in done.data["keys"]]
