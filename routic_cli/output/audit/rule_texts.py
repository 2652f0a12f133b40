"""What each rule of the audit looks for and what its findings mean, for readers who have no manual beside them."""

from __future__ import annotations

from typing import Final, NamedTuple

from routic_cli.domain.audit.findings import RuleName, Severity


class RuleText(NamedTuple):
    """One line, what it means, what to do."""

    severity: Severity
    summary: str
    meaning: str
    advice: str


_HIGH, _MEDIUM, _LOW = Severity.HIGH, Severity.MEDIUM, Severity.LOW

RULE_TEXTS: Final = {
    RuleName.USE_AFTER_REVOKE: RuleText(
        _HIGH,
        "A key was used after its end",
        "Calls were made with a version of the key that had been revoked or replaced: somebody has a leaked secret, or"
        " a service was not updated.",
        "Find out from the addresses which of the two it is. Update the service, or treat the secret as leaked.",
    ),
    RuleName.KEY_IN_URL: RuleText(
        _HIGH,
        "A key was sent in the URL",
        "URLs are written into the logs of every proxy on the way, into browser histories and Referer headers.",
        "Rotate the key, and send it in the Authorization header only.",
    ),
    RuleName.BROWSER_ORIGIN: RuleText(
        _HIGH,
        "A key was used from a web page",
        "The call had an Origin header or a browser's user agent: the key is part of a frontend, where every visitor"
        " can read it.",
        "Rotate the key, and let the page call a backend that has it.",
    ),
    RuleName.PLAIN_HTTP: RuleText(
        _HIGH,
        "A key travelled unencrypted",
        "The call was not made over HTTPS: everybody on the way could read the key.",
        "Rotate the key, change the client's base URL to https, and close the port for plain HTTP.",
    ),
    RuleName.GUESSING: RuleText(
        _HIGH,
        "Keys are being guessed",
        "Many different keys that do not exist came from one address.",
        "Block the address at the gateway. A list of keys that leaked elsewhere may be tried out.",
    ),
    RuleName.NEW_NETWORK: RuleText(
        _MEDIUM,
        "A key was used from a network that is new to it",
        "The address belongs to a block (/24, /48) from which the key was never used in its baseline.",
        "Ask the key's owner about the network. If nobody knows it, revoke the key.",
    ),
    RuleName.NEW_CLIENT: RuleText(
        _MEDIUM,
        "A key was used by a program that is new to it",
        "The user agent belongs to a family that never used the key in its baseline.",
        "Ask the key's owner about the program. If nobody knows it, revoke the key.",
    ),
    RuleName.VOLUME_SPIKE: RuleText(
        _MEDIUM,
        "A key was used far more than usual",
        "In at least one hour the calls were far above the key's own history.",
        "Look at what was called from where. Give the key a limit of requests per minute.",
    ),
    RuleName.SHARED_KEY: RuleText(
        _MEDIUM,
        "Several services share one key",
        "Different programs from different networks use the key at the same time: none can be cut off alone.",
        "Give each service a key of its own.",
    ),
    RuleName.WRONG_ENVIRONMENT: RuleText(
        _MEDIUM,
        "A key was used in an environment that is not its own",
        "A key tagged for development was used from where production keys are, or the reverse.",
        "Give the service the key of its environment, and rotate the other.",
    ),
    RuleName.LIMIT_PRESSURE: RuleText(
        _LOW,
        "A key is often at its limit",
        "Many of its calls are refused for their rate.",
        "Give the service a second key, or raise the limit.",
    ),
    RuleName.STALE: RuleText(
        _LOW,
        "A key is not used any more",
        "A secret that nobody needs can still leak.",
        "Revoke it.",
    ),
    RuleName.OLD: RuleText(
        _LOW,
        "A key was not rotated for long",
        "The longer a secret lives, the more places have a copy of it.",
        "Rotate it.",
    ),
    RuleName.NO_EXPIRY: RuleText(
        _LOW,
        "A key never ends",
        "A leak that nobody notices stays open for ever.",
        "Give it an end, and rotate it before.",
    ),
}
