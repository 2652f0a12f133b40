"""What can be typed beside `--leaked`, and what of it contradicts itself."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from routic_cli.delivery.sink import DEFAULT_VARIABLE
from routic_cli.domain.errors import InvalidRequestError
from routic_cli.output.incident import IncidentFormat
from routic_cli.session import Session

_NOT_DONE = "Nothing was revoked"


@dataclass(frozen=True, slots=True)
class Response:
    """What was typed besides the keys."""

    reason: str | None = None
    replace: bool = False
    env_files: Sequence[Path] | None = None
    variable: str = DEFAULT_VARIABLE
    keyring: bool = False
    form: IncidentFormat | None = None
    yes: bool = False
    dry_run: bool = False
    wait: int | None = None

    @property
    def words(self) -> str:
        """What of it has to be typed again where the command is shown; with a space before each word."""
        words = ["--replace"] if self.replace else []
        words += [word for path in self.env_files or () for word in ("--env-file", str(path))]
        words += ["--var", self.variable] if self.variable != DEFAULT_VARIABLE else []
        words += ["--keyring"] if self.keyring else []
        return "".join(f" {shlex.quote(word)}" for word in words)


def settle(session: Session, response: Response, *, leaked: bool) -> None:
    """InvalidRequestError for flags that would be passed over in silence; before anything is read."""
    delivering = {
        "--env-file": bool(response.env_files),
        "--keyring": response.keyring,
        "--var": response.variable != DEFAULT_VARIABLE,
    }
    telling = {"--replace": response.replace, "--format": response.form is not None}
    for flag, given in (telling | delivering).items():
        if given and not leaked:
            raise InvalidRequestError(f"{flag} goes with --leaked", not_done=_NOT_DONE)
    for flag, given in delivering.items():
        if given and not response.replace:
            raise InvalidRequestError(
                f"{flag} goes with --replace", why="There is no new secret to put there", not_done=_NOT_DONE
            )
    if leaked:
        _settle_form(session, response.form)
    if response.replace:
        _require_places(response)


def _settle_form(session: Session, form: IncidentFormat | None) -> None:
    if form is IncidentFormat.JSON:
        session.flags.json = True
    elif session.wants_json and form is not None:
        raise InvalidRequestError(
            f"--json and --format {form} contradict each other", not_done=_NOT_DONE, param="format"
        )
    if session.flags.fields is not None:
        from routic_cli.output.incident.json_form import INCIDENT_FIELDS

        session.require_fields(INCIDENT_FIELDS)


def _require_places(response: Response) -> None:
    from routic_cli.commands.destinations import named_places
    from routic_cli.domain.minting import mint_key_id

    named_places(response.env_files, response.variable, mint_key_id(), keyring=response.keyring)
