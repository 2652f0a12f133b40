"""Vega-Lite charts as inline SVG, drawn by vl-convert: no script, no address, colours by the page's own variables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from xml.etree import ElementTree as ET

from routic_cli.domain.errors import RouticError
from routic_cli.output.report.markup import Markup, tag

Spec = Mapping[str, Any]

WIDE: Final = 920
NARROW: Final = 330
"""Pixels: of the page of a desktop, and of a phone. Scaling one for the other would make its letters too small."""

_SVG: Final = "{http://www.w3.org/2000/svg}"
# What Vega writes that draws something; whatever else it may come to write does not reach the page.
_ELEMENTS: Final = frozenset({"svg", "g", "path", "line", "rect", "text", "tspan", "title"})
_ATTRIBUTES: Final = frozenset(
    {"viewBox", "width", "height", "transform", "d", "x", "y", "x2", "y2", "dx", "dy", "fill", "fill-opacity", "stroke"}
    | {"stroke-width", "stroke-opacity", "stroke-dasharray", "stroke-linecap", "stroke-miterlimit", "opacity"}
    | {"text-anchor", "font-size", "font-weight"}
)
_CONFIG: Final[Spec] = {
    "view": {"stroke": None},
    "axis": {
        "labelColor": "var(--muted)",
        "labelFontSize": 12,
        "labelPadding": 8,
        "gridColor": "var(--line)",
        "domainColor": "var(--line)",
        "tickColor": "var(--line)",
        "ticks": False,
        "title": None,
    },
    "text": {"fontSize": 13, "fill": "var(--ink)"},
}


def require_installed() -> None:
    """RouticError that names the extra, where charts cannot be drawn."""
    try:
        import vl_convert
    except ImportError as error:
        raise RouticError(
            "The charts of the report are not installed",
            why=f"The package '{error.name}' is missing",
            not_done="No report was made",
            remedy="pip install 'routic[report]'",
        ) from error
    del vl_convert


def figure(specs: Sequence[tuple[str, Spec]], caption: str) -> Markup:
    """A chart in its versions, `wide` and `narrow`, of which the page shows one."""
    return tag("div", *(_svg(spec, f"chart {form}", caption) for form, spec in specs), class_="charts")


def _svg(spec: Spec, class_: str, caption: str) -> Markup:
    import vl_convert

    text = vl_convert.vegalite_to_svg({**spec, "background": None, "config": _CONFIG}, allowed_base_urls=[])
    root = ET.fromstring(text)  # noqa: S314  # drawn a line above, of data that is escaped; has no DTD
    root = _clean(root)
    root.attrib = {"class": class_, "role": "img", "aria-label": caption, "viewBox": root.get("viewBox", "")}
    return Markup(ET.tostring(root, encoding="unicode"))


def _clean(element: ET.Element) -> ET.Element:
    """The element with what draws; what Vega calls the description of a mark becomes its title, shown under a pointer.

    ValueError for an element that this page should not have: a newer Vega has to be looked at first.
    """
    name = element.tag.removeprefix(_SVG)
    if name not in _ELEMENTS:
        raise ValueError(name)
    clean = ET.Element(name, {key: value for key, value in element.items() if key in _ATTRIBUTES})
    clean.text = element.text
    if name not in {"g", "svg"} and (title := element.get("aria-label")):
        ET.SubElement(clean, "title").text = title
    clean.extend(_clean(child) for child in element if not _is_empty(child))
    return clean


def _is_empty(element: ET.Element) -> bool:
    """Backgrounds and groups that draw nothing; a third of what Vega writes."""
    if element.get("class", "") in {"background", "foreground"}:
        return True
    return element.tag == f"{_SVG}g" and all(_is_empty(child) for child in element)
