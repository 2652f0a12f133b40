"""What real readers of `.env` files make of an edited one: sh, bash, python-dotenv and node see the same value."""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from routic_cli.delivery.dotenv_text import read_variables, set_variable
from routic_cli.domain.key_format import ALPHABET

VARIABLE = "ROUTIC_API_KEY"
# Files that a shell can source: what stands above, the old assignment, what stands below.
ABOVE = [
    "",
    "\n",
    "# it's a note\n",
    "export A=1\n",
    "A='x y' # note\n",
    "A='1\nROUTIC_API_KEY=decoy\n'\n",
]
OLD = [
    "",
    "ROUTIC_API_KEY=old\n",
    "export ROUTIC_API_KEY=old\n",
    "ROUTIC_API_KEY=\n",
    "ROUTIC_API_KEY= # later\n",
    "ROUTIC_API_KEY=old # note\n",
    'ROUTIC_API_KEY="old value"\n',
    "ROUTIC_API_KEY='two\nlines'\n",
    "ROUTIC_API_KEY=1\nROUTIC_API_KEY=2\n",
    "#ROUTIC_API_KEY=old\n",
    "ROUTIC_API_KEY=old\nexport ROUTIC_API_KEY\n",
]
BELOW = ["", "\n\n", "B=2\n", "B=2", "# end", "B=a\\\n"]
# Every character that a value may have, in every position that could matter: first, last, between.
VALUES = [f"sk-{ALPHABET[turn:]}{ALPHABET[:turn]}"[:48] for turn in range(0, len(ALPHABET), 7)] + [
    f"{edge}x{edge}" for edge in "-_.0aZ"
]

NODE = """
const {readFileSync} = require("fs"), {parseEnv} = require("util");
console.log(JSON.stringify(process.argv.slice(1).map(file => parseEnv(readFileSync(file, "utf8")).ROUTIC_API_KEY)));
"""


@pytest.fixture(scope="module")
def edited(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, str]:
    """Every combination as a file, with the value that was set in it."""
    directory, values, files = tmp_path_factory.mktemp("files"), itertools.cycle(VALUES), {}
    for number, parts in enumerate(itertools.product(ABOVE, OLD, BELOW)):
        file, value = directory / str(number), next(values)
        file.write_bytes(set_variable("".join(parts).encode(), VARIABLE, value))
        files[file] = value
    return files


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_shells_read_the_value_from_every_file(edited: dict[Path, str], shell: str) -> None:
    script = f'for file; do ( unset {VARIABLE}; . "$file"; printf "%s\\n" "${VARIABLE}" ); done'
    read = subprocess.run([shell, "-euc", script, shell, *edited], check=True, capture_output=True, text=True)
    assert read.stdout.splitlines() == list(edited.values())
    assert read.stderr == ""


def test_python_dotenv_reads_the_value_from_every_file(edited: dict[Path, str]) -> None:
    assert [read_variables(file.read_bytes())[VARIABLE] for file in edited] == list(edited.values())


@pytest.mark.skipif(
    shutil.which("node") is None, reason="node is no tool of this project: where there is none, none can be asked"
)
def test_node_reads_the_value_from_every_file(edited: dict[Path, str]) -> None:
    read = subprocess.run(["node", "-e", NODE, *edited], check=True, capture_output=True, text=True)
    assert json.loads(read.stdout) == list(edited.values())
    file, value = next(iter(edited.items()))
    print_it = ["node", f"--env-file={file}", "-p", f"process.env.{VARIABLE}"]
    assert subprocess.run(print_it, check=True, capture_output=True, text=True).stdout == f"{value}\n"
