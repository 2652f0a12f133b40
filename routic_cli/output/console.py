"""The one object that prints: data on standard output, talk on standard error, questions between the two."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from textwrap import wrap
from typing import Final

from routic_cli.domain.errors import ConfirmationNeededError, InterruptedByUserError, InvalidRequestError, RouticError
from routic_cli.output.inert import inert, inert_lines, without_secrets
from routic_cli.output.streams import (
    STDERR,
    STDIN,
    STDOUT,
    Look,
    Stream,
    encoding_of_standard_stream,
    is_terminal,
)

_RESET: Final = "\x1b[0m"
_BOLD: Final = "\x1b[1m"
_DIM: Final = "\x1b[2m"
_RED: Final = "\x1b[31m"
_GREEN: Final = "\x1b[32m"
_YELLOW: Final = "\x1b[33m"

# Symbol and what stands for it where the encoding or the terminal cannot show it; one column each.
_SUCCESS: Final = ("✓", "+")
_FAILURE: Final = ("✗", "x")
_WARNING: Final = ("!", "!")
_NOTICE: Final = ("→", "-")

_NARROWEST_WRAP: Final = 20


class Console:
    """Made once per process. Everything that talks passes through `inert` and a mask for secrets; data does not.

    The descriptors and the environment are parameters for tests only.
    """

    def __init__(
        self,
        *,
        quiet: bool = False,
        no_input: bool = False,
        stdin_fd: int = STDIN,
        stdout_fd: int = STDOUT,
        stderr_fd: int = STDERR,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        env = os.environ if environ is None else environ
        self.quiet = quiet
        self.no_input = no_input
        self._stdin_fd = stdin_fd
        # Into a pipe data is UTF-8 whatever the locale: JSON demands it, and names come back as they went in.
        out_encoding = encoding_of_standard_stream(stdout_fd) if is_terminal(stdout_fd) else "utf-8"
        self._out = Stream(stdout_fd, env, encoding=out_encoding)
        self._err = Stream(stderr_fd, env, encoding=encoding_of_standard_stream(stderr_fd))

    @property
    def stdin_is_terminal(self) -> bool:
        """Whether standard input is a terminal."""
        return is_terminal(self._stdin_fd)

    @property
    def stdout_is_terminal(self) -> bool:
        """Whether data is read by a person: tables then, lines otherwise."""
        return self._out.is_terminal

    @property
    def stderr_is_terminal(self) -> bool:
        """Whether a progress bar makes sense."""
        return self._err.is_terminal

    @property
    def look(self) -> Look:
        """Width, colours and characters of standard output."""
        return self._out.look

    @property
    def talk_look(self) -> Look:
        """Width, colours and characters of standard error."""
        return self._err.look

    @property
    def can_ask(self) -> bool:
        """Whether a question would reach a person: standard input and error are terminals, and input is allowed."""
        return not self.no_input and self.stdin_is_terminal and self._err.is_terminal

    def data(self, text: str) -> None:
        """The text as it is, whole, to standard output; the caller ends the line.

        BrokenPipeError when the reader has gone; RouticError when the text could not be written.
        """
        try:
            self._out.write(text)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise RouticError("The output could not be written", why=error.strerror or str(error)) from error

    def say(self, text: str, *, dim: bool = False) -> None:
        """A line of talk, also when quiet: what belongs to an answer and is no data."""
        self._talk(self._styled(inert_lines(without_secrets(text)), _DIM if dim else ""))

    def success(self, text: str) -> None:
        """What has been done."""
        if not self.quiet:
            self._marked(_SUCCESS, _GREEN, text)

    def notice(self, text: str) -> None:
        """What is good to know."""
        if not self.quiet:
            self._marked(_NOTICE, _DIM, text)

    def warn(self, text: str) -> None:
        """What may go wrong; never silent."""
        self._marked(_WARNING, _YELLOW, text)

    def error(self, error: RouticError, *, as_json: bool = False) -> None:
        """What happened, why, what did not happen, and the command that mends it; or the API's error object."""
        if as_json:
            from routic_cli.output.json_out import json_text  # noqa: PLC0415  # json costs who fails under --json only
            from routic_cli.transport.wire import error_object  # noqa: PLC0415  # the same

            self._talk(without_secrets(json_text(error_object(error))))
            return
        self._marked(_FAILURE, _RED, error.what)
        details = " ".join(f"{part.rstrip('.')}." for part in (error.why, error.not_done) if part)
        if details:
            self._talk(self._indented(details))
        if error.remedy:
            label = self._styled("Try:", _DIM)
            self._talk(f"  {label} {inert_lines(without_secrets(error.remedy)).replace(chr(10), chr(10) + '       ')}")

    def confirm(self, question: str) -> bool:
        """Ask on standard error; only `y` or `yes` is yes. ConfirmationNeededError where nobody can be asked."""
        if not self.can_ask:
            raise ConfirmationNeededError("This needs a confirmation, and there is no terminal to ask at")
        mark = self._mark(_WARNING, _YELLOW)
        self._write_talk(f"{mark} {inert_lines(without_secrets(question))} {self._styled('[y/N]', _DIM)} ")
        answer = self._read_line()
        if not answer.endswith(b"\n"):
            self._write_talk("\n")  # the end of input leaves the cursor behind the question
        return answer.strip().lower() in {b"y", b"yes"}

    def prompt_secret(self, prompt: str) -> str:
        """A line typed without echo, without the white space around it; never read where echo cannot be turned off."""
        if not self.can_ask:
            raise InvalidRequestError(
                "A secret is needed, and there is no terminal to ask at", why="It can also come from standard input"
            )
        import getpass

        with warnings.catch_warnings(), open(self._err.fd, "w", encoding="utf-8", closefd=False) as stream:
            warnings.simplefilter("error", getpass.GetPassWarning)
            try:
                return getpass.getpass(f"{inert(prompt)}: ", stream=stream).strip()
            except getpass.GetPassWarning:
                raise RouticError(
                    "The secret was not read", why="This terminal would show it while it is typed"
                ) from None
            except EOFError:
                self._write_talk("\n")
                raise InterruptedByUserError("Nothing was entered") from None

    def _read_line(self) -> bytes:
        """Byte by byte: what comes after the line belongs to the next reader."""
        line = b""
        while not line.endswith(b"\n"):
            byte = os.read(self._stdin_fd, 1)
            if not byte:
                break
            line += byte
        return line

    def _marked(self, symbol: tuple[str, str], colour: str, text: str) -> None:
        body = inert_lines(without_secrets(text)).replace("\n", "\n  ")
        self._talk(f"{self._mark(symbol, colour)} {body}")

    def _mark(self, symbol: tuple[str, str], colour: str) -> str:
        return self._styled(symbol[0] if self._err.look.unicode else symbol[1], colour)

    def _styled(self, text: str, style: str) -> str:
        return f"{style}{text}{_RESET}" if style and self._err.look.colour else text

    def _indented(self, text: str) -> str:
        """Two columns in; wrapped on a terminal, between words only, so that paths and commands stay whole."""
        lines = inert_lines(without_secrets(text)).split("\n")
        if self._err.is_terminal:
            width = max(self._err.look.width - 2, _NARROWEST_WRAP)
            lines = [
                part
                for line in lines
                for part in wrap(line, width, break_long_words=False, break_on_hyphens=False) or [""]
            ]
        return "\n".join(f"  {line}" for line in lines)

    def _talk(self, text: str) -> None:
        self._write_talk(text + "\n")

    def _write_talk(self, text: str) -> None:
        """Talk that cannot be written is lost: the work matters more, and its exit code says how it ended."""
        try:
            self._err.write(text)
        except OSError:
            return
