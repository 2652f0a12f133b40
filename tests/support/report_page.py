"""A usage report as a reader of HTML takes it: its elements, its figures, its text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final

_VOID: Final = frozenset({"meta", "br", "hr"})


@dataclass(slots=True)
class Element:
    """An element with its attributes and what is in it, in order."""

    name: str
    attributes: dict[str, str]
    children: list[Element | str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All text in it, with single spaces."""
        return " ".join("".join(self._texts()).split())

    def all(self, name: str, class_: str = "") -> list[Element]:
        """Every element of that name in it, at any depth; with that class, where one is given."""
        return [each for each in self if each.name == name and (not class_ or class_ in each.classes)]

    def one(self, name: str, class_: str = "") -> Element:
        """The only such element."""
        (found,) = self.all(name, class_)
        return found

    @property
    def classes(self) -> list[str]:
        return self.attributes.get("class", "").split()

    @property
    def value(self) -> str:
        """The exact figure of the only `data` element in it."""
        return self.one("data").attributes["value"]

    def __iter__(self) -> Iterator[Element]:
        for child in self.children:
            if isinstance(child, Element):
                yield child
                yield from child

    def _texts(self) -> Iterator[str]:
        for child in self.children:
            if isinstance(child, str):
                yield child
            else:
                yield from child._texts()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = Element("", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(element)
        if tag not in _VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        closed = self.open.pop()
        assert closed.name == tag, f"</{tag}> closes <{closed.name}>"

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def read_page(text: str) -> Element:
    """The document; every element in it is closed where it has to be."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == [reader.root]
    return reader.root


def section(page: Element, title: str) -> Element:
    """The part of the page under that heading."""
    (found,) = [each for each in page.all("section") if each.one("h2").text == title]
    return found


def tile(page: Element, name: str) -> Element:
    """The tile of that name at the top."""
    (found,) = [each for each in page.all("div", "tile") if each.one("dt").text == name]
    return found
