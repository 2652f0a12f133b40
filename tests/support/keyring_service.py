"""A D-Bus session of its own with gnome-keyring in it, and `secret-tool` to see what is kept there."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Final, Self

_PROMPTER: Final = "org.gnome.keyring.SystemPrompter"
_BUS: Final = """<busconfig>
  <type>session</type>
  <listen>unix:path={root}/bus</listen>
  <servicedir>{root}/services</servicedir>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>
  </policy>
</busconfig>"""


class SecretService:
    """Nothing of the machine's own session: the bus knows no service but those that are started here.

    On leaving the context, every process that was started has ended.
    """

    def __init__(self) -> None:
        self._stack = ExitStack()
        # Not below pytest's own folder: the path of a socket has 107 characters at most.
        self._root = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="routic-")))
        self._keeper: subprocess.Popen[bytes] | None = None

    @property
    def environ(self) -> dict[str, str]:
        """What a program needs to find the session."""
        return {"DBUS_SESSION_BUS_ADDRESS": f"unix:path={self._root}/bus"}

    def __enter__(self) -> Self:
        (self._root / "services").mkdir()
        config = self._root / "bus.conf"
        config.write_text(_BUS.format(root=self._root))
        bus = subprocess.Popen(
            ["dbus-daemon", f"--config-file={config}", "--nofork", "--print-address"],
            env=self._environ(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._stack.callback(_end, bus)
        assert bus.stdout is not None
        assert bus.stdout.readline(), "the bus did not start"
        return self

    def __exit__(self, *_: object) -> None:
        self.end_keeper()
        self._stack.close()

    def start_keeper(self, *, password: str | None) -> None:
        """Start gnome-keyring: its collection made or unlocked with a password, or left as it is."""
        mode = "--start" if password is None else "--unlock"
        keeper = subprocess.Popen(
            ["gnome-keyring-daemon", "--foreground", mode, "--components=secrets"],
            env=self._environ(),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._keeper = keeper
        assert keeper.stdin is not None
        with keeper.stdin:
            keeper.stdin.write((password or "").encode())
        deadline = time.monotonic() + 30
        while not self._has_owner():
            assert keeper.poll() is None, "gnome-keyring ended"
            assert time.monotonic() < deadline, "gnome-keyring is not to be found on the bus"
            time.sleep(0.02)

    def end_keeper(self) -> None:
        """End gnome-keyring, as logging out does. What it kept stays, locked."""
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            _end(keeper)

    def let_prompts_hang(self) -> None:
        """Whoever is to be asked for a password sits before a prompt and does not answer."""
        service = f"[D-BUS Service]\nName={_PROMPTER}\nExec=/bin/sleep 300\n"
        (self._root / "services" / f"{_PROMPTER}.service").write_text(service)

    def stop(self) -> None:
        """The service is there, and says nothing."""
        assert self._keeper is not None
        self._keeper.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """The service goes on where it was stopped."""
        assert self._keeper is not None
        self._keeper.send_signal(signal.SIGCONT)

    def store(self, user: str, secret: str, *, service: str = "routic") -> None:
        """Another program makes an entry."""
        subprocess.run(
            ["secret-tool", "store", "--label=test", "service", service, "username", user],
            env=self._environ(),
            input=secret,
            text=True,
            timeout=60,
            check=True,
        )

    def lookup(self, user: str, *, service: str = "routic") -> str | None:
        """What another program reads of an entry; None when there is none."""
        done = subprocess.run(
            ["secret-tool", "lookup", "service", service, "username", user],
            env=self._environ(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.stderr == ""
        return done.stdout if done.returncode == 0 else None

    def users(self, *, service: str = "routic") -> list[str]:
        """The user names of all entries of a service."""
        done = subprocess.run(
            ["secret-tool", "search", "--all", "service", service],
            env=self._environ(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        lines = (done.stdout + done.stderr).splitlines()  # the attributes go to standard error
        return sorted(line.partition(" = ")[2] for line in lines if line.startswith("attribute.username = "))

    def _environ(self) -> dict[str, str]:
        root = str(self._root)
        kept = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
        return {**kept, **self.environ, "HOME": root, "XDG_DATA_HOME": root, "XDG_RUNTIME_DIR": root}

    def _has_owner(self) -> bool:
        bus = "org.freedesktop.DBus"
        done = subprocess.run(
            [
                *("dbus-send", f"--bus={self.environ['DBUS_SESSION_BUS_ADDRESS']}", "--print-reply=literal"),
                *(f"--dest={bus}", "/", f"{bus}.NameHasOwner", "string:org.freedesktop.secrets"),
            ],
            env=self._environ(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return done.stdout.split() == ["boolean", "true"]


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()  # also one that was stopped
    process.wait()
    if process.stdout is not None:
        process.stdout.close()
