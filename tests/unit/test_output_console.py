"""Talk is told from data, is never in the way of a script, and says everything an error has to say."""

from __future__ import annotations

import json
import os
from collections.abc import Callable

import pytest

from routic_cli.domain.errors import NameTakenError, RouticError
from routic_cli.domain.minting import mint_secret
from routic_cli.output.console import Console

TAKEN = NameTakenError(
    "The name 'prod-backend' is taken",
    why="key_0h7tq9x2m4n5p6r7 has it and is active",
    not_done="No key was created",
    remedy="routic keys create --name prod-backend-2",
    param="name",
)


def printed(act: Callable[[Console], None], *, quiet: bool = False, **env: str) -> tuple[str, str]:
    """What arrives at standard output and standard error, both pipes."""
    out, err = os.pipe(), os.pipe()
    act(Console(quiet=quiet, stdout_fd=out[1], stderr_fd=err[1], environ=env))
    texts = []
    for read, write in (out, err):
        os.close(write)
        with os.fdopen(read, encoding="utf-8") as stream:
            texts.append(stream.read())
    return texts[0], texts[1]


def test_data_is_written_as_it_is() -> None:
    text = "sk-\x1b[31m\u202e[bold]\n"

    assert printed(lambda console: console.data(text)) == (text, "")


def test_an_error_says_what_why_what_did_not_happen_and_what_to_type() -> None:
    out, err = printed(lambda console: console.error(TAKEN))

    assert out == ""
    assert err.splitlines() == [
        "✗ The name 'prod-backend' is taken",
        "  key_0h7tq9x2m4n5p6r7 has it and is active. No key was created.",
        "  Try: routic keys create --name prod-backend-2",
    ]


def test_an_error_with_nothing_more_to_say_is_one_line() -> None:
    assert printed(lambda console: console.error(RouticError("It failed")))[1] == "✗ It failed\n"


def test_an_error_in_json_is_the_error_object_of_the_api_in_one_line() -> None:
    out, err = printed(lambda console: console.error(TAKEN, as_json=True))

    assert out == ""
    assert err.count("\n") == 1
    assert json.loads(err)["error"]["code"] == "name_taken"
    assert json.loads(err)["error"]["param"] == "name"


def test_marks_tell_the_kinds_of_talk_apart() -> None:
    def talk(console: Console) -> None:
        console.success("done")
        console.notice("2 left out")
        console.warn("careful")
        console.problem("broken")
        console.remedy("routic doctor")
        console.say("as it is")

    assert printed(talk) == ("", "✓ done\n→ 2 left out\n! careful\n✗ broken\n  Try: routic doctor\nas it is\n")


def test_an_empty_line_has_no_mark_and_no_line_ends_with_a_space() -> None:
    def talk(console: Console) -> None:
        console.notice("")
        console.notice("one\n\ntwo\n")

    assert printed(talk) == ("", "\n→ one\n\n  two\n\n")


def test_quiet_silences_success_and_notices_but_no_warning_error_or_answer() -> None:
    def talk(console: Console) -> None:
        console.success("done")
        console.notice("2 left out")
        console.warn("careful")
        console.say("as it is")
        console.error(RouticError("failed"))

    assert printed(talk, quiet=True) == ("", "! careful\nas it is\n✗ failed\n")


@pytest.mark.parametrize("method", ["say", "success", "notice", "warn"])
def test_all_talk_is_inert(method: str) -> None:
    _, err = printed(lambda console: getattr(console, method)("a\x1b[2J\u202eb\nnext"))

    assert "a\\x1b[2J\\u202eb\n" in err
    assert err.endswith("next\n")


def test_a_hostile_error_cannot_begin_a_line_of_its_own() -> None:
    hostile = RouticError("what\n✓ done", why="why\n✓ done\x1b[1A", remedy="rm\n✓ done")

    _, err = printed(lambda console: console.error(hostile))

    assert not [line for line in err.splitlines() if line.startswith("✓")]
    assert "\x1b" not in err


@pytest.mark.parametrize("as_json", [True, False])
def test_no_error_message_shows_a_secret(as_json: bool) -> None:
    secret = mint_secret().reveal()
    careless = RouticError(f"The server answered {secret}", why=secret, not_done=secret, remedy=f"routic {secret}")

    _, err = printed(lambda console: console.error(careless, as_json=as_json))

    assert secret[5:30] not in err
    assert "The server answered sk-" in err


def test_forced_colour_reaches_a_pipe_and_ends_where_it_should() -> None:
    assert printed(lambda console: console.success("done"), FORCE_COLOR="1")[1] == "\x1b[32m✓\x1b[0m done\n"
    assert printed(lambda console: console.say("aside", dim=True), FORCE_COLOR="1")[1] == "\x1b[2maside\x1b[0m\n"


def test_talk_that_cannot_be_written_does_not_stop_the_work() -> None:
    read, write = os.pipe()
    os.close(read)

    Console(stderr_fd=write, environ={}).warn("nobody reads this")

    os.close(write)
