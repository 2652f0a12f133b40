"""A credential that may see usage and no keys: it names a key by its id, and learns what a name would need."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.usage.conftest import Logged
from tests.support.gateways import routic_serve
from tests.support.sandbox import Sandbox

pytestmark = pytest.mark.parametrize("logged", ["file"], indirect=True)


@pytest.mark.parametrize("command", ["show", "log", "audit"])
def test_a_whole_id_is_enough_and_a_name_says_which_scope_is_missing(
    logged: Logged, tmp_path: Path, command: str
) -> None:
    key_id = logged.ok("keys", "show", "web", "--json").data["id"]
    token = logged.sandbox.ok("keys", "create", "--name", "seer", "--scope", "usage:read").secret
    client = Sandbox(tmp_path / "client")
    with routic_serve(logged.sandbox) as serving:
        client.extra |= {"ROUTIC_STORE": serving.url, "ROUTIC_TOKEN": token}
        by_id = client.run("usage", command, "--key", key_id, "--json")
        by_name = client.run("usage", command, "--key", "web", "--json")
        unknown = client.run("usage", command, "--key", "key_0000000000000000", "--json")
    assert by_id.code in {0, 9}, by_id.err
    assert key_id in by_id.out
    assert (by_name.code, by_name.out) == (4, "")
    assert "lacks the scope keys:" in by_name.error["message"]
    assert "a whole id would not" in by_name.error["message"]
    assert key_id not in unknown.out
