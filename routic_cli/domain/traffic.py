"""What can be asked of the usage log: single events, and calls counted by what they have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from routic_cli.domain.keys import KeyId, UnixSeconds
from routic_cli.domain.usage import EventMark, UsageEvent

HOUR_SECONDS: Final = 3600


class Dimension(StrEnum):
    """What calls can be counted by. `network` is the block of an address, `family` the program behind an agent."""

    HOUR = "hour"
    KEY = "key"
    VERSION = "version"
    OUTCOME = "outcome"
    METHOD = "method"
    STATUS = "status"
    ADDRESS = "address"
    NETWORK = "network"
    AGENT = "agent"
    FAMILY = "family"
    ORIGIN = "origin"
    MODEL = "model"
    FLAGS = "flags"


class TrafficSort(StrEnum):
    """What the rows of an answer can be ordered by: a field of Traffic. `labels` is by the first of them, then on."""

    LABELS = "labels"
    CALLS = "calls"
    ERRORS = "errors"
    TOKENS_IN = "tokens_in"
    TOKENS_OUT = "tokens_out"
    COST = "cost"
    FIRST_AT = "first_at"
    LAST_AT = "last_at"


Label = str | int | tuple[str, ...] | None
"""The value of a dimension: a text, a number (hour, version, status), the names of flags; None where there is none."""


@dataclass(frozen=True, slots=True)
class TrafficQuery:
    """Calls counted by the dimensions in `by`, for the calls that meet every condition given.

    The log counts by the hour: an hour that the time from `since` to before `until` touches is counted whole. `key_ids`
    None is every key, and calls without one. `version` goes with one key. `flag` is the name of a Flag.

    Without `sort` the rows are in no order. `limit` leaves the first of them; the log looks up the labels of no others.
    """

    by: tuple[Dimension, ...]
    since: UnixSeconds | None = None
    until: UnixSeconds | None = None
    key_ids: tuple[KeyId, ...] | None = None
    version: int | None = None
    outcomes: tuple[str, ...] | None = None
    flag: str | None = None
    sort: TrafficSort | None = None
    descending: bool = False
    limit: int | None = None


class Traffic(NamedTuple):
    """The calls that share `labels`, the values of the dimensions asked for in their order.

    `errors` are those with a status of 400 or more; `cost` is in billionths; the times are of the first and last call.
    """

    labels: tuple[Label, ...]
    calls: int
    errors: int
    tokens_in: int
    tokens_out: int
    cost: int
    first_at: UnixSeconds
    last_at: UnixSeconds


class Strangers(NamedTuple):
    """The keys from one address, or one /64 of IPv6, that no store knows: how many, in how many calls."""

    address: str
    keys: int
    calls: int
    first_at: UnixSeconds
    last_at: UnixSeconds


class LastUse(NamedTuple):
    """The last time that a version of a key was let in, and how often in all."""

    at: UnixSeconds
    calls: int


@dataclass(frozen=True, slots=True)
class LastUses:
    """When versions of keys were let in last, and since when the log would tell: `began` is None for an empty one."""

    by_version: Mapping[tuple[KeyId, int], LastUse]
    began: UnixSeconds | None

    def by_key(self) -> dict[KeyId, UnixSeconds]:
        """The last time of each key, with any of its versions."""
        found: dict[KeyId, UnixSeconds] = {}
        for (key_id, _), use in self.by_version.items():
            found[key_id] = max(use.at, found.get(key_id, use.at))
        return found


@dataclass(frozen=True, slots=True)
class EventQuery:
    """Which events, in the order of their time: from `since` to before `until`, behind `after`, at most `limit`."""

    since: UnixSeconds | None = None
    until: UnixSeconds | None = None
    key_ids: tuple[KeyId, ...] | None = None
    after: EventMark | None = None
    limit: int = 1000


@dataclass(frozen=True, slots=True)
class EventPage:
    """Some events of an answer; `has_more` when there are others behind the last."""

    events: tuple[UsageEvent, ...]
    has_more: bool


@dataclass(frozen=True, slots=True)
class Appended:
    """What came of a batch of events: how many are new, and how many the log had already."""

    new: int
    known: int


@dataclass(frozen=True, slots=True)
class Summary:
    """What a question for traffic was answered with, and the names of the keys in it."""

    rows: tuple[Traffic, ...]
    key_names: Mapping[KeyId, str]
