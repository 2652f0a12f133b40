"""`keys revoke --from`: what a scanner found is revoked, and nothing else; what cannot be read is never a success."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, Final

import pytest

from tests.support.gateways import routic_serve
from tests.support.ground import active_keys
from tests.support.reports import CONFIG, FOLDER, FRONTEND, OLD, OTHERS, PLANTED, REPOSITORY, data_of
from tests.support.sandbox import SECRET, Done, Sandbox
from tests.support.terminal import Terminal

FROM_STDIN: Final = ("keys", "revoke", "--from", "-")
YES: Final = (*FROM_STDIN, "--yes")
RULE: Final = {"RuleID": "routic-api-key", "StartLine": 1, "File": "a.py"}


@pytest.fixture(scope="module")
def stocked_once(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    """A machine with three of the four planted keys, and one that is in no report."""
    sandbox = Sandbox(tmp_path_factory.mktemp("stock"))
    for name in ("config", "old", "frontend"):
        sandbox.ok("keys", "import", "--name", name, stdin=PLANTED[name])
    sandbox.ok("keys", "create", "--name", "bystander")
    return sandbox


@pytest.fixture
def owner(stocked_once: Sandbox, tmp_path: Path) -> Sandbox:
    """A copy of it."""
    shutil.copytree(stocked_once.root, tmp_path / "machine")
    return Sandbox(tmp_path / "machine")


def live(sandbox: Sandbox) -> set[str]:
    return {key.name for key in active_keys(sandbox.key_store)}


def assert_silent(done: Done) -> None:
    """Nothing of what the report holds was printed."""
    said = done.out + done.err
    assert not SECRET.search(said)
    assert not [each for each in OTHERS if each in said]


@pytest.mark.parametrize(
    ("name", "revoked"),
    [
        ("gitleaks.json", {"config", "old", "frontend"}),
        ("gitleaks.sarif", {"config", "old", "frontend"}),
        ("betterleaks.json", {"config", "old", "frontend"}),
        ("kingfisher.jsonl", {"config", "old", "frontend"}),
        ("trufflehog.jsonl", {"config", "old", "frontend"}),
        ("github-alerts.json", {"config", "frontend"}),
        ("chat.txt", {"config", "frontend"}),
    ],
)
def test_the_keys_of_a_report_are_revoked_and_no_other(owner: Sandbox, name: str, revoked: set[str]) -> None:
    done = owner.ok(*YES, stdin=data_of(name))

    assert f"{len(revoked)} keys revoked" in done.err
    assert done.out == ""
    assert live(owner) == {"config", "old", "frontend", "bystander"} - revoked
    assert_silent(done)


def test_what_is_not_ours_is_counted_and_never_shown(owner: Sandbox) -> None:
    done = owner.ok(*YES, stdin=data_of("gitleaks.json"))
    assert "3 keys revoked, 4 secrets in the report are not ours" in done.err


def test_the_same_report_again_changes_nothing_and_is_success(owner: Sandbox) -> None:
    owner.ok(*YES, "--reason", "first", stdin=data_of("gitleaks.json"))
    done = owner.ok(*YES, "--reason", "second", stdin=data_of("gitleaks.json"))

    assert "No key was revoked, 3 had been before" in done.err
    assert owner.ok("keys", "show", "config", "--json").data["revoke_reason"] == "first"


def test_a_baseline_is_read_beside_the_files_that_it_is_of(owner: Sandbox) -> None:
    report = REPOSITORY.parent / "detect-secrets.json"
    here = owner.cwd / "checkout"
    here.symlink_to(REPOSITORY)
    (here.parent / "elsewhere").mkdir()
    copy = owner.cwd / "elsewhere/baseline.json"
    copy.write_bytes(report.read_bytes())

    done = owner.run("keys", "revoke", "--from", copy, "--yes")
    assert (done.code, live(owner)) == (1, {"config", "old", "frontend", "bystander"})
    assert "the file is not here" in done.err

    done = owner.shell(f"cd checkout && routic keys revoke --from {copy} --yes")
    assert (done.code, live(owner)) == (0, {"old", "bystander"})


def test_a_baseline_of_which_some_files_are_gone_ends_with_8(owner: Sandbox) -> None:
    (owner.cwd / "config.py").write_bytes((REPOSITORY / "config.py").read_bytes())
    done = owner.run(*YES, stdin=data_of("detect-secrets.json"))

    assert done.code == 8
    assert live(owner) == {"old", "frontend", "bystander"}
    assert "7 findings of the report could not be read" in done.err
    assert "both.py:1: the file is not here" in done.err


def test_leaked_is_the_reason_with_the_place_of_the_only_one(owner: Sandbox) -> None:
    finding = RULE | {"Secret": OLD, "File": f"src/{FRONTEND}\x1b[31m.py", "StartLine": 7}
    owner.ok(*YES, "--leaked", stdin=json.dumps([finding]))

    reason = owner.ok("keys", "show", "old", "--json").data["revoke_reason"]
    assert reason == r"leaked: found by gitleaks in src/sk-1uAC…IZJb\x1b[31m.py:7"


def test_leaked_names_the_scanner_for_several(owner: Sandbox) -> None:
    owner.ok(*YES, "--leaked", stdin=data_of("gitleaks.json"))
    reasons = {key["revoke_reason"] for key in owner.ok("keys", "list", "--status", "revoked", "--json").data["data"]}
    assert reasons == {"leaked: found by gitleaks"}


def test_a_reason_that_was_typed_is_the_reason(owner: Sandbox) -> None:
    owner.ok(*YES, "--leaked", "--reason", "ticket 7", stdin=data_of("gitleaks.json"))
    assert owner.ok("keys", "show", "old", "--json").data["revoke_reason"] == "ticket 7"


def test_a_version_that_a_rotation_has_ended_does_not_take_its_successor_down(owner: Sandbox) -> None:
    old = owner.ok("keys", "create", "--name", "rotated").secret
    new = owner.ok("rotate", "rotated", "--now", "--yes").secret
    done = owner.ok(*YES, stdin=json.dumps([RULE | {"Secret": old}]))

    assert "rotated" in live(owner)
    assert "stays: version 1 of it ended" in done.err
    assert owner.ok("keys", "verify", stdin=new).code == 0

    owner.ok(*YES, stdin=json.dumps([RULE | {"Secret": old}, RULE | {"Secret": new}]))
    assert "rotated" not in live(owner)


def test_json_is_a_list_of_our_keys_with_where_each_was_found(owner: Sandbox) -> None:
    done = owner.ok(*YES, "--json", stdin=data_of("gitleaks.json"))

    listed: dict[str, Any] = done.data
    assert (listed["object"], listed["not_ours"], listed["unreadable"]) == ("list", 4, 0)
    assert listed["formats"] == ["gitleaks"]
    keys = {key["name"]: key for key in listed["data"]}
    assert {name: (key["status"], key["changed"]) for name, key in keys.items()} == dict.fromkeys(
        ("config", "old", "frontend"), ("revoked", True)
    )
    [version] = keys["config"]["found"]
    assert (version["version"], version["was_let_in"], version["count"]) == (1, True, 2)
    assert version["at"] == 1_791_187_200
    assert {(each["file"], each["line"]) for each in version["places"]} == {("config.py", 4), ("both.py", 1)}
    assert done.err == ""
    assert_silent(done)


def test_fields_are_checked_before_anything_is_revoked(owner: Sandbox) -> None:
    assert owner.run(*YES, "--fields", "name,nonsense", stdin=data_of("gitleaks.json")).code == 2
    assert "config" in live(owner)
    data = owner.ok(*YES, "--fields", "name,changed", stdin=data_of("github-webhook.json")).data["data"]
    assert data == [{"name": "config", "changed": True}]


def test_a_dry_run_says_what_would_end_and_ends_nothing(owner: Sandbox) -> None:
    done = owner.ok(*FROM_STDIN, "--dry-run", stdin=data_of("gitleaks.json"))
    assert "Dry run: 3 keys would be revoked, 4 secrets in the report are not ours" in done.err
    assert live(owner) == {"config", "old", "frontend", "bystander"}


@pytest.mark.parametrize("text", ["[]", "[]\n", "[ ]"])
def test_a_report_without_findings_is_success_and_says_so(owner: Sandbox, text: str) -> None:
    done = owner.ok(*YES, stdin=text)
    assert "The report has no findings" in done.err


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "The report is empty"),
        (data_of("gitleaks.json")[:2000], "ends in the middle"),
        (data_of("gitleaks-redacted.json"), "without --redact"),
        (b'{"a": 1}', "no form that routic knows"),
        (b"nothing to see", "no key in this text"),
    ],
)
@pytest.mark.parametrize("flags", [(), ("--json",), ("--dry-run",)])
def test_what_cannot_be_read_is_an_error_that_says_that_nothing_happened(
    owner: Sandbox, data: bytes, said: str, flags: tuple[str, ...]
) -> None:
    done = owner.run(*YES, *flags, stdin=data)

    assert (done.code, done.out) == (1, "")
    assert said in done.err
    assert "No key was revoked" in done.err
    if "--json" in flags:
        assert done.error["code"] == "report_unreadable"
    assert live(owner) == {"config", "old", "frontend", "bystander"}


def test_the_readable_ones_of_a_report_are_revoked_and_the_others_end_it_with_8(owner: Sandbox) -> None:
    report = [RULE | {"Secret": OLD}, RULE | {"Secret": "REDACTED"}, RULE | {"Secret": None}]
    done = owner.run(*YES, stdin=json.dumps(report))

    assert done.code == 8
    assert "1 key revoked" in done.err
    assert "2 findings of the report could not be read" in done.err
    assert "old" not in live(owner)


def test_a_key_that_the_scanners_rule_has_cut_short_is_no_success(owner: Sandbox) -> None:
    done = owner.run(*YES, stdin=json.dumps([RULE | {"Secret": OLD[:40]}]))
    assert done.code == 8
    assert "may be" in done.err
    assert OLD[:40] not in done.err


@pytest.mark.parametrize("source", ["missing.json", ".", "a\nb"])
def test_a_file_that_cannot_be_opened_is_a_wrong_argument(owner: Sandbox, source: str) -> None:
    done = owner.run("keys", "revoke", "--from", source, "--yes")
    assert done.code == 2
    assert "No key was revoked" in done.err


def test_refs_and_a_report_do_not_go_together(owner: Sandbox) -> None:
    done = owner.run("keys", "revoke", "config", "--from", "-", "--yes", stdin=data_of("gitleaks.json"))
    assert (done.code, "config" in live(owner)) == (2, True)


@pytest.mark.parametrize("data", [data_of("gitleaks.json"), b"[]", b""])
def test_without_yes_a_pipe_is_refused_whatever_is_in_it(owner: Sandbox, data: bytes) -> None:
    done = owner.run(*FROM_STDIN, "--leaked", stdin=data)
    assert done.code == 2
    assert "routic keys revoke --from - --leaked --yes" in done.err
    assert "config" in live(owner)


@pytest.mark.parametrize(("answer", "code", "still"), [("y\r", 0, False), ("n\r", 130, True)])
def test_at_a_terminal_it_asks_after_showing_the_keys(owner: Sandbox, answer: str, code: int, still: bool) -> None:
    with Terminal(owner, "keys", "revoke", "--from", str(FOLDER / "gitleaks.json")) as terminal:
        terminal.expect("[y/N]")
        shown = terminal.err.partition("Revoke 3 keys for good?")[0]
        assert "last used" in shown
        assert "frontend/src/app.js:1" in shown
        terminal.type(answer)
        done = terminal.finish()
    assert (done.code, "config" in live(owner)) == (code, still)


def test_a_report_can_be_typed_at_a_terminal_and_the_question_answered_there(owner: Sandbox) -> None:
    with Terminal(owner, *FROM_STDIN) as terminal:
        terminal.expect("Ctrl-D")
        terminal.type(f"see {CONFIG}\n\x04")
        terminal.expect("[y/N]")
        terminal.type("y\r")
        done = terminal.finish()
    assert (done.code, "config" in live(owner)) == (0, False)


def test_a_ci_job_can_do_it_through_a_server_with_that_scope_alone(owner: Sandbox, tmp_path: Path) -> None:
    token = owner.ok("keys", "create", "--name", "ci", "--scope", "keys:revoke").secret
    job = Sandbox(tmp_path / "job")
    with routic_serve(owner) as serving:
        job.extra |= {"ROUTIC_STORE": serving.url, "ROUTIC_TOKEN": token}
        planned = job.run(*FROM_STDIN, "--dry-run", stdin=data_of("gitleaks.json"))
        assert "3 keys would be revoked" in planned.err
        done = job.run(*YES, "--leaked", stdin=data_of("gitleaks.json"))
        assert (planned.code, done.code) == (8, 8), "whether the password is a key that was imported is not known"
        assert "3 secrets in the report are not ours" in done.err
        assert "not asked about 1 more" in done.err
        again = job.run(*YES, "--json", stdin=data_of("gitleaks.json"))
        assert (again.code, again.data["not_ours"], again.data["kept_back"]) == (8, 3, 1)
        assert_silent(done)
        assert job.run("keys", "list").code == 4
    assert live(owner) == {"bystander", "ci"}


def test_hashes_travel_and_only_of_what_nobody_can_guess(owner: Sandbox, tmp_path: Path) -> None:
    """What went over the wire is read from a server that writes down every body."""
    import hashlib
    import threading
    from http.server import BaseHTTPRequestHandler, HTTPServer

    bodies: list[bytes] = []

    class Listening(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            asked = json.loads(bodies[-1])["sha256"]
            unknown = {"object": "api_key.verification", "status": "unknown", "hint": None, "detail": None}
            reply = {"object": "list", "data": [unknown | {"version": None, "key": None}] * len(asked)}
            data = json.dumps(reply | {"first_id": None, "last_id": None, "has_more": False}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """It says nothing."""

    with HTTPServer(("127.0.0.1", 0), Listening) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        env = {"ROUTIC_STORE": f"http://127.0.0.1:{server.server_port}", "ROUTIC_TOKEN": CONFIG}
        done = owner.run(*YES, "--leaked", stdin=data_of("gitleaks.json"), env=env)
        server.shutdown()

    assert (done.code, len(bodies)) == (8, 1), done.err
    sent = bodies[0].decode()
    for secret in (*PLANTED.values(), *OTHERS):
        assert secret not in sent
    assert hashlib.sha256(OLD.encode()).hexdigest() in sent
    assert hashlib.sha256(OTHERS[1].encode()).hexdigest() in sent
    assert hashlib.sha256(OTHERS[0].encode()).hexdigest() not in sent, "a password could be found from this"


@pytest.mark.parametrize("flags", [(), ("--leaked",), ("--dry-run",)])
def test_where_there_is_no_store_nobody_says_that_a_key_is_not_ours(owner: Sandbox, flags: tuple[str, ...]) -> None:
    done = owner.run(*YES, *flags, "--store", "none.db", stdin=data_of("gitleaks.json"))

    assert done.code == 1
    assert "There is no store" in done.err
    assert "No key was revoked" in done.err
    assert "--store" in done.err.partition("Try:")[2]
    assert len(live(owner)) == 4


def test_a_report_without_findings_needs_no_store(owner: Sandbox) -> None:
    assert owner.run(*YES, "--store", "none.db", stdin="[]").code == 0


def test_no_name_in_a_report_begins_a_line_of_what_is_said(owner: Sandbox) -> None:
    """A CI runner obeys lines of its log that begin with `::`, wherever they come from."""
    hostile = "a\n::stop-commands::x\n"
    found, masked = RULE | {"File": hostile, "Secret": CONFIG}, RULE | {"File": f"::y{hostile}", "Secret": "REDACTED"}
    done = owner.run(*YES, stdin=json.dumps([found, masked]))

    assert (done.code, "config" in live(owner)) == (8, False)
    assert "::stop-commands::" in done.err
    assert not [line for line in (done.out + done.err).splitlines() if line.strip().startswith("::")]


@pytest.mark.parametrize("flags", [(), ("--leaked",)])
def test_a_key_of_another_account_is_told_of_and_is_not_called_not_ours(owner: Sandbox, flags: tuple[str]) -> None:
    secret = owner.ok("keys", "create", "--name", "theirs", env={"ROUTIC_ACCOUNT": "acme"}).secret
    report = json.dumps([RULE | {"Secret": secret}])

    done = owner.run(*YES, *flags, "--json", stdin=report)
    assert (done.code, done.data["not_ours"], done.data["of_another_account"]) == (8, 0, 1)
    assert "another account" in done.err
    assert "theirs" not in done.out + done.err
    verified = owner.run("keys", "verify", stdin=secret)
    assert verified.code == 3
    assert "of another account of this store" in verified.out
    assert owner.run("keys", "verify", stdin=secret, env={"ROUTIC_ACCOUNT": "acme"}).code == 0
