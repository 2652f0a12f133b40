"""HTML made of elements: text from outside is escaped and made inert where it goes in, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Final

from routic_cli.output.inert import inert, without_secrets

_VOID: Final = frozenset({"meta", "br", "hr"})


class Markup(str):
    """Text that is HTML already; only what makes elements returns it."""

    __slots__ = ()


def harmless(text: str) -> str:
    """The text as it may be shown: what would hide or reorder it as a visible escape, keys masked."""
    return inert(without_secrets(text))


def text_of(content: str) -> Markup:
    """Markup as it is; any other text harmless and escaped."""
    return content if isinstance(content, Markup) else Markup(escape(harmless(content)))


def tag(name: str, /, *contents: str, **attributes: str | None) -> Markup:
    """An element. `class_` is the attribute class, `aria_label` is aria-label; an attribute of None is left out."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(harmless(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    inner = "".join(map(text_of, contents))
    return Markup(f"<{name}{written}>" if name in _VOID else f"<{name}{written}>{inner}</{name}>")


def joined(parts: Iterable[str]) -> Markup:
    """The parts one after the other."""
    return Markup("".join(map(text_of, parts)))


def name_of(text: str, **attributes: str | None) -> Markup:
    """A name from outside, kept apart from the text around it: letters that run to the left move nothing else."""
    return tag("bdi", text, **attributes)


def number(value: int | str, shown: str, **attributes: str | None) -> Markup:
    """A figure as people read it, with the exact one for programs."""
    return tag("data", shown, value=str(value), **attributes)
