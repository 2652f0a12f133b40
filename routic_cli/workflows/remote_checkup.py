"""What `doctor` looks at of a store behind an admin API: the credential, and the files that lead to it."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from routic_cli.config import Config
from routic_cli.credentials import Credential
from routic_cli.delivery.verdict import Finding, Severity
from routic_cli.domain.keys import UnixSeconds
from routic_cli.store_url import RemoteStore
from routic_cli.transport.interface import Transport
from routic_cli.workflows.identity import identify

# How long before its end a credential is worth a word.
_SOON: Final = 7 * 86400


def file_findings(config: Config) -> Iterator[Finding]:
    """The authorities and the token's file. InvalidRequestError for a file without certificates."""
    if config.ca_file is not None:
        from routic_cli.transport.tls import tls_context

        tls_context(Path(config.ca_file.value))
    if config.token_file is not None:
        yield from _token_file_findings(Path(config.token_file.value), config.token_file.source)


def credential_findings(
    store: RemoteStore, credential: Credential, transport: Transport, now: UnixSeconds
) -> Iterator[Finding]:
    """Whether the store answers, and for how long it will answer to this credential. Its files are its server's."""
    identity = identify(transport, credential.token)
    name = identity.key.name
    if not identity.may_administer:
        message = f"The credential '{name}' from {credential.source} may call the gateway, and administer nothing"
        yield Finding("credential-scope", Severity.REFUSE, message, f"routic --store {store.url} auth login")
    end = identity.ends_at
    if end is not None and end - now < _SOON:
        hours = max(end - now, 0) // 3600
        message = (
            f"The credential '{name}' from {credential.source} ends in {hours} hours, which no credential puts off for"
            " itself"
        )
        yield Finding("credential-ends", Severity.WARN, message, f"routic --store {store.url} auth login")


def _token_file_findings(path: Path, source: str) -> Iterator[Finding]:
    """A file of one's own that others may read. What an orchestrator mounts belongs to root, and has its own rules."""
    if not path.is_file():
        return  # whoever reads it says so
    status = path.stat()
    if os.name == "posix" and status.st_uid == os.geteuid() != 0 and status.st_mode & 0o077:
        message = f"Others may read the credential in {path}, which {source} names"
        yield Finding("open-token-file", Severity.WARN, message, f"chmod 600 {shlex.quote(str(path))}")
