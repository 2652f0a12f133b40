"""What is asked of a keyring's backend before it gets a secret."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import keyring.errors  # noqa: TID253  # the tests of its only importer
import pytest
from keyring.core import load_keyring  # noqa: TID253  # the same

from routic_cli.delivery.keyring_backend import FILE_INSTEAD, Keyring
from routic_cli.delivery.keyring_sink import read_keyring_secret
from routic_cli.domain.errors import DeliveryError, UnsafeDestinationError
from routic_cli.domain.secret import Secret
from tests.support.keyring_backends import Memory
from tests.support.keyring_sinks import (
    FINAL,
    HERE,
    KEY_ID,
    NEW,
    OLD,
    committed,
    said_of,
    sink_of,
    use,
)


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
