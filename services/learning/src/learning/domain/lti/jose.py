"""JWTs as LTI 1.3 allows them: RS256 only (1EdTech Security Framework 1.0, 5.1.1 and 5.2), keys found by `kid`."""

from __future__ import annotations

import binascii
import json
from base64 import urlsafe_b64decode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from learning.domain.lti.plain import is_plain
from learning.domain.lti.refusals import invalid_request

ALGORITHM: Final = "RS256"
LONGEST_JWT: Final = 256 * 1024
SMALLEST_MODULUS_BITS: Final = 2048
SKEW: Final = timedelta(seconds=60)
LONGEST_LIFE: Final = timedelta(hours=1)
"""An assertion or response that claims to be good for longer is not taken: its id would have to be kept so long."""
_PUBLIC: Final = frozenset({"kty", "n", "e", "kid", "alg", "use"})


def public_keys(key_set: Any) -> list[dict[str, Any]]:
    """RSA signing keys out of a JWK Set or a single JWK. Raises: ValueError, when it is neither."""
    found = key_set.get("keys", [key_set]) if isinstance(key_set, dict) else None
    if not isinstance(found, list):
        raise ValueError("neither a JWK nor a JWK Set")
    return [
        {name: value for name, value in key.items() if name in _PUBLIC}
        for key in found[:50]
        if isinstance(key, dict) and key.get("kty") == "RSA" and key.get("use", "sig") == "sig"
        if isinstance(key.get("kid", ""), str) and is_plain(key.get("kid", ""))
    ]


def strong_enough(key: Mapping[str, Any]) -> bool:
    """Whether the JWK can be read and its modulus is long enough."""
    try:
        modulus = RSAKey.import_key(_plain(key)).raw_value.key_size
    except (JoseError, ValueError, TypeError, KeyError, binascii.Error):
        return False
    return modulus >= SMALLEST_MODULUS_BITS


def kid_of(token: str) -> str:
    """The key a JWT says it is signed with ("" = it does not say).

    `none` and HS256 are turned away before a key is looked up. Raises: LtiRefusal, for all that is no RS256 JWT."""
    if len(token) > LONGEST_JWT:
        raise invalid_request("JWT が長すぎます。")
    try:
        head, _, _ = token.split(".")
        header = json.loads(urlsafe_b64decode(head.encode("ascii") + b"=" * (-len(head) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        raise invalid_request("JWT として読めません。") from None
    if not isinstance(header, dict) or header.get("alg") != ALGORITHM or "crit" in header:
        raise invalid_request(f"署名の方式は {ALGORITHM} だけを受け付けます。")
    kid = header.get("kid", "")
    return kid if isinstance(kid, str) else ""


def look_at(token: str) -> dict[str, Any]:
    """What a JWT says, before anything is proven: only to find out whose keys to ask. Raises: LtiRefusal."""
    kid_of(token)
    body = token.split(".")[1]
    try:
        claims = json.loads(urlsafe_b64decode(body.encode("ascii") + b"=" * (-len(body) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        claims = None
    if not isinstance(claims, dict):
        raise invalid_request("JWT として読めません。")
    return claims


def read(token: str, keys: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Claims of a JWT that one of `keys` signed. Raises: LtiRefusal."""
    kid = kid_of(token)
    fitting = [key for key in keys if not kid or key.get("kid") in (None, kid)]
    for key in fitting[:5]:
        if not strong_enough(key):
            continue
        try:
            return jwt.decode(token, RSAKey.import_key(_plain(key)), algorithms=[ALGORITHM]).claims
        except (JoseError, ValueError, TypeError, binascii.Error, RecursionError):
            continue
    raise invalid_request("署名を確かめられません。登録された鍵の署名ではありません。")


def check_claims(claims: Mapping[str, Any], *, issuer: str, audiences: Sequence[str], now: datetime) -> datetime:
    """Issuer, audience and time of a message from a tool; returns when it ends. Raises: LtiRefusal."""
    if claims.get("iss") != issuer:
        raise invalid_request("iss が登録された client_id と違います。")
    named = claims.get("aud")
    listed = named if isinstance(named, list) else [named]
    if not any(isinstance(one, str) and one in audiences for one in listed):
        raise invalid_request("aud がこのプラットフォームではありません。")
    issued, ends = _instant(claims.get("iat")), _instant(claims.get("exp"))
    if ends is None or issued is None:
        raise invalid_request("iat と exp が必要です。")
    if ends + SKEW <= now:
        raise invalid_request("有効期限(exp)を過ぎています。")
    if issued - SKEW > now or ends > now + LONGEST_LIFE + SKEW:
        raise invalid_request("iat が未来か、有効期限(exp)が1時間より先です。")
    return ends


def text_claim(claims: Mapping[str, Any], name: str, longest: int = 255) -> str:
    """A claim that has to be a short text. Raises: LtiRefusal."""
    value = claims.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= longest:
        raise invalid_request(f"{name} が必要です({longest}字以内)。")
    return value


def sign(claims: Mapping[str, Any], private: Mapping[str, Any], *, kind: str = "JWT") -> str:
    """A compact JWT under one of our private keys (JWK). `kind`: the header's `typ`."""
    header = {"alg": ALGORITHM, "kid": private["kid"], "typ": kind}
    return jwt.encode(header, dict(claims), RSAKey.import_key(dict(private)), algorithms=[ALGORITHM])


def typ_of(token: str) -> str:
    """`typ` of a JWT whose header `kid_of` found well-formed."""
    head = token.split(".", 1)[0]
    return str(json.loads(urlsafe_b64decode(head.encode("ascii") + b"=" * (-len(head) % 4))).get("typ", ""))


def _plain(key: Mapping[str, Any]) -> dict[str, Any]:
    return {name: key[name] for name in ("kty", "n", "e")}


def _instant(value: object) -> datetime | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < 2**36:
        return None
    return datetime.fromtimestamp(value, UTC)
