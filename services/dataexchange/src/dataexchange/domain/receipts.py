"""Receipts: what one organisation states about a package to the other, signed and chained.

Each organisation keeps one chain per package: its first receipt has no predecessor, every later one names the hash of
the one before. So a receipt that was left out, reordered or replaced is noticed by whoever holds the others.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Final, Literal

import rfc8785
from joserfc.jwk import ECKey, OKPKey
from pydantic import Field, ValidationError, model_validator

from dataexchange.domain import instants, jose
from dataexchange.domain.directory import Directory
from dataexchange.domain.package.manifest import Day, Instant, OrganisationId, Sha256, Strict, Uuid7
from dataexchange.domain.refusals import Code, Refusal

TYP: Final = "komu-receipt+jws"
CLOCK_SKEW: Final = timedelta(minutes=5)
ReceiptKind = Literal["received", "accepted", "refused", "withdrawn", "superseded"]
BY_RECEIVER: Final = frozenset({"received", "accepted", "refused"})
BY_SENDER: Final = frozenset({"withdrawn", "superseded"})
FINAL: Final = frozenset({"accepted", "refused", "withdrawn", "superseded"})


class Statement(Strict):
    """The signed payload of a receipt."""

    spec: Literal["1.0"]
    kind: ReceiptKind
    package_id: Uuid7
    package_sha256: Sha256
    organisation: OrganisationId
    recipient: OrganisationId
    at: Instant
    previous: Sha256 | None = None
    accepted_on: Day | None = None
    code: Annotated[str | None, Field(pattern=r"^[a-z_]{1,60}$")] = None
    text: Annotated[str | None, Field(max_length=2000)] = None

    @model_validator(mode="after")
    def _whole(self) -> "Statement":
        if (self.kind == "accepted") != (self.accepted_on is not None):
            raise ValueError("accepted_on belongs to accepted")
        if self.kind == "refused" and not self.code:
            raise ValueError("a refusal needs its code")
        return self


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt whose signature by its organisation holds."""

    statement: Statement
    jws: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.jws.encode("ascii")).hexdigest()


def sign(statement: Statement, key: ECKey | OKPKey, kid: str, iat: int) -> Receipt:
    """The receipt over the canonical bytes of the statement."""
    payload = rfc8785.dumps(statement.model_dump(exclude_none=True))
    return Receipt(statement, jose.sign(payload, key, kid=kid, iat=iat, typ=TYP))


def read(jws: str, directory: Directory, at: datetime) -> Receipt:
    """Check one receipt: signature, key and owner at its own instant, not from the future. Raises: Refusal."""
    signed = jose.take_apart(jws, typ=TYP, malformed=Code.RECEIPT_INVALID)
    try:
        signed_at = instants.from_epoch(signed.iat)
    except ValueError:
        raise Refusal(Code.RECEIPT_INVALID, "iat") from None
    organisation, key = directory.key(signed.kid, "sig")
    fault = key.fault(signed_at)
    if fault is not None:
        raise fault
    signed.check(jose.key_object(key.jwk))
    value = jose.parse_json(signed.payload, Code.RECEIPT_INVALID, "payload")
    try:
        statement = Statement.model_validate(value)
    except ValidationError as error:
        where = ".".join(str(step) for step in error.errors(include_url=False, include_input=False)[0]["loc"])
        raise Refusal(Code.RECEIPT_INVALID, where[:120]) from None
    if rfc8785.dumps(value) != signed.payload:
        raise Refusal(Code.RECEIPT_INVALID, "canonical")
    if statement.organisation != organisation.id:
        raise Refusal(Code.RECEIPT_INVALID, "organisation")
    if abs(instants.from_text(statement.at) - signed_at) > CLOCK_SKEW:
        raise Refusal(Code.RECEIPT_INVALID, "at")
    if signed_at > at + CLOCK_SKEW:
        raise Refusal(Code.SIGNED_IN_FUTURE, statement.at)
    return Receipt(statement, jws)


def trusted(jws: str) -> Receipt:
    """A receipt from our own table, which was checked before it was put there."""
    signed = jose.take_apart(jws, typ=TYP, malformed=Code.RECEIPT_INVALID)
    return Receipt(Statement.model_validate_json(signed.payload), jws)


def read_pushed(jws: str, directory: Directory, at: datetime) -> Receipt:
    """A receipt that arrives now: its key must be good now as well, or a thief could date it back. Raises: Refusal."""
    receipt = read(jws, directory, at)
    kid = jose.take_apart(jws, typ=TYP, malformed=Code.RECEIPT_INVALID).kid
    directory.reliable_key(kid, "sig", at)
    return receipt


def check_chain(receipts: Sequence[Receipt]) -> None:
    """All receipts about one package in the order they were made, from both sides mixed. Raises: Refusal."""
    last: dict[str, Receipt] = {}
    for receipt in receipts:
        statement = receipt.statement
        first = receipts[0].statement
        if (statement.package_id, statement.package_sha256) != (first.package_id, first.package_sha256):
            raise Refusal(Code.RECEIPT_OTHER_PACKAGE, statement.package_id)
        check_next(last.get(statement.organisation), receipt)
        last[statement.organisation] = receipt


def check_next(before: Receipt | None, receipt: Receipt) -> None:
    """May this receipt follow `before` of the same organisation? Raises: Refusal."""
    statement = receipt.statement
    if statement.previous != (before.sha256 if before else None):
        raise Refusal(Code.RECEIPT_CHAIN_BROKEN, statement.kind)
    if before is None:
        return
    if before.statement.kind in FINAL or statement.at < before.statement.at or statement.kind == "received":
        raise Refusal(Code.RECEIPT_CHAIN_BROKEN, f"{before.statement.kind} → {statement.kind}")
    if before.statement.recipient != statement.recipient:
        raise Refusal(Code.RECEIPT_CHAIN_BROKEN, "recipient")
