"""A keyring that works, and nothing of this machine's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.keyring_backends import Memory
from tests.support.keyring_sinks import (
    HERE,
    use,
)


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
