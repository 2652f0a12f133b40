"""The admin credential: where it is looked for, in which order, and that it goes to one origin and nowhere else."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.support.keyring_service import SecretService
from tests.support.sandbox import Done, Sandbox
from tests.support.tap import Tap, make_certificate

ADMIN: Final = "routic-admin"
FIRST: Final = "sk-7Qw2Zt9Lr4Xc6Vb8Nm1Kp3Hs5Gd0Fy7Ua2Jo4Ie6Tq8W"
SECOND: Final = "sk-1Aa2Bb3Cc4Dd5Ee6Ff7Gg8Hh9Ii0Jj1Kk2Ll3Mm4Nn5O"
THIRD: Final = "another-kind-of-token-hunter2"


@pytest.fixture
def tap() -> Iterator[Tap]:
    with Tap() as tap:
        yield tap


@pytest.fixture
def trap() -> Iterator[Tap]:
    """Where nothing may ever arrive."""
    with Tap() as tap:
        yield tap
        assert (tap.connections, tap.heard) == (0, [])


@pytest.fixture(scope="module")
def service() -> Iterator[SecretService]:
    with SecretService() as service:
        service.start_keeper(password="correct horse")
        yield service


@pytest.fixture
def desktop(sandbox: Sandbox, service: SecretService) -> Sandbox:
    sandbox.extra |= service.environ
    return sandbox


def ask(sandbox: Sandbox, tap: Tap, **env: str) -> Done:
    """A command that needs the store; the tap refuses whatever is sent."""
    done = sandbox.run("--store", tap.url, "keys", "list", env=env)
    assert done.code in {4, 6}
    for token in (FIRST, SECOND, THIRD):
        assert token not in done.out + done.err
    return done


def profile(sandbox: Sandbox, text: str) -> None:
    path = sandbox.home / ".config/routic/config.toml"
    path.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
    path.write_text(f'profile = "work"\n[profiles.work]\n{text}\n')
    path.chmod(0o600)


def file_with(sandbox: Sandbox, content: str | bytes, name: str = "token") -> Path:
    path = sandbox.home / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    path.chmod(0o600)
    return path


# Precedence


def test_the_variable_comes_before_the_files_before_the_keyring(
    desktop: Sandbox, service: SecretService, tap: Tap
) -> None:
    service.store(tap.url, FIRST, service=ADMIN)
    ask(desktop, tap)
    assert tap.tokens == [FIRST]
    profile(desktop, f'store = "{tap.url}"\ntoken_file = "{file_with(desktop, SECOND)}"')
    ask(desktop, tap)
    assert tap.tokens == [FIRST, SECOND]
    ask(desktop, tap, ROUTIC_TOKEN_FILE=str(file_with(desktop, f"{THIRD}\n", "third")))
    assert tap.tokens == [FIRST, SECOND, THIRD]
    ask(desktop, tap, ROUTIC_TOKEN_FILE=str(file_with(desktop, THIRD)), ROUTIC_TOKEN=f" {FIRST[::-1]} ")
    assert tap.tokens == [FIRST, SECOND, THIRD, FIRST[::-1]]


# Bound to its origin


@pytest.mark.parametrize("other", ["port", "host", "scheme"])
def test_the_keyrings_entry_of_another_origin_is_never_sent(
    desktop: Sandbox, service: SecretService, trap: Tap, other: str
) -> None:
    port = trap.url.rpartition(":")[2]
    entered_for = {
        "port": f"http://127.0.0.1:{int(port) - 1}",
        "host": f"http://localhost:{port}",
        "scheme": f"https://127.0.0.1:{port}",
    }[other]
    service.store(entered_for, FIRST, service=ADMIN)
    service.store(f"{trap.url}/base", SECOND, service=ADMIN)
    service.store(trap.url, THIRD, service="routic")
    done = ask(desktop, trap)
    assert f"There is no admin credential for {trap.url}" in done.err
    assert f"routic --store {trap.url} auth login" in done.err


def test_the_entry_is_for_every_path_of_its_origin(desktop: Sandbox, service: SecretService, tap: Tap) -> None:
    service.store(tap.url, FIRST, service=ADMIN)
    desktop.run("--store", f"{tap.url}/some/base/", "keys", "list")
    assert tap.tokens == [FIRST]
    assert tap.heard[0].line.startswith("GET /some/base/admin/v1/keys?")


def test_the_file_of_a_profile_is_not_sent_where_a_flag_or_a_variable_points(sandbox: Sandbox, trap: Tap) -> None:
    profile(sandbox, f'store = "https://keys.example.com"\ntoken_file = "{file_with(sandbox, FIRST)}"')
    ask(sandbox, trap)
    assert sandbox.run("keys", "list", env={"ROUTIC_STORE": trap.url}).code == 4


def test_a_redirect_takes_the_credential_nowhere(sandbox: Sandbox, trap: Tap) -> None:
    with Tap(redirect=f"{trap.url}/admin/v1/keys") as tap:
        done = sandbox.run("--store", tap.url, "keys", "list", env={"ROUTIC_TOKEN": FIRST})
        assert tap.tokens == [FIRST]
    assert (done.code, FIRST in done.err) == (7, False)


# Nothing of the working directory, and nothing that is meant for other programs


def test_nothing_in_the_working_directory_redirects_a_token(
    desktop: Sandbox, service: SecretService, tap: Tap, trap: Tap
) -> None:
    service.store(tap.url, FIRST, service=ADMIN)
    profile(desktop, f'store = "{tap.url}"')
    settings = {
        "ROUTIC_STORE": trap.url,
        "ROUTIC_TOKEN": SECOND,
        "ROUTIC_TOKEN_FILE": "token",
        "ROUTIC_PROFILE": "trap",
        "ROUTIC_CONFIG_DIR": ".",
        "ROUTIC_CA_FILE": "ca.pem",
        "HTTP_PROXY": trap.url,
        "ALL_PROXY": trap.url,
    }
    for name in (".env", ".env.local", ".envrc", "routic.env"):
        (desktop.cwd / name).write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
    toml = f'profile = "trap"\nstore = "{trap.url}"\n[profiles.trap]\nstore = "{trap.url}"\ntoken_file = "token"\n'
    for name in ("routic.toml", ".routic.toml", "config.toml", ".routic/config.toml", "routic/config.toml"):
        (desktop.cwd / name).parent.mkdir(exist_ok=True)
        (desktop.cwd / name).write_text(toml)
    for name in ("httpx2.py", "idna.py", "ssl.py", "keyring.py", "tomlkit.py", "truststore.py", "secretstorage.py"):
        (desktop.cwd / name).write_text("raise SystemExit('code from the working directory ran')\n")
    for name in ("token", "ROUTIC_TOKEN", ".token", "keyringrc.cfg", ".netrc", "ca.pem", "pip.conf"):
        (desktop.cwd / name).write_text(SECOND)
    done = desktop.run("keys", "list")
    assert (done.code, tap.tokens) == (4, [FIRST])
    assert desktop.ok("config", "get", "store").out == f"{tap.url}\n"
    desktop.run("doctor")
    desktop.run("auth", "status")
    assert tap.tokens == [FIRST]


def test_variables_and_files_of_other_programs_have_no_effect(sandbox: Sandbox, tap: Tap, trap: Tap) -> None:
    (sandbox.home / ".netrc").write_text("machine 127.0.0.1 login u password hunter2\ndefault login u password p\n")
    (sandbox.home / ".netrc").chmod(0o600)
    proxies = [f"{kind}_proxy" for kind in ("http", "https", "all")]
    names = [*proxies, *(name.upper() for name in proxies), "FTP_PROXY"]
    others = dict.fromkeys(names, trap.url) | {"NETRC": str(sandbox.home / ".netrc"), "NO_PROXY": ""}
    ask(sandbox, tap, ROUTIC_TOKEN=FIRST, **others)
    assert tap.tokens == [FIRST]
    assert all(" /admin/v1/" in heard.line for heard in tap.heard)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make_certificate(tmp_path_factory.mktemp("certificates"))


def test_only_the_file_that_was_named_to_routic_makes_a_certificate_trusted(
    sandbox: Sandbox, certificates: tuple[Path, Path]
) -> None:
    ca_file, server_file = certificates
    other = sandbox.home / "other"
    other.mkdir()
    (other / "ca.pem").write_bytes(ca_file.read_bytes())
    trusting = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
    variables = {name: str(ca_file) for name in trusting}
    variables |= {"SSL_CERT_DIR": str(other), "SSLKEYLOGFILE": str(sandbox.home / "keylog"), "PYTHONHTTPSVERIFY": "0"}
    with Tap(tls=server_file) as tap:
        refused = sandbox.run("--store", tap.url, "keys", "list", env={"ROUTIC_TOKEN": FIRST, **variables})
        assert (refused.code, tap.heard) == (7, [])
        assert "ROUTIC_CA_FILE" in refused.err
        ask(sandbox, tap, ROUTIC_TOKEN=FIRST, ROUTIC_CA_FILE=str(ca_file), **variables)
        assert tap.tokens == [FIRST]
        profile(sandbox, f'store = "{tap.url}"\nca_file = "{ca_file}"')
        ask(sandbox, tap, ROUTIC_TOKEN=SECOND)
        assert tap.tokens == [FIRST, SECOND]
    assert not (sandbox.home / "keylog").exists()


# What is no credential


@pytest.mark.parametrize(
    ("token", "said"),
    [
        ("", "It is empty"),
        (" \t\n", "It is empty"),
        ("sk-AbCd…WxYz", "a hint"),
        ("sk-AbCd...WxYz", "a hint"),
        (f"Bearer {FIRST}", "'Bearer' stands before it"),
        (f"Authorization: Bearer {FIRST}", "'Authorization:' stands before it"),
        (f"{FIRST}\n{SECOND}", "several words or lines"),
        (f"{FIRST} {SECOND}", "several words or lines"),
        (f"{FIRST}\x07", "characters that no credential has"),
        (f"{FIRST}ü", "characters that no credential has"),
        ("x" * 4097, "far too long"),
    ],
)
@pytest.mark.parametrize("place", ["ROUTIC_TOKEN", "ROUTIC_TOKEN_FILE"])
def test_what_is_no_credential_is_said_and_neither_sent_nor_repeated(
    sandbox: Sandbox, trap: Tap, token: str, said: str, place: str
) -> None:
    value = token if place == "ROUTIC_TOKEN" else str(file_with(sandbox, token))
    done = ask(sandbox, trap, **{place: value})
    assert done.code == 4
    assert f"There is no credential in {place}" in done.err
    assert said in done.err
    assert f"unset {place}" in done.err
    assert "x" * 20 not in done.err
    as_json = sandbox.run("--store", trap.url, "keys", "list", "--json", env={place: value})
    assert as_json.error["code"] in {"missing_api_key", "invalid_api_key"}
    assert FIRST not in as_json.err


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: None, "No such file"),
        (lambda path: path.mkdir(), "Is a directory"),
        (os.mkfifo, "no regular file"),
        (lambda path: path.write_bytes(b"\xff\xfe" + FIRST.encode()), "not UTF-8"),
        (lambda path: path.symlink_to("nowhere"), "No such file"),
        (lambda path: path.symlink_to("token"), "symbolic links"),
        (lambda path: path.write_bytes(b"sk-" + b"y" * 1_000_000), "far too long"),
    ],
    ids=["missing", "folder", "pipe", "not text", "dangling", "loop", "huge"],
)
def test_a_file_that_holds_no_credential_is_named_with_the_reason(
    sandbox: Sandbox, trap: Tap, make: Any, said: str
) -> None:
    path = sandbox.home / "token"
    make(path)
    done = ask(sandbox, trap, ROUTIC_TOKEN_FILE=str(path))
    assert (done.code, said in done.err) == (4, True)


def test_an_empty_variable_is_no_reason_to_look_further(desktop: Sandbox, service: SecretService, trap: Tap) -> None:
    service.store(trap.url, FIRST, service=ADMIN)
    for place in ("ROUTIC_TOKEN", "ROUTIC_TOKEN_FILE"):
        done = ask(desktop, trap, **{place: ""})
        assert f"There is no credential in {place}" in done.err


def test_a_token_in_the_place_of_a_path_is_not_repeated(sandbox: Sandbox, trap: Tap) -> None:
    for token in (FIRST, THIRD):
        done = ask(sandbox, trap, ROUTIC_TOKEN_FILE=token)
        assert "ROUTIC_TOKEN_FILE" in done.err


@pytest.mark.parametrize("mode", [0o622, 0o666, 0o620])
def test_a_file_that_others_may_write_is_refused(sandbox: Sandbox, trap: Tap, mode: int) -> None:
    path = file_with(sandbox, FIRST)
    path.chmod(mode)
    done = ask(sandbox, trap, ROUTIC_TOKEN_FILE=str(path))
    assert (done.code, f"chmod 600 {path}" in done.err) == (6, True)


def test_a_mounted_secret_is_a_link_to_a_file_that_all_may_read(sandbox: Sandbox, tap: Tap) -> None:
    file_with(sandbox, f"{FIRST}\n", "data").chmod(0o444)
    (sandbox.home / "token").symlink_to("data")
    ask(sandbox, tap, ROUTIC_TOKEN_FILE=str(sandbox.home / "token"))
    assert tap.tokens == [FIRST]


def test_an_entry_that_is_no_credential_is_not_sent(desktop: Sandbox, service: SecretService, trap: Tap) -> None:
    service.store(trap.url, f"Bearer {FIRST}", service=ADMIN)
    done = ask(desktop, trap)
    assert "There is no credential in the keyring" in done.err


# Keyrings


def test_without_a_keyring_the_credential_is_missing_and_the_reason_is_said(sandbox: Sandbox, trap: Tap) -> None:
    done = ask(sandbox, trap)
    assert done.code == 4
    said = " ".join(done.err.split())
    for text in ("There is no keyring that can be used", "Nothing was sent", "ROUTIC_TOKEN_FILE=PATH"):
        assert text in said


def test_a_keyring_in_plain_text_is_refused(sandbox: Sandbox, trap: Tap) -> None:
    done = ask(sandbox, trap, PYTHON_KEYRING_BACKEND="keyrings.alt.file.PlaintextKeyring")
    assert done.code == 6
    done = sandbox.run(
        "--store", trap.url, "auth", "login",
        stdin=FIRST, env={"PYTHON_KEYRING_BACKEND": "keyrings.alt.file.PlaintextKeyring"},
    )  # fmt: skip
    assert (done.code, sandbox.holders(FIRST)) == (6, [])


def test_a_keyring_that_says_nothing_is_given_up(sandbox: Sandbox, trap: Tap) -> None:
    with SecretService() as service:
        service.start_keeper(password="x")
        sandbox.extra |= service.environ
        service.stop()
        done = ask(sandbox, trap)
        service.go_on()
    assert (done.code, "does not answer" in done.err) == (4, True)


def test_a_variable_needs_no_keyring(sandbox: Sandbox, tap: Tap) -> None:
    ask(sandbox, tap, ROUTIC_TOKEN=FIRST, PYTHON_KEYRING_BACKEND="no.such.backend")
    assert tap.tokens == [FIRST]


# What else a credential must not reach


def test_a_store_that_is_a_file_needs_none_and_looks_for_none(sandbox: Sandbox) -> None:
    broken = {"ROUTIC_TOKEN": "", "ROUTIC_TOKEN_FILE": "/nonexistent", "ROUTIC_CA_FILE": "/nonexistent"}
    sandbox.ok("keys", "create", "--name", "a", env=broken)
    sandbox.ok("doctor", env=broken)


def test_no_request_has_the_credential_anywhere_but_in_its_header(sandbox: Sandbox, tap: Tap) -> None:
    for arguments in (["keys", "list"], ["keys", "show", "a"], ["keys", "revoke", "a", "--yes"], ["auth", "status"]):
        sandbox.run("--store", tap.url, *arguments, env={"ROUTIC_TOKEN": FIRST})
    assert len(tap.heard) >= 4
    assert not any(re.search(FIRST[3:20], heard.line) for heard in tap.heard)
    assert sandbox.holders(FIRST) == []
