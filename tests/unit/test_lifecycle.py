"""What time does to a key and its versions."""

from __future__ import annotations

from dataclasses import replace

import pytest

from routic_cli.domain.keys import Key, KeyStatus, KeyTraits, KeyVersion, VerdictStatus, VersionStatus
from routic_cli.domain.lifecycle import ended_at, key_from_new, key_status, lives, verdict_status, version_status
from tests.support.keys import HINT, NOW, key_id, new_key, sha256


def key_of(*ends: int | None, status: KeyStatus = KeyStatus.ACTIVE) -> Key:
    """A key whose versions have these ends."""
    versions = tuple(KeyVersion(n, sha256(1, n), HINT, NOW, end) for n, end in enumerate(ends, start=1))
    return Key(key_id(1), KeyTraits("a"), status, versions, NOW)


@pytest.mark.parametrize(
    ("revoked_at", "expires_at", "status"),
    [
        (None, None, KeyStatus.ACTIVE),
        (None, NOW + 1, KeyStatus.ACTIVE),
        (None, NOW, KeyStatus.EXPIRED),
        (None, NOW - 1, KeyStatus.EXPIRED),
        (NOW - 1, None, KeyStatus.REVOKED),
        (NOW - 1, NOW - 5, KeyStatus.REVOKED),
        (NOW + 5, None, KeyStatus.REVOKED),
    ],
)
def test_revoked_outweighs_expired_and_the_last_second_is_the_one_before_the_end(
    revoked_at: int | None, expires_at: int | None, status: KeyStatus
) -> None:
    assert key_status(revoked_at=revoked_at, expires_at=expires_at, now=NOW) is status
    if revoked_at is None:
        assert lives(KeyTraits("a", expires_at=expires_at), NOW) is (status is KeyStatus.ACTIVE)


@pytest.mark.parametrize(
    ("ends", "current"),
    [
        ((None,), 1),
        ((None, None), 2),
        ((NOW, None), 2),
        ((None, NOW), 1),
        ((NOW, NOW), 2),
        ((NOW + 5, None, NOW), 2),
        ((None, None, NOW + 9), 2),
    ],
)
def test_the_current_version_is_the_newest_without_an_end(ends: tuple[int | None, ...], current: int) -> None:
    assert key_of(*ends).current.number == current


@pytest.mark.parametrize(
    ("ends", "statuses"),
    [
        ((None,), "current"),
        ((NOW + 1, None), "retiring current"),
        ((NOW, None), "ended current"),
        ((None, None), "retiring current"),
        ((NOW + 5, NOW, None), "retiring ended current"),
        ((NOW, NOW), "ended ended"),
        ((NOW + 1,), "current"),
    ],
)
def test_versions_are_current_retiring_or_ended(ends: tuple[int | None, ...], statuses: str) -> None:
    key = key_of(*ends)
    assert " ".join(version_status(key, version, NOW) for version in key.versions) == statuses


@pytest.mark.parametrize("status", [KeyStatus.EXPIRED, KeyStatus.REVOKED])
def test_every_version_ends_with_its_key(status: KeyStatus) -> None:
    key = key_of(NOW + 5, None, status=status)
    assert {version_status(key, version, NOW) for version in key.versions} == {VersionStatus.ENDED}


@pytest.mark.parametrize(
    ("status", "end", "verdict"),
    [
        (KeyStatus.ACTIVE, None, VerdictStatus.ACTIVE),
        (KeyStatus.ACTIVE, NOW + 1, VerdictStatus.ACTIVE),
        (KeyStatus.ACTIVE, NOW, VerdictStatus.EXPIRED),
        (KeyStatus.EXPIRED, None, VerdictStatus.EXPIRED),
        (KeyStatus.REVOKED, None, VerdictStatus.REVOKED),
        (KeyStatus.REVOKED, NOW, VerdictStatus.REVOKED),
    ],
)
def test_a_verdict_is_of_the_key_and_of_the_version(status: KeyStatus, end: int | None, verdict: VerdictStatus) -> None:
    key = key_of(end, status=status)
    assert verdict_status(key, key.versions[0], NOW) is verdict


@pytest.mark.parametrize(
    ("revoked_at", "expires_at", "ended"), [(None, None, None), (5, None, 5), (None, 7, 7), (5, 7, 5), (9, 7, 7)]
)
def test_a_key_ends_with_what_comes_first(revoked_at: int | None, expires_at: int | None, ended: int | None) -> None:
    key = replace(key_of(None), revoked_at=revoked_at, traits=KeyTraits("a", expires_at=expires_at))
    assert ended_at(key) == ended


def test_a_key_can_be_shown_before_a_store_has_it() -> None:
    key = key_from_new(new_key(1, expires_at=NOW + 1), NOW)

    assert (key.id, key.status, key.created_at, key.current.sha256) == (key_id(1), KeyStatus.ACTIVE, NOW, sha256(1))
    assert key_from_new(new_key(1, expires_at=NOW), NOW).status is KeyStatus.EXPIRED
