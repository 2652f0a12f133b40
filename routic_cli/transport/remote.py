"""The remote transport: the same interface over HTTPS, to an admin API such as `routic serve`.

What is wrong in itself is refused before it is sent: a secret in the wrong field must not travel.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from routic_cli.domain.accounts import Account, AccountChanges, checked_changes
from routic_cli.domain.errors import InvalidRequestError, RouticError
from routic_cli.domain.keys import (
    Key,
    KeyChanges,
    KeyId,
    KeyPage,
    KeyQuery,
    KeyStatus,
    NewKey,
    NewVersion,
    Revocation,
    UnixSeconds,
    Verdict,
    is_key_id,
)
from routic_cli.domain.references import checked_ref
from routic_cli.domain.rules import checked_key, checked_moment, checked_query, checked_reason, checked_version
from routic_cli.domain.secret import Fingerprint, Secret, is_fingerprint
from routic_cli.store.interface import TrailEntry
from routic_cli.transport.exchange import Exchange, Question, Timeouts
from routic_cli.transport.interface import Registration
from routic_cli.transport.remote_usage import RemoteUsage
from routic_cli.transport.tls import tls_context
from routic_cli.transport.usage import UsageTransport
from routic_cli.transport.wire.account import account_changes_body, account_from
from routic_cli.transport.wire.queries import COUNTS, HIGHEST_LIMIT, query_parameters
from routic_cli.transport.wire.replies import (
    deletion_from,
    key_from,
    page_from,
    registrations_from,
    revocations_from,
    tally_from,
    trail_from,
    verdict_from,
    verdicts_from,
)
from routic_cli.transport.wire.requests import (
    MOST_IMPORTED,
    changes_body,
    import_body,
    new_key_body,
    new_version_body,
    revocation_body,
)

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
Item = TypeVar("Item")

KEYS: Final = "/admin/v1/keys"
ACCOUNT: Final = "/admin/v1/account"
_BATCH_SECONDS: Final = 120.0


class RemoteTransport:
    """A Transport over an admin API at `base_url`, as the holder of `token`.

    `ca_file` names the authorities to trust in the place of the system's; `account` whose keys are meant, if that must
    be the credential's account: a request that is not for it is refused.
    """

    def __init__(
        self,
        base_url: str,
        token: Secret,
        *,
        ca_file: Path | None = None,
        account: str | None = None,
        timeouts: Timeouts | None = None,
    ) -> None:
        self._token = token
        self._exchange = Exchange(base_url, token, lambda: tls_context(ca_file), account=account, timeouts=timeouts)

    @cached_property
    def usage(self) -> UsageTransport:
        """What can be asked of the log of their usage."""
        return RemoteUsage(self._exchange)

    def register(self, new: NewKey) -> Key:
        """Make a key valid; the same id and hash again is success."""
        new = checked_key(new)
        return self._change("PUT", f"{KEYS}/{new.id}", _key_with(new.id, new.version.sha256), body=new_key_body(new))

    def register_many(self, news: Sequence[NewKey]) -> list[Registration]:
        """Make many keys valid, 5000 in one transaction; one result each."""
        results: list[Registration | None] = []
        sound: list[NewKey] = []
        for new in news:
            try:
                sound.append(checked_key(new))
                results.append(None)
            except RouticError as error:
                results.append(Registration(None, error=error))
        answers = iter(self._imported(sound))
        return [next(answers) if result is None else result for result in results]

    def _imported(self, news: Sequence[NewKey]) -> Iterator[Registration]:
        done = 0
        for batch in _batches(news):
            try:
                results = self._change(
                    "POST",
                    f"{KEYS}/import",
                    lambda data, batch=batch: registrations_from(data, batch),  # type: ignore[misc]  # bound at once
                    body=import_body(batch),
                    seconds=_BATCH_SECONDS,
                )
            except RouticError as error:
                if not done:
                    raise
                # What came before is in the store: each of the rest has the error, and the command says both.
                yield from (Registration(None, error=error) for _ in news[done:])
                return
            yield from results
            done += len(batch)

    def find(self, ref: str) -> Key:
        """The key by its name, its id or a unique beginning of its id."""
        return self._look(Question("GET", KEYS, [("ref", checked_ref(ref))]), _only_key)

    def page(self, query: KeyQuery) -> KeyPage:
        """Some keys, in the query's order."""
        query = checked_query(query)
        query = replace(query, limit=min(query.limit, HIGHEST_LIMIT))
        return self._look(Question("GET", KEYS, query_parameters(query)), page_from)

    def tally(self, query: KeyQuery) -> Mapping[KeyStatus, int]:
        """How many keys of each status meet the query's other conditions."""
        query = replace(checked_query(query), after=None, limit=1)
        return self._look(Question("GET", KEYS, [*query_parameters(query), ("include", COUNTS)]), tally_from)

    def change(self, key_id: KeyId, changes: KeyChanges) -> Key:
        """Change what the owner decides of a key."""
        return self._change("PATCH", f"{KEYS}/{_whole(key_id)}", _key_with(key_id), body=changes_body(changes))

    def add_version(self, key_id: KeyId, version: NewVersion) -> Key:
        """Register the next secret of a key; the previous one is untouched."""
        version = checked_version(version)
        path, expected = _version_path(key_id, version.number), _key_with(key_id, version.sha256)
        return self._change("PUT", path, expected, body=new_version_body(version))

    def end_version(self, key_id: KeyId, number: int, at: UnixSeconds | None) -> Key:
        """Set when a version ends; None lets it live on."""
        body = {"expires_at": checked_moment(at, "expires_at")}
        return self._change("PATCH", _version_path(key_id, number), _key_with(key_id), body=body)

    def give_up(self, key_id: KeyId, number: int, sha256: Fingerprint) -> None:
        """Call a version dead that was never delivered, whether or not it was ever registered."""
        if not is_key_id(key_id) or number < 1 or not is_fingerprint(sha256):
            raise InvalidRequestError("A version is given up by its key's whole id, its number and its SHA-256")
        self._change("DELETE", _version_path(key_id, number), deletion_from, headers={"If-Match": f'"{sha256}"'})

    def revoke(self, targets: Sequence[KeyId | Fingerprint], reason: str | None) -> list[Revocation]:
        """End keys at once and for good; one result each."""
        reason = checked_reason(reason)
        if not targets:
            return []
        answer = self._exchange.ask(
            Question(
                "POST",
                f"{KEYS}/revoke",
                body=revocation_body(targets, reason),
                changes=True,
                seconds=_BATCH_SECONDS,
            ),
            lambda data: revocations_from(data, targets),
        )
        return _with_our_own(answer.data, answer.asked_since)

    def verify(self, sha256: Fingerprint) -> Verdict:
        """Whether the secret with this fingerprint would be let in now."""
        return self._look(Question("POST", f"{KEYS}/verify", body={"sha256": sha256}), verdict_from)

    def verify_many(self, hashes: Sequence[Fingerprint]) -> list[Verdict]:
        """The same of many, 5000 at one moment; one verdict each, in their order."""
        verdicts: list[Verdict] = []
        for batch in _batches(hashes):
            question = Question("POST", f"{KEYS}/verify/batch", body={"sha256": list(batch)}, seconds=_BATCH_SECONDS)
            verdicts += self._look(question, partial(verdicts_from, hashes=batch))
        return verdicts

    def account(self) -> Account:
        """The credential's account, with what is left of its balance."""
        return self._look(Question("GET", ACCOUNT), account_from)

    def change_account(self, changes: AccountChanges) -> Account:
        """Set its balance, as of now, or its currency."""
        return self._change("PATCH", ACCOUNT, account_from, body=account_changes_body(checked_changes(changes)))

    def trail(self, *, limit: int, before: int | None = None) -> list[TrailEntry]:
        """The latest changes, or the latest with a number below `before`; the newest first."""
        parameters = [("limit", str(min(limit, HIGHEST_LIMIT)))] + [("before", str(before))] * (before is not None)
        return self._look(Question("GET", "/admin/v1/trail", parameters), trail_from)

    def require_writable(self) -> None:
        """An import of nothing: it needs the scope to write, and a store that can be written, and changes nothing."""
        self._look(Question("POST", f"{KEYS}/import", body=import_body([])), lambda data: registrations_from(data, []))

    def check(self) -> list[str]:
        """Nothing: a server's store is examined by `routic doctor` on the server."""
        return []

    def close(self) -> None:
        """Let go of the connection."""
        self._exchange.close()

    def _look(self, question: Question, read: Callable[[object], T]) -> T:
        return self._exchange.ask(question, read).data

    def _change(
        self,
        method: str,
        path: str,
        read: Callable[[object], T],
        *,
        body: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float | None = None,
    ) -> T:
        question = Question(method, path, body=body, headers=headers or {}, changes=True, seconds=seconds)
        return self._exchange.ask(question, read).data


def _only_key(data: object) -> Key:
    keys = page_from(data).keys
    if len(keys) != 1:
        raise InvalidRequestError("The list has more or fewer keys than the one that was asked for")
    return keys[0]


def _key_with(key_id: KeyId, sha256: Fingerprint | None = None) -> Callable[[object], Key]:
    """Reads the key that a change was about; a reply about another one confirms nothing."""

    def read(data: object) -> Key:
        key = key_from(data)
        if key.id != key_id or (sha256 is not None and all(version.sha256 != sha256 for version in key.versions)):
            raise InvalidRequestError("It is about another key than was asked for")
        return key

    return read


def _whole(key_id: KeyId) -> KeyId:
    if not is_key_id(key_id):
        raise InvalidRequestError("'id' is not a key id", param="id")
    return key_id


def _version_path(key_id: KeyId, number: int) -> str:
    return f"{KEYS}/{_whole(key_id)}/versions/{number}"


def _batches(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), MOST_IMPORTED):
        yield items[start : start + MOST_IMPORTED]


def _with_our_own(results: Sequence[Revocation], asked_since: UnixSeconds | None) -> list[Revocation]:
    """The results, where an earlier attempt was lost: what has been revoked since that one, it has revoked.

    `asked_since` is a time of the server's clock, as the keys' own are.
    """
    ours: set[KeyId] = set()
    after = []
    for result in results:
        key = result.key
        if asked_since is not None and key is not None and (key.revoked_at or 0) >= asked_since:
            after.append(replace(result, changed=key.id not in ours))
            ours.add(key.id)
        else:
            after.append(result)
    return after
