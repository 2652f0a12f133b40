"""A gateway's traffic, made up: services with the rhythm of a week, pods that come and go, deploys, what goes wrong.

The same seed is the same traffic. Calls come in the order of time and one hour at a time, so that millions of them
need no memory. A call is a line as nginx writes it (`nginx_line`) or an event of the usage log (`event_of`).
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from itertools import islice
from operator import attrgetter
from typing import NamedTuple

from routic_cli.domain.key_format import ALPHABET, RANDOM_LENGTH, check_characters
from routic_cli.domain.keys import KeyTraits, NewKey, NewVersion
from routic_cli.domain.secret import fingerprint_of
from routic_cli.domain.usage import UsageEvent
from routic_cli.service.usage import UsageService
from routic_cli.store.interface import Store
from tests.support.keys import HINT, key_id

HOUR = 3600
DAY = 24 * HOUR
SERVER_ERRORS = (500, 502, 503)


def secret(text: str, number: int = 1) -> str:
    """A key of the real format; the same text is the same key."""
    digest = int.from_bytes(sha256(f"{text} {number}".encode()).digest(), "big")
    body = "sk-"
    for _ in range(RANDOM_LENGTH):
        digest, digit = divmod(digest, len(ALPHABET))
        body += ALPHABET[digit]
    return body + check_characters(body)


class Call(NamedTuple):
    """One request as a gateway saw it. `time` is when it ended, in unix seconds; `key` the secret that it came with."""

    time: float
    key: str | None
    address: str
    agent: str
    status: int = 200
    method: str = "POST"
    uri: str = "/v1/chat/completions"
    scheme: str = "https"
    origin: str = ""
    request_id: str = ""


@dataclass(frozen=True)
class Program:
    """The agent of a service; its version goes up with each deploy."""

    text: str
    days: int = 7

    def at(self, time: float) -> str:
        """What it called itself then."""
        return self.text.format(int(time // (self.days * DAY)) % 50)


OPENAI_PYTHON = Program("OpenAI/Python 2.{}.0")
OPENAI_JS = Program("OpenAI/JS 6.{}.1", 11)
GO = Program("Go-http-client/2.0")
HTTPX = Program("python-httpx/0.28.{}", 13)
REQUESTS = Program("python-requests/2.{}.5", 20)
JAVA = Program("okhttp/5.{}.0", 15)
CURL = Program("curl/8.{}.0", 40)
BY_COMMIT = Program("billing-api/c0ffee{:02x}", 5)
BY_SUFFIX = Program("batch-worker-2.{}.0", 9)


@dataclass(frozen=True)
class Service:
    """Who calls with a key: how often in each hour, from which blocks of addresses, with which programs."""

    key: str
    rate: Callable[[int], float]
    """Calls in the hour that begins then, before they are scaled."""
    networks: Sequence[str]
    """The beginnings of addresses; pods change their last number each night."""
    programs: Sequence[Program] = (OPENAI_PYTHON,)
    pods: int = 3
    begin: int = 0
    end: int = 1 << 60
    roams: bool = False
    """Whether its networks are drawn anew for each hour, as those of rented machines are."""
    status: int = 200


@dataclass(frozen=True)
class PlannedKey:
    """A key, and what becomes of it. `versions` are when each one was made; the grace of a rotation is a day."""

    name: str
    versions: Sequence[int]
    expires_at: int | None = None
    revoked_at: int | None = None
    tags: dict[str, str] = field(default_factory=dict)
    rpm: int | None = None
    slow_to_update: int = 12 * HOUR
    """How long after a rotation its services still call with the version before."""

    def used(self, time: int) -> int:
        """The version that its services call with."""
        return max(1, sum(made + self.slow_to_update * (n > 0) <= time for n, made in enumerate(self.versions)))

    def passes(self, time: int) -> bool:
        """Whether the version that its services call with is let in."""
        number = self.used(time)
        replaced_at = self.versions[number] + DAY if number < len(self.versions) else None
        return all(end is None or time < end for end in (self.expires_at, self.revoked_at, replaced_at))


@dataclass
class Plan:
    """Keys, their services, and single calls beside them; from `begin` to before `end`, whole hours."""

    seed: int
    begin: int
    end: int
    keys: dict[str, PlannedKey]
    services: list[Service]
    extra: list[Call] = field(default_factory=list)
    scale: float = 1.0
    noise: float = 6.0
    """Calls in an hour that have nothing to do with a key of ours: health checks, scanners, somebody's stale key."""

    def scaled_to(self, calls: int) -> Plan:
        """The same plan with about so many calls."""
        planned = sum(each.rate(hour) for each in self.services for hour in self._hours(each))
        self.scale = max(calls - len(self.extra), 0) / (planned + self.noise * (self.end - self.begin) / HOUR)
        return self

    def calls(self) -> Iterator[Call]:
        """Every call, in the order of time."""
        extra = sorted(self.extra, key=attrgetter("time"))
        yield from self._numbered(call for call in extra if call.time < self.begin)
        place = sum(call.time < self.begin for call in extra)
        for hour in range(self.begin, self.end, HOUR):
            found = [call for n, each in enumerate(self.services) for call in self._of(n, each, hour)]
            found += self._strangers(hour)
            while place < len(extra) and extra[place].time < hour + HOUR:
                found.append(extra[place])
                place += 1
            found.sort(key=attrgetter("time"))
            yield from self._numbered(found, hour)

    def register(self, store: Store) -> None:
        """Make the keys in a store, with everything that becomes of them."""
        for n, key in enumerate(self.keys.values(), start=1):
            versions = [
                NewVersion(number, fingerprint_of(secret(key.name, number)), HINT, made)
                for number, made in enumerate(key.versions, start=1)
            ]
            traits = KeyTraits(key.name, tags=key.tags, rpm=key.rpm, expires_at=key.expires_at)
            with store.writing(versions[0].created_at) as tx:
                tx.insert_keys([NewKey(key_id(n), traits, versions[0])])
                for version in versions[1:]:
                    tx.insert_version(key_id(n), version)
                    tx.end_version(key_id(n), version.number - 1, version.created_at + DAY)
                if key.revoked_at is not None:
                    tx.set_revoked([key_id(n)], key.revoked_at, None)

    def _hours(self, service: Service) -> range:
        return range(max(self.begin, service.begin), min(self.end, service.end), HOUR)

    def _numbered(self, calls: Iterator[Call] | list[Call], hour: int = 0) -> Iterator[Call]:
        for n, call in enumerate(calls):
            yield call._replace(request_id=f"{self.seed:08x}{hour:012x}{n:012x}")

    def _of(self, n: int, service: Service, hour: int) -> Iterator[Call]:
        mean = service.rate(hour) * self.scale if service.begin <= hour < service.end else 0
        if mean <= 0:
            return
        chance = random.Random(f"{self.seed} {n} {hour}")
        key = self.keys[service.key]
        addresses = self._addresses(n, service, hour)
        agents = [program.at(hour) for program in service.programs]
        outage = chance.random() < 0.002  # an hour in which the model does not answer, and clients try again
        for _ in range(_poisson(chance, mean * (2 if outage else 1))):
            time = hour + chance.randrange(HOUR * 1000) / 1000
            status = service.status if key.passes(int(time)) else 401
            if status == 200 and chance.random() < (0.6 if outage else 0.004):
                status = chance.choice(SERVER_ERRORS)
            # The first pod has a little more to do than the next.
            address = addresses[int(len(addresses) * chance.random() ** 1.2)]
            yield Call(time, secret_of(service.key, key.used(int(time))), address, chance.choice(agents), status)

    def _addresses(self, n: int, service: Service, hour: int) -> list[str]:
        day = random.Random(f"{self.seed} {n} pods {hour if service.roams else hour // DAY}")
        # Each block has a pod at any time, unless there are more blocks than pods.
        first = day.randrange(len(service.networks))
        blocks = [service.networks[(first + pod) % len(service.networks)] for pod in range(service.pods)]
        return [f"{block}{day.randrange(2, 250)}" for block in blocks]

    def _strangers(self, hour: int) -> Iterator[Call]:
        chance = random.Random(f"{self.seed} strangers {hour}")
        for _ in range(_poisson(chance, self.noise * self.scale)):
            time = hour + chance.randrange(HOUR * 1000) / 1000
            kind = chance.random()
            address = f"{chance.randrange(1, 224)}.{chance.randrange(256)}.{chance.randrange(256)}.9"
            if kind < 0.5:
                yield Call(time, None, "10.20.0.1", "kube-probe/1.34", 401, "GET", "/v1/models")
            elif kind < 0.8:  # one service of somebody with one wrong key
                yield Call(time, secret_of("somebody else's"), "198.51.100.77", "OpenAI/Python 1.9.0", 401)
            elif kind < 0.9:  # a visitor: a browser without a key
                yield Call(time, None, address, FIREFOX, 401, "GET", "/favicon.ico", origin="https://search.example")
            else:
                yield Call(time, secret_of(f"lost {hour} {time}"), address, "curl/8.1.0", 401, scheme="http")


_fingerprint = lru_cache(10_000)(fingerprint_of)
secret_of = lru_cache(10_000)(secret)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"


def nginx_line(call: Call) -> str:
    """The line that docs/usage-logs.md has nginx write, with the key in it as it came."""
    moment = datetime.fromtimestamp(int(call.time), UTC).isoformat()
    return json.dumps(
        {
            "time_iso8601": moment,
            "msec": f"{call.time:.3f}",
            "remote_addr": call.address,
            "request_method": call.method,
            "request_uri": call.uri,
            "status": str(call.status),
            "scheme": call.scheme,
            "http_user_agent": call.agent,
            "http_origin": call.origin,
            "http_authorization": f"Bearer {call.key}" if call.key else "",
            "request_id": call.request_id,
        }
    )


def event_of(call: Call) -> UsageEvent:
    """What an import makes of the line, before the store has said whose key it is."""
    refused = {401: "refused" if call.key else "missing", 429: "rate_limited"}
    flags = ("key_in_url",) * ("sk-" in call.uri) + ("plain_http",) * (call.scheme == "http")
    return UsageEvent(
        int(call.time),
        refused.get(call.status, "allowed"),
        call.method,
        call.uri.partition("?")[0],
        call.status,
        call.address,
        call.agent,
        call.request_id,
        flags,
        sha256=_fingerprint(call.key) if call.key else None,
        origin=call.origin or None,
        identity=int(call.request_id[8:], 16) & ((1 << 62) - 1),
    )


def _poisson(chance: random.Random, mean: float) -> int:
    """A count with that mean, as chance has it."""
    if mean > 30:
        return max(0, round(chance.gauss(mean, mean**0.5)))
    limit, count, product = 2.718281828459045**-mean, 0, chance.random()
    while product > limit:
        product *= chance.random()
        count += 1
    return count


def fill(service: UsageService, plan: Plan) -> int:
    """Append all of its calls as an import would; how many."""
    calls, count = plan.calls(), 0
    while batch := [event_of(call) for call in islice(calls, 5000)]:
        count += service.append(batch).new
    return count
