"""What speaks against a place for a secret besides git: its name, its owner, and who else takes it along."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest

from routic_cli.delivery.ignore_patterns import last_word, read_rules
from routic_cli.delivery.safety import judge
from routic_cli.delivery.verdict import Finding, SafetyVerdict, Severity

Tree = dict[str, str | None]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home directory, outside of any repository or project."""
    home = tmp_path.resolve() / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(home)
    return home


def plant(folder: Path, tree: Tree) -> None:
    for name, text in tree.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if text is None:
            file.mkdir()
        else:
            file.write_text(text)


def rules_of(verdict: SafetyVerdict) -> set[str]:
    return {finding.rule for finding in verdict.findings}


def only(verdict: SafetyVerdict) -> Finding:
    (finding,) = verdict.findings
    return finding


def test_an_ordinary_place_is_fine(home: Path) -> None:
    verdict = judge(home / ".env", "ROUTIC_API_KEY")
    assert verdict.findings == ()
    assert verdict.severity is Severity.FINE


@pytest.mark.parametrize(
    "variable",
    [
        "NEXT_PUBLIC_KEY", "VITE_KEY", "REACT_APP_KEY", "NUXT_PUBLIC_KEY", "EXPO_PUBLIC_KEY", "GATSBY_KEY",
        "PUBLIC_KEY", "NG_APP_KEY", "vite_key",
    ],
)  # fmt: skip
def test_a_variable_that_bundlers_publish_is_refused(home: Path, variable: str) -> None:
    finding = only(judge(home / ".env", variable))
    assert (finding.rule, finding.severity) == ("public-variable", Severity.REFUSE)


@pytest.mark.parametrize(
    "variable", ["ROUTIC_API_KEY", "OPENAI_API_KEY", "MY_PUBLIC_KEY", "NEXT_KEY", "INVITE_KEY", None]
)
def test_other_variables_are_fine(home: Path, variable: str | None) -> None:
    assert judge(home / ".env", variable).findings == ()


@pytest.mark.parametrize("name", [".env.example", ".env.sample", ".env.template", "app.env.EXAMPLE"])
def test_a_file_named_as_an_example_is_refused_and_the_real_one_proposed(home: Path, name: str) -> None:
    finding = only(judge(Path(name), None))
    assert (finding.rule, finding.severity) == ("example-file", Severity.REFUSE)
    assert finding.remedy == f"--env-file {Path(name).with_suffix('')}"


@pytest.mark.parametrize("name", [".env", ".env.local", ".env.production", "example.env", "template"])
def test_other_names_are_fine(home: Path, name: str) -> None:
    assert judge(home / name, None).findings == ()


@pytest.mark.parametrize(
    ("tree", "file", "refused"),
    [
        ({}, "public/.env", True),
        ({}, "app/Static/deep/.env", True),
        ({}, "app/dist/.env", True),
        ({}, "www/app/.env", True),  # nothing says where the project begins
        ({"www/app/composer.json": "{}"}, "www/app/.env", False),  # above the project a name says nothing
        ({"www/app/package.json": "{}"}, "www/app/public/.env", True),
        ({"app/package.json": "{}", "app/dist/package.json": "{}"}, "app/dist/.env", True),
        ({"app/pyproject.toml": "", "app/static/theme/.git": "gitdir: /gone"}, "app/static/theme/.env", True),
        ({"www/composer.json": "{}"}, "www/.env", False),  # a project may be called so itself
        # A stray one in the home directory makes no project of it.
        ({"package.json": "{}", "www/app/composer.json": "{}"}, "www/app/.env", False),
        ({}, "app/publications/.env", False),
        ({}, "app/public.env", False),
        ({"app/public": None}, "app/public/../.env", False),
    ],
)
def test_under_a_web_root_is_refused(home: Path, tree: Tree, file: str, refused: bool) -> None:
    plant(home, tree)
    assert ("web-root" in rules_of(judge(home / file, None))) is refused


def test_a_web_root_is_seen_through_links_in_both_directions(home: Path) -> None:
    plant(home, {"app/static": None, "data": None, "app/public": None})
    (home / "app" / "assets").symlink_to("static")
    (home / "app" / "public" / "uploads").symlink_to(home / "data")
    assert rules_of(judge(home / "app" / "assets" / ".env", None)) == {"web-root"}
    assert rules_of(judge(home / "app" / "public" / "uploads" / ".env", None)) == {"web-root"}
    assert rules_of(judge(home / "data" / ".env", None)) == set()


def test_the_home_directory_of_a_web_server_is_a_web_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "www"))
    finding = only(judge(tmp_path / "www" / ".env", None))
    assert finding.rule == "web-root"
    assert finding.remedy == f"--env-file {tmp_path / '.env'}"


@pytest.mark.parametrize(
    ("mode", "wide"), [(0o600, False), (0o400, False), (0o640, True), (0o604, True), (0o700, True)]
)
def test_a_mode_that_lets_others_in_is_told(home: Path, mode: int, wide: bool) -> None:
    plant(home, {"my env": ""})
    (home / "my env").chmod(mode)
    verdict = judge(home / "my env", None)
    assert verdict.severity is (Severity.WARN if wide else Severity.FINE)
    if wide:
        assert only(verdict).rule == "wide-mode"
        subprocess.run(only(verdict).remedy, shell=True, check=True)
        assert judge(home / "my env", None).findings == ()


def test_a_file_of_another_user_is_told(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(home, {".env": ""})
    (home / ".env").chmod(0o600)
    somebody_else = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: somebody_else)
    finding = only(judge(home / ".env", None))
    assert (finding.rule, finding.severity) == ("foreign-owner", Severity.WARN)


def test_a_link_is_named_with_where_it_leads(home: Path) -> None:
    (home / ".env").symlink_to("real.example")
    verdict = judge(home / ".env", None)
    assert [finding.rule for finding in verdict.findings] == ["symlink-target", "example-file"]
    assert str(home / "real.example") in verdict.findings[0].message


def package(**more: object) -> str:
    return json.dumps({"name": "x", "version": "1.0.0", **more})


WORKSPACE: Tree = {"p/a/package.json": package(), ".gitignore": ".env\n"}


# Each line was compared with what `npm pack --dry-run` of npm 11 lists.
@pytest.mark.parametrize(
    ("tree", "file", "shipped"),
    [
        ({"package.json": package()}, ".env", True),
        ({"package.json": package()}, "sub/.env", True),
        ({"package.json": package(private=True)}, ".env", False),
        ({"package.json": json.dumps({"name": "x"})}, ".env", False),
        ({"package.json": "not JSON"}, ".env", False),
        ({"package.json": "[]"}, ".env", False),
        ({"package.json": package(), ".gitignore": ".env\n"}, "sub/.env", False),
        ({"package.json": package(), ".gitignore": "/.env\n"}, "sub/.env", True),
        ({"package.json": package(), ".gitignore": ".env\n", ".npmignore": "foo\n"}, ".env", True),
        ({"package.json": package(), ".gitignore": ".env\n", "sub/.npmignore": "foo\n"}, "sub/.env", False),
        ({"package.json": package(), ".npmignore": ".ENV\r\n"}, ".env", False),
        ({"package.json": package(), ".npmignore": "sub/.env\n"}, "sub/.env", False),
        ({"package.json": package(), ".npmignore": "deep/.env\n"}, "sub/deep/.env", True),
        ({"package.json": package(), ".npmignore": "# all\n*\n!a.js\n"}, ".env", False),
        ({"package.json": package(), ".npmignore": ".env\n!sub/.env\n"}, "sub/.env", True),
        ({"package.json": package(), ".npmignore": "sub/\n"}, "sub/deep/.env", False),
        ({"package.json": package(files=["sub"])}, ".env", False),
        ({"package.json": package(files=["sub"])}, "sub/deep/.env", True),
        ({"package.json": package(files=["sub"]), ".gitignore": ".env\n"}, "sub/.env", True),
        ({"package.json": package(files=["sub"]), "sub/.gitignore": ".env\n"}, "sub/.env", False),
        ({"package.json": package(files=["sub", "!sub/.env"])}, "sub/.env", False),
        ({"package.json": package(files=["*"])}, "sub/.env", True),
        ({"package.json": package(files=["**/*"])}, "sub/deep/.env", True),
        ({"package.json": package(files=["*.js"])}, ".env", False),
        ({"package.json": package(files=[])}, ".env", False),
        ({"package.json": package(), "sub/package.json": package(private=True)}, "sub/.env", True),
        (WORKSPACE | {"package.json": package(private=True, workspaces=["p/*"])}, "p/a/.env", False),
        (WORKSPACE | {"package.json": package(private=True)}, "p/a/.env", True),
    ],
)  # fmt: skip
def test_what_npm_would_publish_is_told(home: Path, tree: Tree, file: str, shipped: bool) -> None:
    plant(home / "app", tree)
    verdict = judge(home / "app" / file, None)
    assert rules_of(verdict) == ({"npm-pack"} if shipped else set())
    assert verdict.severity is (Severity.WARN if shipped else Severity.FINE)


DOCKERFILE: Tree = {"Dockerfile": "FROM scratch\n"}


@pytest.mark.parametrize(
    ("tree", "file", "taken"),
    [
        (DOCKERFILE, ".env", True),
        (DOCKERFILE | {".dockerignore": ".env*\n"}, ".env", False),
        (DOCKERFILE | {"pyproject.toml": "", ".dockerignore": ".env*\n"}, "sub/.env", True),
        (DOCKERFILE | {"pyproject.toml": "", ".dockerignore": "**/.env*\n"}, "sub/deep/.env", False),
        (DOCKERFILE | {"pyproject.toml": "", ".dockerignore": "sub\n"}, "sub/deep/.env", False),
        (DOCKERFILE | {".dockerignore": "/.env\n"}, ".env", False),
        (DOCKERFILE | {".dockerignore": "*\n!src\n"}, ".env", False),
        (DOCKERFILE | {".dockerignore": "*\n!.env\n"}, ".env", True),
        (DOCKERFILE | {".dockerignore": ".ENV\n"}, ".env", True),
        (DOCKERFILE | {".dockerignore": ".en[!v]\n"}, ".env", True),
        (DOCKERFILE | {".dockerignore": ".en[a-z]\n"}, ".env", False),
        (DOCKERFILE | {"Dockerfile.dockerignore": ".env\n"}, ".env", False),
        (DOCKERFILE | {"Dockerfile.dockerignore": "", ".dockerignore": ".env\n"}, ".env", True),
        ({"Containerfile": "", "pyproject.toml": ""}, "sub/.env", True),
        ({"Dockerfile": None}, ".env", False),
        ({"sub/Dockerfile": ""}, ".env", False),
        ({"compose.yaml": "services:\n  a:\n    image: x\n"}, ".env", False),
        ({"compose.yaml": "services:\n  a:\n    build: .\n"}, ".env", True),
        ({"compose.yaml": "services:\n  a:\n    build:\n      context: ./api\n"}, ".env", False),
        ({"compose.yaml": "services:\n  a:\n    build:\n      dockerfile_inline: FROM x\n"}, ".env", True),
        ({"docker-compose.yml": "services:\n  a:\n    build:\n      context: '.'\n"}, ".env", True),
    ],
)  # fmt: skip
def test_what_a_docker_build_would_take_along_is_told(home: Path, tree: Tree, file: str, taken: bool) -> None:
    plant(home / "app", tree)
    verdict = judge(home / "app" / file, None)
    assert rules_of(verdict) == ({"docker-context"} if taken else set())
    assert verdict.severity is (Severity.WARN if taken else Severity.FINE)


@pytest.mark.parametrize("name", [".env", ".env.local", "my [x] key*"])
@pytest.mark.parametrize(
    "tree",
    [
        DOCKERFILE,
        DOCKERFILE | {".dockerignore": "node_modules"},
        {"package.json": package()},
        {"package.json": package(), ".npmignore": "*.log"},
    ],
)
def test_the_remedy_is_a_command_that_works(home: Path, tree: Tree, name: str) -> None:
    plant(home / "my app", tree)
    finding = only(judge(home / "my app" / name, None))
    subprocess.run(finding.remedy, shell=True, check=True)
    assert judge(home / "my app" / name, None).findings == ()


@pytest.mark.parametrize(
    ("tree", "break_it", "rules"),
    [
        ({}, lambda folder: (folder / "package.json").write_bytes(b'\xff{"name'), set()),
        ({}, lambda folder: os.mkfifo(folder / "package.json"), set()),
        ({}, lambda folder: os.mkfifo(folder / "Dockerfile"), set()),
        ({}, lambda folder: (folder / "compose.yaml").symlink_to("compose.yaml"), set()),
        (DOCKERFILE, lambda folder: os.mkfifo(folder / ".dockerignore"), {"docker-context"}),
        ({"package.json": package()}, lambda folder: (folder / ".npmignore").write_text("[z-a]\n"), {"npm-pack"}),
    ],
)
def test_neighbours_that_cannot_be_read_stop_nothing(
    home: Path, tree: Tree, break_it: Callable[[Path], object], rules: set[str]
) -> None:
    plant(home, tree)
    break_it(home)
    assert rules_of(judge(home / ".env", None)) == rules


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("a?c", "abc", True),
        ("a?c", "a/c", False),
        ("a**c", "a/b/c", True),
        ("**/c", "c", True),
        ("a/**/c", "a/c", True),
        ("x**/c", "xc", False),
        ("[a", "[a", True),
        ("[]a]", "]", True),
        ("[^a]", "b", True),
        (r"\*", "*", True),
        (r"\*", "x", False),
        ("./a/", "a/b", True),
        ("a.c", "abc", False),
    ],
)
def test_patterns_mean_what_they_mean_to_docker(pattern: str, path: str, matches: bool) -> None:
    assert bool(last_word(read_rules([pattern], anchored=True), PurePosixPath(path))) is matches
