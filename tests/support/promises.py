"""What SPEC section 8 promises of a delivery at every moment, checked on the files themselves."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.support.ground import Held, active_keys, open_operations, orphans, sha256
from tests.support.sandbox import SECRET, Done, Sandbox

NAME: Final = "worker"
CREATE: Final = ("keys", "create", "--name", NAME)
_CALLED_OFF: Final = re.compile(r"No key was created|Nothing was (changed|stored|done)|[Dd]iscard")
_LINE: Final = rb"ROUTIC_API_KEY=(sk-[0-9A-Za-z]{45})\n"


@dataclass(frozen=True, slots=True)
class Scene:
    """A repository with an ignored `.env`, before a delivery of a key called `worker` that something befalls."""

    sandbox: Sandbox
    before: bytes

    def assert_promises(self, done: Done) -> None:
        """What holds the moment a command has ended, whether by itself or by a signal."""
        delivered = SECRET.findall(done.out) + self.secrets_in_files()
        active = {key.sha256 for key in self.workers()}
        assert self.sandbox.committable() == []
        assert "Traceback" not in done.err
        if done.code == 0:
            assert delivered
            assert active == set(map(sha256, delivered))
        elif _CALLED_OFF.search(done.err) and "may be active" not in done.err:
            assert active == set(), f"it is active, and the message is: {done.err}"

    def assert_mended(self, done: Done) -> None:
        """What holds after the next command that changes something: here, making the same key again."""
        again = self.sandbox.run(*CREATE, "--env-file", ".env")
        assert again.code in {0, 5}, again.err
        assert orphans(self.sandbox, done.out) == []
        assert open_operations(self.sandbox.state_file) == 0
        assert self.sandbox.committable() == []
        assert [path for path in self.sandbox.files() if "routic-key_" in path.name or ".staged" in path.name] == []
        (worker,) = self.workers()
        in_files = {sha256(secret) for secret in self.secrets_in_files()}
        printed = {sha256(secret) for secret in SECRET.findall(done.out)}
        # One secret at most is in files, and it is the one that works.
        assert in_files <= {worker.sha256}
        assert worker.sha256 in (in_files if again.code == 0 else in_files | printed)
        assert done.code != 0 or again.code == 5

    def assert_untouched(self, done: Done, code: int = 1) -> None:
        """A delivery that failed before anything happened: no key, no file, and an error that says so."""
        assert done.code == code, done.err
        assert "No key was created" in done.err
        assert self.secrets_in_files() == []
        assert self.workers() == []
        self.assert_promises(done)
        self.assert_mended(done)

    def workers(self) -> list[Held]:
        """The live keys that are called `worker`; there is never a second one."""
        workers = [key for key in active_keys(self.sandbox.key_store) if key.name == NAME]
        assert len(workers) <= 1
        return workers

    def secrets_in_files(self) -> list[str]:
        """The secrets in `.env` and its kin, each of which is byte for byte as it was, or complete."""
        return [secret for path in sorted(self.sandbox.cwd.glob(".env*")) for secret in self._secrets_in(path)]

    def _secrets_in(self, path: Path) -> list[str]:
        before = self.before if path.name == ".env" else b""
        content = path.read_bytes()
        assert content.startswith(before)
        added = content.removeprefix(before)
        assert re.fullmatch(_LINE if added else b"", added), f"half a file: {path.name}"
        return SECRET.findall(added.decode())
