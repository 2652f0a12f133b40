"""How long a keyring that does not answer is waited for."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from types import FrameType

import pytest

from routic_cli.delivery.keyring_backend import Keyring
from routic_cli.domain.errors import DeliveryTimeoutError
from routic_cli.domain.secret import Secret
from tests.support.keyring_backends import Gated
from tests.support.keyring_sinks import (
    HERE,
    NEW,
    sink_of,
    use,
)


class TestWaiting:
    @pytest.fixture(autouse=True)
    def gate(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
        monkeypatch.setattr("routic_cli.delivery.keyring_watchdog.QUIET_SECONDS", 0.05)
        use(monkeypatch, f"{HERE}.Gated")
        gate = threading.Event()
        monkeypatch.setattr(Gated, "gate", gate)
        yield gate
        gate.set()

    def test_the_user_is_told_once_that_a_call_still_waits(
        self, gate: threading.Event, entries: dict[tuple[str, str], str]
    ) -> None:
        told: list[str] = []

        def tell() -> None:
            told.append("waiting")
            gate.set()

        patient = Keyring(timeout=60, waiting=tell)
        patient.get("routic", "x")  # on a busy machine, loading it may take long enough to be told of
        told.clear()
        gate.clear()
        patient.set("routic", "x", Secret(NEW))
        assert told == ["waiting"]
        assert entries == {("routic", "x"): NEW}

    def test_undo_removes_what_a_silent_keyring_took_in_the_end(
        self, gate: threading.Event, entries: dict[tuple[str, str], str]
    ) -> None:
        patient = Keyring(timeout=60)
        sink = sink_of(backend=patient)
        sink.preflight()
        patient._watchdog.timeout = 0.1
        with pytest.raises(DeliveryTimeoutError):
            sink.prepare(Secret(NEW))
        with pytest.raises(DeliveryTimeoutError):
            sink.undo()  # the journal keeps an operation that could not be undone
        patient._watchdog.timeout = 60
        threading.Timer(0.2, gate.set).start()
        sink.undo()
        assert entries == {}

    def test_undo_after_an_interruption_waits_for_what_was_under_way(
        self, gate: threading.Event, entries: dict[tuple[str, str], str]
    ) -> None:
        def interrupt(_signal: int, _frame: FrameType | None) -> None:
            raise KeyboardInterrupt

        before = signal.signal(signal.SIGALRM, interrupt)
        sink = sink_of(backend=Keyring(timeout=60))
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.2)
            with pytest.raises(KeyboardInterrupt):
                sink.prepare(Secret(NEW))
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
        threading.Timer(0.2, gate.set).start()
        sink.undo()
        assert entries == {}
