"""Export formats: what each writes, what it refuses, and whose format it is. Their readers are asked in `e2e/`."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest

from routic_cli import formats
from routic_cli.domain.errors import DeliveryError, InvalidRequestError
from routic_cli.domain.secret import Secret
from routic_cli.formats import Entry, asking_shell
from routic_cli.formats.command_file import append, command_file
from routic_cli.formats.kubernetes import secret_name

KEY: Final = "sk-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijk"
PHRASE: Final = "it's $HOME"
SHELLS: Final = {"sh", "fish", "powershell", "cmd", "nushell", "direnv"}
# These carry every printable character; `dotenv`, `cmd` and `gitlab` cannot.
PRINTABLE: Final = "".join(char for char in map(chr, range(0x3000)) if char.isprintable()) + "😀"
ONE_LINE: Final = {"cmd", "dotenv", "docker", "gitlab", "systemd"}


def entry(text: str = KEY, variable: str = "ROUTIC_API_KEY", key_name: str = "prod-backend") -> Entry:
    return Entry(variable, Secret(text), key_name)


def rendered(name: str, *entries: Entry) -> str:
    return formats.load(name).render(entries or [entry()])


def refusal(name: str, entries: Sequence[Entry]) -> InvalidRequestError:
    with pytest.raises(InvalidRequestError) as caught:
        formats.load(name).render(entries)
    return caught.value


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("sh", f"export ROUTIC_API_KEY={KEY}"),
        ("direnv", f"export ROUTIC_API_KEY={KEY}"),
        ("fish", f"set -gx ROUTIC_API_KEY {KEY};"),
        ("powershell", f"$env:ROUTIC_API_KEY = '{KEY}'"),
        ("cmd", f'set "ROUTIC_API_KEY={KEY}"'),
        ("nushell", f'{{"ROUTIC_API_KEY": "{KEY}"}}'),
        ("dotenv", f"ROUTIC_API_KEY={KEY}"),
        ("docker", f"ROUTIC_API_KEY={KEY}"),
        ("github", f"::add-mask::{KEY}"),
        ("gitlab", f"ROUTIC_API_KEY={KEY}"),
        ("systemd", f"ROUTIC_API_KEY={KEY}"),
        ("json", f'{{"ROUTIC_API_KEY": "{KEY}"}}'),
    ],
)
def test_a_key_of_ours_needs_no_quotes(name: str, line: str) -> None:
    assert rendered(name) == f"{line}\n"


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("sh", r"export V='it'\''s $HOME'"),
        ("direnv", r"export V='it'\''s $HOME'"),
        ("fish", r"set -gx V 'it\'s $HOME';"),
        ("powershell", "$env:V = 'it''s $HOME'"),
        ("cmd", 'set "V=it\'s $HOME"'),
        ("nushell", '{"V": "it\'s $HOME"}'),
        ("docker", "V=it's $HOME"),
        ("systemd", r'V="it' + r"'s \$HOME" + '"'),
        ("json", '{"V": "it\'s $HOME"}'),
    ],
)
def test_any_other_value_is_quoted_as_its_reader_wants(name: str, line: str) -> None:
    assert rendered(name, entry(PHRASE, "V")) == f"{line}\n"


def test_kubernetes_gets_a_secret_manifest() -> None:
    encoded = base64.b64encode(KEY.encode()).decode()
    assert rendered("kubernetes") == (
        'apiVersion: v1\nkind: Secret\nmetadata:\n  name: "prod-backend"\n'
        f'type: Opaque\ndata:\n  "ROUTIC_API_KEY": "{encoded}"\n'
    )


@pytest.mark.parametrize("name", [name for name in formats.NAMES if name != "kubernetes"])
def test_several_keys_keep_their_order(name: str) -> None:
    text = rendered(name, entry("first", "A"), entry("second", "B"))
    assert 0 < text.index("first") < text.index("second")


def test_powershell_gets_ascii_on_one_line() -> None:
    assert rendered("powershell", entry("é\n😀\u2019'", "V")) == (
        "$env:V = '' + [char]233 + [char]10 + [char]55357 + [char]56832 + [char]8217 + ''''\n"
    )


@pytest.mark.parametrize("name", ["nushell", "json"])
def test_json_is_ascii_on_one_line(name: str) -> None:
    text = rendered(name, entry("é\n😀", "V"))
    assert text.isascii()
    assert text.count("\n") == 1


@pytest.mark.parametrize("name", sorted(set(formats.NAMES) - {"cmd", "dotenv", "gitlab"}))
def test_every_printable_value_is_carried(name: str) -> None:
    assert rendered(name, entry(PRINTABLE))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a b#c", "V='a b#c'"),
        ('a "b" \\c `d` !e', "V='a \"b\" \\c `d` !e'"),
        ("5 $ and $1", "V='5 $ and $1'"),
        ("it's #1", 'V="it\'s #1"'),
    ],
)
def test_dotenv_uses_the_quotes_that_all_readers_read_alike(text: str, line: str) -> None:
    assert rendered("dotenv", entry(text, "V")) == f"{line}\n"


@pytest.mark.parametrize(
    "text", ['it\'s "x"', "it's a\\b", "it's $5", "it's `x`", "a\\\\b", "a b\\", "$HOME", "${HOME}"]
)
def test_dotenv_refuses_what_its_readers_disagree_on(text: str) -> None:
    assert "ROUTIC_API_KEY" in str(refusal("dotenv", [entry(text)]))


@pytest.mark.parametrize("text", ['a"b', "%PATH%", "a!b", "a^b", "/?", "é"])
def test_cmd_refuses_what_it_cannot_quote(text: str) -> None:
    assert "ROUTIC_API_KEY" in str(refusal("cmd", [entry(text)]))


def test_cmd_quotes_everything_else() -> None:
    text = "".join(char for char in PRINTABLE if char.isascii() and char not in '"%!^').replace("/", "")
    assert rendered("cmd", entry(text, "V")) == f'set "V={text}"\n'


@pytest.mark.parametrize("text", ["a b", "$HOME", "100%"])
def test_gitlab_refuses_what_it_would_change(text: str) -> None:
    assert "ROUTIC_API_KEY" in str(refusal("gitlab", [entry(text)]))


def test_gitlab_carries_everything_else() -> None:
    text = "".join(char for char in PRINTABLE if char not in " $%")
    assert rendered("gitlab", entry(text, "V")) == f"V={text}\n"


@pytest.mark.parametrize("char", ["\n", "\r", "\t", "\x1b", "\x85", "\u2028", "\u202e"])
@pytest.mark.parametrize("name", sorted(ONE_LINE))
def test_formats_of_lines_refuse_what_is_not_printable(name: str, char: str) -> None:
    assert "ROUTIC_API_KEY" in str(refusal(name, [entry(f"a{char}b")]))


@pytest.mark.parametrize("name", sorted(set(formats.NAMES) - ONE_LINE))
def test_the_others_carry_newlines(name: str) -> None:
    assert rendered(name, entry("two\nlines"))


@pytest.mark.parametrize("char", ["\0", "\ud800"])
@pytest.mark.parametrize("name", formats.NAMES)
def test_no_format_takes_what_no_variable_can_hold(name: str, char: str) -> None:
    assert "ROUTIC_API_KEY" in str(refusal(name, [entry(f"a{char}b")]))


@pytest.mark.parametrize("name", formats.NAMES)
def test_a_refusal_names_the_variable_and_never_a_value(name: str) -> None:
    error = refusal(name, [entry("harmless", "GOOD"), entry("the\0value", "BAD")])
    said = repr(error) + " ".join(error.sentences()) + error.remedy
    assert "BAD" in said
    assert error.param == "format"
    assert all(word not in said for word in ("GOOD", "harmless", "the\0value", r"the\x00value"))
    assert error.__cause__ is error.__context__ is None


@pytest.mark.parametrize("name", formats.NAMES)
def test_shells_are_told_of_a_failure_and_data_is_not(name: str) -> None:
    chosen = formats.load(name)
    assert chosen.name == name
    assert chosen.is_shell == (name in SHELLS)
    assert bool(chosen.failure) == (name in SHELLS)
    assert chosen.failure.endswith("\n") == (name in SHELLS)
    assert "REF" in chosen.usage
    assert name == "sh" or f"--format {name}" in chosen.usage


def test_the_posix_shells_fail_by_false() -> None:
    assert {formats.load(name).failure for name in ("sh", "fish", "direnv", "nushell")} == {"false\n"}


def test_an_unknown_format_is_told_the_known_ones() -> None:
    with pytest.raises(InvalidRequestError) as caught:
        formats.load("os")
    assert all(name in caught.value.why for name in formats.NAMES)


@pytest.mark.parametrize("name", ["sh", "docker"])
def test_nothing_but_the_chosen_format_is_imported(name: str) -> None:
    code = f"import sys; from routic_cli import formats; formats.load({name!r}); print(*sys.modules)"
    # A measured child would have imported what the measuring needs.
    env = {variable: value for variable, value in os.environ.items() if not variable.startswith("COV")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
    loaded = set(done.stdout.split())
    assert {module.removeprefix("routic_cli.formats.") for module in loaded if ".formats." in module} == {
        *("asking_shell", "interface", "values", name)
    }
    assert not loaded & {"dataclasses", "inspect", "json", "subprocess", "secrets", "typer", "rich"}


class TestGithub:
    def test_masks_decode_to_the_value(self) -> None:
        assert rendered("github", entry("100%0A\r\nx")) == "::add-mask::100%250A%0D%0Ax\n"

    def test_the_file_gets_one_line_for_one_line(self) -> None:
        github = formats.load("github")
        assert github.render_file is not None
        assert github.render_file([entry("a <<b=c ", "V"), entry("x", "W")]) == "V=a <<b=c \nW=x\n"

    def test_more_lines_stand_between_delimiters_that_nobody_can_guess(self) -> None:
        github = formats.load("github")
        assert github.render_file is not None
        texts = [github.render_file([entry("a\nb", "V")]) for _ in range(2)]
        heads = [text.split("\n", 1)[0] for text in texts]
        assert heads[0] != heads[1]
        delimiter = heads[0].removeprefix("V<<")
        assert len(delimiter) > 32
        assert texts[0] == f"V<<{delimiter}\na\nb\n{delimiter}\n"

    @pytest.mark.parametrize("variable", ["GITHUB_TOKEN", "RUNNER_X", "NODE_OPTIONS"])
    def test_variables_that_the_runner_keeps_are_refused_before_anything_is_printed(self, variable: str) -> None:
        assert variable in str(refusal("github", [entry(), entry(variable=variable)]))

    def test_outside_of_a_job_there_is_no_file(self) -> None:
        github = formats.load("github")
        for environ in ({}, {"GITHUB_ENV": ""}):
            with pytest.raises(InvalidRequestError, match="GITHUB_ENV"):
                command_file(github, environ)
        assert command_file(github, {"GITHUB_ENV": "/run/set_env"}) == "/run/set_env"
        assert command_file(formats.load("sh"), {"GITHUB_ENV": "/run/set_env"}) is None

    @pytest.mark.parametrize(
        ("before", "after"), [("", "V=1\n"), ("A=1\n", "A=1\nV=1\n"), ("A=1", "A=1\nV=1\n"), ("\n", "\nV=1\n")]
    )
    def test_what_is_appended_begins_a_line(self, tmp_path: Path, before: str, after: str) -> None:
        file = tmp_path / "set_env"
        file.write_text(before)
        append(str(file), "V=1\n")
        assert file.read_text() == after

    def test_a_file_that_the_runner_has_not_made_is_an_error_and_stays_unmade(self, tmp_path: Path) -> None:
        with pytest.raises(DeliveryError, match="set_env"):
            append(str(tmp_path / "set_env"), "V=1\n")
        assert list(tmp_path.iterdir()) == []


class TestKubernetes:
    @pytest.mark.parametrize(
        ("key_name", "name"),
        [
            ("prod-backend", "prod-backend"),
            ("prod.eu-1", "prod.eu-1"),
            ("Prod_Backend", "prod-backend"),
            ("a.-b", "a-b"),
            ("trailing-", "trailing"),
            ("x" * 64, "x" * 64),
            ("café", "caf-850f7dc4"),
            ("数据", "routic-5440f742"),
        ],
    )
    def test_names_become_dns_names(self, key_name: str, name: str) -> None:
        assert secret_name(key_name) == name

    def test_keys_of_other_scripts_stay_apart(self) -> None:
        assert secret_name("数据") != secret_name("日志")

    def test_two_keys_never_share_a_secret(self) -> None:
        error = refusal("kubernetes", [entry(key_name="prod.A"), entry(key_name="Prod-a")])
        assert "prod.A" in str(error)
        assert "Prod-a" in str(error)

    def test_variables_of_one_key_share_its_secret(self) -> None:
        text = rendered("kubernetes", entry("a", "A"), entry("b", "B"))
        assert text.count("kind: Secret") == 1
        assert text.count('": "') == 2


class TestDetect:
    @pytest.mark.parametrize(
        ("program", "name"),
        [
            ("/usr/bin/bash", "sh"),
            ("-zsh", "sh"),
            ("dash", "sh"),
            ("/opt/homebrew/bin/fish", "fish"),
            ("pwsh", "powershell"),
            (r"C:\Program Files\PowerShell\7\PWSH.EXE", "powershell"),
            ("cmd.exe", "cmd"),
            ("/usr/local/bin/nu", "nushell"),
        ],
    )
    def test_the_parent_knows_best(self, program: str, name: str) -> None:
        misleading = {"SHELL": "/usr/bin/fish", "NU_VERSION": "0.115.1", "PSModulePath": "x"}
        assert formats.detect(misleading if name != "fish" else {}, lambda: program) == name

    @pytest.mark.parametrize(
        ("environ", "name"),
        [
            ({}, "sh"),
            ({"SHELL": "/bin/zsh"}, "sh"),
            ({"SHELL": "/usr/bin/fish"}, "fish"),
            ({"SHELL": "/usr/bin/fish", "NU_VERSION": "0.115.1"}, "nushell"),
            ({"SHELL": "/usr/bin/xonsh"}, "sh"),
            ({"SHELL": "/bin/bash", "PSModulePath": "x"}, "sh"),
            ({"PSModulePath": "x"}, "powershell"),
            ({"PSModulePath": "x", "PROMPT": "$P$G"}, "cmd"),
        ],
    )
    @pytest.mark.parametrize("program", [None, "make", "/usr/bin/python3.11"])
    def test_the_environment_guesses_when_the_parent_is_no_shell(
        self, environ: dict[str, str], name: str, program: str | None
    ) -> None:
        assert formats.detect(environ, lambda: program) == name

    @pytest.mark.parametrize("script", [False, True])
    @pytest.mark.parametrize("shell", ["sh", "bash"])
    def test_a_shell_is_recognised_even_when_it_runs_a_script(self, tmp_path: Path, shell: str, script: bool) -> None:
        code = "from routic_cli.formats import detect, parent_process_name as parent; print(detect({}, parent))"
        body = f"'{sys.executable}' -c '{code}'; exit 0\n"
        file = tmp_path / "deploy"
        file.write_text(f"#!/bin/{shell}\n{body}")
        file.chmod(0o700)
        command = [str(file)] if script else [shell, "-c", body]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, "SHELL": "fish"})
        assert done.stdout == "sh\n"

    def test_the_name_is_read_where_the_program_is_hidden(self, tmp_path: Path) -> None:
        (tmp_path / "comm").write_text("fish\n")
        assert asking_shell._from_proc(tmp_path) == "fish"

    def test_a_program_replaced_by_an_update_keeps_its_name(self, tmp_path: Path) -> None:
        (tmp_path / "exe").symlink_to("/usr/bin/fish (deleted)")
        assert asking_shell._from_proc(tmp_path) == "/usr/bin/fish"

    def test_ps_is_asked_where_there_is_no_proc(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        ps = tmp_path / "ps"
        ps.write_text('#!/bin/sh\n[ "$*" = "-o comm= -p 42" ] && echo -zsh\n')
        ps.chmod(0o700)
        monkeypatch.setattr(asking_shell, "_PS", str(ps))
        assert asking_shell._from_proc(tmp_path) is None
        assert asking_shell._from_ps(42) == "-zsh"
        assert asking_shell._from_ps(43) is None

    def test_nobody_is_asked_where_there_is_neither(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(asking_shell, "_PS", "/nowhere/ps")
        assert asking_shell._from_ps(42) is None


def test_the_package_reveals_secrets_in_one_place() -> None:
    folder = Path(formats.__file__).parent
    places = [file.name for file in folder.glob("*.py") for _ in range(file.read_text().count(".reveal("))]
    assert places == ["values.py"]


def test_json_keeps_the_value() -> None:
    assert json.loads(rendered("json", entry(PRINTABLE))) == {"ROUTIC_API_KEY": PRINTABLE}
