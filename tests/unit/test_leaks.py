"""What a report comes to: why keys are revoked, in words that no store refuses."""

from __future__ import annotations

import pytest

from routic_cli.domain.keys import VerdictStatus
from routic_cli.domain.lifecycle import key_from_new
from routic_cli.domain.minting import mint_secret
from routic_cli.domain.rules import checked_reason
from routic_cli.scanning.reports.entry import Where
from routic_cli.scanning.reports.report import Report
from routic_cli.workflows.leaks import LeakedKey, LeakedVersion, reason_for
from tests.support.keys import NOW, new_key

SECRET = mint_secret().reveal()


@pytest.mark.parametrize("file", ["a\nb.py", f"{SECRET}.py", "\x1b[2J"], ids=["a line break", "a key", "an escape"])
def test_a_place_that_the_store_would_refuse_is_left_out_of_the_reason(file: str) -> None:
    """Also where nothing has made its name harmless."""
    key = key_from_new(new_key(1), NOW)
    leaked = LeakedKey(key, [LeakedVersion(key.current, VerdictStatus.ACTIVE, 1, None, [Where(file, 1)])])

    reason = reason_for(Report(formats=["gitleaks"]), [leaked], str)

    assert checked_reason(reason) == "leaked: found by gitleaks"
