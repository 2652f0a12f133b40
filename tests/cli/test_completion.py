"""Completion of names, as each shell asks for it; and through real shells where they can be had."""

from __future__ import annotations

import json
import shutil
from typing import Final

import pytest

from tests.cli.conftest import Stocked
from tests.support.sandbox import Done, Sandbox

NAMES: Final = ["prod", "prod-worker", "staging"]
SHELLS: Final = ("bash", "zsh", "fish")


@pytest.fixture
def several(stocked: Stocked) -> Sandbox:
    """`prod`, `prod-worker`, `staging`, and `prod-old`, which is revoked."""
    lines = [{"name": name, "sha256": f"{n:064x}"} for n, name in enumerate(["prod-worker", "staging", "prod-old"])]
    stocked.sandbox.ok("keys", "import", "--from", "-", stdin="\n".join(map(json.dumps, lines)))
    stocked.sandbox.ok("keys", "revoke", "prod-old", "--yes")
    return stocked.sandbox


def ask(sandbox: Sandbox, shell: str, line: str) -> Done:
    """What a shell asks when Tab is pressed at the end of the line."""
    words = {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1)}
    words |= {"_TYPER_COMPLETE_ARGS": line, "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    return sandbox.run(env={**words, "_ROUTIC_COMPLETE": f"complete_{shell}"})


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("routic keys show ", NAMES),
        ("routic keys show prod", ["prod", "prod-worker"]),
        ("routic keys show prod-", ["prod-worker"]),
        ("routic keys show nosuch", []),
        ("routic keys rename st", ["staging"]),
        ("routic keys update pr", ["prod", "prod-worker"]),
        ("routic keys revoke prod st", ["staging"]),
        ("routic --quiet keys show st", ["staging"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_names_of_live_keys_are_offered(several: Sandbox, shell: str, line: str, offered: list[str]) -> None:
    done = ask(several, shell, line)
    assert done.err == ""
    listed = [name for name in [*NAMES, "prod-old"] if _offers(shell, done.out, name)]
    assert listed == offered


def _offers(shell: str, out: str, name: str) -> bool:
    match shell:
        case "bash":
            return name in out.splitlines()
        case "zsh":
            return f'"{name}":' in out
        case _:
            return any(line.split("\t")[0] == name for line in out.splitlines())


@pytest.mark.parametrize("shell", SHELLS)
def test_commands_and_options_are_offered(sandbox: Sandbox, shell: str) -> None:
    assert "rename" in ask(sandbox, shell, "routic keys re").out
    assert "create" not in ask(sandbox, shell, "routic keys re").out
    assert "--env-file" in ask(sandbox, shell, "routic keys create --env").out
    assert "expired" in ask(sandbox, shell, "routic keys list --status ").out


@pytest.mark.parametrize("shell", SHELLS)
def test_a_store_that_cannot_be_read_offers_nothing_and_says_nothing(several: Sandbox, shell: str) -> None:
    several.key_store.write_bytes(b"not a store")
    done = ask(several, shell, "routic keys show p")
    assert done.err == ""
    assert "prod" not in done.out


@pytest.mark.parametrize("shell", SHELLS)
def test_completion_makes_no_file(sandbox: Sandbox, shell: str) -> None:
    before = sandbox.snapshot()
    ask(sandbox, shell, "routic keys show ")
    assert sandbox.snapshot() == before


def test_bash_itself_completes_a_name(several: Sandbox) -> None:
    script = """
        eval "$(_ROUTIC_COMPLETE=source_bash routic)"
        complete -p routic >/dev/null || exit 1
        COMP_WORDS=(routic keys show pro) COMP_CWORD=3
        _routic_completion routic
        printf '%s\\n' "${COMPREPLY[@]}"
    """
    done = several.shell(script)
    assert (done.code, done.out.split(), done.err) == (0, ["prod", "prod-worker"], "")


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish itself is asked; it is in the image that CI runs in")
def test_fish_itself_completes_a_name(several: Sandbox) -> None:
    script = "_ROUTIC_COMPLETE=source_fish routic | source; complete --do-complete 'routic keys show pro'"
    done = several.shell(script, interpreter=("fish", "--no-config", "-c"))
    assert [line.split("\t")[0] for line in done.out.splitlines()] == ["prod", "prod-worker"]


@pytest.mark.parametrize("interpreter", ["bash", "zsh", "fish"])
def test_the_completion_script_is_in_the_shells_own_language(sandbox: Sandbox, interpreter: str) -> None:
    done = sandbox.run(env={"_ROUTIC_COMPLETE": f"source_{interpreter}"})
    assert "routic" in done.out
    assert done.err == ""
    if shutil.which(interpreter):
        script = sandbox.cwd / "script"
        script.write_text(done.out)
        assert sandbox.shell(f"{interpreter} -n script").err == ""
