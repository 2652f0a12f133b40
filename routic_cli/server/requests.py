"""What a handler of the admin API is given: a request, read and judged as far as all of them need it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from json import dumps, loads
from typing import Final, NoReturn

from routic_cli.domain.errors import InvalidRequestError, SecretInArgumentError
from routic_cli.domain.key_format import contains_secret_shape
from routic_cli.domain.keys import KeyId, UnixSeconds, is_key_id
from routic_cli.domain.rules import HIGHEST_VERSION
from routic_cli.domain.scopes import Credential
from routic_cli.domain.secret import Fingerprint
from routic_cli.service.keys import KeyService
from routic_cli.transport.wire.queries import Asked
from routic_cli.transport.wire.requests import checked_fingerprint

_ESCAPED_HALF: Final = re.compile(r"\\u[dD][89a-fA-F]")
_VERSION: Final = re.compile(r"[0-9]{1,10}", re.ASCII)


@dataclass(frozen=True, slots=True)
class AdminRequest:
    """One authenticated request. `service` acts for the account of `credential`, and is closed when it is answered."""

    service: KeyService
    credential: Credential
    now: UnixSeconds
    words: Mapping[str, str]
    asked: Asked
    content: bytes
    if_match: str | None = None

    @property
    def key_id(self) -> KeyId:
        """The id in the path."""
        text = self.words["id"]
        if contains_secret_shape(text):
            raise SecretInArgumentError(
                "The path has the shape of a key in it",
                why="Addresses are kept in logs",
                not_done="Nothing was done",
                remedy="If it is a real key, revoke it",
                param="id",
            )
        if not is_key_id(text):
            raise InvalidRequestError(
                "The path has no whole key id",
                why="A name is looked up by GET /admin/v1/keys?ref=NAME",
                param="id",
            )
        return KeyId(text)

    @property
    def version(self) -> int:
        """The number of a version in the path."""
        text = self.words["n"]
        if _VERSION.fullmatch(text) is None or int(text) > HIGHEST_VERSION:
            raise InvalidRequestError("The path has no number of a version", param="version")
        return int(text)

    @property
    def body(self) -> object:
        """The JSON of the body; InvalidRequestError when it is none."""
        self.asked.end()
        try:
            text = self.content.decode("utf-8")
            data = loads(text, parse_constant=_refuse_constant, object_pairs_hook=_unique)
            if _ESCAPED_HALF.search(text) is not None:
                dumps(data, ensure_ascii=False).encode()  # ValueError for half a character, which no reply could name
        except InvalidRequestError:
            raise
        except (ValueError, RecursionError):  # whatever it is, it is not repeated
            raise InvalidRequestError("The body is not JSON") from None
        return data

    @property
    def body_or_empty(self) -> object:
        """The same, where no body at all stands for an empty object."""
        return self.body if self.content.strip() else {}

    @property
    def fingerprint(self) -> Fingerprint | None:
        """What `If-Match` names, for a change that is meant for one secret only."""
        return None if self.if_match is None else checked_fingerprint(self.if_match.strip().strip('"'))


def _refuse_constant(_: str) -> NoReturn:
    raise InvalidRequestError("The body is not JSON", why="JSON has no NaN and no Infinity")


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise InvalidRequestError("The body has a field twice")
    return found
