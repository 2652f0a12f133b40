"""Kubernetes: a Secret manifest for each key, base64 in `data`, for `kubectl apply -f -`."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Sequence
from typing import Final

from routic_cli.domain.errors import InvalidRequestError
from routic_cli.formats.interface import Entry, Format
from routic_cli.formats.values import text_of

# RFC 1123 as Kubernetes checks a Secret's name; 253 characters at most, a key's name has 64.
_LABEL: Final = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN: Final = re.compile(rf"{_LABEL}(\.{_LABEL})*")


def render(entries: Sequence[Entry]) -> str:
    """A YAML document for each key. Variables and names are quoted: bare, `NO` and `1e3` are no strings to YAML."""
    by_key: dict[str, dict[str, str]] = {}
    for entry in entries:
        encoded = b64encode(text_of(entry, "kubernetes").encode()).decode()
        by_key.setdefault(entry.key_name, {})[entry.variable] = encoded
    _refuse_same_name(list(by_key))
    return "---\n".join(_manifest(secret_name(key_name), data) for key_name, data in by_key.items())


def secret_name(key_name: str) -> str:
    """The key's name as DNS-1123 allows it: lower case, `-` for everything else.

    Where characters are lost that make the name what it is, letters of other scripts, part of the name's SHA-256
    keeps two such keys apart.
    """
    if _SUBDOMAIN.fullmatch(key_name) is not None:
        return key_name
    plain = re.sub(r"[^a-z0-9]+", "-", key_name.lower()).strip("-")
    if key_name.isascii() and plain:
        return plain
    from hashlib import sha256

    return f"{plain or 'routic'}-{sha256(key_name.encode()).hexdigest()[:8]}"


def _refuse_same_name(key_names: list[str]) -> None:
    """`kubectl apply` would let the last of them win."""
    taken: dict[str, str] = {}
    for key_name in key_names:
        other = taken.setdefault(secret_name(key_name), key_name)
        if other != key_name:
            raise InvalidRequestError(
                f"The keys {other} and {key_name} would both be the Kubernetes Secret {secret_name(key_name)}",
                not_done="Nothing was exported",
                remedy=f"routic export {key_name} --format kubernetes",
                param="format",
            )


def _manifest(name: str, data: dict[str, str]) -> str:
    lines = "".join(f'  "{variable}": "{encoded}"\n' for variable, encoded in data.items())
    return f'apiVersion: v1\nkind: Secret\nmetadata:\n  name: "{name}"\ntype: Opaque\ndata:\n{lines}'


FORMAT: Final = Format("kubernetes", render, usage="routic export REF --format kubernetes | kubectl apply -f -")
