"""The stack's own certificate authority: short-lived certificates, one per identity, renewed while the stack runs."""

import ipaddress
import os
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
"""Services; database roles (the common name is the role, RFC 5280 subject); the parts themselves; the one who sets up."""


def ensure_ca(stack: Stack) -> None:
    key_path, cert_path = stack.certs / "ca.key", stack.ca_file
    if key_path.exists() and cert_path.exists():
        return
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Komu local CA ({stack.name})")])
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
    write_private(key_path, _key_pem(key))
    cert_path.write_bytes(cert.public_bytes(serialization.Encoding.PEM))


def ensure_certificates(stack: Stack) -> list[str]:
    """Issues what is missing or has less than `RENEW_WHEN_LEFT` to live. Returns the identities that got a new one.

    The key stays (one file changes, atomically): a reader never sees a key and a certificate that do not belong together."""
    ensure_ca(stack)
    ca_key = serialization.load_pem_private_key((stack.certs / "ca.key").read_bytes(), password=None)
    ca_cert = x509.load_pem_x509_certificate(stack.ca_file.read_bytes())
    assert isinstance(ca_key, ec.EllipticCurvePrivateKey)
    renewed = []
    for identity in IDENTITIES:
        if not _needs_new(stack.cert(identity)) and stack.key(identity).exists():
            continue
        if stack.key(identity).exists():
            key = serialization.load_pem_private_key(stack.key(identity).read_bytes(), password=None)
            assert isinstance(key, ec.EllipticCurvePrivateKey)
        else:
            key = ec.generate_private_key(ec.SECP256R1())
            write_private(stack.key(identity), _key_pem(key))
            write_private(stack.certs / f"{identity}.pk8", _key_der(key))
        cert = _issue(identity, key, ca_key, ca_cert)
        draft = stack.cert(identity).with_suffix(f".{os.getpid()}")
        draft.write_bytes(cert.public_bytes(serialization.Encoding.PEM))
        os.replace(draft, stack.cert(identity))
        renewed.append(identity)
    return renewed


def _needs_new(path: Path) -> bool:
    if not path.exists():
        return True
    cert = x509.load_pem_x509_certificate(path.read_bytes())
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
