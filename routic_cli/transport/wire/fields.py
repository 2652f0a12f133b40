"""One JSON object as it came: each field is taken by its name and type, and what nobody took is an error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from routic_cli.domain.errors import InvalidRequestError

T = TypeVar("T")


class Fields:
    """Takes fields from `data`; InvalidRequestError names the field that is missing or of another type.

    No error repeats a value: it may be a secret that somebody put in the wrong place.
    """

    def __init__(self, data: object, where: str = "The body") -> None:
        if not isinstance(data, dict):
            raise InvalidRequestError(f"{where} must be a JSON object")
        self._data: dict[str, object] = data
        self._where = where
        self._taken: set[str] = set()

    def __contains__(self, name: str) -> bool:
        return name in self._data

    def text(self, name: str) -> str:
        """A string that has to be there."""
        return self._typed(name, str, "a string")

    def text_or_none(self, name: str) -> str | None:
        """A string, null, or nothing at all."""
        return None if self._get(name) is None else self.text(name)

    def integer(self, name: str) -> int:
        """A whole number that has to be there."""
        value = self._get(name)
        if isinstance(value, float) and value.is_integer():  # JSON has one kind of number: 60.0 is a whole one
            return int(value)
        return self._typed(name, int, "a whole number")

    def integer_or_none(self, name: str) -> int | None:
        """A whole number, null, or nothing at all."""
        return None if self._get(name) is None else self.integer(name)

    def number(self, name: str) -> float:
        """A number that has to be there, whole or not."""
        value = self._get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        return self._typed(name, float, "a number")

    def is_null(self, name: str) -> bool:
        """Whether there is null, or nothing at all."""
        return self._get(name) is None

    def flag(self, name: str) -> bool:
        """True or false."""
        return self._typed(name, bool, "true or false")

    def mapping(self, name: str) -> Mapping[str, object]:
        """An object; an empty one where there is none, or null."""
        return {} if self._get(name) is None else self._typed(name, dict, "an object")

    def mapping_or_none(self, name: str) -> Mapping[str, object] | None:
        """An object, or null, or nothing at all."""
        return None if self._get(name) is None else self.mapping(name)

    def items(self, name: str) -> Sequence[object]:
        """An array that has to be there."""
        return self._typed(name, list, "an array")

    def texts(self, name: str) -> list[str]:
        """An array of strings that has to be there."""
        found = self.items(name)
        if not all(isinstance(item, str) for item in found):
            raise InvalidRequestError(f"'{name}' must be an array of strings", param=name)
        return [str(item) for item in found]

    def end(self) -> None:
        """InvalidRequestError when a field is left that nobody took: a misspelt one must not be ignored."""
        left = sorted(set(self._data) - self._taken)
        if left:
            name = left[0] if left[0].isidentifier() and len(left[0]) < 40 else "that cannot be shown"  # noqa: PLR2004
            known = ", ".join(sorted(self._taken)) or "none"
            raise InvalidRequestError(
                f"{self._where} has a field {name} that is not known", why=f"Its fields are: {known}", param=name
            )

    def _get(self, name: str) -> object:
        self._taken.add(name)
        return self._data.get(name)

    def _typed(self, name: str, kind: type[T], words: str) -> T:
        value = self._get(name)
        if name not in self._data:
            raise InvalidRequestError(f"{self._where} lacks '{name}'", param=name)
        # In Python, and in no JSON, true is a number.
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise InvalidRequestError(f"'{name}' must be {words}", param=name)
        return value
