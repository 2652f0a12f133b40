"""A home with a configuration file of several profiles."""

from __future__ import annotations

from pathlib import Path

import pytest

TOML = """
profile = "work"

[profiles.work]
store = "/srv/work.db"

[profiles.home]
store = "sqlite:////srv/home.db"

[profiles.bare]

[profiles.odd]
colour = "red"

[profiles.wrong]
store = 5
"""


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"HOME": str(tmp_path / "home")}


@pytest.fixture
def config_file(tmp_path: Path) -> Path:
    path = tmp_path / "home/.config/routic/config.toml"
    path.parent.mkdir(parents=True, mode=0o700)
    path.write_text(TOML)
    path.chmod(0o600)
    return path
