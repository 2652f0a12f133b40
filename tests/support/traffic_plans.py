"""Plans of traffic: ordinary weeks, in which an audit finds nothing of weight, and the same with incidents."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from math import pi, sin

from routic_cli.domain.audit.findings import RuleName
from tests.support.traffic import (
    BY_COMMIT,
    BY_SUFFIX,
    CURL,
    DAY,
    FIREFOX,
    GO,
    HOUR,
    HTTPX,
    JAVA,
    OPENAI_JS,
    OPENAI_PYTHON,
    REQUESTS,
    Call,
    Plan,
    PlannedKey,
    Service,
    secret_of,
)

DAYS = 44
LOOKED_AT = 7 * DAY
_LIFE = 100 * DAY
_CLOUD = tuple(f"20.{n}.{n * 7 % 250}." for n in range(90))
PLANTED: dict[RuleName, str | None] = {
    RuleName.USE_AFTER_REVOKE: "leaked",
    RuleName.KEY_IN_URL: "in-url",
    RuleName.BROWSER_ORIGIN: "frontend",
    RuleName.PLAIN_HTTP: "plain",
    RuleName.GUESSING: None,
    RuleName.NEW_NETWORK: "wandering",
    RuleName.NEW_CLIENT: "tool",
    RuleName.VOLUME_SPIKE: "flood",
    RuleName.SHARED_KEY: "common",
    RuleName.WRONG_ENVIRONMENT: "sandbox",
    RuleName.LIMIT_PRESSURE: "throttled",
    RuleName.STALE: "abandoned",
    RuleName.OLD: "ancient",
    RuleName.NO_EXPIRY: "endless",
}
"""What `with_incidents` plants: the rule that has to fire, once, and the name of its key."""


def ordinary(seed: int, end: int, *, days: int = DAYS) -> Plan:
    """Weeks in which all is as it should be, before `end`, a whole hour."""
    begin = end - days * DAY
    made = begin - 10 * DAY
    revoked_at, expired_at = end - 3 * DAY + 1800, end - 10 * DAY

    def key(name: str, env: str = "prod", **more: object) -> PlannedKey:
        return replace(PlannedKey(name, [made], end + _LIFE, tags={"env": env}), **more)  # type: ignore[arg-type]

    keys = [
        *map(key, ("shop", "search", "mobile", "nightly", "weekly", "assistant", "edge", "habit", "bursty")),
        key("billing", versions=[made, end - 5 * DAY]),
        key("retired", revoked_at=revoked_at),
        key("trial", "dev", expires_at=expired_at),
        key("newcomer", versions=[end - 4 * DAY]),
        key("ci", "ci"),
        key("developers", "dev"),
        key("stage", "staging"),
    ]
    services = [
        Service("shop", month_end(office(120)), ("10.20.1.", "10.20.2."), pods=6),
        Service("search", around_the_clock(80), ("10.20.3.",), (OPENAI_JS,)),
        Service("mobile", around_the_clock(200, peak=20), ("10.30.1.", "10.30.2."), (JAVA,), pods=8),
        Service("nightly", at_hours(300, 2, 3), ("10.20.4.",), (REQUESTS,), pods=1),
        Service("weekly", at_hours(600, 6, day=0), ("10.20.4.",), (BY_SUFFIX,), pods=1),
        Service("assistant", office(60), ("10.20.5.",), (OPENAI_PYTHON, HTTPX)),
        Service("edge", around_the_clock(40), ("2001:db8:5:1::", "2001:db8:5:2::"), (GO,)),
        Service("habit", around_the_clock(30), ("10.50.1.",), (OPENAI_JS,)),
        Service("habit", around_the_clock(30), ("10.60.1.",), (OPENAI_PYTHON,)),
        Service("bursty", around_the_clock(25), ("10.20.6.",), (GO,)),
        Service("bursty", at_hours(15, 12, day=2), ("10.20.6.",), (GO,), status=429),
        Service("billing", around_the_clock(20), ("10.20.7.",), (BY_COMMIT,)),
        Service("retired", around_the_clock(20), ("10.20.8.",), end=revoked_at - revoked_at % HOUR),
        Service("trial", around_the_clock(10), ("192.168.7.",), end=expired_at + 2 * HOUR),
        Service("newcomer", around_the_clock(30), ("10.20.9.",), (REQUESTS,), begin=end - 4 * DAY),
        Service("ci", around_the_clock(20), _CLOUD, (REQUESTS, CURL), pods=2, roams=True),
        Service("developers", office(15), ("192.168.5.",), (CURL, OPENAI_PYTHON), pods=12),
        Service("stage", around_the_clock(10), ("10.40.1.",), (OPENAI_JS,)),
    ]
    # Answers that took minutes, let in before the revocation: their lines are written when they are over.
    streams = [
        Call(revoked_at + 90.0 * n, secret_of("retired"), "10.20.8.30", OPENAI_PYTHON.at(revoked_at))
        for n in range(1, 6)
    ]
    return Plan(seed, begin, end, {each.name: each for each in keys}, services, streams)


def with_incidents(seed: int, end: int, *, days: int = DAYS) -> Plan:
    """The same weeks, and in the last seven days what PLANTED says."""
    plan = ordinary(seed, end, days=days)
    begin, made = plan.begin, plan.begin - 10 * DAY
    revoked_at = end - 3 * DAY
    lasting = PlannedKey("", [made], end + _LIFE, tags={"env": "prod"})
    keys = {
        "leaked": replace(lasting, revoked_at=revoked_at),
        "frontend": replace(lasting, versions=[end - 5 * DAY]),
        "sandbox": replace(lasting, tags={"env": "dev"}),
        "throttled": replace(lasting, rpm=60),
        "abandoned": replace(lasting, versions=[end - 170 * DAY]),
        "ancient": replace(lasting, versions=[end - 300 * DAY]),
        "endless": replace(lasting, expires_at=None),
    }
    names = [name for name in PLANTED.values() if name is not None]
    plan.keys |= {name: replace(keys.get(name, lasting), name=name) for name in names}
    quiet = {"abandoned", "common", "sandbox"}
    begins, ends = {"frontend": end - 5 * DAY}, {"leaked": revoked_at}
    plan.services += [
        Service(
            name,
            around_the_clock(25),
            (f"10.71.{_place(name)}.",),
            begin=begins.get(name, begin),
            end=ends.get(name, end),
        )
        for name in names
        if name not in quiet
    ]
    plan.services += [
        Service("flood", once(3000, end - 30 * HOUR), (f"10.71.{_place('flood')}.",)),
        Service(
            "throttled",
            once(60, *range(end - 2 * DAY, end - DAY, 3 * HOUR)),
            (f"10.71.{_place('throttled')}.",),
            status=429,
        ),
        Service("sandbox", office(15), ("192.168.6.",)),
        Service("common", only(range(7, 19), 20), ("10.72.1.",)),
        Service("common", only(range(19, 31), 20), ("10.72.2.",), (OPENAI_JS,)),
        Service("common", only(range(7, 19), 20), ("10.72.2.",), (OPENAI_JS,), begin=end - 4 * DAY),
    ]
    plan.extra += _incidents(end, revoked_at)
    return plan


def _incidents(end: int, revoked_at: int) -> list[Call]:
    now = end - 2 * DAY
    python = OPENAI_PYTHON.at(now)
    keys = {name: secret_of(name) for name in PLANTED.values() if name is not None}
    calls = [Call(revoked_at + HOUR + 600.0 * n, keys["leaked"], "203.0.113.50", "curl/8.1.0", 401) for n in range(40)]
    calls += [
        Call(now + n, keys["in-url"], f"10.71.{_place('in-url')}.4", python, uri=f"/v1/models?api_key={keys['in-url']}")
        for n in range(6)
    ]
    calls += [
        Call(now + 60.0 * n, keys["frontend"], f"91.20.{n}.8", FIREFOX, origin="https://shop.example")
        for n in range(30)
    ]
    calls += [
        Call(now + 60.0 * n, keys["plain"], f"10.71.{_place('plain')}.4", python, scheme="http") for n in range(12)
    ]
    calls += [Call(now + n, secret_of(f"guess {n}"), "203.0.113.66", "curl/8.1.0", 401) for n in range(60)]
    calls += [Call(now + 90.0 * n, keys["wandering"], "185.220.101.5", python) for n in range(25)]
    calls += [
        Call(now + 90.0 * n, keys["tool"], f"10.71.{_place('tool')}.4", "PostmanRuntime/7.49.1") for n in range(10)
    ]
    calls += [Call(end - 20 * DAY + 60.0 * n, keys["sandbox"], "10.20.1.30", python) for n in range(5)]
    calls += [Call(now + 60.0 * n, keys["sandbox"], "10.20.1.30", python) for n in range(40)]
    return [*calls, Call(end - 120.0 * DAY, keys["abandoned"], "10.71.90.4", python)]


def _place(name: str) -> int:
    return [each for each in PLANTED.values() if each is not None].index(name)


def office(rate: float) -> Callable[[int], float]:
    """Most of it on working days."""

    def of(hour: int) -> float:
        moment = datetime.fromtimestamp(hour, UTC)
        if moment.weekday() >= 5:
            return rate * 0.15
        return rate if 8 <= moment.hour < 18 else rate * 0.08

    return of


def around_the_clock(rate: float, *, peak: int = 14) -> Callable[[int], float]:
    """More in the hours of its peak, less on the other side of the day; a little less at weekends."""

    def of(hour: int) -> float:
        moment = datetime.fromtimestamp(hour, UTC)
        weekend = 0.8 if moment.weekday() >= 5 else 1.0
        return rate * weekend * (1 + 0.6 * sin((moment.hour - peak + 6) * pi / 12))

    return of


def month_end(rate: Callable[[int], float]) -> Callable[[int], float]:
    """Twice as much on the last two days of a month."""
    return lambda hour: rate(hour) * (2.2 if datetime.fromtimestamp(hour + 2 * DAY, UTC).day <= 2 else 1)


def at_hours(rate: float, *hours: int, day: int | None = None) -> Callable[[int], float]:
    """In these hours of each day, or of one day of the week."""

    def of(hour: int) -> float:
        moment = datetime.fromtimestamp(hour, UTC)
        return rate if moment.hour in hours and day in {None, moment.weekday()} else 0

    return of


def only(hours: range, rate: float) -> Callable[[int], float]:
    """In these hours of each day, which may go past midnight."""
    return at_hours(rate, *(hour % 24 for hour in hours))


def once(rate: float, *hours: int) -> Callable[[int], float]:
    """In these hours of the calendar."""
    return lambda hour: rate if hour in hours else 0
