"""`routic run`."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

import typer
from typer._click.core import Context

from routic_cli.command_line import RouticCommand, session_of
from routic_cli.commands.options import Refs
from routic_cli.commands.variables import assigned
from routic_cli.config import TOKEN, TOKEN_FILE
from routic_cli.domain.errors import InvalidRequestError, RouticError
from routic_cli.process import become_ordinary, forbid_core_dumps

EXAMPLES: Final = """
routic run prod-backend -- python app.py
routic run OPENAI_API_KEY=prod-backend WORKER_KEY=worker -- make deploy
"""

_NOTHING: Final = "Nothing was run"
_NOT_EXECUTABLE: Final = 126
_NOT_FOUND: Final = 127
_CHILD: Final = "routic.child"


class RunCommand(RouticCommand):
    """Keeps what stands behind `--` out of the parser's hands: it is another program's."""

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        """Ours before the first `--`, the child's behind it."""
        at = args.index("--") if "--" in args else len(args)
        ctx.meta[_CHILD] = args[at + 1 :]
        return super().parse_args(ctx, args[:at])

    def collect_usage_pieces(self, ctx: Context) -> list[str]:
        """As the usage line has always looked for such programs."""
        return [*super().collect_usage_pieces(ctx), "-- CMD…"]


COMMAND: Final[Any] = RunCommand


def run(
    ctx: typer.Context,
    refs: Refs = None,
    var: Annotated[str | None, typer.Option("--var", metavar="NAME", help="The variable, for one REF.")] = None,
) -> int:
    """Run a command with keys in its environment, and nowhere else.

    routic becomes the command: signals and the exit code are its own, and no argument list has the secret. VAR=REF
    chooses a variable for each key; without a REF, it takes the keys that the files of this folder were given. routic's
    own credential (ROUTIC_TOKEN, ROUTIC_TOKEN_FILE) is left out, unless a VAR=REF names the variable.
    Ends with 125 when it could not start, 126 when the command cannot be executed, 127 when there is none.
    """
    session = session_of(ctx)
    command: Sequence[str] = ctx.meta[_CHILD]
    if not command:
        raise InvalidRequestError("No command was given", not_done=_NOTHING, remedy="routic run REF -- CMD ARG…")
    secrets = {name: found.secret.reveal() for name, found in assigned(session, refs, var, nothing_happened=_NOTHING)}
    session.close()
    try:
        # Who may administer keys is routic's business; the program was to have the keys that were named.
        rest = {name: value for name, value in os.environ.items() if name not in {TOKEN, TOKEN_FILE}}
        return _become(command, rest | secrets)
    except (FileNotFoundError, NotADirectoryError):
        code, why = _NOT_FOUND, "There is no such command"
    except OSError as error:
        code, why = _NOT_EXECUTABLE, error.strerror or "It cannot be executed"
    forbid_core_dumps()
    session.console.error(
        RouticError(f"{command[0] or 'An empty name'} was not run", why=why), as_json=session.wants_json
    )
    return code


def _become(command: Sequence[str], environ: Mapping[str, str]) -> int:
    """Never comes back where a process can become another; elsewhere, with the child's exit code."""
    if not command[0]:
        raise FileNotFoundError
    if sys.platform == "win32":
        import subprocess

        return subprocess.run(command, env=environ, check=False).returncode
    become_ordinary()
    os.execvpe(command[0], list(command), environ)  # noqa: S606  # becoming the program is the point
    raise AssertionError("exec comes back with an error only")
