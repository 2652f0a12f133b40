"""Many at once: nobody loses, and of those who want the same only one wins."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from typing import Final

import pytest

from tests.support.ground import active_keys, open_operations, orphans, sha256
from tests.support.promises import Scene
from tests.support.sandbox import DEADLINE, SECRET, Done, Sandbox

MANY: Final = 8


def at_once(sandbox: Sandbox, commands: Sequence[Sequence[str]]) -> list[Done]:
    """All of the commands, side by side."""
    processes = [sandbox.start(*command) for command in commands]
    results = []
    for process in processes:
        out, err = process.communicate(timeout=DEADLINE)
        results.append(Done(process.returncode, out.decode(), err.decode()))
    return results


@pytest.mark.parametrize("fresh", [True, False], ids=["no store yet", "a store"])
def test_creations_of_different_names_all_succeed(scene: Scene, fresh: bool) -> None:
    if fresh:
        shutil.rmtree(scene.sandbox.home)
        scene.sandbox.home.mkdir()
    results = at_once(scene.sandbox, [["keys", "create", "--name", f"k{n}"] for n in range(MANY)])
    assert [done.code for done in results] == [0] * MANY
    active = {key.name: key.sha256 for key in active_keys(scene.sandbox.key_store)}
    assert [active[f"k{n}"] for n, done in enumerate(results)] == [sha256(done.secret) for done in results]


@pytest.mark.parametrize("into_file", [True, False], ids=["into a file", "printed"])
def test_of_creations_of_one_name_exactly_one_succeeds_and_the_others_conflict(scene: Scene, into_file: bool) -> None:
    commands = [
        ["keys", "create", "--name", "worker", *(["--env-file", ".env", "--var", f"K{n}"] if into_file else [])]
        for n in range(MANY)
    ]
    results = at_once(scene.sandbox, commands)
    assert sorted(done.code for done in results) == [0] + [5] * (MANY - 1)
    (winner,) = [n for n, done in enumerate(results) if done.code == 0]
    (worker,) = scene.workers()
    added = (scene.sandbox.cwd / ".env").read_bytes().removeprefix(scene.before).decode()
    delivered = added.removeprefix(f"K{winner}=") if into_file else results[winner].out
    assert worker.sha256 == sha256(delivered.strip())
    assert open_operations(scene.sandbox.state_file) == 0
    assert scene.sandbox.committable() == []
    losers = [done for done in results if done.code == 5]
    assert [done.err for done in losers if not re.search("No key was created|Nothing was stored", done.err)] == []
    # A secret that was printed before the store said no is called dead.
    assert [done.err for done in losers if done.out and "Discard" not in done.err] == []


def test_writers_of_different_variables_of_one_file_lose_nothing(scene: Scene) -> None:
    commands = [["keys", "create", "--name", f"k{n}", "--env-file", ".env", "--var", f"K{n}"] for n in range(MANY)]
    results = at_once(scene.sandbox, commands)
    assert [done.code for done in results] == [0] * MANY
    content = (scene.sandbox.cwd / ".env").read_bytes()
    assert content.startswith(scene.before)
    lines = dict(line.split("=") for line in content.removeprefix(scene.before).decode().splitlines())
    active = {key.name: key.sha256 for key in active_keys(scene.sandbox.key_store)}
    assert {name: sha256(value) for name, value in lines.items()} == {f"K{n}": active[f"k{n}"] for n in range(MANY)}
    assert scene.sandbox.committable() == []


def test_of_writers_of_the_same_variable_one_wins_and_the_others_make_no_key(scene: Scene) -> None:
    results = at_once(scene.sandbox, [["keys", "create", "--name", f"k{n}", "--env-file", ".env"] for n in range(MANY)])
    assert sorted(done.code for done in results) == [0] + [6] * (MANY - 1)
    added = (scene.sandbox.cwd / ".env").read_bytes().removeprefix(scene.before).decode()
    (secret,) = SECRET.findall(added)
    assert added == f"ROUTIC_API_KEY={secret}\n"
    new = [key.sha256 for key in active_keys(scene.sandbox.key_store) if key.name.startswith("k")]
    assert new == [sha256(secret)]


def test_writers_of_two_files_in_opposite_orders_do_not_wait_for_each_other_for_ever(scene: Scene) -> None:
    (scene.sandbox.cwd / "sub").mkdir()
    files = ["--env-file", ".env", "--env-file", "sub/.env"]
    orders = [files, [files[0], files[3], files[2], files[1]]]
    commands = [["keys", "create", "--name", f"k{n}", "--var", f"K{n}", *orders[n % 2]] for n in range(4)]
    results = at_once(scene.sandbox, commands)
    assert [done.code for done in results] == [0] * 4
    for path in (".env", "sub/.env"):
        assert len(SECRET.findall((scene.sandbox.cwd / path).read_text())) == (5 if path == ".env" else 4)


def test_a_delivery_that_is_under_way_is_not_taken_for_a_crash(scene: Scene) -> None:
    """Others change things meanwhile, and each of them looks for what a crash left open."""
    creating = [["keys", "create", "--name", f"k{n}", "--env-file", ".env", "--var", f"K{n}"] for n in range(4)]
    changing = [["keys", "update", "other", "--tag", f"t{n}=1"] for n in range(8)]
    results = at_once(scene.sandbox, [*creating[:2], *changing[:4], *creating[2:], *changing[4:]])
    assert [done.code for done in results] == [0] * 12
    assert "Tidied up" not in "".join(done.err for done in results)
    assert orphans(scene.sandbox) == []
    assert len(active_keys(scene.sandbox.key_store)) == 5
    tags = scene.sandbox.ok("keys", "show", "other", "--fields", "tags").data["tags"]
    assert tags == {f"t{n}": "1" for n in range(8)}


def test_revocations_of_one_key_all_succeed_and_one_of_them_changed_it(scene: Scene) -> None:
    results = at_once(scene.sandbox, [["keys", "revoke", "other", "--yes", "--json"]] * MANY)
    assert [done.code for done in results] == [0] * MANY
    assert [done.data["changed"] for done in results].count(True) == 1


def test_a_key_revoked_while_others_are_made_and_it_is_renamed_stays_revoked(scene: Scene) -> None:
    making = [["keys", "create", "--name", f"k{n}"] for n in range(4)]
    key_id = scene.sandbox.ok("keys", "show", "other", "--fields", "id").data["id"]
    results = at_once(scene.sandbox, [*making, ["keys", "revoke", key_id, "--yes"], ["keys", "rename", key_id, "x"]])
    assert [done.code for done in results[:5]] == [0] * 5
    assert results[5].code in {0, 5}  # renamed before, or too late
    assert sorted(key.name for key in active_keys(scene.sandbox.key_store)) == [f"k{n}" for n in range(4)]
