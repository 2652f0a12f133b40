"""Start-up is a feature: what a command does not need is not imported. Modules are counted, never milliseconds."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Final

import pytest

from tests.cli.conftest import Stocked

# Each costs tens of milliseconds and more, and none of them is needed to look something up.
HEAVY: Final = frozenset(
    {
        "rich",
        "sqlite_utils",
        "keyring",
        "dotenv",
        "pydantic",
        "httpx",
        "httpx2",
        "requests",
        "click",
        "asyncio",
        "secrets",
        "tomlkit",
        "ssl",
    }
)
SPY: Final = """
import sys
from routic_cli.__main__ import main
try:
    main(sys.argv[2:])
finally:
    modules = sorted(sys.modules)
    import json
    with open(sys.argv[1], "w") as file:
        json.dump(modules, file)
"""


def imported_by(stocked: Stocked, *arguments: str, stdin: str = "") -> set[str]:
    """The modules that one command line imports."""
    report = stocked.sandbox.root / "modules"
    environ = {name: value for name, value in stocked.sandbox.environ.items() if not name.startswith("COVERAGE")}
    done = subprocess.run(
        [sys.executable, "-c", SPY, str(report), *arguments],
        cwd=stocked.sandbox.cwd,
        env=environ,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout
    return set(json.loads(report.read_text()))


@pytest.mark.parametrize(
    ("arguments", "light"),
    [
        (["--version"], HEAVY | {"typer", "sqlite3", "json", "routic_cli.app", "dataclasses", "inspect"}),
        (["--help"], HEAVY | {"sqlite3"}),
        (["keys", "--help"], HEAVY | {"sqlite3"}),
        (["keys", "list"], HEAVY),
        (["keys", "list", "--json"], HEAVY),
        (["keys", "show", "prod"], HEAVY),
        (["keys", "show", "prod", "--json"], HEAVY),
        (["keys", "verify"], HEAVY),
        (["keys", "verify", "--offline"], HEAVY),
        (["config", "path"], HEAVY | {"sqlite3", "tomllib"}),
        (["config", "list"], HEAVY | {"sqlite3", "tomllib"}),
        (["config", "get", "store"], HEAVY | {"sqlite3", "tomllib"}),
        (["auth", "status"], HEAVY | {"sqlite3", "tomllib"}),
        (["--store", "https://keys.example.com", "config", "list"], HEAVY | {"sqlite3", "tomllib"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_command_does_not_import_what_it_does_not_need(
    stocked: Stocked, arguments: list[str], light: frozenset[str]
) -> None:
    imported = imported_by(stocked, *arguments, stdin=stocked.secret)
    assert sorted(imported & light) == []


def test_only_the_command_that_runs_is_loaded(stocked: Stocked) -> None:
    commands = {name for name in imported_by(stocked, "keys", "list") if name.startswith("routic_cli.commands.keys.")}
    assert commands == {"routic_cli.commands.keys.list"}
    assert not any(name.startswith("routic_cli.commands.") for name in imported_by(stocked, "--help"))
