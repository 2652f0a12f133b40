"""Every question of the remote transport, with the deadlines of a test that has no time."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from routic_cli.domain.errors import (
    RouticError,
)
from routic_cli.domain.keys import Key, KeyChanges, KeyQuery, KeyStatus
from routic_cli.transport.exchange import Timeouts
from routic_cli.transport.interface import Transport
from routic_cli.transport.remote import RemoteTransport
from routic_cli.transport.wire.errors import error_object, http_status
from routic_cli.transport.wire.objects import key_object
from tests.support.hostile import (
    Act,
    says,
)
from tests.support.keys import key_id, new_key, new_version, sha256
from tests.support.server import Doorman

SHORT: Final = Timeouts(connect=0.3, silence=0.3, attempt=0.5)


PATIENT: Final = Timeouts(connect=5, silence=5, attempt=10)


JSON: Final = {"Content_Type": "application/json"}


HTML: Final = "<html><body>Bad gateway</body></html>"


def clock() -> int:
    return int(time.time())


@dataclass(frozen=True, slots=True)
class Ground:
    """A real server, and a transport that nothing stands before."""

    url: str
    doorman: Doorman
    transport: RemoteTransport


def said(error: RouticError) -> str:
    return ". ".join(error.sentences())


def the_key(n: int, **more: Any) -> dict[str, Any]:
    """A key object as the API has it, with fields replaced."""
    from routic_cli.domain.keys import KeyTraits, KeyVersion

    new = new_key(n)
    version = KeyVersion(1, new.version.sha256, new.version.hint, new.version.created_at)
    key = Key(new.id, KeyTraits(new.traits.name), KeyStatus.ACTIVE, (version,), new.version.created_at)
    return {**key_object(key, clock()), **more}


# Every change, and a look: what each is asked with, and what its reply has.

CHANGES: Final[dict[str, Callable[[Transport], object]]] = {
    "register": lambda transport: transport.register(new_key(1)),
    "register many": lambda transport: transport.register_many([new_key(1)]),
    "change": lambda transport: transport.change(key_id(1), KeyChanges(rpm=5)),
    "add a version": lambda transport: transport.add_version(key_id(1), new_version(1, 2)),
    "end a version": lambda transport: transport.end_version(key_id(1), 1, None),
    "give up": lambda transport: transport.give_up(key_id(1), 1, sha256(1)),
    "revoke": lambda transport: transport.revoke([key_id(1)], None),
}


LOOKS: Final[dict[str, Callable[[Transport], object]]] = {
    "find": lambda transport: transport.find("key-1"),
    "page": lambda transport: transport.page(KeyQuery()),
    "tally": lambda transport: transport.tally(KeyQuery()),
    "verify": lambda transport: transport.verify(sha256(1)),
    "trail": lambda transport: transport.trail(limit=5),
    "require writable": lambda transport: transport.require_writable(),
}


ALL: Final = {**CHANGES, **LOOKS}


def error(what: RouticError, **headers: str) -> Act:
    """The API's own reply for an error."""
    return says(http_status(what), json.dumps(error_object(what)), **JSON, **headers)
