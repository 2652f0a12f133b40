"""Which variable each secret gets: `REF`, `VAR=REF`, or `--var`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from routic_cli.delivery.dotenv_text import checked_variable
from routic_cli.delivery.sink import DEFAULT_VARIABLE
from routic_cli.domain.errors import InvalidRequestError, RouticError
from routic_cli.session import Session
from routic_cli.workflows.readable import Readable, read_current, refs_here


def assigned(
    session: Session, refs: Sequence[str] | None, variable: str | None, *, nothing_happened: str
) -> list[tuple[str, Readable]]:
    """Each variable with the secret that it is to have, in the order they were named.

    A variable is the one that is named, else the one that the secret has where it was found, else ROUTIC_API_KEY.
    """
    try:
        return _assigned(session, refs, variable)
    except RouticError as error:
        error.not_done = nothing_happened
        raise


def _assigned(session: Session, refs: Sequence[str] | None, variable: str | None) -> list[tuple[str, Readable]]:
    url = session.config.keys_url
    named = list(refs) if refs else refs_here(Path.cwd(), session.state, url)
    if variable is not None and len(named) > 1:
        raise InvalidRequestError(
            "--var names one variable for several keys",
            remedy="VAR=REF for each key: OPENAI_API_KEY=prod WORKER_KEY=worker",
            param="var",
        )
    pairs = []
    for each in named:
        wanted, equals, ref = each.partition("=")
        found = read_current(ref if equals else each, session.transport, session.state, url)
        own = wanted if equals else found.variable or DEFAULT_VARIABLE
        pairs.append((checked_variable(own if variable is None else variable), found))
    _refuse_repeated(name for name, _ in pairs)
    return pairs


def _refuse_repeated(names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise InvalidRequestError(
                f"Two keys would have the variable {name}",
                remedy=f"VAR=REF for each key: {name}=REF OTHER_NAME=REF",
                param="var",
            )
        seen.add(name)
