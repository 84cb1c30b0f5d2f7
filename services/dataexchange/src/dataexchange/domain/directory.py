"""The trust directory: one signed JSON document that says which organisation speaks with which keys.

File form: flattened JWS JSON (RFC 7515 §7.2.2) in canonical JSON (RFC 8785), so that one directory has one spelling
and one hash. Deployments pin the operator's key, keep the last good one, and refuse a lower sequence, another document
under the same sequence, a chain that does not pass through the one they hold, and one that expired more than 7 days
ago.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Annotated, Any, Final, Literal

import rfc8785
from joserfc.jwk import ECKey, OKPKey
from pydantic import Field, ValidationError, model_validator

from dataexchange.domain import instants, jose
from dataexchange.domain.package.manifest import Instant, OrganisationId, Sha256, Strict, Text
from dataexchange.domain.refusals import Code, Refusal

TYP: Final = "komu-directory+jws"
GRACE: Final = timedelta(days=7)
MAX_HISTORY: Final = 400
Use = Literal["sig", "enc"]


class KeyEntry(Strict):
    """A public JWK with its validity. A revoked key stays listed: what was signed before stays verifiable."""

    kid: Annotated[str, Field(min_length=1, max_length=120)]
    use: Use
    alg: Literal["ES256", "EdDSA", "ECDH-ES+A256KW"]
    kty: Literal["EC", "OKP"]
    crv: Literal["P-256", "Ed25519"]
    x: Annotated[str, Field(max_length=60)]
    y: Annotated[str | None, Field(max_length=60)] = None
    valid_from: Instant
    valid_until: Instant
    revoked_at: Instant | None = None

    @property
    def jwk(self) -> dict[str, Any]:
        fields = {"kty": self.kty, "crv": self.crv, "x": self.x, "y": self.y}
        return {name: value for name, value in fields.items() if value is not None}

    def fault(self, at: datetime) -> Refusal | None:
        """Why the key may not be relied on at that instant, or None."""
        if self.revoked_at is not None and at >= instants.from_text(self.revoked_at):
            return Refusal(Code.KEY_REVOKED, self.kid)
        if at < instants.from_text(self.valid_from):
            return Refusal(Code.KEY_NOT_YET_VALID, self.kid)
        if at >= instants.from_text(self.valid_until):
            return Refusal(Code.KEY_EXPIRED, self.kid)
        return None


class Jwks(Strict):
    keys: Annotated[list[KeyEntry], Field(max_length=50)]


class ListedSchool(Strict):
    """A school an organisation receives for; shown where a destination is chosen."""

    code: Annotated[str, Field(max_length=20)] = ""
    name: Text
    address: Annotated[str, Field(max_length=400)] = ""


class Organisation(Strict):
    """A 設置者 (board of education, national or private school) that takes part in the exchange."""

    id: OrganisationId
    kind: Literal["board", "school", "other"]
    name: Text
    base_url: Annotated[str, Field(pattern=r"^https://[A-Za-z0-9.\[\]:_/-]+$", max_length=300)]
    status: Literal["active", "suspended"] = "active"
    jwks: Jwks
    schools: list[ListedSchool] = Field(default_factory=list, max_length=2000)


class Predecessor(Strict):
    sequence: Annotated[int, Field(ge=1)]
    sha256: Sha256


class Content(Strict):
    """The signed payload."""

    spec: Literal["1.0"]
    sequence: Annotated[int, Field(ge=1)]
    issued_at: Instant
    expires_at: Instant
    predecessors: Annotated[list[Predecessor], Field(max_length=MAX_HISTORY)]
    organisations: Annotated[list[Organisation], Field(max_length=5000)]

    @model_validator(mode="after")
    def _whole(self) -> "Content":
        ids = [organisation.id for organisation in self.organisations]
        kids = [key.kid for organisation in self.organisations for key in organisation.jwks.keys]
        if len(set(ids)) != len(ids) or len(set(kids)) != len(kids):
            raise ValueError("an organisation or key id is listed twice")
        if self.expires_at <= self.issued_at:
            raise ValueError("expires before it was issued")
        numbers = [predecessor.sequence for predecessor in self.predecessors]
        if numbers != sorted(set(numbers)) or (numbers and numbers[-1] != self.sequence - 1):
            raise ValueError("predecessors out of order")
        if self.sequence > 1 and not numbers:
            raise ValueError("predecessor missing")
        return self


@dataclass(frozen=True)
class Directory:
    """A directory whose signature by the pinned operator holds."""

    content: Content
    raw: bytes

    @cached_property
    def sha256(self) -> str:
        return hashlib.sha256(self.raw).hexdigest()

    @cached_property
    def _organisations(self) -> dict[str, Organisation]:
        return {organisation.id: organisation for organisation in self.content.organisations}

    @cached_property
    def _keys(self) -> dict[str, tuple[Organisation, KeyEntry]]:
        return {key.kid: (org, key) for org in self.content.organisations for key in org.jwks.keys}

    def fault(self, at: datetime) -> Refusal | None:
        """Expired past the grace of 7 days, or dated in the future?"""
        if at >= instants.from_text(self.content.expires_at) + GRACE:
            return Refusal(Code.DIRECTORY_EXPIRED, self.content.expires_at)
        return None

    def organisation(self, organisation_id: str) -> Organisation:
        """Raises: Refusal."""
        found = self._organisations.get(organisation_id)
        if found is None:
            raise Refusal(Code.ORGANISATION_UNKNOWN, organisation_id[:64])
        return found

    def key(self, kid: str, use: Use) -> tuple[Organisation, KeyEntry]:
        """Who owns the key, whatever its validity. Raises: Refusal."""
        found = self._keys.get(kid)
        if found is None:
            raise Refusal(Code.KEY_UNKNOWN, kid[:120])
        if found[1].use != use:
            raise Refusal(Code.KEY_WRONG_USE, kid[:120])
        return found

    def reliable_key(self, kid: str, use: Use, *instants_: datetime) -> tuple[Organisation, KeyEntry]:
        """The key's owner, if owner and key may be relied on at each of these instants. Raises: Refusal."""
        organisation, key = self.key(kid, use)
        if organisation.status != "active":
            raise Refusal(Code.ORGANISATION_SUSPENDED, organisation.id)
        for at in instants_:
            fault = key.fault(at)
            if fault is not None:
                raise fault
        return organisation, key

    def key_for(self, organisation_id: str, use: Use, at: datetime) -> KeyEntry:
        """The organisation's key for now: of those valid, the one that lasts longest. Raises: Refusal."""
        organisation = self.organisation(organisation_id)
        if organisation.status != "active":
            raise Refusal(Code.ORGANISATION_SUSPENDED, organisation.id)
        usable = [key for key in organisation.jwks.keys if key.use == use and key.fault(at) is None]
        if not usable:
            raise Refusal(Code.KEY_UNKNOWN, f"{organisation_id}: {use}")
        return max(usable, key=lambda key: key.valid_until)

    def follows(self, held: "Directory") -> None:
        """May this one replace the one held? Raises: Refusal."""
        if self.content.sequence < held.content.sequence:
            raise Refusal(Code.DIRECTORY_OLDER, f"{self.content.sequence} < {held.content.sequence}")
        if self.content.sequence == held.content.sequence:
            if self.raw != held.raw:
                raise Refusal(Code.DIRECTORY_CHAIN_BROKEN, f"two of sequence {held.content.sequence}")
            return
        known = {predecessor.sequence: predecessor.sha256 for predecessor in self.content.predecessors}
        if known.get(held.content.sequence) != held.sha256:
            raise Refusal(Code.DIRECTORY_CHAIN_BROKEN, f"{held.content.sequence} → {self.content.sequence}")


def read(raw: bytes, operator: Mapping[str, Any]) -> Directory:
    """A directory signed by the pinned operator (a public JWK). Raises: Refusal."""
    if len(raw) > jose.MAX_SIGNED_PAYLOAD_BYTES * 2:
        raise Refusal(Code.TOO_LARGE)
    outer = jose.parse_json(raw, Code.DIRECTORY_MALFORMED, "JSON")
    if not isinstance(outer, dict) or set(outer) != {"payload", "protected", "signature"}:
        raise Refusal(Code.DIRECTORY_MALFORMED, "members")
    if not all(isinstance(value, str) for value in outer.values()) or rfc8785.dumps(outer) != raw:
        raise Refusal(Code.DIRECTORY_MALFORMED, "canonical")
    compact = f"{outer['protected']}.{outer['payload']}.{outer['signature']}"
    signed = jose.take_apart(compact, typ=TYP, malformed=Code.DIRECTORY_MALFORMED)
    key = jose.key_object(operator)
    if signed.kid != key.thumbprint():
        raise Refusal(Code.DIRECTORY_UNTRUSTED, signed.kid[:120])
    try:
        signed.check(key)
    except Refusal:
        raise Refusal(Code.DIRECTORY_UNTRUSTED) from None
    value = jose.parse_json(signed.payload, Code.DIRECTORY_MALFORMED, "payload")
    try:
        content = Content.model_validate(value)
    except ValidationError as error:
        where = ".".join(str(step) for step in error.errors(include_url=False, include_input=False)[0]["loc"])
        raise Refusal(Code.DIRECTORY_MALFORMED, where[:200]) from None
    return Directory(content, raw)


def accept(raw: bytes, operator: Mapping[str, Any], held: Directory | None, at: datetime) -> Directory:
    """What a deployment does with a directory it fetched. Raises: Refusal; the held one then stays in use."""
    fresh = read(raw, operator)
    fault = fresh.fault(at)
    if fault is not None:
        raise fault
    if held is not None:
        fresh.follows(held)
    return fresh


def sign(content: Content, operator: ECKey | OKPKey, iat: int) -> bytes:
    """The file of a directory, signed by its operator's private key."""
    payload = rfc8785.dumps(content.model_dump(by_alias=True, exclude_none=True))
    compact = jose.sign(payload, operator, kid=operator.thumbprint(), iat=iat, typ=TYP)
    protected, body, signature = compact.split(".")
    return rfc8785.dumps({"payload": body, "protected": protected, "signature": signature})


def successor(held: Directory | None, organisations: list[Organisation], at: datetime, lasts: timedelta) -> Content:
    """The next content after `held` (or the first): its sequence, its chain."""
    predecessors: list[Predecessor] = []
    sequence = 1
    if held is not None:
        sequence = held.content.sequence + 1
        last = Predecessor(sequence=held.content.sequence, sha256=held.sha256)
        predecessors = [*held.content.predecessors, last][-MAX_HISTORY:]
    return Content(
        spec="1.0", sequence=sequence, issued_at=instants.to_text(at), expires_at=instants.to_text(at + lasts),
        predecessors=predecessors, organisations=organisations,
    )  # fmt: skip
