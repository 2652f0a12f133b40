"""The OpenAPI document is complete and true: fuzzed against the real server, and the page about it follows it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from routic_cli.domain.keys import KeyTraits, NewKey, NewVersion, Scope
from routic_cli.domain.secret import Secret
from routic_cli.domain.times import LATEST
from routic_cli.server.app import Application, Parts
from routic_cli.server.openapi import document
from routic_cli.server.routes import PREFIX, ROUTES
from routic_cli.server.schemas import SCHEMAS
from routic_cli.server.services import Services
from routic_cli.service.keys import KeyService
from routic_cli.store.sqlite import SqliteStore
from routic_cli.transport.wire.objects import KEY_FIELDS, VERDICT_FIELDS
from routic_cli.transport.wire.usage import EVENT_FIELDS, FINDING_FIELDS
from tests.support.auth_endpoint import endpoint_in
from tests.support.keys import HINT, key_id
from tests.support.server import Doorman, serving

PAGE = Path(__file__).parents[2] / "docs" / "admin-api.md"
# Every check of its default is on, which is all of them, with these said of them:
# - 410 is what a key that is revoked or expired gives, to a sound request and to a wrong one.
# - What `ref` stands for can be told in words only: it comes alone, and a secret or a hint is none. So for this one
#   operation, a request that the schema allows may be refused.
# - A call without a key names none, nor does a change of the account in the trail; the program asks for the key called
#   None all the same.
# - /auth takes any method, of which the document names one.
CONFIG = """
[checks.positive_data_acceptance]
expected-statuses = ["2xx", 401, 403, 404, 409, 410]
[checks.negative_data_rejection]
expected-statuses = [400, 401, 403, 404, 405, 409, 410, 413]
[[operations]]
include-operation-id = "auth"
checks.unsupported_method.enabled = false
[[operations]]
include-operation-id = "list_usage"
phases.stateful.enabled = false
[[operations]]
include-operation-id = "list_trail"
phases.stateful.enabled = false
[[operations]]
include-operation-id = "list_keys"
checks.positive_data_acceptance.enabled = false
"""


@pytest.fixture
def doorman() -> Doorman:
    return Doorman()


@pytest.fixture
def server(doorman: Doorman, tmp_path: Path) -> Iterator[str]:
    """At the beginning of all times: no schema can say that an end has to be ahead of the server's clock."""
    with served(doorman, tmp_path, 0) as url:
        yield url


@contextmanager
def served(doorman: Doorman, folder: Path, now: int) -> Iterator[str]:
    services = Services(lambda account: SqliteStore(folder / "keys.db", account=account), lambda: now)
    with endpoint_in(folder, now=now) as endpoint:
        application = Application(Parts(services, doorman, lambda: now, auth=endpoint.app))
        with serving(application) as url:
            yield url


def fuzzed(server: str, token: Secret, folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """The program itself, as it alone goes through all phases; in the folder, as it leaves files."""
    (folder / "schemathesis.toml").write_text(CONFIG)
    program = Path(sysconfig.get_path("scripts")) / "schemathesis"
    options = ["--generation-deterministic", "--max-examples", "10", "--continue-on-failure"]
    header = f"Authorization: Bearer {token.reveal()}"
    command = [str(program), "run", f"{server}/openapi.json", "--header", header, *options, *more]
    environment = os.environ | {"NO_COLOR": "1", "COLUMNS": "200"}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )


def test_schemathesis_finds_nothing(server: str, doorman: Doorman, tmp_path: Path) -> None:
    token = doorman.admit("ours")
    service = KeyService(SqliteStore(tmp_path / "keys.db", account="ours"), clock=lambda: 0, actor="test")
    service.register(NewKey(key_id(1), KeyTraits("gateway"), NewVersion(1, token.fingerprint, HINT, 0)))
    service.close()
    found = fuzzed(server, token, tmp_path, "--exclude-operation-id", "append_usage")
    assert found.returncode == 0, found.stdout + found.stderr
    paths: Any = document()["paths"]
    others = sum(len(methods) for path, methods in paths.items()) - 2  # what it takes as read, and what is next
    assert f"Tested: {others}" in found.stdout
    assert "Stateful" in found.stdout


def test_schemathesis_finds_nothing_about_calls_before_the_end_of_all_times(doorman: Doorman, tmp_path: Path) -> None:
    """No schema can say that a call may not be ahead of the server's clock."""
    with served(doorman, tmp_path, LATEST) as url:
        found = fuzzed(url, doorman.admit("ours"), tmp_path, "--include-operation-id", "append_usage")
    assert found.returncode == 0, found.stdout + found.stderr
    assert "Tested: 1" in found.stdout


def test_every_route_is_in_the_document_with_its_scopes() -> None:
    paths: Any = document()["paths"]
    for route in ROUTES:
        operation = paths[PREFIX + route.path][route.method.lower()]
        assert operation["operationId"] == route.operation
        named = [scope for each in operation["security"] for scope in each["bearer"]]
        assert named == [scope.value for scope in route.scopes]
    admin = sum(len(methods) for path, methods in paths.items() if path.startswith(PREFIX))
    assert admin == len(ROUTES)


def test_a_key_and_a_verdict_have_the_fields_that_the_command_line_prints() -> None:
    assert tuple(SCHEMAS["Key"]["properties"]) == KEY_FIELDS  # type: ignore[arg-type]
    assert tuple(SCHEMAS["UsageEvent"]["properties"]) == EVENT_FIELDS  # type: ignore[arg-type]
    assert tuple(SCHEMAS["Finding"]["properties"]) == FINDING_FIELDS  # type: ignore[arg-type]
    assert tuple(SCHEMAS["Verification"]["properties"]) == VERDICT_FIELDS  # type: ignore[arg-type]


def test_every_example_keeps_its_schema() -> None:
    from jsonschema_rs import Draft202012Validator

    whole: Any = document()
    checked = 0
    for methods in whole["paths"].values():
        for operation in methods.values():
            bodies = [operation["requestBody"]] if "requestBody" in operation else []
            for body in (*bodies, *operation["responses"].values()):
                content = body.get("content", {}).get("application/json", {})  # what passes at /auth has none
                schema = content.get("schema", {}) | {"components": whole["components"]}
                for example in content.get("examples", {}).values():
                    Draft202012Validator(schema).validate(example["value"])
                    checked += 1
    assert checked > 100


def test_half_a_character_in_a_body_is_refused_and_breaks_nothing(server: str, doorman: Doorman) -> None:
    import httpx2

    body = rb'{"name": "a", "tags": {"\ud800": "x"}}'
    headers = {"Authorization": f"Bearer {doorman.admit('ours').reveal()}"}
    reply = httpx2.post(f"{server}/admin/v1/keys", content=body, headers=headers, trust_env=False)
    assert reply.status_code == 400
    assert reply.json()["error"]["code"] == "invalid_request"


def test_an_address_with_a_slash_too_many_is_none_and_redirects_nowhere(server: str, doorman: Doorman) -> None:
    import httpx2

    headers = {"Authorization": f"Bearer {doorman.admit('ours').reveal()}", "Host": "elsewhere.example"}
    reply = httpx2.get(f"{server}/admin/v1/keys/", headers=headers, trust_env=False)
    assert reply.status_code == 404
    assert "location" not in reply.headers


def rows(heading: str) -> list[list[str]]:
    """The rows of the table under a heading of the page, without markup."""
    section = PAGE.read_text().split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")][2:]
    return [[cell.strip().replace("`", "") for cell in line.strip("|").split("|")] for line in lines]


def test_the_page_lists_every_operation_with_its_scopes() -> None:
    paths: Any = document()["paths"]
    expected = [
        [f"{method.upper()} {path}", operation["summary"].replace("`", ""), operation["x-scopes"]]
        for path, methods in paths.items()
        for method, operation in methods.items()
    ]
    assert rows("Operations") == expected


def test_the_page_lists_every_error_that_the_document_has() -> None:
    paths: Any = document()["paths"]
    found = {
        (status, code)
        for methods in paths.values()
        for operation in methods.values()
        for status, reply in operation["responses"].items()
        if status != "200"
        for code in reply["content"]["application/json"]["examples"]
    }
    assert {(row[0], row[1]) for row in rows("Errors")} == found


def test_the_page_lists_the_fields_of_a_key_and_of_a_call_and_all_scopes() -> None:
    assert tuple(row[0] for row in rows("A key")) == KEY_FIELDS
    assert tuple(row[0] for row in rows("A call")) == EVENT_FIELDS
    assert [row[0] for row in rows("Scopes")] == [scope.value for scope in Scope]


def test_every_body_that_the_page_sends_keeps_a_schema_of_the_document() -> None:
    from jsonschema_rs import Draft202012Validator

    names = (
        "KeyToMint",
        "NewKey",
        "KeyChanges",
        "NewVersion",
        "VersionEnd",
        "Reason",
        "KeysToRevoke",
        "AccountChanges",
        "Fingerprint",
        "UsageEvents",
    )
    page = PAGE.read_text().replace("$(($(date +%s) + 86400))", "1800086400")
    sent = [single or double.replace('\\"', '"') for single, double in re.findall(r"""-d (?:'([^']+)'|"(.+)")""", page)]
    assert len(sent) >= len(names)
    for body in sent:
        schemas = [SCHEMAS[name] | {"components": {"schemas": SCHEMAS}} for name in (*names, "KeyBatch")]
        assert any(Draft202012Validator(schema).is_valid(json.loads(body)) for schema in schemas), body
