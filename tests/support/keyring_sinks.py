"""The keyring sink of one key, and what may be said of its errors."""

from __future__ import annotations

import traceback
from typing import Any

import pytest

from routic_cli.delivery.keyring_sink import KeyringSink
from routic_cli.domain.errors import RouticError
from routic_cli.domain.keys import KeyId
from routic_cli.domain.secret import Secret

HERE = "tests.support.keyring_backends"


KEY_ID = KeyId("key_0123456789abcdef")


FINAL, PROVISIONAL = ("routic", str(KEY_ID)), ("routic", f"{KEY_ID}#2")


NEW = "sk-0123456789abcdefghijABCDEFGHIJ0123456789abcd12"


OLD = "sk-OLDERabcdefghijABCDEFGHIJ0123456789abcdefgh34"


OTHER = "sk-OTHERabcdefghijABCDEFGHIJ0123456789abcdefgh56"


def use(monkeypatch: pytest.MonkeyPatch, backend: str) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", backend)


def sink_of(**options: Any) -> KeyringSink:
    return KeyringSink(KEY_ID, 2, **options)


def committed(secret: str = NEW) -> KeyringSink:
    sink = sink_of()
    sink.preflight()
    sink.prepare(Secret(secret))
    sink.commit()
    return sink


def said_of(error: RouticError) -> str:
    """Everything that could be shown of an error, the log's traceback included."""
    return "".join([*error.sentences(), error.remedy, *traceback.format_exception(error)])
