"""A newcomer's first five minutes: a key for a service, straight into `.env`, never committed."""

from __future__ import annotations

import re

from tests.support.sandbox import SECRET, Sandbox
from tests.support.terminal import Terminal


def commit_everything(sandbox: Sandbox) -> str:
    """What `git add --all` and a commit bring into the history: every text in it."""
    sandbox.git("add", "--all")
    sandbox.git("commit", "--quiet", "--allow-empty", "--message=Everything")
    return sandbox.git("log", "--all", "--patch", "--format=%B") + sandbox.git("ls-files")


def test_from_an_empty_machine_to_a_revoked_key_without_a_secret_in_git(  # noqa: PLR0915  # one story, in one piece
    sandbox: Sandbox,
) -> None:
    # A clone of somebody's service: code, and an example of the .env that it needs.
    (sandbox.cwd / "app.py").write_text("import os\nprint(os.environ['ROUTIC_API_KEY'])\n")
    (sandbox.cwd / ".env.example").write_text("ROUTIC_API_KEY=\n")
    sandbox.git("init", "--quiet", "--initial-branch=main")
    commit_everything(sandbox)

    # What there is, and the first thing to type: both are told without a store.
    nothing_yet = sandbox.ok("keys", "list")
    assert (nothing_yet.out, "routic keys create --name NAME" in nothing_yet.err) == ("", True)

    # The obvious command is refused, because git would publish the file; nothing has been made.
    create = ["keys", "create", "--name", "prod-backend", "--env-file", ".env", "--expires", "90d", "--tag", "env=prod"]
    refused = sandbox.run(*create)
    assert (refused.code, refused.out) == (6, "")
    assert "No key was created" in refused.err
    assert not (sandbox.cwd / ".env").exists()
    assert not sandbox.key_store.exists()

    # The error names the command that mends it; typed as it stands, it does.
    remedy = re.search(r"Try: routic (.+)", refused.err)
    assert remedy is not None
    assert remedy[1] == "env check --fix .env"
    fixed = sandbox.ok(*remedy[1].split())
    assert (sandbox.cwd / ".gitignore").read_text() == "/.env\n"
    assert "/.env" in fixed.err

    # Now it works: the key is in the file, for its owner only, and not on the screen.
    created = sandbox.ok(*create)
    assert created.out == ""
    assert "prod-backend (key_" in created.err
    env_file = sandbox.cwd / ".env"
    secret = env_file.read_text().removeprefix("ROUTIC_API_KEY=").removesuffix("\n")
    assert SECRET.fullmatch(secret)
    assert env_file.stat().st_mode & 0o777 == 0o600

    # The service finds it there, as any shell reads it.
    assert sandbox.shell(". ./.env && printf %s $ROUTIC_API_KEY").out == secret

    # It can be listed and shown, for a person and for a script, by its name or by the beginning of its id.
    with Terminal(sandbox, "keys", "list") as terminal:
        terminal.finish()
        screen = "\n".join(terminal.screen())
    assert re.search(r"in (89|90) days|in 3 months", screen)
    key_id = sandbox.ok("keys", "list", "--fields", "id").data["data"][0]["id"]
    assert [text for text in ("prod-backend", key_id, "active", "unknown") if text not in screen] == []
    shown = sandbox.ok("keys", "show", key_id[:10], "--json").data
    assert shown["tags"] == {"env": "prod"}
    assert shown["hint"] == f"{secret[:7]}…{secret[-4:]}"
    assert shown["placements"][0]["location"] == str(env_file)

    # It would be let in; the file is a safe place; the name can change and nothing else does.
    assert sandbox.ok("keys", "verify", stdin=secret).out.startswith("status:\tactive\n")
    assert sandbox.ok("env", "check").out == ".env\tfine\t\t\t\n"
    sandbox.ok("keys", "rename", "prod-backend", "prod-api")
    assert sandbox.ok("keys", "verify", "--fields", "key", stdin=secret).data["key"]["name"] == "prod-api"
    assert sandbox.run("keys", "show", "prod-backend").code == 3

    # A name is taken once; asking twice tells so and makes nothing.
    assert sandbox.run("keys", "create", "--name", "prod-api").code == 5

    # Everything is committed, as people do; the secret is not among it.
    history = commit_everything(sandbox)
    assert "/.env\n" in history
    assert ".env\n" not in sandbox.git("ls-files")
    assert not SECRET.search(history)
    assert sandbox.holders(secret) == ["work/.env"]

    # It is revoked, after a question that says when it was last used; from then on it is refused everywhere.
    with Terminal(sandbox, "keys", "revoke", "prod-api", "--reason", "laptop stolen", together=True) as terminal:
        terminal.expect("last used: unknown")
        terminal.expect("[y/N]")
        terminal.type("y\r")
        assert terminal.finish().code == 0
    refused_key = sandbox.run("keys", "verify", "--json", stdin=secret)
    assert (refused_key.code, refused_key.data["status"]) == (9, "revoked")
    assert refused_key.data["key"]["revoke_reason"] == "laptop stolen"
    check = sandbox.run("env", "check")
    assert (check.code, "dead-key" in check.out) == (9, True)
    assert "1 revoked" in sandbox.ok("keys", "list").err

    # The name is free again, and the new secret takes the dead one's place in the file.
    sandbox.ok("keys", "create", "--name", "prod-api", "--env-file", ".env")
    assert len(SECRET.findall(env_file.read_text())) == 1
    assert sandbox.ok("env", "check").out == ".env\tfine\t\t\t\n"
    assert not SECRET.search(commit_everything(sandbox))


def test_the_newcomer_who_just_wants_to_see_the_key(sandbox: Sandbox) -> None:
    with Terminal(sandbox, "keys", "create", "--name", "trial", together=True) as terminal:
        assert terminal.finish().code == 0
        (secret,) = [line for line in terminal.screen() if SECRET.fullmatch(line)]
    with Terminal(sandbox, "keys", "verify", together=True) as terminal:
        terminal.expect("Key to verify: ")
        terminal.type(f"{secret}\r")
        assert terminal.finish().code == 0
        screen = "\n".join(terminal.screen())
    assert ("active" in screen, "trial" in screen, secret in screen) == (True, True, False)
