"""The admin API of the usage log: one function for each route, as server/admin.py has them for keys."""

from __future__ import annotations

from dataclasses import replace

from routic_cli.domain.errors import TooManyRowsError
from routic_cli.server.requests import AdminRequest
from routic_cli.transport.wire.objects import JsonObject, list_object
from routic_cli.transport.wire.usage import (
    appended_object,
    event_object,
    events_from,
    finding_object,
    pruned_object,
    summary_object,
)
from routic_cli.transport.wire.usage_queries import (
    MOST_ROWS,
    audit_query_from,
    event_query_from,
    prune_from,
    traffic_query_from,
)


def list_usage(request: AdminRequest) -> JsonObject:
    """GET /usage: single events, in the order of their time."""
    page = request.service.usage.events(event_query_from(request.asked))
    return list_object(map(event_object, page.events), has_more=page.has_more)


def append_usage(request: AdminRequest) -> JsonObject:
    """POST /usage: remember events; one with an `id` counts once however often it comes."""
    return appended_object(request.service.usage.append(events_from(request.body, request.now)))


def summarize_usage(request: AdminRequest) -> JsonObject:
    """GET /usage/summary: calls counted by what they have in common."""
    query = traffic_query_from(request.asked)
    limit = MOST_ROWS + 1 if query.limit is None else query.limit  # enough to know that there are too many
    summary = request.service.usage.summary(replace(query, limit=limit))
    if len(summary.rows) > MOST_ROWS:
        raise TooManyRowsError(
            f"The answer has more than {MOST_ROWS} rows",
            why="It is counted by too much at once, or over too long a time",
            not_done="Nothing was done",
            remedy="a 'limit' with a 'sort', fewer 'by', a later 'since', or one 'key_id'",
            param="limit",
        )
    return list_object([summary_object(row, query.by, summary.key_names) for row in summary.rows])


def audit_usage(request: AdminRequest) -> JsonObject:
    """GET /usage/audit: what the rules find, the most severe first."""
    findings = request.service.usage.audit(audit_query_from(request.asked, request.now))
    return list_object(map(finding_object, findings))


def prune_usage(request: AdminRequest) -> JsonObject:
    """DELETE /usage: forget the events of the hours before a time; what keys were used last, and costs, stay."""
    return pruned_object(request.service.usage.prune(prune_from(request.asked)))
