"""Requests between deployments, signed by the organisation (RFC 9421) over method, target, digest, created, expires,
nonce; the body by its digest (RFC 9530). TLS protects the line; this says who speaks, and that nobody speaks twice.
"""

import hashlib
from base64 import b64encode
from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import http_sf
from http_message_signatures import (
    HTTPMessageSigner,
    HTTPMessageVerifier,
    HTTPSignatureAlgorithm,
    InvalidSignature,
    MappingKeyResolver,
)
from http_message_signatures.algorithms import ECDSA_P256_SHA256, ED25519
from http_message_signatures.exceptions import HTTPMessageSignaturesException
from joserfc.jwk import ECKey

from dataexchange.domain import jose
from dataexchange.domain.directory import Directory
from dataexchange.domain.package.building import SigningKey
from dataexchange.domain.refusals import Code, Refusal

WINDOW: Final = timedelta(minutes=5)
TAG: Final = "komu-exchange"
LABEL: Final = "komu"
NONCE_MIN: Final = 16
NONCE_MAX: Final = 120


@dataclass(frozen=True)
class Request:
    """What the signature speaks about: the method, the whole target address and the headers."""

    method: str
    url: str
    headers: MutableMapping[str, str]


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who signed a request, with the nonce that may not come again before `until`."""

    organisation: str
    kid: str
    nonce: str
    until: datetime


def content_digest(body: bytes) -> str:
    """`sha-256=:…:`"""
    return f"sha-256=:{b64encode(hashlib.sha256(body).digest()).decode()}:"


def _algorithm(key: Any) -> type[HTTPSignatureAlgorithm]:
    return ECDSA_P256_SHA256 if isinstance(key, ECKey) else ED25519


def signed_headers(
    method: str,
    url: str,
    body: bytes | None,
    headers: Mapping[str, str],
    *,
    signing: SigningKey,
    at: datetime,
    nonce: str,
) -> dict[str, str]:
    """The headers to send, with Content-Digest, Signature-Input and Signature."""
    request = Request(method, url, dict(headers))
    covered = ["@method", "@target-uri"]
    if body is not None:
        request.headers["Content-Digest"] = content_digest(body)
        covered += ["content-digest", "content-type"]
    if "Idempotency-Key" in request.headers:
        covered.append("idempotency-key")
    private = signing.key.get_op_key("sign")
    resolver = MappingKeyResolver(public_keys={}, private_keys={signing.kid: private})  # type: ignore[dict-item]
    HTTPMessageSigner(signature_algorithm=_algorithm(signing.key), key_resolver=resolver).sign(
        request, key_id=signing.kid, created=at, expires=at + WINDOW, nonce=nonce, label=LABEL, tag=TAG,
        covered_component_ids=covered, use_existing_digest=body is not None,
    )  # fmt: skip
    return dict(request.headers)


class _Verifier(HTTPMessageVerifier):
    """The library's verifier with our clock, and with every parameter of ours demanded."""

    def __init__(self, at: datetime, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.at = at
        self.too_old = False

    def validate_created_and_expires(self, sig_input: Any, max_age: timedelta | None = None) -> None:
        created, expires = sig_input.params.get("created"), sig_input.params.get("expires")
        if type(created) is not int or type(expires) is not int:
            raise InvalidSignature("created, expires")
        now = int(self.at.timestamp())
        window = int(WINDOW.total_seconds())
        if abs(now - created) > window or expires <= now or not 0 < expires - created <= window:
            self.too_old = True
            raise InvalidSignature("outside the window")


def knock(headers: Iterable[tuple[str, str]], directory: Directory, at: datetime) -> None:
    """Does anybody we know claim to speak? Asked before a long body is read. Raises: Refusal."""
    fields = {name.lower(): value for name, value in headers}
    if "signature" not in fields or "signature-input" not in fields:
        raise Refusal(Code.REQUEST_UNSIGNED)
    kid, _ = _claimed(fields["signature-input"])
    directory.reliable_key(kid, "sig", at)


def check(
    method: str,
    url: str,
    headers: Iterable[tuple[str, str]],
    body_sha256: bytes | None,
    directory: Directory,
    at: datetime,
) -> Speaker:
    """Who signed this request. `body_sha256`: digest of the body as received, None when there is none.

    The caller still has to refuse a nonce it has seen. Raises: Refusal.
    """
    fields: dict[str, str] = {}
    for name, value in headers:
        lower = name.lower()
        fields[lower] = f"{fields[lower]}, {value}" if lower in fields else value
    if "signature" not in fields or "signature-input" not in fields:
        raise Refusal(Code.REQUEST_UNSIGNED)
    kid, nonce = _claimed(fields["signature-input"])
    organisation, key = directory.reliable_key(kid, "sig", at)
    public = jose.key_object(key.jwk)
    resolver = MappingKeyResolver(public_keys={kid: public.get_op_key("verify")}, private_keys={})  # type: ignore[dict-item]
    verifier = _Verifier(at, signature_algorithm=_algorithm(public), key_resolver=resolver)
    required = ["@method", "@target-uri"]
    if body_sha256 is not None:
        required += ["content-digest", "content-type"]
    if "idempotency-key" in fields:
        required.append("idempotency-key")
    try:
        verifier.verify(Request(method, url, fields), max_age=WINDOW, expect_tag=TAG, require_components=required)
    except (HTTPMessageSignaturesException, ValueError, KeyError, TypeError):
        raise Refusal(Code.REQUEST_TOO_OLD if verifier.too_old else Code.REQUEST_SIGNATURE_INVALID, kid) from None
    if body_sha256 is not None:
        wanted = f"sha-256=:{b64encode(body_sha256).decode()}:"
        if fields.get("content-digest", "").replace(" ", "") != wanted:
            raise Refusal(Code.DIGEST_MISMATCH)
    return Speaker(organisation.id, kid, nonce, at + 2 * WINDOW)


def _claimed(signature_input: str) -> tuple[str, str]:
    """Key id and nonce as the header claims them: exactly one signature. Raises: Refusal."""
    try:
        parsed: Any = http_sf.parse(signature_input.encode("ascii"), tltype="dictionary")
        if len(parsed) != 1:
            raise ValueError("one signature")
        _, parameters = next(iter(parsed.values()))
        kid, nonce = parameters["keyid"], parameters["nonce"]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Refusal(Code.REQUEST_SIGNATURE_INVALID, "Signature-Input") from None
    if not isinstance(kid, str) or not isinstance(nonce, str) or not NONCE_MIN <= len(nonce) <= NONCE_MAX:
        raise Refusal(Code.REQUEST_SIGNATURE_INVALID, "nonce")
    return kid, nonce
