"""The stack's own certificate authority: short-lived certificates, one per identity, renewed while the stack runs."""

import fcntl
import ipaddress
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from komustack.stack import SERVICES, Stack, write_private

LIFETIME = timedelta(hours=24)
RENEW_WHEN_LEFT = timedelta(hours=16)
_CA_LIFETIME = timedelta(days=3650)
_CLOCK_SKEW = timedelta(minutes=5)

IDENTITIES = (
    *SERVICES,
    *(f"{name}_app" for name in SERVICES),
    *(f"{name}_owner" for name in SERVICES),
    "postgres",
    "keycloak",
    "nats",
    "operator",
)
"""Services; database roles (the certificate's common name is the role); the parts; the one who sets up."""


EXCHANGE = "exchange"
"""The certificate that other deployments see. The authority behind it is shared by the stacks of one machine, as the
public authorities of the web are: a stack that comes later is trusted without anybody reading a file again."""


@dataclass(frozen=True)
class Authority:
    """A certificate authority: where its key and its certificate lie."""

    name: str
    key_file: Path
    cert_file: Path

    def load(self) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
        key = serialization.load_pem_private_key(self.key_file.read_bytes(), password=None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        return key, x509.load_pem_x509_certificate(self.cert_file.read_bytes())


def inside(stack: Stack) -> Authority:
    """For everything that talks within the stack."""
    return Authority(f"Komu local CA ({stack.name})", stack.certs / "ca.key", stack.ca_file)


def between(stack: Stack) -> Authority:
    """For the addresses at which the stacks of this machine reach each other."""
    return Authority("Komu local exchange CA", stack.directory / "exchange-ca.key", stack.exchange_ca_file)


def _ensure(authority: Authority) -> None:
    authority.key_file.parent.mkdir(parents=True, exist_ok=True)
    with authority.key_file.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (authority.key_file.exists() and authority.cert_file.exists()):
            _make(authority)


def _make(authority: Authority) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, authority.name)])
    now = datetime.now(UTC)
    cert = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + _CA_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signing_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    write_private(authority.key_file, _key_pem(key))
    authority.cert_file.write_bytes(cert.public_bytes(serialization.Encoding.PEM))


def ensure_certificates(stack: Stack) -> list[str]:
    """Issues what is missing or has less than `RENEW_WHEN_LEFT` to live. Returns the identities that got a new one.

    The key stays and one file changes, atomically: a reader never sees a key and a certificate of different pairs."""
    renewed = []
    for authority, identities in ((inside(stack), IDENTITIES), (between(stack), (EXCHANGE,))):
        _ensure(authority)
        signer, signer_cert = authority.load()
        for identity in identities:
            if not _needs_new(stack.cert(identity), signer) and stack.key(identity).exists():
                continue
            cert = _issue(identity, _key_of(stack, identity), signer, signer_cert)
            draft = stack.cert(identity).with_suffix(f".{os.getpid()}")
            draft.write_bytes(cert.public_bytes(serialization.Encoding.PEM))
            os.replace(draft, stack.cert(identity))
            renewed.append(identity)
    return renewed


def _key_of(stack: Stack, identity: str) -> ec.EllipticCurvePrivateKey:
    path = stack.key(identity)
    if path.exists():
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        return key
    key = ec.generate_private_key(ec.SECP256R1())
    write_private(path, _key_pem(key))
    write_private(path.with_suffix(".pk8"), _key_der(key))
    return key


def _needs_new(path: Path, signer: ec.EllipticCurvePrivateKey) -> bool:
    """Missing, old, or of an authority that is not there any more."""
    if not path.exists():
        return True
    cert = x509.load_pem_x509_certificate(path.read_bytes())
    wanted = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    if cert.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value != wanted:
        return True
    return cert.not_valid_after_utc - datetime.now(UTC) < RENEW_WHEN_LEFT


def _issue(
    identity: str, key: ec.EllipticCurvePrivateKey, ca_key: ec.EllipticCurvePrivateKey, ca_cert: x509.Certificate
) -> x509.Certificate:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, identity)]))
        .issuer_name(ca_cert.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signing_certificates=False), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
        .add_extension(
            x509.SubjectAlternativeName(
                [
                    x509.UniformResourceIdentifier(f"spiffe://komu/{identity}"),
                    x509.DNSName("localhost"),
                    x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
                ]
            ),
            critical=False,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )


def _key_usage(*, signing_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signing_certificates,
        crl_sign=signing_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _key_der(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The form that the JDBC driver of PostgreSQL reads."""
    return key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
