"""What the real readers of each export format make of it: the value, whatever is in it."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from routic_cli import formats
from routic_cli.domain.errors import InvalidRequestError
from routic_cli.domain.secret import Secret
from routic_cli.formats import Entry
from tests.support import format_rules
from tests.support.docker_engine import docker_engine

Variables = dict[str, str]

# What one reader or another acts on, at both ends, alone and twice.
SPECIAL: Final = "'\"`$\\ #%!&|<>;*?~(){}[]=^@:+,-_./\u2018\u2019é😀"
NASTY: Final = [
    "sk-0aZ",
    *(f"{char}x{char}{char}x{char}" for char in SPECIAL),
    *SPECIAL.replace(" ", ""),
    "$HOME ${HOME} $(id) `id` %PATH% !! $$ $1",
    "'\"'\"'\\''\\",
    "\\n\\t\\x41\\u0041\\0",
    r"a\\b \\host\share",
    "-e --help /?",
    "~root =ls",
    "A=B EOF <<EOF",
    "::add-mask::x%0A%25",
    "true",
    "1e3",
]
BEYOND: Final = ["a\nb", "\n", "a\n\n", "\ta\r\nb\r", "\x01\x1b[31m\x7f\x85", "\u202ex\u2028y\ufeff\ufffe"]

PRINTABLE: Final = st.text(
    st.sampled_from(SPECIAL) | st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=16
)
ANYTHING: Final = st.text(
    st.sampled_from(SPECIAL + "\n\r\t") | st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
    min_size=1,
    max_size=16,
)
# One process reads a whole batch.
few = settings(max_examples=8, deadline=None)


def batches(values: st.SearchStrategy[str], size: int = 40) -> st.SearchStrategy[list[str]]:
    return st.lists(values, min_size=1, max_size=size)


def tool(name: str) -> str:
    """The program, which is no dependency of this project: without it there is nobody to ask, save in CI."""
    path = shutil.which(name)
    if path is None:
        assert "CI" not in os.environ, f".ci/run does not install {name}"
        pytest.skip(f"{name} is not installed, and nothing else reads its format")
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("formats")


def run(folder: Path, *command: str | Path, check: bool = True, **more: str) -> subprocess.CompletedProcess[bytes]:
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C.UTF-8", **more}
    return subprocess.run(command, env=environ, cwd=folder, capture_output=True, check=check, timeout=60)


def entries_of(values: Sequence[str]) -> list[Entry]:
    return [Entry(f"V{number}", Secret(value), "prod-backend") for number, value in enumerate(values)]


def expected(values: Sequence[str]) -> Variables:
    return {f"V{number}": value for number, value in enumerate(values)}


def carried(format_name: str, values: Sequence[str]) -> list[str]:
    """Those of the values that the format takes; tests/unit/test_formats.py says which it has to take."""
    chosen, taken = formats.load(format_name), []
    for value in values:
        try:
            chosen.render(entries_of([value]))
        except InvalidRequestError:
            continue
        taken.append(value)
    return taken


def written(folder: Path, format_name: str, values: Sequence[str], file: str = "exported") -> Path:
    path = folder / file
    path.write_bytes(formats.load(format_name).render(entries_of(values)).encode())
    return path


def ours(output: bytes) -> Variables:
    """The variables V0, V1 … in what `env -0` prints."""
    pairs = (line.decode().partition("=") for line in output.split(b"\0"))
    return {name: value for name, _, value in pairs if re.fullmatch(r"V\d+", name)}


SHELL_READS: Final = 'eval "$(cat "$1")"; exec env -0'


@pytest.mark.parametrize(
    "shell", [("sh",), ("dash",), ("bash",), ("bash", "--posix"), ("zsh", "-f"), ("zsh", "-f", "-o", "rcquotes")]
)
@given(values=batches(ANYTHING))
@example(values=NASTY + BEYOND)
@few
def test_sh(folder: Path, shell: tuple[str, ...], values: list[str]) -> None:
    tool(shell[0])
    file = written(folder, "sh", values)
    assert ours(run(folder, *shell, "-euc", SHELL_READS, "-", file).stdout) == expected(values)


@pytest.mark.parametrize("way", ["cat $argv[1] | source; env -0", "eval (cat $argv[1]); env -0"])
@given(values=batches(ANYTHING))
@example(values=NASTY + BEYOND)
@few
def test_fish(folder: Path, way: str, values: list[str]) -> None:
    fish = tool("fish")
    file = written(folder, "fish", values)
    assert ours(run(folder, fish, "--no-config", "-c", way, file).stdout) == expected(values)


@given(values=batches(ANYTHING))
@example(values=NASTY + BEYOND)
@few
def test_nushell(folder: Path, values: list[str]) -> None:
    nu = tool("nu")
    written(folder, "nushell", values)
    script = "/bin/cat exported | from json | load-env; ^env -0"
    assert ours(run(folder, nu, "--no-config-file", "-c", script).stdout) == expected(values)


@given(values=batches(ANYTHING))
@example(values=NASTY + BEYOND)
@few
def test_direnv(folder: Path, values: list[str]) -> None:
    direnv = tool("direnv")
    written(folder, "direnv", values)
    assert ours(in_envrc(folder, direnv, 'eval "$(cat exported)"').stdout) == expected(values)


def in_envrc(folder: Path, direnv: str, line: str) -> subprocess.CompletedProcess[bytes]:
    (folder / ".envrc").write_text(f"{line}\n")
    run(folder, direnv, "allow")
    return run(folder, direnv, "exec", folder, "env", "-0", check=False)


@given(values=batches(ANYTHING))
@example(values=NASTY + BEYOND)
def test_powershell_by_its_published_rules(values: list[str]) -> None:
    script = formats.load("powershell").render(entries_of(values))
    assert format_rules.powershell(script) == expected(values)


@given(values=batches(PRINTABLE))
@example(values=NASTY)
def test_cmd_by_its_published_rules(values: list[str]) -> None:
    taken = carried("cmd", values)
    assert format_rules.cmd(formats.load("cmd").render(entries_of(taken))) == expected(taken)


def read_by_python_dotenv(folder: Path, file: Path) -> Variables:
    from dotenv import dotenv_values

    return {name: value for name, value in dotenv_values(file).items() if value is not None}


def read_by_node(folder: Path, file: Path) -> Variables:
    done = run(folder, tool("node"), f"--env-file={file}", "-p", "JSON.stringify(process.env)")
    return {name: value for name, value in json.loads(done.stdout).items() if name.startswith("V")}


def read_by_sourcing(folder: Path, file: Path) -> Variables:
    return ours(run(folder, "sh", "-euc", 'set -a; . "$1"; exec env -0', "-", file).stdout)


@pytest.mark.parametrize("read", [read_by_python_dotenv, read_by_node, read_by_sourcing])
@given(values=batches(PRINTABLE))
@example(values=NASTY)
@few
def test_dotenv(folder: Path, read: Callable[[Path, Path], Variables], values: list[str]) -> None:
    taken = carried("dotenv", values)
    assert read(folder, written(folder, "dotenv", taken)) == expected(taken)


@pytest.fixture(scope="module")
def created(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Path], list[dict[str, Any]]]]:
    """What the docker client asks its engine to create, given an `--env-file`. A socket's path has to be short."""
    docker, folder = tool("docker"), tmp_path_factory.mktemp("d")
    with docker_engine(folder) as engine:

        def create(file: Path) -> list[dict[str, Any]]:
            engine.created.clear()
            run(folder, docker, "create", "--env-file", file, "image", DOCKER_HOST=engine.address)
            return engine.created

        yield create


@given(values=batches(PRINTABLE))
@example(values=NASTY)
@few
def test_docker(folder: Path, created: Callable[[Path], list[dict[str, Any]]], values: list[str]) -> None:
    [container] = created(written(folder, "docker", values))
    assert container["Env"] == [f"{name}={value}" for name, value in expected(values).items()]


# systemd reads os-release with the parser of EnvironmentFile=, and systemd-tmpfiles prints four of its variables.
SPECIFIERS: Final = {"ID": "%o", "VERSION_ID": "%w", "BUILD_ID": "%B", "VARIANT_ID": "%W"}


@given(values=batches(PRINTABLE, len(SPECIFIERS)))
@settings(max_examples=100, deadline=None)
def test_systemd(folder: Path, values: list[str]) -> None:
    read_by_systemd(folder, values)


def test_systemd_with_nasty_values(folder: Path) -> None:
    for start in range(0, len(NASTY), len(SPECIFIERS)):
        read_by_systemd(folder, NASTY[start : start + len(SPECIFIERS)])


def read_by_systemd(folder: Path, values: list[str]) -> None:
    program, root = tool("systemd-tmpfiles"), folder / "root"
    wanted = dict(zip(SPECIFIERS, values, strict=False))
    entries = [Entry(name, Secret(value), "prod") for name, value in wanted.items()]
    (root / "etc").mkdir(parents=True, exist_ok=True)
    (root / "etc/os-release").write_text(formats.load("systemd").render(entries))
    orders = folder / "tmpfiles.conf"
    orders.write_text("".join(f"f+ /{name} 0600 - - - [{SPECIFIERS[name]}]\n" for name in wanted))
    run(folder, program, f"--root={root}", "--create", orders)
    assert {name: (root / name).read_text()[1:-1] for name in wanted} == wanted


@given(values=batches(ANYTHING))
@example(values=NASTY + BEYOND)
@few
def test_kubernetes(folder: Path, values: list[str]) -> None:
    [secret] = read_by_kubectl(folder, entries_of(values))
    assert secret["metadata"]["name"] == "prod-backend"
    assert {name: base64.b64decode(data).decode() for name, data in secret["data"].items()} == expected(values)


def test_kubernetes_reads_a_secret_for_each_key_and_every_variable_as_a_string(folder: Path) -> None:
    variables = ["NO", "on", "null", "_1", "E1", "TRUE", "y"]
    entries = [Entry(name, Secret("x"), key) for key in ("1e3", "no", "Ünï") for name in variables]
    secrets = read_by_kubectl(folder, entries)
    names = [secret["metadata"]["name"] for secret in secrets]
    assert names[:2] == ["1e3", "no"]
    assert re.fullmatch(r"[a-z0-9-]{1,253}", names[2])
    assert [sorted(secret["data"]) for secret in secrets] == [sorted(variables)] * 3


def read_by_kubectl(folder: Path, entries: Sequence[Entry]) -> list[Any]:
    """The Secrets as kubectl decodes them; without `--local` it would ask a cluster."""
    kubectl, file = tool("kubectl"), folder / "manifest.yaml"
    file.write_text(formats.load("kubernetes").render(entries))
    done = run(folder, kubectl, "label", "--local", "-f", file, "read=yes", "-o", "json")
    decoder, text = json.JSONDecoder(), done.stdout.decode()
    documents: list[Any] = []
    while text := text.strip():
        document, end = decoder.raw_decode(text)
        documents.extend(document["items"] if document["kind"] == "List" else [document])
        text = text[end:]
    assert {(document["kind"], document["type"]) for document in documents} == {("Secret", "Opaque")}
    return documents


@given(values=batches(ANYTHING))
@example(values=NASTY + BEYOND)
def test_github_by_its_published_rules(values: list[str]) -> None:
    github = formats.load("github")
    assert github.render_file is not None
    assert format_rules.github_masks(github.render(entries_of(values))) == values
    assert format_rules.github_environment(github.render_file(entries_of(values))) == expected(values)


@given(values=batches(PRINTABLE))
@example(values=NASTY)
def test_gitlab_by_its_published_rules(values: list[str]) -> None:
    taken = carried("gitlab", [*values, "sk-0aZ"])
    assert format_rules.gitlab(formats.load("gitlab").render(entries_of(taken))) == expected(taken)


@given(values=batches(ANYTHING))
@example(values=NASTY + BEYOND)
def test_json(values: list[str]) -> None:
    assert json.loads(formats.load("json").render(entries_of(values))) == expected(values)


@pytest.mark.parametrize("shell", ["sh", "dash", "bash", "zsh"])
@pytest.mark.parametrize("failed", [True, False])
def test_a_failed_export_ends_a_shell_script(folder: Path, shell: str, failed: bool) -> None:
    text = formats.load("sh").failure if failed else "export V0=1\n"
    script = 'set -e; eval "$(printf %s "$1")"; echo went on'
    done = run(folder, tool(shell), "-c", script, "-", text, check=False)
    assert (done.returncode, done.stdout) == ((1, b"") if failed else (0, b"went on\n"))


@pytest.mark.parametrize("way", ["eval (cat exported)", "cat exported | source"])
@pytest.mark.parametrize("failed", [True, False])
def test_a_failed_export_fails_in_fish(folder: Path, way: str, failed: bool) -> None:
    (folder / "exported").write_text(formats.load("fish").failure if failed else "set -gx V0 1;\n")
    done = run(folder, tool("fish"), "--no-config", "-c", f"{way}; or exit 9", check=False)
    assert done.returncode == (9 if failed else 0)


@pytest.mark.parametrize("failed", [True, False])
def test_a_failed_export_ends_a_nushell_script(folder: Path, failed: bool) -> None:
    (folder / "exported").write_text(formats.load("nushell").failure if failed else '{"V0": "1"}\n')
    script = "/bin/cat exported | from json | load-env; print 'went on'"
    done = run(folder, tool("nu"), "--no-config-file", "-c", script, check=False)
    assert (done.returncode, done.stdout) == ((1, b"") if failed else (0, b"went on\n"))


@pytest.mark.parametrize("failed", [True, False])
def test_a_failed_export_fails_a_strict_envrc(folder: Path, failed: bool) -> None:
    (folder / "exported").write_text(formats.load("direnv").failure if failed else "export V0=1\n")
    done = in_envrc(folder, tool("direnv"), 'strict_env\neval "$(cat exported)"')
    assert (done.returncode != 0) == failed
    assert ours(done.stdout) == ({} if failed else {"V0": "1"})
