"""The plain form of `export`, which is answered before anything heavy is imported."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from routic_cli.formats import NAMES
from tests.support.exporting import NOT_OURS, Home

# --- the quick way and the long one


PLAIN: Final = (
    *(f"prod --format {name}" for name in NAMES if name != "github"),
    "prod",
    "worker",
    "prod worker",
    "A=prod B=worker",
    "--var=X prod",
    "--var X prod",
    "--var X --var Y prod",
    "--format sh --format fish prod",
    "--store=keys.none prod",
    "--profile none prod",
    "nope",
    "prod nope",
    "A=prod A=worker",
    "--var 1x prod",
    "--var --quiet prod",
    "=prod",
    "A= prod",
    "prod --var",
    "--format= prod",
    "--format nope prod",
    "--form sh prod",
    "- prod",
    "prod --",
    "",
)


# Each line in a forked process, which has all code already: that of starting Python fifty times is not in question.
FORK: Final = """
import json, os, sys, tempfile
from routic_cli.__main__ import main
import routic_cli.app, routic_cli.quick, routic_cli.commands.export
answers = []
for arguments in json.load(sys.stdin):
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if child == 0:
            os.dup2(out.fileno(), 1), os.dup2(err.fileno(), 2)
            os._exit(main(arguments))
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        out.seek(0), err.seek(0)
        answers.append([code, out.read().decode(), err.read().decode()])
json.dump(answers, sys.stdout)
"""


def test_the_quick_way_says_what_the_long_way_says(home: Home) -> None:
    lines = [["export", *words.split()] for words in PLAIN]
    done = subprocess.run(
        [sys.executable, "-c", FORK],
        cwd=home.sandbox.cwd,
        env=home.sandbox.environ,
        input=json.dumps([*lines, *(["--quiet", *line] for line in lines)]),
        capture_output=True,
        text=True,
        check=True,
    )
    answers = json.loads(done.stdout)
    quick, long = answers[: len(lines)], answers[len(lines) :]
    assert [line for line, one, other in zip(lines, quick, long, strict=True) if one != other] == []
    assert {answer[0] for answer in quick} == {0, 2, 3}
    assert sum(home.prod in answer[1] for answer in quick) > len(NAMES)


SPY: Final = """
import sys
from routic_cli.__main__ import main
code = main(sys.argv[2:])
with open(sys.argv[1], "w") as file:
    file.write("\\n".join(sys.modules))
sys.exit(code)
"""


HEAVY: Final = frozenset(
    {"typer", "rich", "dotenv", "sqlite_utils", "keyring", "click", "pydantic", "asyncio", "secrets", "routic_cli.app"}
)


@pytest.mark.parametrize("words", ["prod", "prod worker", "A=prod", "--var A prod", "prod --format fish"])
def test_a_shell_that_starts_waits_for_nothing_that_export_does_not_need(
    home: Home, tmp_path: Path, words: str
) -> None:
    report = tmp_path / "modules"
    environ = {name: value for name, value in home.sandbox.environ.items() if not name.startswith("COVERAGE")}
    subprocess.run(
        [sys.executable, "-c", SPY, str(report), "export", *words.split()],
        cwd=home.sandbox.cwd,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
    )
    imported = set(report.read_text().splitlines())
    assert "routic_cli.quick" in imported
    assert sorted(imported & HEAVY) == []


@pytest.mark.parametrize(
    "words",
    [
        [NOT_OURS],
        ["prod", NOT_OURS],
        [f"A={NOT_OURS}"],
        ["--var", NOT_OURS, "prod"],
        [f"--format={NOT_OURS}", "prod"],
        ["--store", NOT_OURS, "prod"],
        ["--profile", NOT_OURS, "prod"],
        ["--output", NOT_OURS, "prod"],
        ["prod", "--", NOT_OURS],
    ],
    ids=lambda words: " ".join(words).replace(NOT_OURS, "KEY"),
)
def test_a_key_as_an_argument_is_refused_and_not_echoed(home: Home, words: list[str]) -> None:
    done = home.sandbox.run("export", *words)
    assert (done.code, "has the shape of a key" in done.err) == (2, True)
    assert NOT_OURS[:20] not in done.out + done.err
    assert home.prod not in done.out
