"""Lines along time, one below the other: how long findings went on, and how old keys are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from routic_cli.domain.audit.findings import Finding
from routic_cli.domain.keys import Key, UnixSeconds
from routic_cli.output.report.bars import time_axis
from routic_cli.output.report.dates import DAY, day, stretch
from routic_cli.output.report.markup import Markup, harmless
from routic_cli.output.report.vega import NARROW, WIDE, Spec, figure
from routic_cli.output.times import last_use, relative

_MILLISECONDS: Final = 1000
_NAMES: Final = 250
"""Pixels for the names beside the lines of the wide form; the narrow one has them above."""
_EDGE: Final = 14
_SPARE: Final = 0.86
"""Letters are measured here in another font than the reader's, which may be wider."""
_AXIS: Final = 30
_WIDE_ROW: Final = 28
_NARROW_ROW: Final = 44


class _Line(NamedTuple):
    """From one moment to another, which may be the same."""

    row: int
    begin: UnixSeconds
    end: UnixSeconds
    colour: str
    thickness: float
    opacity: float
    title: str


class _Dot(NamedTuple):
    """A moment; a ring is hollow."""

    row: int
    at: UnixSeconds
    colour: str
    hollow: bool
    title: str


def findings_on_time_line(findings: Sequence[Finding], begin: UnixSeconds, end: UnixSeconds) -> Markup:
    """A line for each finding, from its first call to its last. All of them have such times."""
    names, lines = [], []
    for row, finding in enumerate(findings):
        first, last = finding.first_at or begin, finding.last_at or end
        names.append(f"{finding.rule} · {finding.key_name or 'no key of ours'}")
        title = f"{finding.rule}, {finding.severity}: {stretch(first, last)}"
        lines.append(_Line(row, max(first, begin), min(max(last, begin), end), finding.severity, 10, 1, title))
    return _figure(names, lines, [], begin, end, "When each finding began and ended")


def keys_by_age(keys: Sequence[Key], now: UnixSeconds) -> Markup:
    """A line for each key, from its creation until now, with its current secret and its last use on it."""
    names, lines, dots = [], [], []
    for row, key in enumerate(keys):
        names.append(key.name)
        secret = key.current.created_at
        lines.append(_Line(row, key.created_at, now, "s7", 2, 1, f"{key.name}: created {day(key.created_at)}"))
        age = f"{key.name}: version {key.current.number} since {day(secret)}"
        lines.append(_Line(row, secret, now, "s0", 7, 0.4, age))
        if key.last_used_at is None:
            dots.append(_Dot(row, now, "s1", hollow=True, title=f"{key.name}: last use {last_use(key, now)}"))
        else:
            used = f"{key.name}: last used {relative(key.last_used_at, now)}, {day(key.last_used_at)}"
            dots.append(_Dot(row, key.last_used_at, "s0", hollow=False, title=used))
    oldest = min([key.created_at for key in keys] + [dot.at for dot in dots])
    begin = min(oldest, now - DAY)
    return _figure(names, lines, dots, begin, now, "How old each key is, and when it was used last")


def _figure(
    names: Sequence[str], lines: Sequence[_Line], dots: Sequence[_Dot], begin: int, end: int, caption: str
) -> Markup:
    forms = [
        (form, _spec(names, lines, dots, begin, end, width)) for form, width in (("wide", WIDE), ("narrow", NARROW))
    ]
    return figure(forms, caption)


def _spec(names: Sequence[str], lines: Sequence[_Line], dots: Sequence[_Dot], begin: int, end: int, width: int) -> Spec:
    narrow = width == NARROW
    row = _NARROW_ROW if narrow else _WIDE_ROW
    left = _EDGE if narrow else _NAMES
    inner = width - left - _EDGE
    height = row * len(names)
    middle = row * (0.72 if narrow else 0.5)

    def y(place: int) -> float:
        return place * row + middle

    return {
        "width": inner,
        "height": height,
        "autosize": "none",
        "padding": {"left": left, "right": _EDGE, "top": 2, "bottom": _AXIS},
        "resolve": {"scale": {"color": "independent"}},
        "layer": [
            _names(names, row, inner, narrow=narrow),
            {
                "data": {"values": [_line_row(line, y(line.row)) for line in lines]},
                "mark": {"type": "rule", "strokeCap": "round"},
                "encoding": {
                    "x": {"field": "begin", **time_axis(begin, end, width)},
                    "x2": {"field": "end"},
                    "y": _vertical(height),
                    "color": {"field": "colour", "type": "nominal", "scale": None},
                    "strokeWidth": {"field": "thickness", "type": "quantitative", "scale": None},
                    "opacity": {"field": "opacity", "type": "quantitative", "scale": None},
                    "description": {"field": "title"},
                },
            },
            {
                "data": {"values": [_dot_row(dot, y(dot.row)) for dot in dots]},
                "mark": {"type": "point", "size": 75, "strokeWidth": 2, "opacity": 1, "filled": False},
                "encoding": {
                    "x": {"field": "at", **time_axis(begin, end, width)},
                    "y": _vertical(height),
                    "stroke": {"field": "stroke", "type": "nominal", "scale": None},
                    "fill": {"field": "fill", "type": "nominal", "scale": None},
                    "description": {"field": "title"},
                },
            },
        ],
    }


def _names(names: Sequence[str], row: int, inner: int, *, narrow: bool) -> dict[str, Any]:
    """Each name, cut where its room ends; under a pointer it is whole."""
    place = (
        {"align": "left", "limit": inner * _SPARE}
        if narrow
        else {"align": "right", "limit": (_NAMES - 2 * _EDGE) * _SPARE}
    )
    offset = row * (0.3 if narrow else 0.5)
    shown = [{"name": harmless(name), "y": number * row + offset} for number, name in enumerate(names)]
    return {
        "data": {"values": shown},
        "mark": {"type": "text", "baseline": "middle", **place},
        "encoding": {
            "x": {"value": 0 if narrow else -_EDGE},
            "y": _vertical(row * len(names)),
            "text": {"field": "name"},
            "description": {"field": "name"},
        },
    }


def _vertical(height: int) -> dict[str, Any]:
    return {
        "field": "y",
        "type": "quantitative",
        "scale": {"domain": [0, height], "range": [0, height], "zero": False, "nice": False},
        "axis": None,
    }


def _line_row(line: _Line, y: float) -> dict[str, Any]:
    return {
        "begin": line.begin * _MILLISECONDS,
        "end": line.end * _MILLISECONDS,
        "y": y,
        "colour": f"var(--{line.colour})",
        "thickness": line.thickness,
        "opacity": line.opacity,
        "title": harmless(line.title),
    }


def _dot_row(dot: _Dot, y: float) -> dict[str, Any]:
    return {
        "at": dot.at * _MILLISECONDS,
        "y": y,
        "stroke": f"var(--{dot.colour})",
        "fill": "var(--surface)" if dot.hollow else f"var(--{dot.colour})",
        "title": harmless(dot.title),
    }
