"""Lines of real formats become events; what is none is told by its number and a reason, and never repeated."""

from __future__ import annotations

import json
from typing import Any

import pytest

from routic_cli.domain.keys import KeyId
from routic_cli.domain.secret import fingerprint_of
from routic_cli.domain.usage import BILLIONTHS, EARLIEST, EventMark, UsageEvent, event_id
from routic_cli.importing.logs.reader import BadLine, LogReader
from routic_cli.transport.wire.usage import event_object
from tests.support.encoded import encoded
from tests.support.keys import NOW

KEY = "sk-Ky9Pf34qY6Nb3wWD25RQ4F5ZR3qa7yEeeby3abP16aSEj"
CUT = KEY[:-7]
FOREIGN = "sk-proj-AbCdEf0123456789-AbCdEf0123456789"
SHA256 = fingerprint_of(KEY)
KEY_ID = "key_0123456789abcdef"
LATEST = NOW + 86_400

NGINX: dict[str, Any] = {
    "time_iso8601": "2026-11-23T13:06:32+01:00",
    "msec": "1795435592.564",
    "remote_addr": "192.0.2.7",
    "request_method": "POST",
    "request_uri": "/v1/chat/completions",
    "status": "200",
    "scheme": "https",
    "http_user_agent": "OpenAI/Python 2.8.1",
    "http_origin": "",
    "http_authorization": f"Bearer {KEY}",
    "request_id": "a6cecc1b78e510617311d8a3c2ce6f44",
}
# Written by Caddy 2.6.2.
CADDY: dict[str, Any] = {
    "level": "info",
    "ts": 1795439192.564424,
    "logger": "http.log.access.log0",
    "msg": "handled request",
    "request": {
        "remote_ip": "192.0.2.7",
        "remote_port": "34642",
        "proto": "HTTP/2.0",
        "method": "GET",
        "host": "llm.example.com",
        "uri": "/v1/models",
        "headers": {"User-Agent": ["curl/7.88.1"], "Accept": ["*/*"], "Authorization": [f"Bearer {KEY}"]},
        "tls": {"resumed": False, "version": 772, "cipher_suite": 4865, "proto": "h2", "server_name": "x"},
    },
    "user_id": "",
    "duration": 0.000048869,
    "size": 0,
    "status": 200,
    "resp_headers": {"Server": ["Caddy"], "Content-Type": []},
}
LITELLM: dict[str, Any] = {
    "request_id": "chatcmpl-1",
    "call_type": "acompletion",
    "api_key": SHA256,
    "spend": 0.000123456789,
    "total_tokens": 30,
    "prompt_tokens": 10,
    "completion_tokens": 20,
    "startTime": "2026-11-23T13:06:32.564",
    "endTime": "2026-11-23T13:06:33.1",
    "model": "gpt-5",
    "metadata": {"status": "success", "user_api_key": SHA256},
    "request_tags": ["User-Agent: AsyncOpenAI", "User-Agent: AsyncOpenAI/Python 2.8.1"],
    "requester_ip_address": "192.0.2.7",
    "status": "success",
}
OWN = UsageEvent(
    time=NOW, outcome="lacks_scope", method="GET", path="/v1/models", status=403, address="192.0.2.7", agent="curl/8",
    request_id="req_1", flags=("key_in_url", "plain_http"), key_id=KeyId(KEY_ID), version=2, origin="https://a.example",
    tokens_in=1, tokens_out=2, cost=123_456_789_012, model="gpt-5", identity=-7,
)  # fmt: skip


def read(*lines: object) -> tuple[list[UsageEvent], list[BadLine]]:
    encoded = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
    good: list[UsageEvent] = []
    bad: list[BadLine] = []
    LogReader(lambda: LATEST).read(encoded, good, bad.append)
    return good, bad


def event(line: object) -> UsageEvent:
    [only], bad = read(line)
    assert bad == []
    return only


def why(line: object) -> str:
    good, [bad] = read(line)
    assert good == []
    return bad.why


def nginx(**fields: object) -> UsageEvent:
    return event({**NGINX, **fields})


def caddy(headers: object = None, **fields: object) -> UsageEvent:
    request = {**CADDY["request"], **fields}
    if headers is not None:
        request["headers"] = headers
    return event({**CADDY, "request": request})


def test_a_line_of_nginx_is_a_call_with_the_hash_of_its_key() -> None:
    read_event = event(NGINX)

    assert read_event._replace(identity=None) == UsageEvent(
        1795435592, "allowed", "POST", "/v1/chat/completions", 200, "192.0.2.7", "OpenAI/Python 2.8.1",
        "a6cecc1b78e510617311d8a3c2ce6f44", sha256=SHA256,
    )  # fmt: skip


def test_a_line_of_caddy_is_a_call_with_the_hash_of_its_key() -> None:
    assert event(CADDY)._replace(identity=None) == UsageEvent(
        1795439192, "allowed", "GET", "/v1/models", 200, "192.0.2.7", "curl/7.88.1", "", sha256=SHA256
    )


def test_a_row_of_litellm_is_a_call_with_what_it_cost() -> None:
    assert event(LITELLM)._replace(identity=None) == UsageEvent(
        1795439192, "allowed", "POST", "/chat/completions", 200, "192.0.2.7", "AsyncOpenAI/Python 2.8.1", "chatcmpl-1",
        sha256=SHA256, tokens_in=10, tokens_out=20, cost=123457, model="gpt-5",
    )  # fmt: skip


def test_what_a_call_can_cost_at_most_is_a_thousand() -> None:
    assert event({**LITELLM, "spend": 1000}).cost == 1000 * BILLIONTHS
    assert event({"outcome": "allowed", "time": NOW, "cost": "1000.0"}).cost == 1000 * BILLIONTHS


def test_an_event_of_our_own_comes_back_as_it_went_out() -> None:
    assert event(event_object(OWN)) == OWN


def test_an_event_of_our_own_without_an_id_is_told_by_its_line() -> None:
    own = OWN._replace(identity=None, request_id="")
    [first, again], _ = read(event_object(own), event_object(own))

    assert None not in {first.identity, again.identity}
    assert first.identity != again.identity


@pytest.mark.parametrize(
    ("status", "authorization", "outcome"),
    [
        ("200", f"Bearer {KEY}", "allowed"),
        ("200", "", "allowed"),
        ("404", f"Bearer {KEY}", "allowed"),
        ("502", f"Bearer {KEY}", "allowed"),
        ("401", "", "missing"),
        ("401", "-", "missing"),
        ("401", "Bearer ", "missing"),
        ("401", f"Bearer {KEY}", "refused"),
        ("401", f"bearer  {KEY} ", "refused"),
        ("401", f"Bearer {CUT}", "malformed"),
        ("401", f"Basic {KEY}", "malformed"),
        ("403", f"Bearer {KEY}", "lacks_scope"),
        ("429", f"Bearer {KEY}", "rate_limited"),
    ],
)
def test_the_status_says_what_came_of_it(status: str, authorization: str, outcome: str) -> None:
    assert nginx(status=status, http_authorization=authorization).outcome == outcome
    header = {"Authorization": [authorization]} if authorization else {}
    line = {**CADDY, "status": int(status), "request": {**CADDY["request"], "headers": header}}
    assert event(line).outcome == outcome


@pytest.mark.parametrize(
    ("field", "value"),
    [("http_authorization", f"Bearer {KEY}"), ("http_x_api_key", KEY), ("request_uri", f"/v1/x?api_key={KEY}")],
)
def test_a_key_is_found_wherever_it_travelled(field: str, value: str) -> None:
    found = nginx(**{"http_authorization": "", field: value})

    assert found.sha256 == SHA256
    assert KEY not in repr(found)


def test_a_withheld_credential_is_one_that_nobody_knows() -> None:
    found = caddy({"Authorization": ["REDACTED"]})

    assert (found.outcome, found.sha256) == ("allowed", None)
    refused = event(
        {**CADDY, "status": 401, "request": {**CADDY["request"], "headers": {"Authorization": ["REDACTED"]}}}
    )
    assert (refused.outcome, refused.sha256) == ("refused", None)


def test_what_could_be_a_short_password_is_not_hashed() -> None:
    assert nginx(http_authorization="Bearer hunter2").sha256 is None
    assert nginx(http_authorization="Basic dXNlcjpodW50ZXIyaHVudGVyMg==").sha256 is None


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        (f"/v1/models?api_key={KEY}&x=1", "/v1/models"),
        (f"/v1/models?api_key={KEY.replace('-', '%2D')}", "/v1/models"),
        (f"/v1/models?to=%2Fx%3Fkey%3D{KEY.replace('-', '%252D')}", "/v1/models"),
        (f"/v1/models?key=Bearer+{KEY}", "/v1/models"),
        (f"https://llm.example.com/v1/models?key={KEY}", "/v1/models"),
        (f"/{KEY}/models", "/sk-…/models"),
        (f"/{KEY.replace('-', '%2D')}/models", "/sk-…/models"),
    ],
)
def test_a_key_in_the_url_is_flagged_hashed_and_gone(uri: str, path: str) -> None:
    found = nginx(request_uri=uri, http_authorization="", status="401")

    assert (found.path, found.flags, found.sha256) == (path, ("key_in_url",), SHA256)
    assert found.outcome == "key_in_url"


def test_the_key_of_the_header_is_the_caller_and_the_url_is_flagged_all_the_same() -> None:
    found = nginx(request_uri=f"/v1/models?key={FOREIGN}")

    assert (found.sha256, found.flags) == (SHA256, ("key_in_url",))


def test_the_query_beside_the_uri_is_looked_at_too() -> None:
    line = {name: value for name, value in NGINX.items() if name != "request_uri"}

    assert event({**line, "uri": "/v1/models", "args": f"key={KEY}"}).flags == ("key_in_url",)


def test_the_line_of_the_request_stands_for_method_and_uri() -> None:
    line = {name: value for name, value in NGINX.items() if name not in {"request_uri", "request_method"}}
    found = event({**line, "request": "GET /v1/models?limit=1 HTTP/1.1"})

    assert (found.method, found.path) == ("GET", "/v1/models")


@pytest.mark.parametrize(
    ("scheme", "forwarded", "flags"),
    [
        ("https", None, ()),
        ("http", None, ("plain_http",)),
        ("http", "https", ()),
        ("http", "http, https", ("plain_http",)),
    ],
)
def test_a_call_without_tls_is_flagged(scheme: str, forwarded: str | None, flags: tuple[str, ...]) -> None:
    assert nginx(scheme=scheme, http_x_forwarded_proto=forwarded).flags == flags


def test_caddy_is_told_of_tls_by_a_proxy_that_it_trusts_and_by_nobody_else() -> None:
    forwarded = {"X-Forwarded-Proto": ["https"]}

    assert caddy().flags == ()
    assert caddy(tls=None).flags == ("plain_http",)
    assert caddy(forwarded, tls=None).flags == ("plain_http",)
    assert caddy(forwarded, tls=None, client_ip="192.0.2.7").flags == ("plain_http",)
    trusted = caddy(forwarded, tls=None, client_ip="198.51.100.1")
    assert (trusted.flags, trusted.address) == ((), "198.51.100.1")


def test_a_log_without_the_key_names_it_by_what_auth_answered() -> None:
    found = nginx(http_authorization="", routic_key_id=KEY_ID, routic_key_version="2")

    assert (found.key_id, found.version, found.sha256) == (KEY_ID, 2, None)


@pytest.mark.parametrize(
    ("information", "status", "outcome"),
    [
        ({"error_code": "401", "error_class": "ProxyException", "llm_provider": ""}, 401, "refused"),
        ({"error_code": "401", "error_class": "AuthenticationError", "llm_provider": "openai"}, 401, "allowed"),
        ({"error_code": "429", "llm_provider": "openai"}, 429, "allowed"),
        ({"error_code": "429"}, 429, "rate_limited"),
        ({}, 500, "allowed"),
        (None, 500, "allowed"),
    ],
)
def test_a_failure_of_the_provider_is_no_refusal_of_the_key(information: object, status: int, outcome: str) -> None:
    metadata = {"status": "failure", "error_information": information}
    found = event({**LITELLM, "status": "failure", "metadata": json.dumps(metadata)})

    assert (found.status, found.outcome) == (status, outcome)


def test_a_row_of_litellm_is_the_same_in_every_export() -> None:
    other = {**dict(reversed(LITELLM.items())), "metadata": json.dumps(LITELLM["metadata"])}

    assert event(other) == event(LITELLM)


def test_a_raw_key_of_litellm_is_hashed_and_the_name_of_the_master_key_is_none() -> None:
    assert event({**LITELLM, "api_key": KEY}).sha256 == SHA256
    assert event({**LITELLM, "api_key": "litellm_proxy_master_key"}).sha256 is None


@pytest.mark.parametrize(
    ("written", "second"),
    [
        ("1795439192.564", 1795439192),
        (1795439192.564, 1795439192),
        (1795439192564, 1795439192),
        (1795439192564424.0, 1795439192),
        ("2026-11-23T13:06:32Z", 1795439192),
        ("2026-11-23T14:06:32.9+01:00", 1795439192),
        ("2026-11-23 13:06:32.123", 1795439192),
        (EARLIEST, EARLIEST),
        (LATEST * 1000, LATEST),
        (f"{LATEST}", LATEST),
    ],
)
def test_times_are_read_in_the_forms_that_servers_write(written: object, second: int) -> None:
    assert event({**CADDY, "ts": written}).time == second


TOO_EARLY = "its time is before 2015"
TOO_LATE = "its time is more than a day ahead of this machine's clock"


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        (0, TOO_EARLY),
        (EARLIEST - 1, TOO_EARLY),
        ("1970-01-01T00:00:07Z", TOO_EARLY),
        ("0001-01-01T00:00:00Z", TOO_EARLY),
        ("1492-10-12T00:00:00Z", TOO_EARLY),
        (LATEST + 1, TOO_LATE),
        (f"{LATEST + 1}.5", TOO_LATE),
        ("2999-01-01T00:00:00Z", TOO_LATE),
        ("9999-12-31T23:59:59", TOO_LATE),
        ("9999-12-31T23:59:59-12:00", TOO_LATE),
    ],
)
def test_a_time_of_a_clock_that_is_wrong_is_refused_in_every_format(written: object, reason: str) -> None:
    for line in (
        NGINX | {"msec": written},
        CADDY | {"ts": written},
        LITELLM | {"startTime": written},
        {"outcome": "allowed", "time": written},
    ):
        assert why(line) == reason


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"", None),
        (b"127.0.0.1 - - [23/Nov/2026] GET /", "it is not JSON, or not all of a line"),
        (json.dumps(NGINX).encode()[:-20], "it is not JSON, or not all of a line"),
        (b'{"status": 1e999}', "it is JSON of no format that routic knows"),
        (b'{"status": NaN}', "it is not JSON, or not all of a line"),
        (b"[" * 100_000, "it is nested too deeply"),
        ([NGINX], "it is a JSON array; each event needs a line of its own: jq -c '.[]'"),
        (b'"text"', "it is no JSON object"),
        ({"level": "info", "msg": "serving"}, "it is JSON of no format that routic knows"),
        ({**NGINX, "msec": None, "time_iso8601": ""}, "'time_iso8601' is not a time"),
        ({**NGINX, "msec": "soon"}, "'msec' is not a time"),
        ({**NGINX, "msec": "9" * 400}, "'msec' is not a time"),
        ({**NGINX, "msec": "-1"}, "'msec' is not a time"),
        ({**NGINX, "status": "20 0"}, "'status' is not an HTTP status"),
        ({**NGINX, "status": 1000}, "'status' is not an HTTP status"),
        ({**NGINX, "remote_addr": 7}, "'remote_addr' is not a text"),
        ({**NGINX, "remote_addr": []}, "a field of it is not a text"),
        ({**NGINX, "http_authorization": "", "routic_key_id": "me"}, "'routic_key_id' is not a key id"),
        ({**CADDY, "ts": True}, "'ts' is not a time"),
        ({**CADDY, "request": {"headers": []}}, "'headers' is not an object"),
        ({**CADDY, "request": {"headers": {"User-Agent": [1]}}}, "'request.headers.User-Agent' is not a list of texts"),
        ({**LITELLM, "prompt_tokens": -1}, "'prompt_tokens' is out of range"),
        ({**LITELLM, "prompt_tokens": 1.5}, "'prompt_tokens' is not a whole number"),
        ({**LITELLM, "spend": "much"}, "'spend' is not an amount"),
        ({**LITELLM, "spend": 1e300}, "'spend' is out of range"),
        ({**LITELLM, "spend": 1000.000000001}, "'spend' is out of range"),
        ({"outcome": "allowed", "time": NOW, "cost": 1001}, "'cost' is out of range"),
        ({"outcome": "allowed", "time": NOW, "id": "evt_1"}, "'id' is not an event's id"),
        ({"outcome": "allowed", "time": NOW, "sha256": KEY}, "'sha256' is not a SHA-256 in hexadecimal"),
        ({"outcome": "allowed", "time": NOW, "key_id": KEY}, "'key_id' is not a key id"),
        ({"outcome": "allowed", "time": NOW, "version": 0}, "'version' is out of range"),
        ({"outcome": "allowed", "time": NOW, "flags": ["x"]}, "'flags' has one that routic does not know"),
    ],
)  # fmt: skip
def test_a_line_that_is_none_says_why(line: object, reason: str | None) -> None:
    if reason is None:
        assert read(line) == ([], [])
    else:
        assert why(line) == reason


def test_a_bad_line_keeps_no_others_out_and_is_known_by_its_number() -> None:
    good, bad = read(NGINX, b"{", b"", CADDY, LITELLM, b"nonsense", event_object(OWN))

    assert [each.address for each in good] == ["192.0.2.7"] * 4
    assert [each.number for each in bad] == [2, 6]


def test_bytes_that_are_no_text_are_read_as_far_as_they_can_be() -> None:
    line = json.dumps({**NGINX, "http_user_agent": "AGENT"}).encode()

    assert event(line.replace(b"AGENT", b"caf\xe9")).agent == "caf�"
    assert event(line.replace(b"AGENT", b"\\ud800")).agent == "\\ud800"
    assert event(b"\xef\xbb\xbf" + line).agent == "AGENT"
    assert event(b"\0" * 4096 + line).agent == "AGENT"


def test_the_end_of_a_line_is_not_part_of_it() -> None:
    line = json.dumps(NGINX).encode()

    assert event(line + b"\r") == event(line)


def test_whatever_is_shaped_like_a_key_is_masked_wherever_it_stands() -> None:
    fields = dict.fromkeys(("request_method", "remote_addr", "http_user_agent", "http_origin", "request_id"), KEY)
    found = nginx(**fields)

    assert [found.method, found.address, found.agent, found.origin, found.request_id] == ["sk-…"] * 5


@pytest.mark.parametrize(
    ("bare", "request_id"),
    [
        (NGINX | {"request_id": None}, {"request_id": "r1"}),
        (NGINX | {"request_id": "-"}, {"request_id": "r1"}),
        (CADDY, {"request": CADDY["request"] | {"headers": {"X-Request-Id": ["r1"]}}}),
        (event_object(OWN._replace(identity=None, request_id="")), {"request_id": "r1"}),
        (LITELLM | {"request_id": ""}, {"request_id": "r1"}),
    ],
)
def test_lines_alike_are_one_call_with_a_request_id_and_several_without(
    bare: dict[str, Any], request_id: dict[str, Any]
) -> None:
    several, _ = read(bare, bare, bare)
    one, _ = read(*[bare | request_id] * 3)

    assert len({each.identity for each in several}) == 3
    assert len({each.identity for each in one}) == 1


@pytest.mark.parametrize("path", ["/v1/a?email=a@example.com", "/v1/a#f", "/v1/a#f?x", "https://g.example/v1/a?x"])
def test_a_path_is_without_query_and_fragment_in_every_format(path: str) -> None:
    own = event({"outcome": "allowed", "time": NOW, "path": path})

    assert [nginx(request_uri=path).path, caddy(uri=path).path, own.path] == ["/v1/a"] * 3
    assert event({**LITELLM, "call_type": "a?x"}).path == "/a"


@pytest.mark.parametrize("times", [1, 2, 4, 10, 40])
def test_it_is_masked_however_often_it_was_encoded(times: int) -> None:
    written = f"x {encoded(KEY, times)}"
    fields = dict.fromkeys(("request_method", "remote_addr", "http_user_agent", "http_origin", "request_id"), written)
    found = nginx(request_uri=f"/{encoded(KEY, times)}", **fields)
    texts = [found.method, found.address, found.agent, found.origin, found.request_id, found.path]
    model = event({"outcome": written, "time": NOW, "model": written})

    assert all(text is not None and text.endswith("sk-…") for text in [*texts, model.outcome, model.model])
    assert found.flags == (("key_in_url",) if times <= 10 else ())


def test_what_is_encoded_and_no_key_stays_as_it_was_written() -> None:
    found = nginx(request_uri="/a%20b%2520c", http_user_agent="100%25 %41gent", request_id="%7Bid%7D")

    assert (found.path, found.agent, found.request_id) == ("/a%20b%2520c", "100%25 %41gent", "%7Bid%7D")


def test_the_id_of_an_event_tells_it_apart_from_all_others() -> None:
    text = event_id(EventMark(NOW, 41))

    assert event({"outcome": "allowed", "time": NOW, "id": text}).identity == 41
