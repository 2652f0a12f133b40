"""The installed command through a network that swallows replies: one key that was delivered, or none and a clear word.

And a server that is killed right after it has acknowledged a revocation.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.support.gateways import routic_serve
from tests.support.ground import active_keys, sha256
from tests.support.hostile import Between
from tests.support.sandbox import DEADLINE, SECRET, Done, Sandbox

Swallow = Callable[[str, int], bool]


@contextmanager
def through(sandbox: Sandbox, swallow: Swallow) -> Iterator[dict[str, str]]:
    """The environment of a client whose network swallows some replies of the real server."""
    token = sandbox.ok("keys", "create", "--name", "ops", "--scope", "admin").secret
    with routic_serve(sandbox) as serving, Between(serving.url, swallow=swallow) as between:
        yield {"ROUTIC_STORE": between.url, "ROUTIC_TOKEN": token}


def swallows(*methods: str, times: int = 1000) -> Swallow:
    """Which replies are swallowed: those to so many requests of these methods."""
    seen = dict.fromkeys(methods, 0)

    def decide(method: str, _: int) -> bool:
        if method not in seen or seen[method] >= times:
            return False
        seen[method] += 1
        return True

    return decide


def web(sandbox: Sandbox) -> list[str]:
    """The hashes of the active versions of the key that the client made."""
    return [key.sha256 for key in active_keys(sandbox.key_store) if key.name == "web"]


def delivered(sandbox: Sandbox, done: Done) -> list[str]:
    file = sandbox.cwd / ".env"
    return [sha256(secret) for secret in SECRET.findall(done.out + (file.read_text() if file.exists() else ""))]


@pytest.mark.parametrize("where", [[], ["--env-file", ".env"]])
def test_a_reply_that_is_lost_once_leaves_exactly_one_key_that_was_delivered(
    repository: Sandbox, where: list[str]
) -> None:
    with through(repository, swallows("PUT", times=1)) as there:
        done = repository.ok("keys", "create", "--name", "web", *where, env=there)

    assert web(repository) == delivered(repository, done)
    assert len(web(repository)) == 1


@pytest.mark.parametrize("where", [[], ["--env-file", ".env"]])
def test_replies_that_are_always_lost_leave_no_key_and_say_so(repository: Sandbox, where: list[str]) -> None:
    with through(repository, swallows("PUT")) as there:
        done = repository.run("keys", "create", "--name", "web", *where, env=there)

    assert done.code == 7
    assert web(repository) == []  # the DELETE came through
    assert "No key was created" in done.err
    assert where or "Discard" in done.err
    assert where == [] or not (repository.cwd / ".env").exists()


def test_when_calling_it_off_is_lost_too_it_says_what_is_unknown_and_the_next_change_mends_it(
    repository: Sandbox,
) -> None:
    lost = swallows("PUT", "DELETE")
    online = False

    def swallow(method: str, number: int) -> bool:
        return not online and lost(method, number)

    with through(repository, swallow) as there:
        done = repository.run("keys", "create", "--name", "web", "--env-file", ".env", env=there)
        online = True
        repository.ok("keys", "create", "--name", "other", "--env-file", ".env", "--var", "OTHER", env=there)

    assert done.code != 0
    assert "may be active" in done.err
    assert web(repository) == []


def test_a_rotation_whose_reply_is_lost_once_leaves_the_new_version_where_the_old_one_was(repository: Sandbox) -> None:
    begun = False
    lost = swallows("PUT", "PATCH", times=1)

    def swallow(method: str, number: int) -> bool:
        return begun and lost(method, number)

    with through(repository, swallow) as there:
        repository.ok("keys", "create", "--name", "web", "--env-file", ".env", env=there)
        before = web(repository)
        begun = True
        done = repository.ok("rotate", "web", env=there)

    assert delivered(repository, done) == [each for each in web(repository) if each not in before]
    assert set(before) < set(web(repository))  # the old one has its grace


def test_what_was_acknowledged_as_revoked_stays_so_when_the_server_is_killed(sandbox: Sandbox) -> None:
    token = sandbox.ok("keys", "create", "--name", "ops", "--scope", "admin").secret
    leaked = sandbox.ok("keys", "create", "--name", "web").secret
    with routic_serve(sandbox) as serving:
        there = {"ROUTIC_STORE": serving.url, "ROUTIC_TOKEN": token}
        sandbox.ok("keys", "revoke", "web", "--yes", env=there)
        serving.process.send_signal(signal.SIGKILL)
        serving.process.wait(DEADLINE)

    with routic_serve(sandbox) as serving:
        there = {"ROUTIC_STORE": serving.url, "ROUTIC_TOKEN": token}
        verified = sandbox.run("keys", "verify", "--json", stdin=leaked, env=there)
    assert (verified.code, verified.data["status"]) == (9, "revoked")
