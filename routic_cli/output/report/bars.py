"""Stacked bars over time: what each name did in each step of the period."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from routic_cli.output.amounts import counted
from routic_cli.output.report.contents import Course, Steps
from routic_cli.output.report.dates import DAY, step
from routic_cli.output.report.markup import Markup, harmless, joined, name_of, number, tag
from routic_cli.output.report.vega import NARROW, WIDE, Spec, figure

COLOURS: Final = 8
"""How many names a chart can tell apart; the last colour is that of all the others together."""

_AXIS: Final = 46
_MILLISECONDS: Final = 1000
_PADDING: Final = {"top": 8, "right": 12, "bottom": 30}


def time_axis(begin: int, end: int, width: int) -> dict[str, Any]:
    """The horizontal axis, in UTC, from the moment `begin` to the moment `end`."""
    return {
        "type": "temporal",
        "scale": {"type": "utc", "domain": [begin * _MILLISECONDS, end * _MILLISECONDS], "nice": False},
        "axis": {
            "grid": False,
            "tickCount": 4 if width == NARROW else 8,
            "labelOverlap": "greedy",
            "labelSeparation": 14,
            "labelPadding": 11,
            "labelFlush": True,
            "format": _time_format(end - begin),
        },
    }


def stacked_bars(courses: Sequence[Course], steps: Steps, palette: str, unit: str, caption: str) -> Markup:
    """The chart, its legend, and the same as a table. `palette` is the letter of the page's colours."""
    return joined(
        [
            _legend(courses, palette, unit),
            figure(
                [
                    ("wide", _spec(courses, steps, palette, unit, WIDE, 260)),
                    ("narrow", _spec(courses, steps, palette, unit, NARROW, 200)),
                ],
                caption,
            ),
            _as_table(courses, steps),
        ]
    )


def _spec(courses: Sequence[Course], steps: Steps, palette: str, unit: str, width: int, height: int) -> Spec:
    return {
        "data": {"values": _boxes(courses, steps, palette, unit)},
        "width": width - _AXIS - _PADDING["right"],
        "height": height - _PADDING["top"] - _PADDING["bottom"],
        "autosize": "none",
        "padding": {**_PADDING, "left": _AXIS},
        "mark": {"type": "rect", "stroke": "var(--surface)", "strokeWidth": 0.75},
        "encoding": {
            "x": {"field": "begin", **time_axis(steps.begin, steps.end, width)},
            "x2": {"field": "end"},
            "y": {
                "field": "bottom",
                "type": "quantitative",
                "scale": {"zero": True, "nice": True},
                "axis": {"labelExpr": "format(datum.value, '~s')", "tickCount": 4, "tickMinStep": 1, "domain": False},
            },
            "y2": {"field": "top"},
            "color": {"field": "colour", "type": "nominal", "scale": None},
            "description": {"field": "title"},
        },
    }


def _boxes(courses: Sequence[Course], steps: Steps, palette: str, unit: str) -> list[dict[str, Any]]:
    """One on the other; Vega-Lite itself stacks no bars that have a beginning and an end in time."""
    heights = [0] * steps.count
    boxes = []
    for place, course in enumerate(courses):
        for index, (begin, count) in enumerate(zip(steps.starts(), course.counts, strict=True)):
            if count:
                boxes.append(
                    {
                        "begin": begin * _MILLISECONDS,
                        "end": (begin + steps.length) * _MILLISECONDS,
                        "bottom": heights[index],
                        "top": heights[index] + count,
                        "colour": f"var(--{palette}{place})",
                        "title": harmless(f"{course.name}: {counted(count, unit)}, {step(begin, steps.length)}"),
                    }
                )
                heights[index] += count
    return boxes


def _legend(courses: Sequence[Course], palette: str, unit: str) -> Markup:
    return tag(
        "ul",
        *(
            tag(
                "li",
                tag("span", class_=f"swatch {palette}{place}"),
                name_of(course.name),
                number(course.total, f"{course.total:,}", title=counted(course.total, unit)),
            )
            for place, course in enumerate(courses)
        ),
        class_="legend",
    )


def _as_table(courses: Sequence[Course], steps: Steps) -> Markup:
    head = tag("tr", tag("th", "From", scope="col"), *(tag("th", name_of(each.name), scope="col") for each in courses))
    rows = [
        tag(
            "tr",
            tag("th", step(begin, steps.length), scope="row"),
            *(tag("td", f"{each.counts[place]:,}") for each in courses),
        )
        for place, begin in enumerate(steps.starts())
        if any(each.counts[place] for each in courses)
    ]
    table = tag("table", tag("thead", head), tag("tbody", *rows))
    scroll = tag("div", table, class_="scroll", tabindex="0", role="group", aria_label="The figures of the chart")
    return tag("details", tag("summary", "The figures as a table"), scroll, class_="figures")


def _time_format(span: int) -> str:
    if span <= 2 * DAY:
        return "%H:%M"
    return "%-d %b" if span <= 300 * DAY else "%b %Y"
