"""A secret shows a mask wherever it is printed, and cannot be copied out by accident."""

from __future__ import annotations

import copy
import hashlib
import hmac
import io
import json
import logging
import pickle
import re
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import routic_cli
from routic_cli.domain.secret import Secret, fingerprint_of, is_fingerprint

TEXT = "sk-Ky9Pf34qY6Nb3wWD25RQ4F5ZR3qa7yEeeby3abP16aSEj"
HINT = "sk-Ky9P…aSEj"

# Who may ask for the text, and what for. A new line here is a decision.
REVEALING = {
    "domain/secret.py": "compares two secrets in constant time",
    "domain/seal.py": "seals the old secret of a rotation by the new one",
    "delivery/env_file.py": "writes it into a file",
    "delivery/keyring_backend.py": "hands it to the operating system's keyring",
    "formats/values.py": "writes it as a shell's or a tool's value",
    "credentials.py": "tells what is no credential, and why",
    "commands/destinations.py": "prints it once",
    "commands/run.py": "puts it into the child's environment",
    "transport/exchange.py": "sends the admin credential in its header",
    "server/admin.py": "answers a POST with the key that the server minted, once",
    "commands/keys/verify.py": "tells what is wrong with its shape",
    "commands/keys/import_.py": "refuses one that is too short",
}


@pytest.fixture
def secret() -> Secret:
    return Secret(TEXT)


@pytest.mark.parametrize(
    "shown",
    [
        repr,
        str,
        format,
        ascii,
        "{}".format,
        "{!r}".format,
        "{:>60}".format,
        lambda secret: f"{secret}",
        lambda secret: f"{secret!r} {secret=}",
        lambda secret: "%s %r" % (secret, secret),  # noqa: UP031  # as logging does it
        lambda secret: str([secret, {"a": secret}, (secret,)]),
        lambda secret: str(ValueError(secret)),
        lambda secret: repr(KeyError(secret)),
    ],
)
def test_whatever_prints_it_prints_the_mask(secret: Secret, shown: Callable[[Any], str]) -> None:
    text = shown(secret)
    assert TEXT not in text
    assert HINT in text.replace("\\u2026", "…")


def test_a_log_has_the_mask(secret: Secret) -> None:
    stream = io.StringIO()
    logger = logging.Logger("test")  # noqa: LOG001  # one that leaves no trace in other tests
    logger.addHandler(logging.StreamHandler(stream))
    logger.warning("minted %s and %r", secret, secret, extra={"secret": secret})

    assert stream.getvalue() == f"minted {HINT} and Secret({HINT})\n"


def test_a_traceback_with_its_variables_has_the_mask(secret: Secret) -> None:
    def fail(held: Secret) -> None:
        raise ValueError("failed with", held)

    with pytest.raises(ValueError, match="failed") as caught:
        fail(secret)
    shown = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())

    assert "held = " in shown
    assert TEXT not in shown


@pytest.mark.parametrize(
    "copied",
    [
        copy.copy,
        copy.deepcopy,
        lambda secret: copy.deepcopy({"a": [secret]}),
        *[lambda secret, p=protocol: pickle.dumps(secret, p) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)],
        json.dumps,
        hash,
        lambda secret: {secret},
        vars,
        iter,
        len,
        bytes,
        lambda secret: setattr(secret, "note", "x"),
    ],
)
def test_it_cannot_be_copied_serialised_or_taken_apart(secret: Secret, copied: Callable[[Any], object]) -> None:
    with pytest.raises((TypeError, AttributeError)) as caught:
        copied(secret)
    assert TEXT not in str(caught.value)


def test_equality_compares_in_constant_time(secret: Secret, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []

    def compare(a: bytes, b: bytes) -> bool:
        compared.append((a, b))
        return a == b

    monkeypatch.setattr(hmac, "compare_digest", compare)

    assert secret == Secret(TEXT)
    assert secret != Secret(TEXT[:-1])
    assert compared == [(TEXT.encode(), TEXT.encode()), (TEXT.encode(), TEXT[:-1].encode())]


def test_it_equals_no_text(secret: Secret) -> None:
    assert secret != TEXT
    assert (secret == TEXT) is False


def test_its_text_mask_and_fingerprint(secret: Secret) -> None:
    assert secret.reveal() == TEXT
    assert secret.hint == HINT
    assert secret.fingerprint == hashlib.sha256(TEXT.encode()).hexdigest() == fingerprint_of(TEXT)


def test_the_fingerprint_is_of_the_utf8_text() -> None:
    assert fingerprint_of("ü") == hashlib.sha256(b"\xc3\xbc").hexdigest()


@pytest.mark.parametrize("text", ["", "0" * 63, "0" * 65, "G" * 64, "A" * 64, "\u0660" * 64, "0" * 63 + "\n"])
def test_only_lowercase_hexadecimal_of_its_length_is_a_fingerprint(text: str) -> None:
    assert not is_fingerprint(text)
    assert is_fingerprint("0123456789abcdef" * 4)


def test_every_place_that_asks_for_the_text_is_listed() -> None:
    package = Path(routic_cli.__file__).parent
    asking = re.compile(r"\breveal\b")
    found = {
        str(path.relative_to(package))
        for path in package.rglob("*.py")
        # Every mention counts, not only calls: a method can be passed on without being called.
        if any(asking.search(line.split("#")[0]) for line in path.read_text().splitlines())
    }

    assert found == set(REVEALING)
