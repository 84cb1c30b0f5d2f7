"""JOSE as this exchange allows it: one list of algorithms, one list of headers, canonical spelling only.

Everything is refused before a key is looked up: an algorithm outside the list, a header that could carry or fetch a key
(`jku`, `jwk`, `x5u`, `x5c`), an unknown `crit`, base64url whose unused bits are not zero (two spellings of the same
bytes would be two different files with one meaning). RFC 7515, 7516, 7518; EdDSA by RFC 8037 and RFC 9864.
"""

import binascii
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey
from joserfc.jws import JWSRegistry
from joserfc.registry import HeaderParameter

from dataexchange.domain.refusals import Code, Refusal

# The allow-list. Names on the left are what a header may say; the right side is the implementation.
SIGNING: Final = {"ES256": "ES256", "EdDSA": "Ed25519", "Ed25519": "Ed25519"}
SEALING_KEY: Final = "ECDH-ES+A256KW"
SEALING_CONTENT: Final = "A256GCM"

SIGNING_HEADERS: Final = frozenset({"alg", "kid", "typ", "iat", "crit"})
SEALING_HEADERS: Final = frozenset({"alg", "enc", "kid", "typ", "cty", "epk"})
UNDERSTOOD_CRITICAL: Final = frozenset({"iat"})

MAX_HEADER_BYTES: Final = 2048
MAX_SEALED_BYTES: Final = 64 * 1024 * 1024 * 4 // 3 + 16 * 1024
MAX_SIGNED_PAYLOAD_BYTES: Final = 8 * 1024 * 1024


def encode(data: bytes) -> str:
    """base64url without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode(text: str | bytes, malformed: Code) -> bytes:
    """base64url, canonical only. Raises: Refusal(malformed)."""
    raw = text.encode("ascii", "replace") if isinstance(text, str) else text
    try:
        data = urlsafe_b64decode(raw + b"=" * (-len(raw) % 4))
    except (binascii.Error, ValueError):
        raise Refusal(malformed, "base64url") from None
    if urlsafe_b64encode(data).rstrip(b"=") != raw:
        raise Refusal(malformed, "base64url")
    return data


def unique_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """`object_pairs_hook` that refuses a repeated name: two readers could read it in two ways. Raises: ValueError."""
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("repeated name in JSON object")
    return result


def parse_json(data: bytes, malformed: Code, what: str) -> Any:
    """Strict JSON: UTF-8, no repeated names, no NaN. Raises: Refusal(malformed)."""

    def no_constant(name: str) -> Any:
        raise ValueError(name)

    try:
        return json.loads(data.decode("utf-8"), object_pairs_hook=unique_object, parse_constant=no_constant)
    except (ValueError, RecursionError):
        raise Refusal(malformed, what) from None


def canonical(value: Any) -> bytes:
    """Canonical JSON (RFC 8785) of what our documents are made of: text, whole numbers, lists, ASCII names.

    For these the C encoder of the standard library writes the bytes that RFC 8785 asks for, many times faster.
    Raises: ValueError, for anything else (fractions, numbers beyond 2^53, other names).
    """
    _only_plain(value)
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def _only_plain(value: Any) -> None:
    if isinstance(value, dict):
        for name, inner in value.items():
            if not isinstance(name, str) or not name.isascii():
                raise ValueError("names are ASCII")
            if not isinstance(inner, str):
                _only_plain(inner)
    elif isinstance(value, list):
        for inner in value:
            if not isinstance(inner, str):
                _only_plain(inner)
    elif isinstance(value, float) or (isinstance(value, int) and abs(value) > 2**53 - 1):
        raise ValueError("whole numbers within 2^53 only")


def key_object(jwk: Mapping[str, Any]) -> ECKey | OKPKey:
    """A public or private key of the kinds allowed here: P-256 or Ed25519. Raises: Refusal."""
    try:
        if jwk.get("kty") == "EC" and jwk.get("crv") == "P-256":
            return ECKey.import_key({k: v for k, v in jwk.items() if k in {"kty", "crv", "x", "y", "d"}})
        if jwk.get("kty") == "OKP" and jwk.get("crv") == "Ed25519":
            return OKPKey.import_key({k: v for k, v in jwk.items() if k in {"kty", "crv", "x", "d"}})
    except (JoseError, ValueError, TypeError, KeyError):
        raise Refusal(Code.KEY_UNKNOWN, "unreadable key") from None
    raise Refusal(Code.ALGORITHM_NOT_ALLOWED, f"{jwk.get('kty')}/{jwk.get('crv')}")


def signing_algorithm_of(key: Key) -> str:
    """The header value a key signs under."""
    return "ES256" if isinstance(key, ECKey) else "EdDSA"


@dataclass(frozen=True, slots=True)
class Signed:
    """A JWS taken apart and found well-formed; its signature is *not* checked yet."""

    header: dict[str, Any]
    payload: bytes
    signature: bytes
    signing_input: bytes

    @property
    def kid(self) -> str:
        return str(self.header["kid"])

    @property
    def iat(self) -> int:
        return int(self.header["iat"])

    def check(self, key: ECKey | OKPKey) -> None:
        """Raises: Refusal, when the key did not make this signature."""
        name = SIGNING[self.header["alg"]]
        wanted = ECKey if name == "ES256" else OKPKey
        if not isinstance(key, wanted):
            raise Refusal(Code.ALGORITHM_NOT_ALLOWED, str(self.header["alg"]))
        try:
            good = JWSRegistry.algorithms[name].verify(self.signing_input, self.signature, key)
        except (JoseError, ValueError, TypeError):
            good = False
        if not good:
            raise Refusal(Code.SIGNATURE_INVALID, self.kid)


def sign(payload: bytes, key: ECKey | OKPKey, *, kid: str, iat: int, typ: str, detached: bool = False) -> str:
    """Compact JWS over exactly these bytes; `detached` leaves the payload out (RFC 7515 appendix F)."""
    header = {"alg": signing_algorithm_of(key), "crit": ["iat"], "iat": iat, "kid": kid, "typ": typ}
    head = encode(json.dumps(header, separators=(",", ":"), sort_keys=True).encode())
    body = encode(payload)
    signing_input = f"{head}.{body}".encode("ascii")
    signature = JWSRegistry.algorithms[SIGNING[header["alg"]]].sign(signing_input, key)  # type: ignore[index]
    return f"{head}.{'' if detached else body}.{encode(signature)}"


def take_apart(compact: str | bytes, *, typ: str, malformed: Code, payload: bytes | None = None) -> Signed:
    """Split a compact JWS and check everything that needs no key. `payload`: the bytes of a detached one.

    Raises: Refusal.
    """
    raw = compact.encode("utf-8", "replace") if isinstance(compact, str) else compact
    if len(raw) > MAX_SIGNED_PAYLOAD_BYTES * 4 // 3 + MAX_HEADER_BYTES + 1024:
        raise Refusal(Code.TOO_LARGE)
    pieces = raw.split(b".")
    if len(pieces) != 3 or (payload is not None) != (pieces[1] == b""):
        raise Refusal(malformed, "JWS")
    header = _header(pieces[0], malformed)
    alg = header.get("alg")
    if not isinstance(alg, str) or alg not in SIGNING:
        raise Refusal(Code.ALGORITHM_NOT_ALLOWED, str(alg))
    _only(header, SIGNING_HEADERS)
    if header.get("typ") != typ:
        raise Refusal(Code.TYPE_WRONG, str(header.get("typ")))
    crit = header.get("crit")
    if not isinstance(crit, list) or not crit or not all(isinstance(name, str) for name in crit):
        raise Refusal(Code.HEADER_NOT_ALLOWED, "crit")
    if set(crit) != UNDERSTOOD_CRITICAL or len(crit) != len(UNDERSTOOD_CRITICAL):
        raise Refusal(Code.HEADER_NOT_ALLOWED, "crit")
    if not isinstance(header.get("kid"), str) or not isinstance(header.get("iat"), int) or header["iat"] is True:
        raise Refusal(Code.HEADER_NOT_ALLOWED, "kid, iat")
    signature = decode(pieces[2], malformed)
    body = payload if payload is not None else decode(pieces[1], malformed)
    encoded = encode(body).encode("ascii") if payload is not None else pieces[1]
    return Signed(header, body, signature, pieces[0] + b"." + encoded)


def _header(piece: bytes, malformed: Code) -> dict[str, Any]:
    if len(piece) > MAX_HEADER_BYTES:
        raise Refusal(malformed, "header")
    header = parse_json(decode(piece, malformed), malformed, "header")
    if not isinstance(header, dict):
        raise Refusal(malformed, "header")
    return header


def _only(header: Mapping[str, Any], allowed: frozenset[str]) -> None:
    extra = sorted(set(header) - allowed)
    if extra:
        raise Refusal(Code.HEADER_NOT_ALLOWED, ", ".join(extra)[:120])


# ── sealing ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _registry() -> jwe.JWERegistry:
    registry = jwe.JWERegistry(
        header_registry={"epk": HeaderParameter("Ephemeral Public Key", "jwk", True)},
        algorithms=[SEALING_KEY, SEALING_CONTENT],
    )
    registry.max_protected_header_length = MAX_HEADER_BYTES
    registry.max_ciphertext_length = MAX_SEALED_BYTES
    return registry


def seal(plaintext: bytes, key: ECKey, *, kid: str, typ: str, cty: str) -> str:
    """Compact JWE for one receiver's `enc` key."""
    registry = jwe.JWERegistry(algorithms=[SEALING_KEY, SEALING_CONTENT])
    header = {"alg": SEALING_KEY, "enc": SEALING_CONTENT, "kid": kid, "typ": typ, "cty": cty}
    return jwe.encrypt_compact(header, plaintext, key, registry=registry)


@dataclass(frozen=True, slots=True)
class Sealed:
    """A JWE found well-formed and within the allow-list; not opened yet."""

    header: dict[str, Any]
    compact: bytes

    @property
    def kid(self) -> str:
        """The receiver's key it is sealed for."""
        return str(self.header["kid"])

    def open(self, private_key: Callable[[str], ECKey]) -> bytes:
        """Raises: Refusal, when the key does not fit or any bit differs."""
        try:
            opened = jwe.decrypt_compact(self.compact, private_key(self.kid), registry=_registry())
        except (JoseError, ValueError, TypeError, KeyError, AssertionError, binascii.Error):
            raise Refusal(Code.CANNOT_OPEN, self.kid) from None
        except Exception as error:  # cryptography raises InvalidTag, InvalidUnwrap …: all mean "not these bytes"
            if type(error).__module__.startswith("cryptography."):
                raise Refusal(Code.CANNOT_OPEN, self.kid) from None
            raise
        plaintext = opened.plaintext
        if plaintext is None:
            raise Refusal(Code.CANNOT_OPEN, self.kid)
        return plaintext


def look_at_sealed(compact: str | bytes, *, typ: str, cty: str) -> Sealed:
    """Check everything of a JWE that needs no key. Raises: Refusal."""
    raw = compact.encode("utf-8", "replace") if isinstance(compact, str) else compact
    if len(raw) > MAX_SEALED_BYTES:
        raise Refusal(Code.TOO_LARGE)
    if raw.count(b".") != 4:
        raise Refusal(Code.SEALED_MALFORMED, "JWE")
    before = raw[:4096].split(b".", 3)  # header, wrapped key, IV: short; the ciphertext is not copied to look at it
    if len(before) != 4:
        raise Refusal(Code.SEALED_MALFORMED, "JWE")
    header = _header(before[0], Code.SEALED_MALFORMED)
    for name, allowed in (("alg", SEALING_KEY), ("enc", SEALING_CONTENT)):
        if header.get(name) != allowed:
            raise Refusal(Code.ALGORITHM_NOT_ALLOWED, f"{name}={header.get(name)}")
    _only(header, SEALING_HEADERS)
    if header.get("typ") != typ or header.get("cty") != cty:
        raise Refusal(Code.TYPE_WRONG, str(header.get("typ")))
    epk = header.get("epk")
    if not isinstance(epk, dict) or set(epk) != {"kty", "crv", "x", "y"} or not isinstance(header.get("kid"), str):
        raise Refusal(Code.HEADER_NOT_ALLOWED, "epk, kid")
    if (epk["kty"], epk["crv"]) != ("EC", "P-256"):
        raise Refusal(Code.ALGORITHM_NOT_ALLOWED, f"epk {epk['crv']}")
    pieces = (before[1], before[2], raw[raw.rindex(b".") + 1 :])
    if len(pieces[2]) > 64:
        raise Refusal(Code.SEALED_MALFORMED, "lengths")
    wrapped, iv, tag = (decode(piece, Code.SEALED_MALFORMED) for piece in pieces)
    if (len(wrapped), len(iv), len(tag)) != (40, 12, 16):
        raise Refusal(Code.SEALED_MALFORMED, "lengths")
    return Sealed(header, raw)
