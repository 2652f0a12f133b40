"""`--dry-run` checks everything and changes nothing: no byte, no file, no folder."""

from __future__ import annotations

import json
import shutil
from typing import Final

import pytest

from tests.cli.conftest import Stocked
from tests.support.sandbox import SECRET

LINES: Final = json.dumps({"name": "a", "sha256": "0" * 64})
PLANS: Final = {
    "create": (["keys", "create", "--name", "new"], ""),
    "create into a file": (["keys", "create", "--name", "new", "--env-file", ".env"], ""),
    "create as JSON": (["keys", "create", "--name", "new", "--json"], ""),
    "import": (["keys", "import", "--name", "old"], "an-older-secret-minted-elsewhere"),
    "import of many": (["keys", "import", "--from", "-"], LINES),
}


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("machine", ["fresh", "with keys"])
def test_a_dry_run_succeeds_and_leaves_every_file_as_it_was(stocked: Stocked, machine: str, plan: str) -> None:
    sandbox = stocked.sandbox
    if machine == "fresh":
        shutil.rmtree(sandbox.home)
        sandbox.home.mkdir()
    arguments, stdin = PLANS[plan]
    before = sandbox.snapshot()
    done = sandbox.ok(*arguments, "--dry-run", stdin=stdin)
    assert sandbox.snapshot() == before
    assert not SECRET.search(done.out + done.err)
    assert "Dry run" in done.err or done.data["dry_run"]


def test_a_dry_run_of_a_revocation_asks_nobody_and_revokes_nothing(stocked: Stocked) -> None:
    before = stocked.sandbox.snapshot()
    done = stocked.sandbox.ok("keys", "revoke", "prod", "--dry-run", "--json")
    assert (done.data["status"], done.data["changed"]) == ("active", False)
    assert stocked.sandbox.snapshot() == before


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["keys", "create", "--name", "prod"], 5),
        (["keys", "create", "--name", "a b"], 2),
        (["keys", "create", "--name", "a", "--env-file", "app.py"], 6),
        (["keys", "create", "--name", "a", "--env-file", "nosuch/.env"], 1),
        (["keys", "revoke", "nosuch"], 3),
    ],
    ids=["name taken", "wrong name", "unsafe file", "no such folder", "no such key"],
)
def test_a_dry_run_fails_as_the_real_thing_would(stocked: Stocked, arguments: list[str], code: int) -> None:
    before = stocked.sandbox.snapshot()
    assert stocked.sandbox.run(*arguments, "--dry-run").code == code
    assert stocked.sandbox.run(*arguments, *(["--yes"] if "revoke" in arguments else [])).code == code
    assert stocked.sandbox.snapshot() == before
