"""A world for each test of the audit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.audit_world import AuditWorld, audit_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[AuditWorld]:
    """A store and its log, with nothing in them."""
    with audit_world(tmp_path) as made:
        yield made
