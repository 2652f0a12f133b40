"""Certificates of a test's own authority, good ones and bad ones."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_PEM = serialization.Encoding.PEM


@dataclass(frozen=True, slots=True)
class Authority:
    """Signs for servers. `file` has its certificate, for whoever is to trust it."""

    file: Path
    _key: ec.EllipticCurvePrivateKey
    _certificate: x509.Certificate

    @classmethod
    def found(cls, folder: Path, name: str = "authority") -> Authority:
        """A new one, with its certificate in a folder."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            _begun(name, name, key, ended=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        file = folder / f"{name}.pem"
        file.write_bytes(certificate.public_bytes(_PEM))
        return cls(file, key, certificate)

    def server(self, *, name: str | None = None, ended: bool = False, selfsigned: bool = False) -> ssl.SSLContext:
        """What a server at 127.0.0.1, or at a name, presents: valid, ended yesterday, or signed by nobody else."""
        key = ec.generate_private_key(ec.SECP256R1())
        names: list[x509.GeneralName] = [
            x509.DNSName(name) if name else x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        ]
        certificate = (
            _begun("server", "server" if selfsigned else "authority", key, ended=ended)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .sign(key if selfsigned else self._key, hashes.SHA256())
        )
        file = self.file.with_name("server.pem")
        file.write_bytes(
            certificate.public_bytes(_PEM)
            + key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context


def _begun(subject: str, issuer: str, key: ec.EllipticCurvePrivateKey, *, ended: bool) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    day = dt.timedelta(days=1)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 3 * day)
        .not_valid_after(now - day if ended else now + day)
    )
