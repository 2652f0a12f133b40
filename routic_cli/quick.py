"""The plain form of `export`, which shells call as they start: answered before Typer is imported.

Anything that is not plain, and every error, goes the long way, which says it better.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_VALUED: Final = frozenset({"--format", "--var", "--store", "--profile"})


def try_export(arguments: Sequence[str]) -> int | None:
    """The exit code of `export REF… [--format F] [--var NAME] [--store URL] [--profile NAME]`, or None: not plain."""
    options: dict[str, str] = {}
    refs: list[str] = []
    rest = iter(arguments)
    for word in rest:
        name, equals, value = word.partition("=")
        if name in _VALUED:
            options[name] = value if equals else next(rest, "")
        elif word.startswith("-"):
            return None
        else:
            refs.append(word)
    return _export(refs, options) if refs and all(options.values()) else None


def _export(refs: Sequence[str], options: dict[str, str]) -> int | None:
    from routic_cli.commands.exporting import chosen_format, export
    from routic_cli.config import Flags
    from routic_cli.domain.key_format import contains_secret_shape
    from routic_cli.session import Session

    if any(contains_secret_shape(word) for word in (*refs, *options.values())):
        return None
    session = Session(Flags(store=options.get("--store"), profile=options.get("--profile")))
    try:
        chosen = chosen_format(options.get("--format"))
        if chosen.render_file is not None:
            return None  # what has two effects must not be begun twice
        export(session, chosen, refs, options.get("--var"), None, show=False)
    except Exception:  # noqa: BLE001  # the long way fails the same, and knows how to say it
        return None
    finally:
        session.close()
    return 0
