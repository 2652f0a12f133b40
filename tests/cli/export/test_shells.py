"""`export`: a shell that evaluates it has the key, or a failure."""

from __future__ import annotations

from typing import Final

import pytest

from tests.support.exporting import FISH, NOT_OURS, SHELLS, Home, installed
from tests.support.sandbox import Done

# --- a shell that evaluates it


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell[0])
def test_a_shell_has_the_key_in_its_environment_after_eval(home: Home, shell: tuple[str, ...]) -> None:
    done = home.sandbox.shell(
        'set -e; eval "$(routic export prod)"; exec printenv ROUTIC_API_KEY', interpreter=installed(shell)
    )
    assert done == Done(0, f"{home.prod}\n", "")


@pytest.mark.parametrize("way", ["eval (routic export prod)", "routic export prod | source"])
def test_fish_has_the_key_in_its_environment(home: Home, way: str) -> None:
    done = home.sandbox.shell(f"{way}; and printenv ROUTIC_API_KEY", interpreter=installed(FISH))
    assert done == Done(0, f"{home.prod}\n", "")


@pytest.mark.parametrize(
    ("shell", "beginning"),
    [*((shell, "export ROUTIC_API_KEY=sk-") for shell in SHELLS), (FISH, "set -gx ROUTIC_API_KEY sk-")],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_the_shell_that_asks_is_answered_whatever_the_login_shell_is(
    home: Home, shell: tuple[str, ...], beginning: str
) -> None:
    script = "export SHELL=/usr/bin/fish; routic export prod; export SHELL=/bin/sh; routic export --quiet prod; true"
    done = home.sandbox.shell(script, interpreter=installed(shell))
    assert done.code == 0
    assert [line.startswith(beginning) for line in done.out.splitlines()] == [True, True]


def test_where_no_shell_asks_the_login_shell_is_the_guess_and_sh_without_one(home: Home) -> None:
    assert home.sandbox.ok("export", "prod").out == f"export ROUTIC_API_KEY={home.prod}\n"
    as_fish = home.sandbox.ok("export", "prod", env={"SHELL": "/usr/bin/fish"}).out
    assert as_fish == f"set -gx ROUTIC_API_KEY {home.prod};\n"


FAILURES: Final = [
    pytest.param("nope", 3, "No key is called 'nope'", id="no such key"),
    pytest.param("prod nope", 3, "No key is called 'nope'", id="one of two"),
    pytest.param("A=prod A=worker", 2, "Two keys would have the variable A", id="one variable for two"),
    pytest.param("--var 1x prod", 2, "cannot be the name of a variable", id="no variable"),
    pytest.param("--store keys.txt/x prod", None, "", id="no store"),
    pytest.param("--profile nope prod", 2, "There is no profile 'nope'", id="no profile"),
    pytest.param("--bad prod", 2, "No such option", id="no such option"),
    pytest.param("prod --format", 2, "--format", id="an option without its value"),
    pytest.param("--format nope prod", 2, "There is no export format 'nope'", id="no such format"),
    pytest.param(NOT_OURS, 2, "has the shape of a key", id="a key as an argument"),
]


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell[0])
def test_a_failed_export_ends_a_script_of_any_shell(home: Home, shell: tuple[str, ...]) -> None:
    script = 'set -e; eval "$(routic export nope)"; echo went on'
    done = home.sandbox.shell(script, interpreter=installed(shell))
    assert (done.code, done.out) == (1, "")
    assert "No key is called 'nope'" in done.err


@pytest.mark.parametrize(("words", "code", "complaint"), FAILURES)
def test_every_failed_export_ends_a_script_that_ends_on_errors(
    home: Home, words: str, code: int | None, complaint: str
) -> None:
    shell = ("bash", "-c")
    script = f'set -e; eval "$(routic export {words})"; echo went on'
    done = home.sandbox.shell(script, interpreter=installed(shell))
    assert (done.code, done.out) == (1, "")
    assert complaint in done.err
    asked = home.sandbox.shell(f"routic export {words}; exit $?", interpreter=shell)
    assert asked.out == "false\n"
    assert asked.code == code if code is not None else asked.code != 0
    assert NOT_OURS not in done.err + asked.err


@pytest.mark.parametrize("words", ["nope", "--bad prod"])
def test_a_failed_export_fails_in_fish(home: Home, words: str) -> None:
    for way in (f"eval (routic export {words})", f"routic export {words} | source"):
        done = home.sandbox.shell(f"{way}; or exit 9", interpreter=installed(FISH))
        assert (done.code, done.out) == (9, "")
        assert done.err.startswith("✗")


@pytest.mark.parametrize("chosen", ["dotenv", "systemd", "kubernetes", "json"])
def test_a_failed_export_of_data_prints_nothing(home: Home, chosen: str) -> None:
    done = home.sandbox.run("export", "--format", chosen, "nope")
    assert (done.code, done.out) == (3, "")


def test_an_error_under_json_is_one_object_on_standard_error_and_still_fails_the_shell(home: Home) -> None:
    done = home.sandbox.run("export", "nope", "--json")
    assert (done.code, done.out, done.error["code"]) == (3, "false\n", "key_not_found")
