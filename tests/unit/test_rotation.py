"""What a rotation does to the versions of a key: worked out in the domain, and done in a real store."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routic_cli.domain.errors import ConflictError, KeyGoneError
from routic_cli.domain.keys import Key, KeyStatus, KeyTraits, KeyVersion, Verdict, VerdictStatus, VersionStatus
from routic_cli.domain.lifecycle import verdict_status, version_status
from routic_cli.domain.rotation import ends_of_rotation, retiring_versions, rotated
from routic_cli.domain.secret import Fingerprint, fingerprint_of
from routic_cli.service.keys import KeyService
from routic_cli.workflows.rotation import plan_rotation, retiring_version
from tests.support.keys import HINT, NOW, key_id, new_version, sha256
from tests.support.rotations import GRACE, NOTHING, Machine, at_boundary, folder_in_memory

moments = st.integers(min_value=NOW - 1000, max_value=NOW + 1000)
graces = st.integers(min_value=0, max_value=366 * 86400)


@st.composite
def rotating_keys(draw: st.DrawFn) -> Key:
    """An active key with any past: versions that ended, that retire, that nobody gave an end; the newest is current."""
    ends = [*draw(st.lists(st.none() | moments, max_size=5)), None]
    versions = tuple(
        KeyVersion(number, sha256(1, number), HINT, NOW - 2000 + number, end) for number, end in enumerate(ends, 1)
    )
    return Key(key_id(1), KeyTraits("service"), KeyStatus.ACTIVE, versions, NOW - 2000)


def let_in(key: Key, now: int) -> set[int]:
    return {v.number for v in key.versions if verdict_status(key, v, now) is VerdictStatus.ACTIVE}


@given(key=rotating_keys(), grace=graces)
def test_after_a_rotation_the_new_version_and_during_grace_the_last_one_are_let_in(key: Key, grace: int) -> None:
    last, new = key.current.number, key.versions[-1].number + 1
    after = rotated(key, new_version(1, new, at=NOW), ends_of_rotation(key, now=NOW, grace=grace))
    assert let_in(after, NOW) == ({new, last} if grace else {new})
    assert let_in(after, NOW + grace) == {new}
    if grace:
        assert let_in(after, NOW + grace - 1) == {new, last}


@given(key=rotating_keys(), grace=graces)
def test_a_rotation_gives_no_version_that_has_ended_another_end(key: Key, grace: int) -> None:
    after = rotated(key, new_version(1, 9, at=NOW), ends_of_rotation(key, now=NOW, grace=grace))
    for before, now in zip(key.versions, after.versions, strict=False):
        if before.expires_at is not None and before.expires_at <= NOW:
            assert now == before


@given(key=rotating_keys(), grace=graces)
def test_a_rotation_leaves_everything_but_the_versions_alone(key: Key, grace: int) -> None:
    after = rotated(key, new_version(1, 9, at=NOW), ends_of_rotation(key, now=NOW, grace=grace))
    assert replace(after, versions=key.versions) == key
    assert after.current.number == 9


@given(key=rotating_keys())
def test_retiring_is_what_is_let_in_beside_the_current_version(key: Key) -> None:
    retiring = {version.number for version in retiring_versions(key, NOW)}
    assert retiring == let_in(key, NOW) - {key.current.number}
    for version in key.versions:
        assert (version_status(key, version, NOW) is VersionStatus.RETIRING) == (version.number in retiring)


@given(key=rotating_keys(), grace=graces)
def test_the_plan_names_every_version_that_the_rotation_ends_at_once(key: Key, grace: int) -> None:
    plan = plan_rotation(key, grace=grace, now=NOW)
    assert {version.number for version in plan.ending_at_once} == let_in(key, NOW) - {key.current.number}
    assert plan.number > max(version.number for version in key.versions)


@pytest.mark.parametrize("status", [KeyStatus.REVOKED, KeyStatus.EXPIRED])
def test_a_key_that_is_not_active_has_no_next_version(status: KeyStatus) -> None:
    key = Key(key_id(1), KeyTraits("service"), status, (KeyVersion(1, sha256(1), HINT, NOW),), NOW)
    with pytest.raises(KeyGoneError) as caught:
        plan_rotation(key, grace=GRACE, now=NOW)
    assert caught.value.not_done == "No version was created"


def test_a_key_that_was_never_rotated_has_no_retiring_version() -> None:
    key = Key(key_id(1), KeyTraits("service"), KeyStatus.ACTIVE, (KeyVersion(1, sha256(1), HINT, NOW),), NOW)
    with pytest.raises(ConflictError):
        retiring_version(key, NOW)


# The same in a real store.


@pytest.fixture
def machine() -> Iterator[Machine]:
    """A key in three files."""
    with folder_in_memory() as folder:
        made = Machine(folder / "machine")
        assert made.create() == 0, made.said
        yield made


def test_a_rotation_in_a_real_store_does_what_the_domain_worked_out(machine: Machine) -> None:
    before = machine.key()
    machine.now += 100
    assert machine.rotate() == 0
    after = machine.key()
    expected = rotated(
        before, new_version(1, 2, at=machine.now), ends_of_rotation(before, now=machine.now, grace=GRACE)
    )
    old, new = expected.versions
    assert after == replace(expected, versions=(old, replace(new, sha256=after.current.sha256, hint=after.hint)))


def test_the_id_the_traits_and_the_birthday_of_a_key_outlive_every_rotation(machine: Machine) -> None:
    before = machine.key()
    for _ in range(3):
        machine.now += 100
        assert machine.rotate() == 0
    assert replace(machine.key(), versions=before.versions) == before


def test_grace_lets_the_old_version_in_until_the_second_it_names_and_not_in_it(machine: Machine) -> None:
    old = machine.held("a/.env")
    assert machine.rotate("--grace", "1h") == 0
    new = machine.held("a/.env")
    machine.now += 3599
    assert (machine.verdict(old), machine.verdict(new)) == (VerdictStatus.ACTIVE, VerdictStatus.ACTIVE)
    machine.now += 1
    assert (machine.verdict(old), machine.verdict(new)) == (VerdictStatus.EXPIRED, VerdictStatus.ACTIVE)


def test_a_rotation_without_grace_ends_the_old_version_in_the_same_second(machine: Machine) -> None:
    old = machine.held("a/.env")
    assert machine.rotate("--now") == 0
    assert machine.verdict(old) is VerdictStatus.EXPIRED
    assert machine.leftovers() == NOTHING


def test_a_rotation_of_a_rotation_ends_the_oldest_version_at_once(machine: Machine) -> None:
    assert machine.rotate() == 0
    assert machine.rotate() == 0
    assert [version.expires_at for version in machine.key().versions] == [machine.now, machine.now + GRACE, None]
    assert machine.leftovers() == NOTHING


def test_a_key_that_expires_keeps_its_own_end(machine: Machine) -> None:
    assert machine.run("keys", "update", "service", "--expires", "2h") == 0
    assert machine.rotate() == 0
    key = machine.key()
    assert (key.traits.expires_at, key.current.expires_at) == (machine.now + 7200, None)
    machine.now += 7200
    assert machine.refused() == list(machine.files)


def test_what_is_placed_is_known_by_version_and_hash(machine: Machine) -> None:
    assert machine.rotate("--force", names=["a/.env", "b/.env"]) == 0
    placed = {each.location: each for each in machine.placements()}
    assert [placed[str(machine.path(name))].number for name in machine.files] == [2, 2, 1]
    for name in machine.files:
        assert placed[str(machine.path(name))].sha256 == fingerprint_of(machine.held(name))


def test_a_clock_that_was_put_back_rotates_nothing(machine: Machine) -> None:
    before, files = machine.key(), [machine.path(name).read_bytes() for name in machine.files]
    machine.now -= 2 * GRACE
    assert machine.rotate() == 7
    assert "No version was created" in machine.said
    assert ([machine.path(name).read_bytes() for name in machine.files], machine.key()) == (files, before)


def test_the_times_that_are_printed_are_those_that_are_stored(machine: Machine) -> None:
    machine.ticking = True
    printed = machine.path("printed.json")
    assert machine.rotate("--show", "--json", out=printed) == 0
    shown = [(each["created_at"], each["expires_at"]) for each in json.loads(printed.read_text())["versions"]]
    assert shown == [(version.created_at, version.expires_at) for version in machine.key().versions]


WAITS: Final = [
    pytest.param(["rotate", "service"], "after end", VerdictStatus.UNKNOWN, id="new version"),
    pytest.param(["rotate", "service", "--now", "--yes"], "after end", VerdictStatus.ACTIVE, id="old version"),
    pytest.param(["keys", "revoke", "service", "--yes"], "after revoke", VerdictStatus.ACTIVE, id="revoked key"),
]


def changing_its_mind(monkeypatch: pytest.MonkeyPatch, verdict: VerdictStatus, times: int) -> Callable[[], None]:
    """What makes a store answer so for some times, and the truth from then on."""
    answer, left = KeyService.verify, [verdict] * times

    def verify(service: KeyService, sha256: Fingerprint) -> Verdict:
        return Verdict(left.pop()) if left else answer(service, sha256)

    return lambda: monkeypatch.setattr(KeyService, "verify", verify)


@pytest.mark.parametrize(("arguments", "moment", "verdict"), WAITS)
def test_wait_ends_as_unavailable_while_the_store_itself_says_otherwise(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, arguments: list[str], moment: str, verdict: VerdictStatus
) -> None:
    with at_boundary(1, changing_its_mind(monkeypatch, verdict, 1000), named=moment):
        assert machine.run(*arguments, "--wait", "1s") == 7
    assert "after 1 s" in machine.said


@pytest.mark.parametrize(("arguments", "moment", "verdict"), WAITS)
def test_wait_asks_the_store_until_it_says_so(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, arguments: list[str], moment: str, verdict: VerdictStatus
) -> None:
    with at_boundary(1, changing_its_mind(monkeypatch, verdict, 3), named=moment):
        assert machine.run(*arguments, "--wait", "60s") == 0, machine.said
    assert "The store was asked" in machine.said


def test_abort_gives_every_file_the_bytes_it_had(machine: Machine) -> None:
    before = {name: machine.path(name).read_bytes() for name in machine.files}
    old = machine.held("a/.env")
    assert machine.rotate() == 0
    new = machine.held("a/.env")
    assert machine.abort() == 0
    assert {name: machine.path(name).read_bytes() for name in machine.files} == before
    assert (machine.verdict(old), machine.verdict(new)) == (VerdictStatus.ACTIVE, VerdictStatus.EXPIRED)


def test_after_an_abort_the_old_version_is_current_and_has_no_end(machine: Machine) -> None:
    assert machine.rotate() == 0
    assert machine.abort() == 0
    assert (machine.key().current.number, machine.key().current.expires_at) == (1, None)
    machine.now += 10 * GRACE
    assert machine.leftovers() == NOTHING


def test_after_an_abort_the_next_version_has_a_number_that_was_never_used(machine: Machine) -> None:
    assert [machine.rotate(), machine.abort(), machine.rotate()] == [0, 0, 0]
    key = machine.key()
    assert [version.number for version in key.versions] == [1, 2, 3]
    assert key.current.number == 3
    assert machine.leftovers() == NOTHING


@pytest.mark.parametrize("end", ["--abort", "--finish"])
def test_nothing_sealed_is_left_when_a_rotation_is_over(machine: Machine, end: str) -> None:
    assert machine.rotate() == 0
    assert machine.sealed() == [2]
    assert machine.run("rotate", "service", end, "--yes") == 0
    assert machine.sealed() == []


def test_only_what_the_latest_rotation_needs_is_kept_sealed(machine: Machine) -> None:
    assert [machine.rotate() for _ in range(3)] == [0, 0, 0]
    assert machine.sealed() == [4]


def test_after_the_grace_there_is_nothing_to_abort(machine: Machine) -> None:
    assert machine.rotate() == 0
    machine.now += GRACE
    assert machine.abort() == 5
    assert machine.leftovers() == NOTHING


def test_an_abort_without_the_sealed_secret_changes_nothing(machine: Machine) -> None:
    assert machine.rotate() == 0
    machine.forget_sealed()
    key, files = machine.key(), [machine.path(name).read_bytes() for name in machine.files]
    assert machine.abort() == 5
    assert "Nothing was changed" in machine.said
    assert (machine.key(), [machine.path(name).read_bytes() for name in machine.files]) == (key, files)


def test_an_abort_leaves_a_file_that_was_edited_by_hand_since(machine: Machine) -> None:
    old = machine.held("a/.env")
    assert machine.rotate() == 0
    machine.path("b/.env").write_text("ROUTIC_API_KEY=by-hand\n")
    assert machine.abort() == 0
    assert machine.path("b/.env").read_text() == "ROUTIC_API_KEY=by-hand\n"
    assert [machine.held(name) for name in ("a/.env", "c/.env")] == [old, old]
