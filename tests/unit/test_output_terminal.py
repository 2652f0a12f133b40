"""What a person sees: everything here is printed to a real pseudo-terminal and read off its screen."""

from __future__ import annotations

import os
import pty
import sys
import termios
import threading
import warnings
from collections.abc import Mapping, Sequence
from types import MappingProxyType, TracebackType
from typing import Self

import pexpect
import pyte
import pytest

from routic_cli.delivery.sink import Placement
from routic_cli.domain.errors import ConfirmationNeededError, InvalidRequestError, NameTakenError, RouticError
from routic_cli.domain.keys import Key, KeyId, KeyStatus, KeyTraits, KeyVersion
from routic_cli.domain.minting import mint_secret
from routic_cli.domain.secret import Fingerprint
from routic_cli.output.console import Console
from routic_cli.output.json_out import print_json
from routic_cli.output.panel import print_key, print_pairs
from routic_cli.output.progress import progress
from routic_cli.output.tables import print_keys, print_table

NOW = 1_790_000_000
DAY = 86400
WIDTHS = (120, 80, 60, 40, 30)

NAMES = (
    "a",
    "prod-backend",
    "ci-nightly-evaluation-runner",
    "数据平台-生产环境",
    "customer-facing-summarisation-service.eu-west-1.behind-the-proxy",
    "Z" * 64,
    "数" * 64,
)


class Terminal:
    """A pseudo-terminal with a console at it. `output` is all that was written once the block has ended."""

    def __init__(
        self, columns: int = 80, env: Mapping[str, str] = MappingProxyType({}), *, quiet: bool = False
    ) -> None:
        self._master, self._slave = pty.openpty()
        termios.tcsetwinsize(self._slave, (500, columns))
        self._columns = columns
        self.output = b""
        self.console = Console(
            quiet=quiet,
            stdin_fd=self._slave,
            stdout_fd=self._slave,
            stderr_fd=self._slave,
            environ={"TERM": "xterm-256color", **env},
        )
        self._reader = threading.Thread(target=self._read)

    def __enter__(self) -> Self:
        self._reader.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._slave)
        self._reader.join()
        os.close(self._master)

    def type(self, keys: bytes) -> None:
        os.write(self._master, keys)

    def screen(self) -> list[str]:
        screen = pyte.Screen(self._columns, 500)
        pyte.ByteStream(screen).feed(self.output)
        return [line.rstrip() for line in screen.display]

    def _read(self) -> None:
        while True:
            try:
                self.output += os.read(self._master, 65536)
            except OSError:  # how Linux tells that the other end was closed
                return


def key(number: int, name: str, status: KeyStatus = KeyStatus.ACTIVE, *, expires_at: int | None = None) -> Key:
    version = KeyVersion(1, Fingerprint("0" * 64), "sk-AbCd…WxYz", NOW - 30 * DAY)
    traits = KeyTraits(name, expires_at=expires_at)
    return Key(KeyId(f"key_0h7tq9{number:010d}"), traits, status, (version,), NOW - 30 * DAY, NOW - 3600)


def shown(terminal: Terminal) -> str:
    """The screen without its white space: what is folded reads on."""
    return "".join("".join(terminal.screen()).split())


def keys_on(columns: int, names: Sequence[str], env: Mapping[str, str] = MappingProxyType({})) -> Terminal:
    with Terminal(columns, env) as terminal:
        print_keys(terminal.console, [key(n, name) for n, name in enumerate(names)], NOW)
    return terminal


@pytest.mark.parametrize("columns", WIDTHS)
def test_every_name_and_every_id_can_be_read_at_every_width(columns: int) -> None:
    terminal = keys_on(columns, NAMES)

    for number, name in enumerate(NAMES):
        key_id = key(number, name).id
        assert name + key_id in shown(terminal)
        assert any(key_id in line for line in terminal.screen()), "an id is never broken"


@pytest.mark.parametrize("columns", WIDTHS)
def test_the_table_itself_keeps_to_the_width(columns: int) -> None:
    from rich.cells import cell_len

    with Terminal(columns, {"NO_COLOR": "1"}) as terminal:
        print_keys(terminal.console, [key(n, name) for n, name in enumerate(NAMES)], NOW)

    assert max(cell_len(line) for line in terminal.output.decode().split("\r\n")) <= columns


@pytest.mark.parametrize(
    ("columns", "headers"),
    [
        (120, "NAME ID STATUS HINT EXPIRES LAST USED CREATED"),
        (80, "NAME ID STATUS HINT EXPIRES LAST USED"),
        (70, "NAME ID STATUS HINT EXPIRES"),
        (64, "NAME ID STATUS EXPIRES"),
        (50, "NAME ID STATUS"),
        (40, "NAME ID"),
    ],
)
def test_lesser_columns_go_first(columns: int, headers: str) -> None:
    terminal = keys_on(columns, ["prod-backend", "staging"])

    assert " ".join(terminal.screen()[0].split()) == headers


def test_columns_are_aligned_below_wide_characters_and_long_names() -> None:
    with Terminal(100, {"NO_COLOR": "1"}) as terminal:
        print_keys(terminal.console, [key(n, name) for n, name in enumerate(["数据", "prod", "Z" * 64])], NOW)

    # Python counts one for each of the two wide characters, the terminal two.
    first, second, name, third = terminal.output.decode().split("\r\n")[1:5]
    assert name == "Z" * 64
    assert second.index("key_") == third.index("key_") == first.index("key_") + 2


def test_a_very_narrow_terminal_gets_a_block_for_each_key() -> None:
    assert keys_on(39, ["prod", "staging"]).screen()[:7] == [
        "prod",
        "  key_0h7tq90000000000",
        "  active",
        "",
        "staging",
        "  key_0h7tq90000000001",
        "  active",
    ]


@pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {"TERM": "dumb"}, {"CLICOLOR": "0"}], ids=str)
def test_without_colour_there_is_no_escape_byte_in_anything(env: dict[str, str]) -> None:
    with Terminal(80, env) as terminal:
        print_keys(terminal.console, [key(1, "prod"), key(2, "old", KeyStatus.REVOKED)], NOW)
        print_key(terminal.console, key(1, "prod"), [(Placement("env", "/srv/.env", "ROUTIC_API_KEY"), "current")], NOW)
        terminal.console.success("done")
        terminal.console.warn("careful")
        terminal.console.error(NameTakenError("taken", why="it is", remedy="routic keys list"))

    assert b"\x1b" not in terminal.output


def test_a_dumb_terminal_gets_ascii() -> None:
    with Terminal(80, {"TERM": "dumb"}) as terminal:
        print_keys(terminal.console, [key(1, "prod")], NOW)
        print_key(terminal.console, key(1, "prod"), [], NOW)
        terminal.console.success("done")
        terminal.console.notice("by the way")
        terminal.console.error(RouticError("failed"))

    assert terminal.output.isascii()
    assert b"sk-AbCd...WxYz" in terminal.output
    assert b"+ done" in terminal.output
    assert b"- by the way" in terminal.output
    assert b"x failed" in terminal.output


def test_status_has_its_colour() -> None:
    with Terminal() as terminal:
        print_keys(terminal.console, [key(1, "a"), key(2, "b", KeyStatus.EXPIRED), key(3, "c", KeyStatus.REVOKED)], NOW)

    assert b"\x1b[32mactive\x1b[0m" in terminal.output
    assert b"\x1b[33mexpired\x1b[0m" in terminal.output
    assert b"\x1b[2;31mrevoked\x1b[0m" in terminal.output


@pytest.mark.parametrize("columns", WIDTHS)
@pytest.mark.parametrize("env", [{}, {"NO_COLOR": "1"}], ids=["colour", "plain"])
def test_hostile_names_are_inert_and_whole(columns: int, env: dict[str, str]) -> None:
    hostile = ["[bold]prod[/bold]", ":key:", "\x1b[31mred", "a\u202eb", "tab\there", "line\nbreak", "https://x.y/[z]"]
    terminal = keys_on(columns, hostile, env)

    for name in (
        "[bold]prod[/bold]",
        ":key:",
        r"\x1b[31mred",
        r"a\u202eb",
        r"tab\there",
        r"line\nbreak",
        "https://x.y/[z]",
    ):
        assert f"{name}key_" in shown(terminal)
    assert "\u202e" not in terminal.output.decode()
    assert b"\x1b[31mred" not in terminal.output


@pytest.mark.parametrize("columns", WIDTHS)
def test_a_key_is_described_whole_at_every_width(columns: int) -> None:
    place = Placement("env", "/home/ada/projects/shop/services/backend/.env", "ROUTIC_API_KEY")
    with Terminal(columns) as terminal:
        print_key(terminal.console, key(5, NAMES[4], expires_at=NOW + 87 * DAY), [(place, "retiring")], NOW)

    assert any("key_0h7tq90000000005" in line for line in terminal.screen())
    assert any("2026-12-17T14:13:20Z" in line for line in terminal.screen())
    for text in (NAMES[4], "in 87 days", "sk-AbCd…WxYz", place.location, place.variable):
        assert "".join(text.split()) in shown(terminal)


def test_json_is_indented_for_a_person() -> None:
    with Terminal() as terminal:
        print_json(terminal.console, {"id": "key_0"})

    assert terminal.screen()[:3] == ["{", '  "id": "key_0"', "}"]


@pytest.mark.parametrize("columns", WIDTHS)
def test_a_table_of_findings_loses_no_word(columns: int) -> None:
    finding = "git tracks .env: the secret would be part of the next commit and of every clone that is made of it"
    with Terminal(columns) as terminal:
        print_table(terminal.console, ["severity", "rule", "finding"], [("refuse", "tracked", finding)])
        print_pairs(terminal.console, [("Meaning", finding)])

    joined = " ".join(" ".join(terminal.screen()).split())
    assert joined.count(finding) == 2


def test_talk_is_wrapped_between_words_and_a_command_never() -> None:
    command = "routic keys create --name prod-backend-2 --env-file .env"
    with Terminal(40) as terminal:
        terminal.console.error(NameTakenError("The name is taken", why="word " * 20 + "end", remedy=command))

    screen = terminal.screen()
    assert screen[0] == "✗ The name is taken"
    assert screen[1].startswith("  word word")
    assert f"Try: {command}" in terminal.output.decode().replace("\x1b[2m", "").replace("\x1b[0m", "")


@pytest.mark.parametrize(
    ("answer", "meaning"),
    [
        (b"y\n", True),
        (b"YES\n", True),
        (b" y \n", True),
        (b"\n", False),
        (b"n\n", False),
        (b"yep\n", False),
        (b"\x04", False),
    ],
)
def test_only_yes_is_yes(answer: bytes, meaning: bool) -> None:
    with Terminal() as terminal:
        terminal.type(answer)
        assert terminal.console.confirm("Revoke 'prod\x1b'?") is meaning

    assert r"! Revoke 'prod\x1b'? [y/N]" in "\n".join(terminal.screen())


def test_what_is_typed_after_the_answer_is_left_for_the_next_question() -> None:
    with Terminal() as terminal:
        terminal.type(b"n\ny\n")
        assert not terminal.console.confirm("One?")
        assert terminal.console.confirm("Two?")


def test_without_a_terminal_or_without_leave_nobody_is_asked() -> None:
    with Terminal() as terminal:
        terminal.console.no_input = True
        assert not terminal.console.can_ask
        with pytest.raises(ConfirmationNeededError):
            terminal.console.confirm("Sure?")
        with pytest.raises(InvalidRequestError):
            terminal.console.prompt_secret("Key")

    assert terminal.output == b""


_ASK = """
from routic_cli.output.console import Console
from routic_cli.domain.errors import InterruptedByUserError
console = Console()
try:
    typed = console.prompt_secret("Key")
    console.data(f"{len(typed)} characters\\n")
except InterruptedByUserError as error:
    console.error(error)
"""


def test_a_secret_is_typed_without_echo() -> None:
    secret = mint_secret().reveal()
    child = pexpect.spawn(sys.executable, ["-c", _ASK], encoding="utf-8")
    child.expect_exact("Key: ")
    child.sendline(secret)
    child.expect(pexpect.EOF)
    child.close()

    assert child.exitstatus == 0
    assert "48 characters" in child.before
    assert secret[3:10] not in child.before


def test_the_end_of_input_at_the_hidden_prompt_is_an_interruption() -> None:
    child = pexpect.spawn(sys.executable, ["-c", _ASK], encoding="utf-8")
    child.expect_exact("Key: ")
    child.sendeof()
    child.expect(pexpect.EOF)
    child.close()

    assert "Nothing was entered" in child.before


def test_a_secret_is_not_read_where_it_would_be_echoed(monkeypatch: pytest.MonkeyPatch) -> None:
    import getpass

    monkeypatch.setattr(getpass, "getpass", getpass.fallback_getpass)  # type: ignore[attr-defined]  # what getpass resorts to
    with Terminal() as terminal, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(RouticError, match="The secret was not read"):
            terminal.console.prompt_secret("Key")

    assert b"Key" not in terminal.output


class Clock:
    """Time as the test says."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("seconds", "quiet", "env", "seen"),
    [
        (0.9, False, {}, False),
        (1.1, False, {}, True),
        (1.1, False, {"NO_COLOR": "1"}, True),
        (1.1, True, {}, False),
        (1.1, False, {"TERM": "dumb"}, False),
    ],
    ids=str,
)
def test_a_bar_for_long_work_only(seconds: float, quiet: bool, env: dict[str, str], seen: bool) -> None:
    clock = Clock()
    with Terminal(60, env, quiet=quiet) as terminal, progress(terminal.console, "Reading", 10, clock=clock) as bar:
        bar.advance(2)
        clock.now = seconds
        bar.advance(3)

    assert ("Reading" in terminal.output.decode() and "5/10" in terminal.output.decode()) is seen
    assert not any(terminal.screen()), "it leaves nothing behind"


@pytest.mark.parametrize(("columns", "total"), [(60, 1000), (20, 1000), (60, None)])
def test_talk_and_data_take_the_bars_place(columns: int, total: int | None) -> None:
    clock = Clock()
    with Terminal(columns) as terminal, progress(terminal.console, "Reading", total, clock=clock) as bar:
        for _ in range(3):
            clock.now += 2
            bar.advance()
        terminal.console.warn("bad line")
        clock.now += 2
        bar.advance()
        terminal.console.data("data\r\n")

    assert [line for line in terminal.screen() if line] == ["! bad line", "data"]


def test_the_bar_disappears_when_the_work_fails() -> None:
    clock = Clock()

    def fail(console: Console) -> None:
        with progress(console, "Reading", 10, clock=clock) as bar:
            clock.now = 2
            bar.advance()
            raise RuntimeError("disk gone")

    with Terminal() as terminal, pytest.raises(RuntimeError, match="disk gone"):
        fail(terminal.console)

    assert b"Reading" in terminal.output
    assert not any(terminal.screen())
