"""The keyring as a destination: what is asked of a backend before it gets a secret, and what each step leaves."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import keyring.errors  # noqa: TID253  # the tests of its only importer
import pytest
from keyring.core import load_keyring  # noqa: TID253  # the same

from routic_cli.delivery.keyring_backend import FILE_INSTEAD, Keyring
from routic_cli.delivery.keyring_sink import KeyringSink, read_keyring_secret
from routic_cli.delivery.sink import Placement, Sink
from routic_cli.domain.errors import DeliveryError, DeliveryTimeoutError, RouticError, UnsafeDestinationError
from routic_cli.domain.keys import KeyId
from routic_cli.domain.secret import Secret
from tests.support.keyring_backends import Gated, Memory

HERE = "tests.support.keyring_backends"
KEY_ID = KeyId("key_0123456789abcdef")
FINAL, PROVISIONAL = ("routic", str(KEY_ID)), ("routic", f"{KEY_ID}#2")
NEW = "sk-0123456789abcdefghijABCDEFGHIJ0123456789abcd12"
OLD = "sk-OLDERabcdefghijABCDEFGHIJ0123456789abcdefgh34"
OTHER = "sk-OTHERabcdefghijABCDEFGHIJ0123456789abcdefgh56"


@pytest.fixture(autouse=True)
def entries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[tuple[str, str], str]]:
    """What the working backend keeps. No setting and no session of this machine reaches a test."""
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    use(monkeypatch, f"{HERE}.Memory")
    Memory.entries.clear()
    yield Memory.entries
    Memory.entries.clear()


def use(monkeypatch: pytest.MonkeyPatch, backend: str) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", backend)


def sink_of(**options: Any) -> KeyringSink:
    return KeyringSink(KEY_ID, 2, **options)


def committed(secret: str = NEW) -> KeyringSink:
    sink = sink_of()
    sink.preflight()
    sink.prepare(Secret(secret))
    sink.commit()
    return sink


def said_of(error: RouticError) -> str:
    """Everything that could be shown of an error, the log's traceback included."""
    return "".join([*error.sentences(), error.remedy, *traceback.format_exception(error)])


class TestBackend:
    def test_a_plain_text_backend_is_refused_and_nothing_is_written(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        use(monkeypatch, "keyrings.alt.file.PlaintextKeyring")
        with pytest.raises(UnsafeDestinationError) as refused:
            sink_of().preflight()
        assert refused.value.exit_code == 6
        assert "keyrings.alt.file.PlaintextKeyring" in refused.value.what
        assert refused.value.not_done == "No key was created"
        assert refused.value.remedy == f"unset PYTHON_KEYRING_BACKEND; or {FILE_INSTEAD}"
        with pytest.raises(UnsafeDestinationError):
            sink_of().prepare(Secret(NEW))
        assert list(tmp_path.iterdir()) == []

    def test_a_chain_is_as_weak_as_its_weakest_link(self, monkeypatch: pytest.MonkeyPatch) -> None:
        good, plain = (load_keyring(name) for name in (f"{HERE}.Memory", "keyrings.alt.file.PlaintextKeyring"))
        links = [good, plain]
        monkeypatch.setattr("keyring.backend.get_all_keyring", lambda: links)
        use(monkeypatch, "keyring.backends.chainer.ChainerBackend")
        with pytest.raises(UnsafeDestinationError, match="PlaintextKeyring"):
            sink_of().preflight()
        links[1] = good
        sink_of().preflight()

    @pytest.mark.parametrize("backend", ["keyring.backends.fail.Keyring", "keyring.backends.null.Keyring"])
    def test_a_backend_that_stores_nothing_is_an_error(self, monkeypatch: pytest.MonkeyPatch, backend: str) -> None:
        use(monkeypatch, backend)
        with pytest.raises(DeliveryError, match="switched off") as failed:
            sink_of().prepare(Secret(NEW))
        assert failed.value.why == f"{backend} stores nothing"

    @pytest.mark.parametrize(
        ("backend", "clue"),
        [
            ("no_such_module.Keyring", "No module named 'no_such_module'"),
            ("keyring.backends.fail.NoSuchClass", "NoSuchClass"),
            ("nodots", "Empty module name"),
            ("builtins.dict", "priority"),
            ("keyring.backends.SecretService.Keyring", "DBUS_SESSION_BUS_ADDRESS is unset"),
        ],
    )
    def test_a_bad_variable_is_named_with_its_trouble(
        self, monkeypatch: pytest.MonkeyPatch, backend: str, clue: str
    ) -> None:
        use(monkeypatch, backend)
        with pytest.raises(DeliveryError) as failed:
            sink_of().preflight()
        assert clue in failed.value.why
        assert failed.value.remedy.startswith("unset PYTHON_KEYRING_BACKEND")

    @pytest.mark.parametrize("variable", [None, ""])
    def test_the_configuration_file_of_keyring_is_respected(
        self,
        monkeypatch: pytest.MonkeyPatch,
        entries: dict[tuple[str, str], str],
        variable: str | None,
    ) -> None:
        from keyring.util.platform_ import config_root

        if variable is None:
            monkeypatch.delenv("PYTHON_KEYRING_BACKEND")
        else:
            use(monkeypatch, variable)
        config = Path(config_root()) / "keyringrc.cfg"
        config.parent.mkdir(exist_ok=True)
        config.write_text(f"[backend]\ndefault-keyring={HERE}.Memory\n")
        entries[FINAL] = OLD
        assert read_keyring_secret(KEY_ID) == Secret(OLD)
        config.write_text("[backend]\ndefault-keyring=keyring.backends.null.Keyring\n")
        with pytest.raises(DeliveryError) as failed:
            read_keyring_secret(KEY_ID)
        assert str(config) in failed.value.remedy
        config.write_text("not a section\n")
        with pytest.raises(DeliveryError) as failed:
            read_keyring_secret(KEY_ID)
        assert str(config) in failed.value.remedy

    def test_nothing_is_scanned_for_backends(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def scan(*_: object, **__: object) -> None:
            raise AssertionError("scanned")

        monkeypatch.setattr("keyring.backend.get_all_keyring", scan)
        monkeypatch.setattr("keyring.core._detect_backend", scan)
        monkeypatch.setattr("importlib.metadata.entry_points", scan)
        committed()
        monkeypatch.delenv("PYTHON_KEYRING_BACKEND")
        with pytest.raises(DeliveryError):
            committed()

    def test_importing_the_sink_does_not_import_keyring(self) -> None:
        code = "import sys, routic_cli.delivery.keyring_sink; sys.exit('keyring' in sys.modules)"
        assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

    @pytest.mark.parametrize("backend", ["Hanging", "HangingAtFirst"])
    def test_a_keyring_that_hangs_is_given_up_and_the_process_ends(self, backend: str) -> None:
        code = (
            "from routic_cli.delivery.keyring_backend import *\n"
            "try: Keyring(timeout=1).get('routic', 'x')\n"
            "except DeliveryTimeoutError as error: print(error.what, error.why)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHON_KEYRING_BACKEND": f"{HERE}.{backend}"},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        assert done.stdout.startswith("The keyring does not answer It has been asked for 1 s")
        assert done.stderr == ""

    def test_what_reads_back_differently_was_not_stored(self, monkeypatch: pytest.MonkeyPatch) -> None:
        use(monkeypatch, f"{HERE}.Truncating")
        with pytest.raises(DeliveryError, match="did not keep") as failed:
            sink_of().prepare(Secret(NEW))
        assert NEW[:20] not in said_of(failed.value)

    def test_what_is_still_there_was_not_deleted(
        self, monkeypatch: pytest.MonkeyPatch, entries: dict[tuple[str, str], str]
    ) -> None:
        use(monkeypatch, f"{HERE}.Undeletable")
        entries["routic", "x"] = OLD
        with pytest.raises(DeliveryError, match="still has the entry routic:x"):
            Keyring().delete("routic", "x")

    @pytest.mark.parametrize(
        "odd",
        [
            RuntimeError(f"could not store {NEW}"),
            ValueError(NEW),
            UnicodeDecodeError("utf-8", NEW.encode(), 0, 1, "bad byte"),
            keyring.errors.PasswordSetError(NEW),
            keyring.errors.InitError(NEW),
            keyring.errors.KeyringLocked(NEW),
            SystemExit(NEW),
            KeyboardInterrupt(NEW),
            BaseException(NEW),
        ],
        ids=lambda odd: type(odd).__name__,
    )
    @pytest.mark.parametrize("operation", ["get", "set", "delete"])
    def test_whatever_a_backend_raises_is_one_error_without_the_secret(
        self, monkeypatch: pytest.MonkeyPatch, operation: str, odd: BaseException
    ) -> None:
        def raise_odd(asked: str) -> None:
            # A deletion that failed is no error when the entry is seen to be gone.
            if operation in {asked, "delete"}:
                raise odd

        monkeypatch.setattr(Memory, "before", raise_odd)
        trusted = Keyring()
        calls: dict[str, Callable[[], object]] = {
            "get": lambda: trusted.get("routic", "x"),
            "set": lambda: trusted.set("routic", "x", Secret(NEW)),
            "delete": lambda: trusted.delete("routic", "x"),
        }
        with pytest.raises(DeliveryError) as failed:
            calls[operation]()
        assert NEW not in said_of(failed.value)
        assert failed.value.__context__ is None
        assert failed.value.why

    def test_a_locked_keyring_is_told_from_a_broken_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def locked(_operation: str) -> None:
            raise keyring.errors.KeyringLocked

        monkeypatch.setattr(Memory, "before", locked)
        with pytest.raises(DeliveryError, match="is locked") as failed:
            sink_of().preflight()
        assert failed.value.remedy == f"unlock it and try again; or {FILE_INSTEAD}"


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
