"""The one object that prints: data on standard output, talk on standard error, questions between the two."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping
from errno import EBADF

from routic_cli.domain.errors import ConfirmationNeededError, InterruptedByUserError, InvalidRequestError, RouticError
from routic_cli.output.streams import (
    STDERR,
    STDIN,
    STDOUT,
    Look,
    Stream,
    open_at_start,
)
from routic_cli.output.talk import DIM, Mark, Talk, clean


class ReaderGoneError(Exception):
    """The reader of standard output has seen enough, as `head` does. No OSError: Typer would make an exit 1 of it."""


class Console:
    """Made once per process. Everything that talks passes through `inert` and a mask for secrets; data does not.

    The descriptors and the environment are parameters for tests only.
    """

    def __init__(
        self,
        *,
        quiet: bool = False,
        no_input: bool = False,
        stdin_fd: int | None = None,
        stdout_fd: int | None = None,
        stderr_fd: int | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        env = os.environ if environ is None else environ
        self.quiet = quiet
        self.no_input = no_input
        self._stdin_fd = open_at_start(STDIN) if stdin_fd is None else stdin_fd
        self._out = Stream(open_at_start(STDOUT) if stdout_fd is None else stdout_fd, env)
        self._err = Stream(open_at_start(STDERR) if stderr_fd is None else stderr_fd, env)
        if not self._out.is_terminal:
            # Into a pipe data is UTF-8 whatever the locale: JSON demands it, and names come back as they went in.
            self._out.encoding = "utf-8"
        self._talk = Talk(self._err)
        self.before_printing: Callable[[], None] | None = None
        """What has to leave the screen first: a progress bar."""

    @property
    def stdin_is_terminal(self) -> bool:
        """Whether standard input is a terminal."""
        return os.isatty(self._stdin_fd)

    @property
    def stderr_is_terminal(self) -> bool:
        """Whether somebody reads along, and no collector of logs."""
        return self._err.is_terminal

    @property
    def stdout_is_terminal(self) -> bool:
        """Whether data is read by a person: tables then, lines otherwise."""
        return self._out.is_terminal

    @property
    def talk_stream(self) -> Stream:
        """Standard error itself, for a progress bar."""
        return self._err

    @property
    def look(self) -> Look:
        """Width, colours and characters of standard output."""
        return self._out.look

    @property
    def can_ask(self) -> bool:
        """Whether a question would reach a person: standard input and error are terminals, and input is allowed."""
        return not self.no_input and self.stdin_is_terminal and self._err.is_terminal

    def data(self, text: str) -> None:
        """The text as it is, whole, to standard output; the caller ends the line.

        ReaderGoneError when the reader has gone; RouticError when the text could not be written.
        """
        self._make_room()
        try:
            self._out.write(text)
        except BrokenPipeError as error:
            raise ReaderGoneError from error
        except OSError as error:
            closed = error.errno == EBADF
            why = "Standard output is closed" if closed else error.strerror or str(error)
            raise RouticError("The output could not be written", why=why, not_done="It is incomplete") from error

    def say(self, text: str, *, dim: bool = False) -> None:
        """A line of talk, also when quiet: what belongs to an answer and is no data."""
        self._make_room()
        self._talk.line(text, DIM if dim else "")

    def success(self, text: str) -> None:
        """What has been done."""
        if not self.quiet:
            self._marked(Mark.SUCCESS, text)

    def notice(self, text: str) -> None:
        """What is good to know."""
        if not self.quiet:
            self._marked(Mark.NOTICE, text)

    def warn(self, text: str) -> None:
        """What may go wrong; never silent."""
        self._marked(Mark.WARNING, text)

    def problem(self, text: str) -> None:
        """What is wrong with one thing of many, where the command goes on; never silent."""
        self._marked(Mark.FAILURE, text)

    def remedy(self, command: str) -> None:
        """The command that mends what the line before it was about."""
        self._make_room()
        self._talk.remedy(command)

    def error(self, error: RouticError, *, as_json: bool = False) -> None:
        """What happened, why, what did not happen, and the command that mends it; or the API's error object."""
        if as_json:
            from routic_cli.output.json_out import json_text  # json costs who fails under --json only
            from routic_cli.transport.wire import error_object  # the same

            self.say(json_text(error_object(error)))
            return
        self._marked(Mark.FAILURE, error.what)
        if details := " ".join(
            part if part.endswith("?") else f"{part.rstrip('.')}." for part in (error.why, error.not_done) if part
        ):
            self._talk.paragraph(details)
        if error.remedy:
            self._talk.remedy(error.remedy)

    def confirm(self, question: str) -> bool:
        """Ask on standard error; only `y` or `yes` is yes. ConfirmationNeededError where nobody can be asked."""
        if not self.can_ask:
            raise ConfirmationNeededError("This needs a confirmation, and there is no terminal to ask at")
        self._make_room()
        talk = self._talk
        talk.write(f"{talk.symbol(Mark.WARNING)} {clean(question)} {talk.styled('[y/N]', DIM)} ")
        answer = self._read_line()
        if not answer.endswith(b"\n"):
            self._talk.write("\n")  # the end of input leaves the cursor behind the question
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
                return getpass.getpass(f"{clean(prompt)}: ", stream=stream).strip()
            except getpass.GetPassWarning:
                raise RouticError(
                    "The secret was not read", why="This terminal would show it while it is typed"
                ) from None
            except EOFError:
                self._talk.write("\n")
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

    def _marked(self, mark: Mark, text: str) -> None:
        self._make_room()
        self._talk.marked(mark, text)

    def _make_room(self) -> None:
        if self.before_printing is not None:
            self.before_printing()
