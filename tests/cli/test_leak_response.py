"""`keys revoke --leaked --replace`: what leaked is dead whatever else happens, and no service loses a key unheard."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from routic_cli.domain.minting import mint_secret
from tests.support.ground import open_operations
from tests.support.leaks import REPLACE, RESPOND, Machine, actions, finding, gitleaks, secret_in
from tests.support.sandbox import DEADLINE, Sandbox
from tests.support.terminal import Terminal
from tests.support.usage_log import call, write_log

HOUR = 3600
INCIDENT = [
    "object", "created_at", "by", "store", "reason", "dry_run", "changed", "formats", "not_ours", "kept_back",
    "of_another_account", "unreadable", "keys",
]  # fmt: skip
KEY = ["key", "action", "changed", "ended_at", "found", "replacement", "trouble", "audit", "to_do"]
AUDIT = [
    "looked_at", "trouble", "since", "since_when", "log_since", "calls", "refused", "after_end", "callers", "findings",
]  # fmt: skip


@pytest.fixture
def machine(repository: Sandbox) -> Machine:
    """A repository with the key `prod` in `.env`."""
    repository.ok("keys", "create", "--name", "prod", "--tag", "env=prod", "--rpm", 60, "--env-file", ".env")
    return Machine(repository)


@pytest.fixture
def leaked(machine: Machine) -> str:
    return secret_in(machine.env_file)


def printed(machine: Machine, name: str, *flags: object) -> str:
    """The secret of a key that no place of this machine has."""
    return machine.sandbox.ok("keys", "create", "--name", name, *flags).secret


# What is done


def test_the_next_version_is_where_the_key_was_and_what_leaked_is_dead(machine: Machine, leaked: str) -> None:
    before = machine.key("prod")
    done = machine.respond(gitleaks(leaked), "--json")
    new = secret_in(machine.env_file)
    assert machine.is_let_in(new)
    assert not machine.is_let_in(leaked)
    after = machine.key("prod")
    kept = ("id", "name", "tags", "limits", "scopes", "status", "created_at")
    assert [after[name] for name in kept] == [before[name] for name in kept]
    assert after["version"] == 2
    assert actions(done) == [("prod", "replaced", True)]
    (told,) = done.data["keys"]
    assert told["replacement"]["version"] == 2
    assert told["replacement"]["places"] == [
        {"kind": "env_file", "location": str(machine.env_file), "variable": "ROUTIC_API_KEY"}
    ]
    assert machine.sandbox.holders(leaked) == []
    assert open_operations(machine.sandbox.state_file) == 0


def test_the_same_again_changes_nothing(machine: Machine, leaked: str) -> None:
    other = printed(machine, "other")
    report = gitleaks(leaked, other)
    machine.respond(report, code=8)
    env_file, state = machine.env_file.read_bytes(), machine.key("prod")
    for _ in range(2):
        again = machine.respond(report, "--json")
        assert again.data["changed"] is False
        assert actions(again) == [("prod", "none", False), ("other", "none", False)]
        assert (machine.env_file.read_bytes(), machine.key("prod")) == (env_file, state)


def test_a_key_that_is_nowhere_here_is_revoked_and_the_command_that_makes_another_works(machine: Machine) -> None:
    lone = printed(machine, "lone-worker", "--rpm", 7, "--tag", "team=a b")
    done = machine.respond(gitleaks(lone), code=8)
    assert machine.verdict(lone) == "revoked"
    assert "lone-worker" in done.err
    assert machine.follow(done).code == 0
    made = machine.key("lone-worker")
    assert (made["status"], made["limits"], made["tags"]) == ("active", {"rpm": 7}, {"team": "a b"})


def test_a_destination_can_be_given_to_a_key_that_is_nowhere_here(machine: Machine) -> None:
    lone = printed(machine, "lone")
    machine.respond(gitleaks(lone), "--env-file", ".env.lone", "--var", "LONE_KEY")
    assert machine.is_let_in(secret_in(machine.sandbox.cwd / ".env.lone", "LONE_KEY"))
    assert not machine.is_let_in(lone)


def test_a_destination_is_added_to_the_places_that_have_the_key(machine: Machine, leaked: str) -> None:
    machine.respond(gitleaks(leaked), "--env-file", ".env.more")
    assert secret_in(machine.env_file) == secret_in(machine.sandbox.cwd / ".env.more")
    assert machine.is_let_in(secret_in(machine.env_file))


def test_one_destination_is_not_for_two_keys(machine: Machine) -> None:
    one, two = printed(machine, "one"), printed(machine, "two")
    done = machine.respond(gitleaks(one, two), "--env-file", ".env.new", code=8)
    assert [machine.verdict(each) for each in (one, two)] == ["revoked", "revoked"]
    assert not (machine.sandbox.cwd / ".env.new").exists()
    assert "one" in done.err
    assert "two" in done.err


def test_of_several_keys_each_gets_its_own_answer(machine: Machine, leaked: str) -> None:
    lone, spared = printed(machine, "lone"), printed(machine, "spared")
    done = machine.respond(gitleaks(lone, leaked), "--json", code=8)
    assert actions(done) == [("lone", "revoked", True), ("prod", "replaced", True)]
    assert done.error["code"] == "partial_failure"
    assert machine.is_let_in(spared)


def test_a_file_that_git_would_publish_gets_no_secret_and_what_leaked_dies(machine: Machine, leaked: str) -> None:
    machine.sandbox.git("add", "--force", ".env")
    before = machine.env_file.read_bytes()
    done = machine.respond(gitleaks(leaked), code=8)
    assert machine.verdict(leaked) == "revoked"
    assert machine.env_file.read_bytes() == before
    assert ".env" in done.err


def test_a_place_that_cannot_be_written_does_not_keep_the_others_from_it(machine: Machine) -> None:
    machine.sandbox.ok("keys", "create", "--name", "two", "--env-file", ".env.a", "--env-file", ".env.b")
    good, bad = machine.sandbox.cwd / ".env.a", machine.sandbox.cwd / ".env.b"
    leaked = secret_in(good)
    machine.sandbox.git("add", "--force", ".env.b")
    done = machine.respond(gitleaks(leaked), "--json", code=8)
    assert actions(done) == [("two", "replaced", True)]
    assert machine.is_let_in(secret_in(good))
    assert secret_in(bad) == leaked
    assert not machine.is_let_in(leaked)
    assert str(bad) in done.data["keys"][0]["trouble"]


def test_a_place_that_holds_another_key_by_now_is_not_overwritten(machine: Machine) -> None:
    lone = printed(machine, "lone")
    before = machine.env_file.read_bytes()
    done = machine.respond(gitleaks(lone), "--env-file", ".env", code=8)
    assert machine.verdict(lone) == "revoked"
    assert machine.env_file.read_bytes() == before
    assert "'prod'" in done.err


def test_a_version_that_is_retiring_ends_and_the_current_one_stays(machine: Machine, leaked: str) -> None:
    machine.sandbox.ok("rotate", "prod", "--grace", "24h")
    new = secret_in(machine.env_file)
    assert machine.is_let_in(leaked)
    done = machine.respond(gitleaks(leaked), "--json")
    assert actions(done) == [("prod", "version_ended", True)]
    assert not machine.is_let_in(leaked)
    assert machine.is_let_in(new)
    assert secret_in(machine.env_file) == new
    assert machine.key("prod")["version"] == 2
    assert machine.sandbox.run("rotate", "prod", "--abort", "--yes").code != 0
    assert not machine.is_let_in(leaked)


def test_a_place_that_holds_the_retiring_version_is_named(machine: Machine, leaked: str) -> None:
    machine.sandbox.ok("rotate", "prod", "--env-file", ".env.next")
    done = machine.respond(gitleaks(leaked), code=8)
    assert not machine.is_let_in(leaked)
    assert str(machine.env_file) in done.err
    assert machine.follow(done).code == 0
    assert machine.is_let_in(secret_in(machine.env_file))
    assert machine.is_let_in(secret_in(machine.sandbox.cwd / ".env.next"))


def test_a_version_that_ended_long_ago_needs_nothing(machine: Machine, leaked: str) -> None:
    machine.sandbox.ok("rotate", "prod", "--now", "--yes")
    new = secret_in(machine.env_file)
    done = machine.respond(gitleaks(leaked), "--json")
    assert actions(done) == [("prod", "none", False)]
    assert done.data["keys"][0]["found"][0]["was_let_in"] is False
    assert secret_in(machine.env_file) == new
    assert machine.is_let_in(new)


def test_both_versions_of_a_rotation_leaked(machine: Machine, leaked: str) -> None:
    machine.sandbox.ok("rotate", "prod", "--grace", "24h")
    second = secret_in(machine.env_file)
    machine.respond(gitleaks(leaked, second))
    assert [machine.is_let_in(each) for each in (leaked, second)] == [False, False]
    assert machine.is_let_in(secret_in(machine.env_file))
    assert machine.key("prod")["version"] == 3


def test_a_key_that_was_named_is_replaced_too(machine: Machine, leaked: str) -> None:
    done = machine.run("keys", "revoke", "prod", "--leaked", "--replace", "--yes", "--json")
    assert (done.code, actions(done)) == (0, [("prod", "replaced", True)])
    assert not machine.is_let_in(leaked)
    assert machine.is_let_in(secret_in(machine.env_file))


def test_a_name_that_means_no_key_keeps_no_other_from_dying(machine: Machine, leaked: str) -> None:
    done = machine.run("keys", "revoke", "prod", "nobody", "--leaked", "--yes")
    assert done.code == 8
    assert "nobody" in done.err
    assert machine.verdict(leaked) == "revoked"


def test_the_reason_stays_with_the_key_and_has_no_secret(machine: Machine, leaked: str) -> None:
    machine.run(*RESPOND, stdin=gitleaks(finding(leaked, file=f"src/{leaked}\x1b[31m.py")))
    reason = machine.key("prod")["revoke_reason"]
    assert reason.startswith("leaked: found by gitleaks in src/sk-")
    assert leaked not in reason
    assert reason.isprintable()


def test_two_at_once_make_one_new_version_and_lose_no_service(machine: Machine, leaked: str) -> None:
    report = machine.sandbox.root / "report.json"
    report.write_text(gitleaks(leaked))
    command = ("keys", "revoke", "--from", report, "--leaked", "--yes", "--replace")
    both = [machine.sandbox.start(*command) for _ in range(2)]
    for process in both:
        process.communicate(timeout=DEADLINE)
    assert {process.returncode for process in both} <= {0, 8}
    machine.respond(gitleaks(leaked))
    assert not machine.is_let_in(leaked)
    assert machine.is_let_in(secret_in(machine.env_file))
    assert open_operations(machine.sandbox.state_file) == 0


def test_wait_asks_the_store_about_both(machine: Machine, leaked: str) -> None:
    done = machine.respond(gitleaks(leaked), "--wait", "10s")
    assert "The store was asked" in done.err


# What is asked first


def test_without_yes_and_without_anybody_to_ask_nothing_happens(machine: Machine, leaked: str) -> None:
    before = machine.sandbox.snapshot()
    done = machine.run("keys", "revoke", "--from", "-", "--leaked", "--replace", stdin=gitleaks(leaked))
    assert done.code == 2
    assert "--leaked --replace --yes" in done.err
    assert machine.is_let_in(leaked)
    assert machine.sandbox.snapshot() == before


@pytest.mark.parametrize(("answer", "code", "is_let_in"), [("n", 130, True), ("y", 0, False)])
def test_a_person_is_told_what_will_happen_and_asked(
    machine: Machine, leaked: str, answer: str, code: int, *, is_let_in: bool
) -> None:
    report = machine.sandbox.root / "report.json"
    report.write_text(gitleaks(leaked))
    with Terminal(machine.sandbox, "keys", "revoke", "--from", report, "--leaked", "--replace") as terminal:
        terminal.expect("[y/N]")
        terminal.type(f"{answer}\r")
        done = terminal.finish()
    assert done.code == code
    assert "version 2 goes to" in " ".join(done.err.split())
    assert machine.is_let_in(leaked) is is_let_in


def test_a_dry_run_says_what_would_be_and_changes_nothing(machine: Machine, leaked: str) -> None:
    lone = printed(machine, "lone")
    before = machine.sandbox.snapshot()
    done = machine.run(*REPLACE, "--dry-run", "--json", stdin=gitleaks(leaked, lone))
    assert (done.code, done.data["dry_run"], done.data["changed"]) == (8, True, False)
    assert actions(done) == [("prod", "replaced", False), ("lone", "revoked", False)]
    assert machine.sandbox.snapshot() == before


@pytest.mark.parametrize(
    "flags",
    [
        ["--replace"],
        ["--format", "markdown"],
        ["--env-file", ".env"],
        ["--leaked", "--env-file", ".env"],
        ["--leaked", "--keyring"],
        ["--leaked", "--replace", "--var", "KEY"],
        ["--leaked", "--json", "--format", "markdown"],
        ["--leaked", "--fields", "nothing"],
    ],
)
def test_flags_that_would_be_passed_over_are_refused_before_anything(
    machine: Machine, leaked: str, flags: list[str]
) -> None:
    done = machine.run("keys", "revoke", "--from", "-", *flags, "--yes", stdin=gitleaks(leaked))
    assert done.code == 2
    assert machine.is_let_in(leaked)


# What is told


def test_the_object_has_the_fields_of_the_page(machine: Machine, leaked: str) -> None:
    done = machine.respond(gitleaks(leaked), "--json")
    assert list(done.data) == INCIDENT
    assert list(done.data["keys"][0]) == KEY
    assert list(done.data["keys"][0]["audit"]) == AUDIT
    assert done.err == ""
    page = (Path(__file__).parents[2] / "docs/leaks.md").read_text()
    assert [name for name in (*INCIDENT, *KEY, *AUDIT) if f"`{name}`" not in page] == []
    some = machine.respond(gitleaks(leaked), "--fields", "changed,dry_run")
    assert some.data == {"changed": False, "dry_run": False}


def test_a_report_without_keys_of_ours_is_an_incident_without_keys(machine: Machine) -> None:
    done = machine.respond("[]", "--json")
    assert (done.data["keys"], done.data["changed"]) == ([], False)
    note = machine.respond("[]", "--format", "markdown")
    assert note.out.startswith("# ")


def test_calls_with_what_leaked_are_counted_from_the_leak_on(machine: Machine) -> None:
    now = int(time.time())
    made = _old_key(machine, "old", days=20)
    key_id = machine.key("old")["id"]
    leak = now - 2 * 24 * HOUR
    before = [call(leak - hour * HOUR, key_id=key_id, version=1, address="192.0.2.1") for hour in range(2, 300)]
    since = [call(leak + hour * HOUR, key_id=key_id, version=1, address="198.51.100.9") for hour in range(2, 12)]
    write_log(machine.sandbox, [*before, *since])
    date = datetime.fromtimestamp(leak, UTC).isoformat()
    done = machine.respond(gitleaks(finding(made, date=date)), "--json", code=8)
    audit = done.data["keys"][0]["audit"]
    assert (audit["looked_at"], audit["since"], audit["since_when"]) == (True, leak, "report")
    assert [(each["address"], each["calls"]) for each in audit["callers"]] == [("198.51.100.9", 10)]
    assert "new-network" in {each["rule"] for each in audit["findings"]}
    text = machine.run(*RESPOND, stdin=gitleaks(finding(made, date=date))).out
    assert "198.51.100.9: 10 calls" in text
    assert "192.0.2.1:" not in text


def test_calls_after_the_end_are_told_when_it_is_looked_at_again(machine: Machine, leaked: str) -> None:
    machine.respond(gitleaks(leaked))
    key_id = machine.key("prod")["id"]
    late = call(int(time.time()), key_id=key_id, version=1, outcome="replaced", status=401, address="198.51.100.66")
    write_log(machine.sandbox, [late, call(int(time.time()), key_id=key_id, version=2)])
    audit = machine.respond(gitleaks(leaked), "--json").data["keys"][0]["audit"]
    assert (audit["calls"], audit["refused"], audit["after_end"]) == (1, 1, 1)


def test_without_a_date_it_is_the_version_or_the_last_days(machine: Machine, leaked: str) -> None:
    old = _old_key(machine, "old", days=400)
    done = machine.run(*RESPOND, "--json", stdin=gitleaks(leaked, old))
    new, long_ago = (each["audit"] for each in done.data["keys"])
    assert (new["since_when"], long_ago["since_when"]) == ("creation", "days_ago")
    assert new["since"] == machine.key("prod")["created_at"]
    assert abs(long_ago["since"] - (time.time() - 30 * 24 * HOUR)) < HOUR


def test_an_empty_log_is_no_sign_that_all_is_well(machine: Machine, leaked: str) -> None:
    done = machine.respond(gitleaks(leaked))
    assert "nothing could be looked at" in done.out
    audit = machine.respond(gitleaks(leaked), "--json").data["keys"][0]["audit"]
    assert (audit["looked_at"], audit["calls"], audit["trouble"]) == (False, None, None)


def test_a_log_that_cannot_be_read_is_told_and_changes_nothing_else(machine: Machine, leaked: str) -> None:
    log = machine.sandbox.key_store.with_name("usage.db")
    log.write_bytes(b"This is no database. " * 500)
    log.chmod(0o600)
    done = machine.respond(gitleaks(leaked), "--json")
    audit = done.data["keys"][0]["audit"]
    assert audit["looked_at"] is False
    assert audit["trouble"]
    assert actions(done) == [("prod", "replaced", True)]
    assert not machine.is_let_in(leaked)
    assert machine.is_let_in(secret_in(machine.env_file))


def test_the_note_is_markdown_in_which_nobody_elses_text_is_markup(machine: Machine, leaked: str) -> None:
    hostile = "a|b`<script>alert(1)</script>\n# @everyone [x](http://evil) ![](http://evil).py"
    write_log(
        machine.sandbox,
        [call(int(time.time()), key_id=machine.key("prod")["id"], version=1, address=hostile, agent=hostile)],
    )
    note = machine.respond(
        gitleaks(finding(leaked, file=hostile), printed(machine, "lone")), "--format", "markdown", code=8
    )
    html = MarkdownIt("commonmark", {"html": True}).enable("table").render(note.out)
    assert "<script" not in html
    assert "<a " not in html
    assert "<img" not in html
    assert html.count("<h1>") == 1
    assert [row.count("<td") for row in html.split("<tr>")[2:4]] == [5, 5]
    for expected in ("version 2", "replaced", "revoked", str(machine.env_file), "routic keys create --name lone"):
        assert expected in note.out


def _old_key(machine: Machine, name: str, *, days: int) -> str:
    """A key that was made so long ago; only an import knows such a time."""
    secret = mint_secret()
    record = {
        "name": name,
        "sha256": secret.fingerprint,
        "hint": secret.hint,
        "created_at": int(time.time()) - days * 24 * HOUR,
    }
    machine.sandbox.ok("keys", "import", "--from", "-", stdin=json.dumps(record) + "\n")
    return secret.reveal()


@pytest.mark.parametrize("flags", [(), ("--replace",)])
def test_no_name_of_a_file_keeps_a_key_alive_or_is_printed_with_one_in_it(
    machine: Machine, leaked: str, flags: tuple[str, ...]
) -> None:
    hostile = f"xsk-{'a1B' * 14}z{leaked}.py"
    # Not through `machine`: what is left of the name has a key's shape, and not its check characters.
    done = machine.sandbox.run(*RESPOND, *flags, "--json", stdin=gitleaks(finding(leaked, file=hostile)))
    assert done.code == 0, done.err
    assert leaked not in done.out + done.err
    assert not machine.is_let_in(leaked)


def test_a_wrong_reason_that_was_typed_is_told_before_anything_ends(machine: Machine, leaked: str) -> None:
    done = machine.run(*RESPOND, "--reason", "two\nlines", stdin=gitleaks(leaked))
    assert done.code == 2
    assert machine.is_let_in(leaked)


def test_a_key_in_two_shapes_leaked_at_the_earlier_date_and_in_both_places(machine: Machine, leaked: str) -> None:
    early, late = "2026-01-02T03:04:05Z", "2026-03-02T03:04:05Z"
    bare = finding(leaked, file="late.py", date=late)
    glued = finding(leaked, file="early.py", date=early) | {"Secret": f"TOKEN:{leaked}"}
    done = machine.run(*RESPOND, "--json", stdin=gitleaks(bare, glued))
    ((version,),) = [each["found"] for each in done.data["keys"]]
    assert version["count"] == 2
    assert version["at"] == int(datetime.fromisoformat(early).timestamp())
    assert [each["file"] for each in version["places"]] == ["late.py", "early.py"]


@pytest.mark.parametrize("trouble", ["damaged", "not private"])
@pytest.mark.parametrize("how", ["named", "from", "leaked", "replace"])
def test_trouble_with_this_machines_memory_keeps_no_key_alive(
    machine: Machine, leaked: str, trouble: str, how: str
) -> None:
    state = machine.sandbox.state_file
    if trouble == "damaged":
        state.write_bytes(b"no database, and longer than its header would be" * 40)
    else:
        state.chmod(0o644)
    command = {
        "named": ("keys", "revoke", "prod", "--yes"),
        "from": ("keys", "revoke", "--from", "-", "--yes"),
        "leaked": RESPOND,
        "replace": REPLACE,
    }[how]
    done = machine.run(*command, stdin="" if how == "named" else gitleaks(leaked))
    assert done.code == (8 if how == "replace" else 0), done.err
    assert trouble in done.err
    assert machine.verdict(leaked) == "revoked"
    if how == "replace":
        assert "places that have it are not known" in done.err
