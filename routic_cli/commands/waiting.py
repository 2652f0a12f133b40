"""Proof by the store's own verdict, for `--wait`."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

from routic_cli.domain.errors import UnavailableError
from routic_cli.domain.keys import VerdictStatus
from routic_cli.domain.secret import Fingerprint
from routic_cli.session import Session

_POLL_SECONDS: Final = 0.2


def await_verdicts(session: Session, wanted: Mapping[Fingerprint, bool], seconds: int) -> None:
    """Ask the store until it lets in exactly what is wanted; UnavailableError after `seconds`."""
    deadline = time.monotonic() + seconds
    while wrong := [sha256 for sha256, let_in in wanted.items() if _is_let_in(session, sha256) is not let_in]:
        if time.monotonic() >= deadline:
            admitted = [sha256 for sha256 in wrong if not wanted[sha256]]
            what = "still lets a revoked secret in" if admitted else "does not let the new secret in yet"
            raise UnavailableError(
                f"The store {what} after {seconds} s",
                why="The change was accepted, and has not taken effect everywhere",
                remedy="routic keys verify, to ask again",
            )
        time.sleep(_POLL_SECONDS)
    let_in = any(wanted.values())
    session.console.success(
        f"The store was asked: it {'lets the new secret in' if let_in else 'refuses what was revoked'}"
    )


def _is_let_in(session: Session, sha256: Fingerprint) -> bool:
    return session.transport.verify(sha256).status is VerdictStatus.ACTIVE
