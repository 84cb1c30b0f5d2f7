"""Signed statements: a JWS beside the statement says the same and is signed (Data 2.6)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from learning.domain.xapi.reading import read_json
from learning.domain.xapi.same import same
from learning.domain.xapi.wrong import Wrong

SIGNATURE = "http://adlnet.gov/expapi/attachments/signature"
_ALGORITHMS: dict[str, hashes.HashAlgorithm] = {
    "RS256": hashes.SHA256(), "RS384": hashes.SHA384(), "RS512": hashes.SHA512(),
}  # fmt: skip


def check_signatures(statement: dict[str, Any], contents: Mapping[str, bytes]) -> None:
    """Raises: Wrong, if a signature of `statement` is not one, or signs something else."""
    for number, attachment in enumerate(statement.get("attachments", ())):
        if attachment["usageType"] != SIGNATURE:
            continue
        path = f"$.attachments[{number}]"
        if attachment["contentType"].partition(";")[0].strip().lower() != "application/octet-stream":
            raise Wrong(f"{path}.contentType: a signature is application/octet-stream")
        content = contents.get(attachment["sha2"].lower())
        if content is not None:
            _check(statement, content, path)
        elif "fileUrl" not in attachment:
            raise Wrong(f"{path}: the signature is missing")


def _check(statement: dict[str, Any], content: bytes, path: str) -> None:
    parts = content.strip().split(b".")
    if len(parts) != 3:
        raise Wrong(f"{path}: a signature is a JWS in compact serialization")
    header = read_json(_decoded(parts[0], path), f"{path} (JWS header)")
    algorithm = _ALGORITHMS.get(header.get("alg", "")) if isinstance(header, dict) else None
    if algorithm is None:
        raise Wrong(f"{path}: the algorithm must be one of {', '.join(_ALGORITHMS)}")
    signed = read_json(_decoded(parts[1], path), f"{path} (JWS payload)")
    signature = _decoded(parts[2], path)
    if "x5c" in header:
        _verify(header["x5c"], signature, b".".join(parts[:2]), algorithm, path)
    without = [one for one in statement.get("attachments", ()) if one["usageType"] != SIGNATURE]
    plain = {name: value for name, value in statement.items() if name != "attachments"}
    if without:
        plain["attachments"] = without
    if not isinstance(signed, dict) or not same(plain, _bare(signed)):
        raise Wrong(f"{path}: what is signed is not this statement")


def _bare(signed: dict[str, Any]) -> dict[str, Any]:
    left = [one for one in signed.get("attachments", ()) if isinstance(one, dict) and one.get("usageType") != SIGNATURE]
    bare = {name: value for name, value in signed.items() if name != "attachments"}
    return {**bare, **({"attachments": left} if left else {})}


def _verify(chain: Any, signature: bytes, signed: bytes, algorithm: hashes.HashAlgorithm, path: str) -> None:
    if not isinstance(chain, list) or not chain or not isinstance(chain[0], str):
        raise Wrong(f"{path}: x5c is an array of certificates")
    try:
        key = x509.load_der_x509_certificate(base64.b64decode(chain[0], validate=True)).public_key()
    except (ValueError, binascii.Error):
        raise Wrong(f"{path}: x5c[0] is no certificate") from None
    if not isinstance(key, rsa.RSAPublicKey):
        raise Wrong(f"{path}: the certificate has no RSA key")
    try:
        key.verify(signature, signed, padding.PKCS1v15(), algorithm)
    except InvalidSignature:
        raise Wrong(f"{path}: the signature does not belong to the certificate") from None


def _decoded(part: bytes, path: str) -> bytes:
    try:
        return base64.b64decode(part + b"=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        raise Wrong(f"{path}: a part of the JWS is no base64url") from None
