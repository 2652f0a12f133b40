"""What the variables of a `.env` file say about keys: which hold one, and which combinations cannot work."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from routic_cli.delivery.publishing import variable_findings
from routic_cli.delivery.sink import DEFAULT_VARIABLE
from routic_cli.delivery.verdict import Finding, Severity
from routic_cli.domain.key_format import PREFIX, defect_of, hint_of
from routic_cli.domain.keys import KeyStatus, Verdict, VerdictStatus
from routic_cli.domain.secret import Fingerprint, fingerprint_of

OUR_BASE_URL: Final = "https://api.routic.ai"
_OPENAI_KEY: Final = "OPENAI_API_KEY"
_OPENAI_URL: Final = "OPENAI_BASE_URL"
_OPENAI_PREFIXES: Final = ("sk-proj-", "sk-svcacct-", "sk-admin-")
_DEAD: Final = frozenset({VerdictStatus.EXPIRED, VerdictStatus.REVOKED})


@dataclass(frozen=True, slots=True)
class Held:
    """A variable that may hold a key of ours: its hint and fingerprint, never its value."""

    variable: str
    hint: str
    sha256: Fingerprint
    well_formed: bool


def held_keys(variables: Mapping[str, str | None]) -> list[Held]:
    """The variables whose values look like keys, or are meant to be ours. Other secrets are not even hashed."""
    return [
        Held(variable, hint_of(value), fingerprint_of(value), defect_of(value) is None)
        for variable, value in variables.items()
        if value
        and not value.startswith(_OPENAI_PREFIXES)
        and (variable == DEFAULT_VARIABLE or value.startswith(PREFIX))
    ]


def content_findings(variables: Mapping[str, str | None], answers: Sequence[tuple[Held, Verdict]]) -> Iterator[Finding]:
    """What is wrong with the keys in a file, given the store's answer to each."""
    ours = [held for held, verdict in answers if held.well_formed or verdict.status is not VerdictStatus.UNKNOWN]
    for held, verdict in answers:
        yield from _key_findings(held, verdict)
    for held in ours:
        yield from variable_findings(held.variable)
    if any(held.variable == _OPENAI_KEY for held in ours) and not variables.get(_OPENAI_URL):
        yield Finding(
            "base-url-missing",
            Severity.REFUSE,
            f"{_OPENAI_KEY} is a key of this gateway and {_OPENAI_URL} is not set: the client would send it to OpenAI",
            f"{_OPENAI_URL}={OUR_BASE_URL}/v1, as a line beside it",
        )
    openai = [name for name, value in variables.items() if value and value.startswith(_OPENAI_PREFIXES)]
    if openai and any(value and value.startswith(OUR_BASE_URL) for value in variables.values()):
        yield Finding(
            "foreign-key",
            Severity.REFUSE,
            f"{openai[0]} is an OpenAI key beside the base URL of this gateway, which would refuse it and see it",
            f"routic keys create --name NAME --env-file PATH --var {openai[0]}",
        )


def _key_findings(held: Held, verdict: Verdict) -> Iterator[Finding]:
    key = verdict.key
    if verdict.status in _DEAD and key is not None:
        yield Finding(
            "dead-key",
            Severity.REFUSE,
            f"{held.variable} holds {held.hint}, version {verdict.version} of '{key.name}', which is {verdict.status}",
            (f"routic rotate {key.name}" if key.status is KeyStatus.ACTIVE else f"routic keys create --name {key.name}")
            + f" --env-file PATH --var {held.variable}",
        )
    elif key is not None and verdict.version != key.current.number:
        yield Finding(
            "retiring-key",
            Severity.WARN,
            f"{held.variable} holds {held.hint}, version {verdict.version} of '{key.name}', which is retiring",
            f"routic rotate {key.name} --env-file PATH --var {held.variable}",
        )
    elif verdict.status is VerdictStatus.UNKNOWN and held.well_formed:
        yield Finding(
            "unknown-key",
            Severity.WARN,
            f"{held.variable} holds {held.hint}, which has the shape of a key and which this store does not know",
            "routic keys list --store URL, to ask another store",
        )
    elif verdict.status is VerdictStatus.UNKNOWN and held.variable == DEFAULT_VARIABLE:
        yield Finding(
            "malformed-key",
            Severity.REFUSE,
            f"{held.variable} holds {held.hint}, which is no key: cut short, mistyped, or something else",
            f"routic keys create --name NAME --env-file PATH --var {held.variable}",
        )
