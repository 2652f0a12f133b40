"""KeyService beside a model of a few dicts: whatever is done in whatever order, both say the same."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from routic_cli.domain.errors import (
    ConflictError,
    KeyExistsError,
    KeyGoneError,
    KeyNotFoundError,
    NameTakenError,
    RouticError,
)
from routic_cli.domain.keys import KeyChanges, KeyQuery, NewVersion
from routic_cli.domain.version_ends import TAKEN_BACK_WITHIN
from routic_cli.service.keys import KeyService
from routic_cli.store.sqlite import SqliteStore
from tests.support.keys import HINT, NOW, key_id, new_key, sha256

_NAMES = st.sampled_from(["a", "b", "c"])
_LIVES = st.sampled_from([None, 5, 20, 60])
_ANY = st.integers(0, 1_000)


@dataclass
class ModelVersion:
    number: int
    sha256: str
    ends: int | None = None


@dataclass
class ModelKey:
    n: int
    name: str
    ends: int | None
    versions: list[ModelVersion]
    revoked: int | None = None

    def status(self, now: int) -> str:
        if self.revoked is not None:
            return "revoked"
        return "expired" if self.ends is not None and self.ends <= now else "active"

    def lost_name_at(self) -> int:
        return min(at for at in (self.revoked, self.ends) if at is not None)


@dataclass
class Model:
    now: int = NOW
    keys: list[ModelKey] = field(default_factory=list)
    given_up: set[tuple[int, int, str]] = field(default_factory=set)

    def has_live(self, name: str, *, beside: ModelKey | None = None) -> bool:
        return any(k.name == name and k is not beside and k.status(self.now) == "active" for k in self.keys)

    def verdict(self, hash_: str) -> tuple[str, int | None]:
        for key in self.keys:
            for version in key.versions:
                if version.sha256 == hash_:
                    ended = version.ends is not None and version.ends <= self.now
                    status = key.status(self.now)
                    return ("expired" if ended and status == "active" else status), version.number
        return "unknown", None


class Machine(RuleBasedStateMachine):
    """Each rule asks both, and compares the answer or the class of the error."""

    @initialize()
    def open(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.model = Model()
        store = SqliteStore(self.folder / "keys.db", account="default")
        self.service = KeyService(store, clock=lambda: self.model.now, actor="me")
        self.next_number = 0

    def teardown(self) -> None:
        if hasattr(self, "service"):
            self.service.close()
            shutil.rmtree(self.folder)

    def some(self, which: int) -> ModelKey:
        return self.model.keys[which % len(self.model.keys)]

    def has_keys(self) -> bool:
        return bool(self.model.keys)

    def expect(self, error: type[RouticError] | None, call: Any, *arguments: Any) -> None:
        if error is None:
            call(*arguments)
        else:
            with pytest.raises(error):
                call(*arguments)

    @rule(seconds=st.sampled_from([1, 4, 5, 15, 40]))
    def time_passes(self, seconds: int) -> None:
        self.model.now += seconds

    @rule(name=_NAMES, lives=_LIVES)
    def create(self, name: str, lives: int | None) -> None:
        n = self.next_number = self.next_number + 1
        ends = None if lives is None else self.model.now + lives
        taken = self.model.has_live(name)
        self.expect(NameTakenError if taken else None, self.service.register, new_key(n, name, expires_at=ends))
        if not taken:
            self.model.keys.append(ModelKey(n, name, ends, [ModelVersion(1, sha256(n))]))

    @rule(name=_NAMES)
    def give_up_before_it_comes(self, name: str) -> None:
        n = self.next_number = self.next_number + 1
        self.service.give_up(key_id(n), 1, sha256(n))
        self.expect(KeyGoneError, self.service.register, new_key(n, name))

    @precondition(has_keys)
    @rule(which=_ANY)
    def ask_for_registration_again(self, which: int) -> None:
        key = self.some(which)
        gone = key.revoked is not None or (key.n, 1, sha256(key.n)) in self.model.given_up
        self.expect(KeyGoneError if gone else None, self.service.register, new_key(key.n, key.name))

    @precondition(has_keys)
    @rule(which=_ANY, name=_NAMES)
    def rename(self, which: int, name: str) -> None:
        key = self.some(which)
        error: type[RouticError] | None = None
        if key.revoked is not None:
            error = KeyGoneError
        elif key.status(self.model.now) == "active" and self.model.has_live(name, beside=key):
            error = NameTakenError
        self.expect(error, self.service.change, key_id(key.n), KeyChanges(name=name))
        if error is None:
            key.name = name

    @precondition(has_keys)
    @rule(which=_ANY, lives=_LIVES)
    def move_the_end(self, which: int, lives: int | None) -> None:
        key = self.some(which)
        ends = None if lives is None else self.model.now + lives
        error: type[RouticError] | None = None
        if key.revoked is not None:
            error = KeyGoneError
        elif self.model.has_live(key.name, beside=key):
            error = NameTakenError
        self.expect(error, self.service.change, key_id(key.n), KeyChanges(expires_at=ends))
        if error is None:
            key.ends = ends

    @precondition(has_keys)
    @rule(which=_ANY, version=_ANY, by_hash=st.booleans())
    def revoke(self, which: int, version: int, *, by_hash: bool) -> None:
        key = self.some(which)
        hash_ = key.versions[version % len(key.versions)].sha256
        [result] = self.service.revoke([hash_ if by_hash else key_id(key.n)], None)  # type: ignore[list-item]  # str
        assert result.key is not None
        assert result.key.id == key_id(key.n)
        assert result.changed is (key.revoked is None)
        if key.revoked is None:
            key.revoked = self.model.now

    @precondition(has_keys)
    @rule(which=_ANY, version=_ANY)
    def give_up(self, which: int, version: int) -> None:
        key = self.some(which)
        lost = key.versions[version % len(key.versions)]
        self.service.give_up(key_id(key.n), lost.number, lost.sha256)  # type: ignore[arg-type]  # str
        self.model.given_up.add((key.n, lost.number, lost.sha256))
        others = [version for version in key.versions if version is not lost]
        alive = [version for version in others if version.ends is None or version.ends > self.model.now]
        if alive:
            key.versions.remove(lost)
            if all(version.ends is not None for version in others):
                alive[-1].ends = None
        elif key.revoked is None:
            key.revoked = self.model.now

    @precondition(has_keys)
    @rule(which=_ANY, repeat=st.booleans())
    def add_version(self, which: int, *, repeat: bool) -> None:
        key = self.some(which)
        number = key.versions[-1].number + 1
        self.next_number += 1
        new = NewVersion(number, sha256(self.next_number, 99), HINT, self.model.now)
        error = KeyGoneError if key.status(self.model.now) != "active" else None
        self.expect(error, self.service.add_version, key_id(key.n), new)
        if error is None:
            key.versions.append(ModelVersion(number, new.sha256))
        if error is None and repeat:
            self.service.add_version(key_id(key.n), new)
            other = NewVersion(number, sha256(self.next_number, 98), HINT, self.model.now)
            self.expect(KeyExistsError, self.service.add_version, key_id(key.n), other)

    @precondition(has_keys)
    @rule(which=_ANY, version=_ANY, lives=st.sampled_from([None, 0, 5, 20]))
    def end_version(self, which: int, version: int, lives: int | None) -> None:
        key = self.some(which)
        ending = key.versions[version % len(key.versions)]
        ends = None if lives is None else self.model.now + lives
        now, before = self.model.now, ending.ends
        others = [version for version in key.versions if version is not ending]
        ended = before is not None and before <= now
        again = ends == before or (ended and ends is not None and ends <= now)
        error: type[RouticError] | None = None
        if key.revoked is not None:
            error = KeyGoneError
        elif again:
            ends = before
        elif before is None and all(version.ends is not None for version in others):
            error = ConflictError
        elif before is not None and (ends is None or ends > before):
            taken_back = ending is key.versions[-1] and ends is None and now - before <= TAKEN_BACK_WITHIN
            if ended and not taken_back:
                error = KeyGoneError
            elif len([each for each in others if each.ends is None or each.ends > now]) > 1:
                error = ConflictError
        self.expect(error, self.service.end_version, key_id(key.n), ending.number, ends)
        if error is None:
            ending.ends = ends

    @rule(name=_NAMES)
    def find_by_name(self, name: str) -> None:
        named = [key for key in self.model.keys if key.name == name]
        live = [key for key in named if key.status(self.model.now) == "active"]
        if not named:
            self.expect(KeyNotFoundError, self.service.find, name)
            return
        meant = live[0] if live else max(named, key=lambda key: (key.lost_name_at(), key.n))
        assert self.service.find(name).id == key_id(meant.n)

    @invariant()
    def names_of_the_living_are_their_own(self) -> None:
        live = [key.name for key in self.model.keys if key.status(self.model.now) == "active"]
        assert len(live) == len(set(live))

    @invariant()
    def both_list_the_same(self) -> None:
        shown = {key.id: key for key in self.service.page(KeyQuery()).keys}
        assert shown.keys() == {key_id(key.n) for key in self.model.keys}
        for key in self.model.keys:
            real = shown[key_id(key.n)]
            assert (real.name, real.status, real.traits.expires_at, real.revoked_at) == (
                key.name,
                key.status(self.model.now),
                key.ends,
                key.revoked,
            )
            assert [(v.number, v.sha256, v.expires_at) for v in real.versions] == [
                (v.number, v.sha256, v.ends) for v in key.versions
            ]

    @invariant()
    def both_let_the_same_in(self) -> None:
        for key in self.model.keys:
            for version in key.versions:
                verdict = self.service.verify(version.sha256)  # type: ignore[arg-type]  # a str in the model
                assert (verdict.status.value, verdict.version) == self.model.verdict(version.sha256)
        for n, number, hash_ in self.model.given_up:
            verdict = self.service.verify(hash_)  # type: ignore[arg-type]  # as above
            assert verdict.status.value in {"unknown", "revoked"}, f"key {n}, version {number} was given up, and lives"


TestKeyService = Machine.TestCase
TestKeyService.settings = settings(max_examples=60, stateful_step_count=30)
