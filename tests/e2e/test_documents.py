"""What the documents say is done: each block by the program that it is for, each list against the code."""

from __future__ import annotations

import os
import re
import shutil
import stat
from collections.abc import Iterator
from configparser import RawConfigParser
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from routic_cli.app import COMMANDS
from routic_cli.domain import errors
from routic_cli.formats import NAMES
from tests.support.sandbox import SECRET, Sandbox

ROOT: Final = Path(__file__).resolve().parents[2]
SHELL: Final = (ROOT / "docs/shell.md").read_text()
README: Final = (ROOT / "README.md").read_text()
# Every block of docs/shell.md, in its order. A new one fails until it is given a reader below.
BLOCKS: Final = [
    ("A shell", "bash"),
    ("A shell", "fish"),
    ("direnv", "sh"),
    ("GitHub Actions", "yaml"),
    ("GitLab CI", "yaml"),
    ("systemd", "sh"),
    ("systemd", "ini"),
    ("Docker", "sh"),
    ("Docker", "yaml"),
    ("Kubernetes", "sh"),
]


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: the heading it stands under, its language, its text."""

    heading: str
    language: str
    text: str


def blocks(document: str) -> Iterator[Block]:
    heading, lines = "", document.splitlines()
    rest = iter(lines)
    for line in rest:
        if line.startswith("#"):
            heading = line.lstrip("# ")
        elif line.startswith("```"):
            text = "".join(f"{inner}\n" for inner in iter(lambda: next(rest), "```"))
            yield Block(heading, line.removeprefix("```"), text)


def block(heading: str, language: str, document: str = SHELL) -> str:
    (found,) = (b for b in blocks(document) if (b.heading, b.language) == (heading, language))
    return found.text


def tool(name: str) -> str:
    """The program, which is no dependency of this project: without it there is nobody to ask, save in CI."""
    path = shutil.which(name)
    if path is None:
        assert "CI" not in os.environ, f".ci/run does not install {name}"
        pytest.skip(f"{name} is not installed, and nothing else reads its block")
    return path


@dataclass(frozen=True, slots=True)
class Home:
    """A repository with `prod-backend` in `.env`, and a folder of programs that stand for those of the reader."""

    sandbox: Sandbox
    secret: str

    def program(self, name: str, script: str) -> None:
        folder = self.sandbox.root / "bin"
        folder.mkdir(exist_ok=True)
        path = folder / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def bash(self, script: str) -> str:
        """What the script prints, run so that any error ends it."""
        path = f'PATH="{self.sandbox.root}/bin:$PATH"\n'
        done = self.sandbox.shell(path + script, interpreter=("bash", "-e", "-u", "-o", "pipefail", "-c"))
        assert done.code == 0, done.err
        return done.out


@pytest.fixture
def home(repository: Sandbox) -> Home:
    repository.ok("keys", "create", "--name", "prod-backend", "--env-file", ".env")
    (secret,) = SECRET.findall((repository.cwd / ".env").read_text())
    return Home(repository, secret)


# --- docs/shell.md


def test_each_block_of_the_recipes_is_tested_here() -> None:
    assert [(b.heading, b.language) for b in blocks(SHELL)] == BLOCKS


def test_the_lines_for_shells_work_in_bash(home: Home) -> None:
    printed = home.bash(block("A shell", "bash") + '\nprintf "last: %s" "$ROUTIC_API_KEY"\n')
    assert f"\nOPENAI_API_KEY={home.secret}\n" in f"\n{printed}"
    assert printed.endswith(f"last: {home.secret}")


def test_the_line_for_fish_works_in_fish(home: Home) -> None:
    script = block("A shell", "fish") + "\nprintenv ROUTIC_API_KEY"
    done = home.sandbox.shell(script, interpreter=(tool("fish"), "--no-config", "-c"))
    assert (done.code, done.out) == (0, f"{home.secret}\n")


def test_the_envrc_works_in_direnv(home: Home) -> None:
    direnv = tool("direnv")
    (home.sandbox.cwd / ".envrc").write_text(block("direnv", "sh"))
    printed = home.bash(f"{direnv} allow; {direnv} exec . printenv ROUTIC_API_KEY")
    assert printed == f"{home.secret}\n"


def test_the_steps_for_github_hand_the_key_to_the_steps_that_follow(home: Home) -> None:
    export, program = (step["run"] for step in yaml.safe_load(block("GitHub Actions", "yaml")))
    file = home.sandbox.root / "github.env"
    file.touch()
    home.sandbox.extra["GITHUB_ENV"] = str(file)
    assert home.bash(export) == f"::add-mask::{home.secret}\n"
    name, _, value = file.read_text().strip().partition("=")
    home.sandbox.extra[name] = value
    (home.sandbox.cwd / "app.py").write_text("import os\nprint(os.environ['ROUTIC_API_KEY'])\n")
    home.program("python", 'exec python3 "$@"')
    assert home.bash(program) == f"{home.secret}\n"


def test_the_job_for_gitlab_runs_its_script_with_the_key(home: Home) -> None:
    job = yaml.safe_load(block("GitLab CI", "yaml"))["deploy"]
    script = home.sandbox.cwd / "deploy.sh"
    script.write_text("#!/bin/sh\nprintenv ROUTIC_API_KEY\n")
    script.chmod(0o755)
    assert home.bash("\n".join(job["script"])) == f"{home.secret}\n"


def test_the_unit_for_systemd_reads_the_file_that_the_command_before_it_writes(home: Home) -> None:
    folder = home.sandbox.root / "etc"
    folder.mkdir()
    command, unit = block("systemd", "sh"), RawConfigParser()
    unit.optionxform = str  # type: ignore[method-assign,assignment]  # systemd tells letters apart
    unit.read_string(block("systemd", "ini"))
    path = unit["Service"]["EnvironmentFile"]
    assert f"--output {path} " in command
    assert Path(unit["Service"]["ExecStart"]).is_absolute()
    home.bash(command.replace("/etc/myapp", str(folder)))
    file = folder / Path(path).name
    # systemd.exec(5): VAR=VALUE lines; a value of letters, digits and `-` needs no quotes, and may have double ones.
    assert re.fullmatch(rf'ROUTIC_API_KEY="?{home.secret}"?\n', file.read_text())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_unit_is_one_that_systemd_takes(home: Home, tmp_path: Path) -> None:
    analyze = tool("systemd-analyze")
    unit = tmp_path / "myapp.service"
    unit.write_text(block("systemd", "ini").replace("/usr/bin/myapp", "/bin/true"))
    home.sandbox.extra["SYSTEMD_LOG_LEVEL"] = "warning"
    said = home.sandbox.shell(f"{analyze} verify --man=no {unit}").err
    assert [line for line in said.splitlines() if "myapp.service" in line] == []


def test_the_container_reads_the_file_that_the_command_before_it_writes(home: Home) -> None:
    # An engine is more than there may be here: this stands where `docker` is, and reads as its documentation says.
    home.program("docker", 'test "$*" = "run --env-file routic.env myapp"\ncat "$3"')
    (home.sandbox.cwd / ".gitignore").write_text("*.env\n.env*\n")
    checked, read = home.bash(block("Docker", "sh")).splitlines()
    assert (checked.split("\t")[:2], read) == (["routic.env", "fine"], f"ROUTIC_API_KEY={home.secret}")
    (service,) = yaml.safe_load(block("Docker", "yaml"))["services"].values()
    assert service["env_file"] == "routic.env"
    assert (home.sandbox.cwd / service["env_file"]).exists()


def test_the_manifest_is_a_secret_with_the_key(home: Home) -> None:
    home.program("kubectl", 'test "$*" = "apply -f -"\ncat')
    manifest: Any = yaml.safe_load(home.bash(block("Kubernetes", "sh")))
    assert (manifest["kind"], manifest["metadata"]["name"]) == ("Secret", "prod-backend")
    import base64

    assert base64.b64decode(manifest["data"]["ROUTIC_API_KEY"]).decode() == home.secret


# --- README.md


def test_the_first_five_minutes_work_as_they_are_written(sandbox: Sandbox) -> None:
    sandbox.git("init", "--quiet")
    (sandbox.cwd / "app.py").write_text("print('hello')\n")
    done = sandbox.shell(
        block("First five minutes", "sh", README), interpreter=("bash", "-e", "-u", "-o", "pipefail", "-c")
    )
    assert done.code == 0, done.err
    (secret,) = SECRET.findall((sandbox.cwd / ".env").read_text())
    assert secret not in done.out + done.err
    assert sandbox.committable() == [".gitignore", "app.py"]
    assert sandbox.holders(secret) == ["work/.env"]
    assert {key["name"]: key["status"] for key in sandbox.ok("keys", "list", "--all", "--json").data["data"]} == {
        "prod-backend": "active",
        "nightly": "revoked",
    }


def test_every_command_is_in_the_table_and_the_table_has_no_other() -> None:
    table = README.partition("## Commands")[2].partition("\n\n`REF`")[0]
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    named = {
        tuple(re.findall(r"^[a-z ]+", code)[0].split()) for cell in cells for code in re.findall("`([^`]+)`", cell)
    }
    assert named | {("keys", "rotate")} == {entry.words for entry in COMMANDS}
    assert "Also `keys rotate`" in table


def test_every_command_is_in_the_help(sandbox: Sandbox) -> None:
    helps = {
        word: sandbox.ok(*word.split(), "--help").out for word in {" ".join(entry.words[:-1]) for entry in COMMANDS}
    }
    for entry in COMMANDS:
        assert f"\n  {entry.words[-1]} " in helps[" ".join(entry.words[:-1])]


def test_every_option_that_the_table_names_is_in_the_help_of_its_command(sandbox: Sandbox) -> None:
    table = README.partition("## Commands")[2].partition("\n\n`REF`")[0]
    for line in table.splitlines():
        if line.startswith("| `"):
            words = re.findall(r"`([a-z ]+)", line)[0].split()
            shown = sandbox.ok(*words, "--help").out
            assert [option for option in re.findall(r"--[a-z-]+", line) if option not in shown] == []


def test_every_format_is_named() -> None:
    (row,) = (line for line in README.splitlines() if line.startswith("| `export "))
    assert [name for name in NAMES if name != "sh" and name not in row] == []


def test_every_exit_code_is_named() -> None:
    paragraph = README.partition("**Exit codes.**")[2].partition("\n\n")[0]
    named = {int(code) for code in re.findall(r"(?:^|· )\s*(\d+) ", " ".join(paragraph.split()))}
    classes = [
        kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.RouticError)
    ]
    findings = 9  # the code of an answer, not of an error
    assert named == {0, findings, *(kind.exit_code for kind in classes)}


def test_the_recipes_name_no_command_or_option_that_does_not_exist(sandbox: Sandbox) -> None:
    for text in (b.text for b in blocks(SHELL)):
        for line in re.findall(r"routic ([^)|#\n]+)", text):
            words = line.partition(" -- ")[0].split()
            command = max((e.words for e in COMMANDS if tuple(words[: len(e.words)]) == e.words), key=len, default=())
            if command:
                shown = sandbox.ok(*command, "--help").out
                assert [word for word in words if word.startswith("--") and word not in shown] == []
