"""/auth says of each request whether it may pass, why not, and never what the key is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest

from routic_cli.domain.keys import NewVersion, Scope
from routic_cli.domain.minting import mint_secret
from tests.support.auth_endpoint import Endpoint, endpoint_in
from tests.support.keys import NOW, key_id
from tests.support.server import serving

FOREIGN = "sk-Ky9Pf34qY6Nb3wWD25RQ4F5ZR3qa7yEeeby3abP16aSEj"


@pytest.fixture
def endpoint(tmp_path: Path) -> Iterator[Endpoint]:
    with endpoint_in(tmp_path) as endpoint:
        yield endpoint


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS", "DELETE"])
def test_a_good_key_passes_and_the_gateway_hears_whose_it_is(endpoint: Endpoint, method: str) -> None:
    reply = endpoint.ask(endpoint.create("prod-backend"), method=method)

    assert reply.status == 200
    assert reply.headers["x-routic-key-id"] == key_id(1)
    assert reply.headers["x-routic-key-name"] == "prod-backend"
    assert reply.headers["x-routic-key-version"] == "1"
    assert reply.headers["cache-control"] == "no-store"
    assert reply.headers["x-request-id"].startswith("req_")


def test_a_name_that_is_not_ascii_is_percent_encoded(endpoint: Endpoint) -> None:
    assert endpoint.ask(endpoint.create("büro")).headers["x-routic-key-name"] == "b%C3%BCro"


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_is_read_in_any_letter_case(endpoint: Endpoint, scheme: str) -> None:
    key = endpoint.create()
    assert endpoint.ask(None, ("authorization", f"{scheme} {key}")).status == 200
    assert endpoint.ask(None, ("authorization", f"{scheme}  {key} ")).status == 200


def test_without_a_header_the_key_is_missing(endpoint: Endpoint) -> None:
    for reply in (endpoint.ask(), endpoint.ask(""), endpoint.ask("  ")):
        assert (reply.status, reply.code) == (401, "missing_api_key")
        assert reply.headers["www-authenticate"] == 'Bearer realm="routic"'


def test_an_unknown_key_is_told_from_one_that_was_not_copied_completely(endpoint: Endpoint) -> None:
    unknown, cut = endpoint.ask(FOREIGN), endpoint.ask(endpoint.create()[:-1])

    assert (unknown.status, unknown.code) == (cut.status, cut.code) == (401, "invalid_api_key")
    assert "malformed or not copied completely" not in unknown.error["message"]
    assert "malformed or not copied completely" in cut.error["message"]
    assert "sk-Ky9P…aSEj" in unknown.error["message"]
    assert unknown.headers["www-authenticate"] == 'Bearer realm="routic", error="invalid_token"'


@pytest.mark.parametrize("header", ["Basic dXNlcjpwYXNz", "sk-Ky9Pf34qY6Nb3wWD25RQ4F5ZR3qa7yEeeby3abP16aSEj", "Bear x"])
def test_what_is_no_bearer_token_is_invalid(endpoint: Endpoint, header: str) -> None:
    reply = endpoint.ask(None, ("authorization", header))

    assert (reply.status, reply.code) == (401, "invalid_api_key")
    assert "Bearer" in reply.error["message"]


def test_two_authorization_headers_are_refused_even_if_both_are_good(endpoint: Endpoint) -> None:
    key = endpoint.create()
    assert endpoint.ask(key, ("authorization", f"Bearer {key}")).code == "invalid_api_key"


def test_an_imported_key_of_another_shape_passes(endpoint: Endpoint) -> None:
    from routic_cli.domain.keys import KeyTraits, NewKey
    from routic_cli.domain.secret import fingerprint_of

    text = "gw_4f6e1c22-and-more-of-it"
    version = NewVersion(1, fingerprint_of(text), "…", NOW)
    with endpoint.service() as service:
        service.register(NewKey(key_id(77), KeyTraits("imported"), version))

    assert endpoint.ask(text).headers["x-routic-key-name"] == "imported"


def test_time_alone_ends_a_key(endpoint: Endpoint) -> None:
    key = endpoint.create(expires_at=NOW + 10)
    assert endpoint.ask(key).status == 200
    endpoint.now = NOW + 9
    assert endpoint.ask(key).status == 200
    endpoint.now = NOW + 10
    assert (endpoint.ask(key).status, endpoint.ask(key).code) == (401, "expired_api_key")
    endpoint.now = NOW + 9  # a clock that was set back
    assert endpoint.ask(key).status == 200


def test_a_rotated_version_passes_until_its_end_and_no_longer(endpoint: Endpoint) -> None:
    old, new = endpoint.create(), mint_secret()
    assert endpoint.ask(old).status == 200
    with endpoint.service() as service:
        service.add_version(key_id(1), NewVersion(2, new.fingerprint, new.hint, NOW))
        service.end_version(key_id(1), 1, NOW + 60)

    assert endpoint.ask(old).headers["x-routic-key-version"] == "1"
    assert endpoint.ask(new.reveal()).headers["x-routic-key-version"] == "2"
    endpoint.now = NOW + 60
    reply = endpoint.ask(old)
    assert reply.code == "expired_api_key"
    assert "rotated" in reply.error["message"]
    assert endpoint.ask(new.reveal()).status == 200


def test_a_revoked_key_is_refused_from_the_next_request_on(endpoint: Endpoint) -> None:
    key = endpoint.create("leaked")
    assert endpoint.ask(key).status == 200
    endpoint.revoke("leaked")
    reply = endpoint.ask(key)
    assert (reply.status, reply.code) == (401, "expired_api_key")
    assert "revoked" in reply.error["message"]


def test_the_scope_api_or_admin_lets_call_and_no_other_does(endpoint: Endpoint) -> None:
    allowed = [scope for scope in Scope if endpoint.ask(endpoint.create(scopes=(scope,))).status == 200]
    reply = endpoint.ask(endpoint.create("reader", scopes=(Scope.KEYS_READ, Scope.USAGE_WRITE)))

    assert set(allowed) == {Scope.API, Scope.ADMIN}
    assert (reply.status, reply.code) == (403, "insufficient_permissions")
    assert 'error="insufficient_scope"' in reply.headers["www-authenticate"]


def test_a_key_over_its_limit_waits_and_other_keys_do_not(endpoint: Endpoint) -> None:
    key, other = endpoint.create("slow", rpm=2), endpoint.create("other", rpm=2)
    first, second, third = endpoint.ask(key), endpoint.ask(key), endpoint.ask(key)

    assert [reply.headers["x-ratelimit-remaining-requests"] for reply in (first, second, third)] == ["1", "0", "0"]
    assert {reply.headers["x-ratelimit-limit-requests"] for reply in (first, second, third)} == {"2"}
    assert (third.status, third.code) == (429, "rate_limit_exceeded")
    assert 1 <= int(third.headers["retry-after"]) <= 60
    assert third.headers["x-ratelimit-reset-requests"] in {"1m0s", *(f"{n}s" for n in range(60))}
    assert endpoint.ask(other).status == 200
    assert "x-ratelimit-limit-requests" not in endpoint.ask(endpoint.create("free")).headers


def test_a_changed_limit_counts_at_once_and_forgets_no_request(endpoint: Endpoint) -> None:
    from routic_cli.domain.keys import KeyChanges

    key = endpoint.create(rpm=2)
    assert [endpoint.ask(key).status for _ in range(3)] == [200, 200, 429]
    with endpoint.service() as service:
        service.change(key_id(1), KeyChanges(rpm=3))
    assert [endpoint.ask(key).status for _ in range(2)] == [200, 429]
    with endpoint.service() as service:
        service.change(key_id(1), KeyChanges(rpm=None))
    assert endpoint.ask(key).status == 200


def test_rotation_does_not_reset_the_limit(endpoint: Endpoint) -> None:
    old, new = endpoint.create(rpm=2), mint_secret()
    assert [endpoint.ask(old).status for _ in range(2)] == [200, 200]
    with endpoint.service() as service:
        service.add_version(key_id(1), NewVersion(2, new.fingerprint, new.hint, NOW))

    assert endpoint.ask(new.reveal()).status == 429


@pytest.mark.parametrize(
    ("header", "template"),
    [
        ("x-original-uri", "/v1/models?api_key={}"),
        ("x-forwarded-uri", "/v1/{}/models"),
        ("x-original-url", "https://gateway.example/v1/models?k={}"),
        ("x-forwarded-uri", "/v1/models?key=%73k%2D{}"),
        ("x-original-uri", "/v1/models?key=sk%25252D{}"),
    ],
)
def test_a_key_in_the_url_only_is_refused_and_beside_a_good_header_noted(
    endpoint: Endpoint, header: str, template: str
) -> None:
    key = endpoint.create()
    uri = template.format(key.removeprefix("sk-") if "%" in template else key)
    alone, beside = endpoint.ask(None, (header, uri)), endpoint.ask(key, (header, uri))

    assert (alone.status, alone.code) == (401, "invalid_api_key")
    assert "URL" in alone.error["message"]
    assert beside.status == 200
    assert [event.flags for event in endpoint.events()] == [("key_in_url",)] * 2


def test_a_key_in_the_query_of_auth_itself_is_seen(endpoint: Endpoint) -> None:
    reply = endpoint.ask(query=f"key={endpoint.create()}")
    assert "URL" in reply.error["message"]


def test_no_reply_and_no_event_has_the_key(endpoint: Endpoint) -> None:
    key = endpoint.create("leaked")
    cut = key[:-1]
    others = (
        ("x-original-uri", f"/v1/{key}/x?y={key}"),
        ("user-agent", f"agent {key}"),
        ("origin", f"https://{key}"),
        ("x-request-id", key),
        ("x-forwarded-method", key),
        ("x-forwarded-for", key),
    )
    endpoint.revoke("leaked")
    replies = [endpoint.ask(text, *others, query=key) for text in (key, cut, None)]

    for reply in replies:
        assert key[3:] not in reply.text
        assert cut[3:] not in reply.text
    assert len(endpoint.events()) == 3
    for path in endpoint.folder.glob("usage.db*"):
        assert key[3:40].encode() not in path.read_bytes()


def test_a_refusal_is_whole_in_its_headers_on_one_line_of_ascii(endpoint: Endpoint) -> None:
    """nginx throws the body away; what it has are headers."""
    for reply in (endpoint.ask(), endpoint.ask(FOREIGN), endpoint.ask("ünknown"), endpoint.ask(b"\xff\xfe")):
        assert json.loads(reply.headers["x-routic-error"]) == json.loads(reply.body)
        assert reply.headers["x-routic-status"] == str(reply.status)
        assert reply.headers["x-routic-error"].isascii()
        assert reply.headers["x-routic-error"].isprintable()
        assert set(reply.error) == {"message", "type", "param", "code"}
        assert "not passed on" in reply.error["message"]


def test_the_callers_request_id_is_kept_when_it_is_a_short_token(endpoint: Endpoint) -> None:
    key = endpoint.create()
    assert endpoint.ask(key, ("x-request-id", "abc-123.X_9")).headers["x-request-id"] == "abc-123.X_9"
    for bad in ("", "a b", "x" * 65, "a\u00e9", 'a"b', FOREIGN):
        assert endpoint.ask(key, ("x-request-id", bad)).headers["x-request-id"].startswith("req_")
    made = {endpoint.ask(key).headers["x-request-id"] for _ in range(50)}
    assert len(made) == 50


def test_each_decision_is_an_event(endpoint: Endpoint) -> None:
    key = endpoint.create("prod")
    gateway = (
        ("x-original-uri", "/v1/chat/completions?stream=1"),
        ("x-forwarded-method", "POST"),
        ("x-forwarded-for", "203.0.113.9"),
        ("x-forwarded-proto", "http"),
        ("user-agent", "OpenAI/Python 2.1"),
        ("origin", "https://app.example"),
        ("x-request-id", "r-1"),
    )
    endpoint.ask(key, *gateway)
    endpoint.ask(FOREIGN)
    endpoint.ask("hunter2-my-password")
    allowed, unknown, password = endpoint.events()

    assert (allowed.key_id, allowed.version, allowed.account, allowed.sha256) == (key_id(1), 1, "default", None)
    assert (allowed.time, allowed.outcome, allowed.status, allowed.method) == (NOW, "allowed", 200, "POST")
    assert (allowed.path, allowed.address) == ("/v1/chat/completions", "203.0.113.9")
    assert (allowed.agent, allowed.origin, allowed.request_id) == ("OpenAI/Python 2.1", "https://app.example", "r-1")
    assert allowed.flags == ("plain_http",)
    assert (unknown.key_id, unknown.outcome, unknown.status) == (None, "unknown", 401)
    assert unknown.sha256 is not None
    assert (password.outcome, password.sha256) == ("malformed", None), "a hash would give a password away"


def test_the_openai_client_raises_the_error_with_its_code(endpoint: Endpoint) -> None:
    keys = {
        "invalid_api_key": FOREIGN,
        "expired_api_key": endpoint.create("revoked"),
        "insufficient_permissions": endpoint.create(scopes=(Scope.KEYS_READ,)),
        "rate_limit_exceeded": endpoint.create(rpm=1),
    }
    endpoint.revoke("revoked")
    errors: dict[str, openai.APIStatusError] = {}
    with serving(endpoint.app, lifespan="off") as url:
        for code, key in keys.items():
            with openai.OpenAI(api_key=key, base_url=f"{url}/v1", max_retries=0) as client:
                for _ in range(2):
                    try:
                        client.post("/chat/completions", body={"model": "m"}, cast_to=object)
                    except openai.APIStatusError as error:
                        errors[code] = error
        with openai.OpenAI(api_key=FOREIGN, base_url=f"{url}/v1", max_retries=5) as patient:
            with pytest.raises(openai.AuthenticationError) as caught:
                patient.models.list()
            assert "x-should-retry" in caught.value.response.headers

    assert {code: error.code for code, error in errors.items()} == {code: code for code in keys}
    assert {code: type(error) for code, error in errors.items()} == {
        "invalid_api_key": openai.AuthenticationError,
        "expired_api_key": openai.AuthenticationError,
        "insufficient_permissions": openai.PermissionDeniedError,
        "rate_limit_exceeded": openai.RateLimitError,
    }
    assert int(errors["rate_limit_exceeded"].response.headers["retry-after"]) >= 1
    outcomes = [event.outcome for event in endpoint.events()]
    assert outcomes.count("unknown") == 3, "the client tried again with a key that cannot work"


def test_prometheus_hears_of_each_decision(endpoint: Endpoint) -> None:
    endpoint.ask(endpoint.create())
    endpoint.ask(FOREIGN)
    text, kind = endpoint.metrics.render()

    assert b'routic_auth_decisions_total{outcome="allowed"} 1.0' in text
    assert b'routic_auth_decisions_total{outcome="unknown"} 1.0' in text
    assert b"routic_auth_duration_seconds_count 2.0" in text
    assert kind.startswith("text/plain")
