"""A repository to plant keys in: one that is active, one that is revoked, one that the store does not know."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from routic_cli.domain.key_format import hint_of
from routic_cli.domain.minting import mint_secret
from tests.support.sandbox import Done, Sandbox


@dataclass(frozen=True, slots=True)
class Planted:
    """The machine, and the keys: `prod` is active, `old` revoked, and of `stranger` the store has never heard."""

    sandbox: Sandbox
    prod: str
    old: str
    stranger: str

    @property
    def top(self) -> Path:
        return self.sandbox.cwd

    def write(self, name: str, content: str | bytes) -> Path:
        file = self.top / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file

    def commit(self, name: str, content: str | bytes, message: str = "work") -> str:
        """Write a file and commit it; the commit's id."""
        self.write(name, content)
        self.sandbox.git("add", "--force", "--", name)
        self.sandbox.git("commit", "--quiet", "--message", message)
        return self.sandbox.git("rev-parse", "HEAD").strip()

    def scan(self, *arguments: object, code: int | None = None, **options: Any) -> Done:
        """Run `routic scan`, which never prints a key, whatever else it does."""
        done = self.sandbox.run("scan", *arguments, **options)
        for secret in (self.prod, self.old, self.stranger):
            assert secret not in done.out + done.err, "a key was printed"
        if code is not None:
            assert done.code == code, f"ended with {done.code}: {done.out}{done.err}"
        return done

    def found(self, *arguments: object, code: int = 9) -> list[tuple[str | None, int | None, str | None, str]]:
        """File, line, commit and status of what `routic scan --json` tells."""
        data = self.scan(*arguments, "--json", code=code).data["data"]
        return [(each["file"], each["line"], each["commit"], each["status"]) for each in data]

    def hint(self, secret: str) -> str:
        return hint_of(secret)


def plant(sandbox: Sandbox) -> Planted:
    """The keys and an empty history."""
    sandbox.make_repository()
    keys = {name: sandbox.ok("keys", "create", "--name", name).secret for name in ("prod", "old")}
    sandbox.ok("keys", "revoke", "old", "--yes")
    return Planted(sandbox, keys["prod"], keys["old"], mint_secret().reveal())
