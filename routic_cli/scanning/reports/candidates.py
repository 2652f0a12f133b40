"""What in a text of a report may be a key: whole, wrapped, encoded, without its beginning, or a stump of one."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Sequence
from typing import Final
from urllib.parse import unquote

from routic_cli.domain.key_format import PREFIX, is_well_formed
from routic_cli.scanning.find import keys_in

MOST: Final = 200
"""Words of an excerpt that are hashed, at most."""

_LONGEST_BODY: Final = 45
_NAMED_STUMP: Final = 15
# Chats and editors make typographic hyphens of ours; URLs, mails and source code escape it.
_HYPHEN: Final = re.compile(
    r"(?<=sk)(?:[\u2010-\u2015\u2212\ufe58\ufe63\uff0d]|=2D|\\u002D|\\x2D|&#45;|&#x2D;)", re.IGNORECASE
)
_BASE64: Final = re.compile(r"[0-9A-Za-z+/_-]{60,}+")
_BODY: Final = re.compile(rf"(?<![0-9A-Za-z])[0-9A-Za-z]{{{_LONGEST_BODY}}}(?![0-9A-Za-z])")
# Other vendors' go on with a dash behind a word. The run is taken whole, so that its length is known.
_STUMP: Final = re.compile(rf"(?<![0-9A-Za-z])sk-([0-9A-Za-z]{{4,{_LONGEST_BODY}}}+)(?![0-9A-Za-z_-])")
_SHORT: Final = re.compile(rf"sk-[0-9A-Za-z]{{0,{_NAMED_STUMP}}}")
_WRAPPING: Final = " \t\r=\\\"'`+>"
_QUOTED: Final = re.compile(r"""(["'`])([^"'`\n]{8,400})\1""")
_ASSIGNED: Final = re.compile(r"[=:][ \t]{0,8}([^\s=:][^\n]{7,400})")
_WORD: Final = re.compile(r"""[^\s"'`,;=(){}<>\[\]]{8,400}+""")
_NAME: Final = re.compile(r"[A-Z_]+|[a-z_.]+|[A-Za-z]+\(.*|\W*")


def keys_of(texts: Sequence[str]) -> Iterator[str]:
    """The keys of our own form in the texts, also where they are broken over lines, encoded, or lack `sk-`."""
    for text in texts:
        for view in _views(text):
            yield from (found.text for found in keys_in(view))
        bodies = (PREFIX + match[0] for match in _BODY.finditer(text))
        yield from (key for key in bodies if is_well_formed(key))


def _views(text: str) -> Iterator[bytes]:
    """The text as it stands, and what it says once what was done to it on its way is undone."""
    yield text.encode("utf-8", "replace")
    plain = _HYPHEN.sub("-", text)
    if "\n" in plain or "\r" in plain:
        plain = "".join(line.strip(_WRAPPING) for line in plain.splitlines())
    if "%" in plain:
        plain = unquote(plain)
    if plain != text:
        yield plain.encode("utf-8", "replace")
    for match in _BASE64.finditer(plain):
        packed = match[0].replace("-", "+").replace("_", "/")
        packed = packed[:-1] if len(packed) % 4 == 1 else packed + "=" * (-len(packed) % 4)
        try:
            yield base64.b64decode(packed)
        except (binascii.Error, ValueError):
            continue


def stumps_of(texts: Sequence[str]) -> Iterator[str]:
    """What looks like one of our keys without its end, or with a wrong character: whether it was ours is unknown.

    Words (`sk-learn`) and small-letter keys of other vendors are none, unless such a short one is the whole text.
    """
    for text in texts:
        if _SHORT.fullmatch(text.strip().strip("\"'`")):
            yield text.strip().strip("\"'`")
        for match in _STUMP.finditer(text):
            kinds = (any(map(kind, match[1])) for kind in (str.isupper, str.islower, str.isdigit))
            # Short ones have not every kind by chance; capitals alone are a name.
            if match[1].lower() != match[1] != match[1].upper() and (sum(kinds) > 1) and not is_well_formed(match[0]):
                yield match[0]


def words_of(excerpt: str) -> list[str]:
    """What in lines of source may be the secret: what is quoted, what is assigned, and the words."""
    found = [match[2] for match in _QUOTED.finditer(excerpt)]
    found += [match[1].strip(" \t\r;,\"'`") for match in _ASSIGNED.finditer(excerpt)]
    found += [match[0] for match in _WORD.finditer(excerpt)]
    return list(dict.fromkeys(found))[: MOST + 1]


def is_name(word: str) -> bool:
    """Whether a word of source is rather a name, a call or prose than a secret."""
    return _NAME.fullmatch(word) is not None or " " in word
