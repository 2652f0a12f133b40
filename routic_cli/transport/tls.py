"""Whom the remote transport trusts: the system's trust store, or the authorities of one file named on purpose."""

from __future__ import annotations

import ssl
import sys
from pathlib import Path
from typing import Final

from routic_cli.domain.errors import InvalidRequestError, UnavailableError

# Where the distributions keep their bundle; the same list as in Go's crypto/x509.
_BUNDLES: Final = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/cacert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """A client's context that checks names and certificates; `ca_file` stands in the place of the system's store.

    Not `ssl.create_default_context`: it writes session keys where SSLKEYLOGFILE says, and OpenSSL's own defaults trust
    what SSL_CERT_FILE names. InvalidRequestError for a file without certificates.
    """
    if ca_file is None and sys.platform in {"darwin", "win32"}:
        import truststore

        return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if ca_file is not None:
        _load(context, ca_file)
        return context
    bundle = next((path for path in (*_BUNDLES, _compiled_in()) if Path(path).is_file()), None)
    if bundle is None:
        raise UnavailableError(
            "This system has no certificates to trust",
            why="None of the places where distributions keep them has any",
            not_done="Nothing was sent",
            remedy="apt-get install ca-certificates, or ROUTIC_CA_FILE=PATH",
        )
    context.load_verify_locations(bundle)
    return context


def _compiled_in() -> str:
    return ssl.get_default_verify_paths().openssl_cafile


def _load(context: ssl.SSLContext, ca_file: Path) -> None:
    try:
        context.load_verify_locations(ca_file)
    except (OSError, ssl.SSLError) as error:
        why = "It has no certificate in PEM form" if isinstance(error, ssl.SSLError) else error.strerror
        raise InvalidRequestError(
            f"The certificates in {ca_file} could not be read",
            why=why or type(error).__name__,
            not_done="Nothing was sent",
            param="ca_file",
        ) from error
