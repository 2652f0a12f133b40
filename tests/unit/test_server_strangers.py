"""Who has no key cannot fill the usage log."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from routic_cli.server.strangers import Strangers
from tests.support.auth_endpoint import Endpoint, endpoint_in


@pytest.fixture
def endpoint(tmp_path: Path) -> Iterator[Endpoint]:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    with endpoint_in(folder) as endpoint:
        yield endpoint


def test_the_first_of_each_address_are_noted_in_each_minute() -> None:
    strangers = Strangers(per_address=2)

    noted = [strangers.is_to_be_noted(address, now) for address, now in [("a", 0)] * 3 + [("b", 59), ("a", 60)]]

    assert noted == [True, True, False, True, True]
    assert strangers.folded == 1


def test_many_addresses_together_have_a_bound_too_and_fill_no_memory() -> None:
    strangers = Strangers(per_minute=10)

    assert sum(strangers.is_to_be_noted(f"address {n}", 7) for n in range(1000)) == 10
    assert strangers.folded == 990
    assert len(strangers._by_address) == 10


def test_requests_without_a_key_are_folded_and_those_with_one_never(endpoint: Endpoint) -> None:
    key = endpoint.create()
    for _ in range(50):
        endpoint.ask()
        endpoint.ask(key)

    found = endpoint.metrics.render()[0]
    outcomes = [event.outcome for event in endpoint.events()]
    assert (outcomes.count("missing"), outcomes.count("allowed")) == (20, 50)
    assert endpoint.app.folded == 30
    assert b'routic_auth_decisions_total{outcome="missing"} 50.0' in found, "the metric has them all"
