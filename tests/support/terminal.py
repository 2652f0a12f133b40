"""`routic` on a real terminal: what a person types, and what the screen shows."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType
from typing import Final, Literal, Self

import pyte

from tests.support.sandbox import DEADLINE, ROUTIC, Done, Sandbox

Where = Literal["terminal", "pipe"]
_CHUNK: Final = 65536


class Terminal:
    """A running `routic`. The keyboard and standard error are one terminal, standard output is another.

    So that the two outputs can be told apart and each is a terminal for routic; `together` makes them one, as a person
    has it. A stream can be a pipe instead.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        *arguments: object,
        stdin: Where = "terminal",
        stdout: Where = "terminal",
        stderr: Where = "terminal",
        together: bool = False,
        columns: int = 80,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self._columns = columns
        keyboard, keyboard_end = _open_terminal(columns)
        out, out_end = (keyboard, keyboard_end) if together else _open(stdout, columns)
        err, err_end = (keyboard, keyboard_end) if stderr == "terminal" else os.pipe()
        self._keyboard, self._out, self._err = keyboard, out, err
        self._received: dict[int, bytes] = dict.fromkeys((keyboard, out, err), b"")
        self._open = set(self._received)
        try:
            self._process = subprocess.Popen(
                [str(ROUTIC), *map(str, arguments)],
                stdin=keyboard_end if stdin == "terminal" else subprocess.DEVNULL,
                stdout=out_end,
                stderr=err_end,
                cwd=sandbox.cwd,
                env={**sandbox.environ, **(env or {})},
                start_new_session=True,
                # Nothing else gives a child its controlling terminal, where getpass reads; there are no threads here.
                preexec_fn=lambda: fcntl.ioctl(keyboard_end, termios.TIOCSCTTY, 0),  # noqa: PLW1509
            )
        finally:
            for end in {keyboard_end, out_end, err_end}:
                os.close(end)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with suppress(ProcessLookupError):
            self._process.kill()
        self._process.wait()
        for end in self._received:
            os.close(end)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def out(self) -> str:
        """What was written to standard output so far."""
        return self._text(self._out)

    @property
    def err(self) -> str:
        """What was written to standard error so far; with it, what the terminal echoed of the typing."""
        return self._text(self._err)

    @property
    def echo(self) -> str:
        """What the keyboard's terminal shows: where standard error is a pipe, nothing but the typing."""
        return self._text(self._keyboard)

    def screen(self, stream: Literal["out", "err"] = "out") -> list[str]:
        """The lines as a person sees them, without the empty ones below."""
        screen = pyte.Screen(self._columns, 200)
        pyte.ByteStream(screen).feed(self._received[self._out if stream == "out" else self._err])
        return "\n".join(line.rstrip() for line in screen.display).rstrip().split("\n")

    def expect(self, text: str) -> None:
        """Wait until the terminal shows it."""
        deadline = time.monotonic() + DEADLINE
        while text not in self.err + self.out:
            assert self._open, f"{text!r} never came: {self.err + self.out!r}"
            self._pump(deadline)

    def type(self, text: str) -> None:
        """Press keys; `\\r` is Enter, `\\x03` Ctrl-C, `\\x04` Ctrl-D."""
        os.write(self._keyboard, text.encode())

    def is_echoing(self) -> bool:
        """Whether the terminal shows what is typed."""
        return bool(termios.tcgetattr(self._keyboard)[3] & termios.ECHO)

    def finish(self) -> Done:
        """Wait for the end."""
        deadline = time.monotonic() + DEADLINE
        while self._open:
            self._pump(deadline)
        return Done(self._process.wait(DEADLINE), self.out, self.err)

    def _pump(self, deadline: float) -> None:
        ready, _, _ = select.select(sorted(self._open), [], [], max(deadline - time.monotonic(), 0))
        assert ready, f"nothing more came: {self.err + self.out!r}"
        for end in ready:
            try:
                data = os.read(end, _CHUNK)
            except OSError:  # EIO: nobody has the terminal open any more
                data = b""
            self._received[end] += data
            if not data:
                self._open.discard(end)

    def _text(self, end: int) -> str:
        return self._received[end].decode().replace("\r\n", "\n")


def _open(where: Where, columns: int) -> tuple[int, int]:
    return _open_terminal(columns) if where == "terminal" else os.pipe()


def _open_terminal(columns: int) -> tuple[int, int]:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    return ours, theirs
