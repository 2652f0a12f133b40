"""The keyring as a destination: what each step leaves."""

from __future__ import annotations

import pytest

from routic_cli.delivery.keyring_sink import KeyringSink, read_keyring_secret
from routic_cli.delivery.sink import Placement, Sink
from routic_cli.domain.errors import DeliveryError
from routic_cli.domain.secret import Secret
from tests.support.keyring_backends import Memory
from tests.support.keyring_sinks import (
    FINAL,
    KEY_ID,
    NEW,
    OLD,
    OTHER,
    PROVISIONAL,
    committed,
    sink_of,
    use,
)


class TestSink:
    def test_a_secret_counts_only_when_it_is_committed(self, entries: dict[tuple[str, str], str]) -> None:
        sink: Sink = sink_of()
        entries[FINAL] = OLD
        sink.preflight()
        assert entries == {FINAL: OLD}
        sink.prepare(Secret(NEW))
        assert entries == {FINAL: OLD, PROVISIONAL: NEW}
        assert not sink.holds(Secret(NEW).fingerprint)
        sink.commit()
        sink.commit()
        assert entries == {FINAL: NEW}
        assert sink.holds(Secret(NEW).fingerprint)
        assert not sink.holds(Secret(OLD).fingerprint)
        assert sink.placement() == Placement("keyring", f"routic:{KEY_ID}", "")
        assert sink.notices == []

    def test_the_record_has_what_recovery_needs_and_no_secret(self) -> None:
        assert committed().record() == {"kind": "keyring", "key_id": KEY_ID, "number": "2"}

    @pytest.mark.parametrize("previous", [{}, {FINAL: OLD}])
    def test_undo_puts_back_what_was_there(
        self, entries: dict[tuple[str, str], str], previous: dict[tuple[str, str], str]
    ) -> None:
        entries.update(previous)
        sink = committed()
        sink.undo()
        assert entries == previous
        entries[FINAL] = OTHER
        sink.undo()
        assert entries == {FINAL: OTHER}

    def test_undo_leaves_what_another_program_wrote_since(self, entries: dict[tuple[str, str], str]) -> None:
        sink = committed()
        entries[FINAL] = OTHER
        sink.undo()
        assert entries == {FINAL: OTHER}
        assert sink.notices == [
            f"routic:{KEY_ID} in the keyring was changed by another program since, and has been left as it is"
        ]

    def test_what_was_undone_is_not_undone_again_nor_committed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[str] = []
        sink = committed()
        sink.undo()
        with pytest.raises(DeliveryError, match="no longer there"):
            sink.commit()
        monkeypatch.setattr(Memory, "before", asked.append)
        sink.undo()
        assert asked == []

    def test_undo_of_nothing_asks_no_keyring(self, monkeypatch: pytest.MonkeyPatch) -> None:
        use(monkeypatch, "keyring.backends.fail.Keyring")
        sink_of().undo()

    @pytest.mark.parametrize("found", [None, OTHER])
    def test_commit_takes_only_what_was_prepared(self, entries: dict[tuple[str, str], str], found: str | None) -> None:
        entries[FINAL] = OLD
        sink = sink_of()
        sink.prepare(Secret(NEW))
        del entries[PROVISIONAL]
        if found is not None:
            entries[PROVISIONAL] = found
        with pytest.raises(DeliveryError, match="no longer there"):
            sink.commit()
        assert entries[FINAL] == OLD

    @pytest.mark.parametrize("previous", [{}, {FINAL: OLD}])
    def test_a_failure_at_any_call_can_be_undone(
        self,
        monkeypatch: pytest.MonkeyPatch,
        entries: dict[tuple[str, str], str],
        previous: dict[tuple[str, str], str],
    ) -> None:
        every_call = 9
        for at in range(1, every_call + 2):
            calls = 0

            def fail_once(_operation: str, at: int = at) -> None:
                nonlocal calls
                calls += 1
                if calls == at:
                    raise OSError("the bus went away")

            entries.clear()
            entries.update(previous)
            monkeypatch.setattr(Memory, "before", fail_once)
            sink = sink_of()
            try:
                sink.preflight()
                sink.prepare(Secret(NEW))
                sink.commit()
            except DeliveryError as error:
                assert error.not_done == "No key was created"  # noqa: PT017  # which calls fail is the point
                sink.undo()
                assert entries == previous, f"after a failure of call {at}"
        assert calls == every_call, "a test of each call knows how many there are"
        assert entries == {FINAL: NEW}

    @pytest.mark.parametrize("crashed_after", ["prepare", "copy", "commit"])
    def test_a_crashed_delivery_is_finished_from_its_record(
        self, entries: dict[tuple[str, str], str], crashed_after: str
    ) -> None:
        states = {
            "prepare": {FINAL: OLD, PROVISIONAL: NEW},
            "copy": {FINAL: NEW, PROVISIONAL: NEW},
            "commit": {FINAL: NEW},
        }
        entries.update(states[crashed_after])
        sink = KeyringSink.from_record(sink_of().record())
        if sink.holds(Secret(NEW).fingerprint):
            sink.undo()
        else:
            sink.commit()
        assert entries == {FINAL: NEW}

    @pytest.mark.parametrize("state", [{}, {FINAL: OLD}, {FINAL: OLD, PROVISIONAL: NEW}])
    def test_a_crashed_delivery_is_undone_from_its_record(
        self, entries: dict[tuple[str, str], str], state: dict[tuple[str, str], str]
    ) -> None:
        entries.update(state)
        sink = KeyringSink.from_record(sink_of().record())
        sink.undo()
        sink.undo()
        assert entries == {name: text for name, text in state.items() if name == FINAL}

    def test_recovery_says_nothing_of_what_was_not_created(self) -> None:
        with pytest.raises(DeliveryError) as failed:
            KeyringSink.from_record(sink_of().record()).commit()
        assert failed.value.not_done == ""

    def test_reading_gives_the_secret_or_none(self, entries: dict[tuple[str, str], str]) -> None:
        assert read_keyring_secret(KEY_ID) is None
        entries[FINAL] = OLD
        assert read_keyring_secret(KEY_ID) == Secret(OLD)

    def test_reading_what_cannot_answer_proposes_a_file(self, monkeypatch: pytest.MonkeyPatch) -> None:
        use(monkeypatch, "keyring.backends.fail.Keyring")
        with pytest.raises(DeliveryError) as failed:
            read_keyring_secret(KEY_ID)
        assert failed.value.remedy == f"unset PYTHON_KEYRING_BACKEND; or routic rotate {KEY_ID} --env-file PATH"
