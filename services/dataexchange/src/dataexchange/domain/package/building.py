"""Build, sign and seal. Sign, then encrypt: no outsider learns who signed what."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Final
from uuid import UUID

from joserfc.jwk import ECKey, OKPKey

from dataexchange.domain import instants, jose
from dataexchange.domain.directory import KeyEntry
from dataexchange.domain.package import archive
from dataexchange.domain.package.manifest import (
    MANIFEST_TYP,
    PACKAGE_CTY,
    PACKAGE_TYP,
    SPEC,
    Absent,
    Decision,
    Kind,
    Manifest,
    Part,
    Party,
)

LASTS: Final = timedelta(days=14)  # sending is retried for 7 days; after 14 nobody accepts it any more


@dataclass(frozen=True, slots=True)
class Content:
    """One file of the package with its line in the manifest."""

    part: Part
    data: bytes


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The sending organisation's private key."""

    kid: str
    key: ECKey | OKPKey


@dataclass(frozen=True, slots=True)
class Built:
    """A signed package, not sealed yet."""

    manifest: Manifest
    manifest_bytes: bytes
    manifest_jws: bytes
    archive: bytes


@dataclass(frozen=True)
class SealedPackage:
    """What travels; receipts name it by its hash."""

    sealed: bytes

    @cached_property
    def sha256(self) -> str:
        return hashlib.sha256(self.sealed).hexdigest()


def build(
    contents: Sequence[Content],
    *,
    package_id: UUID,
    transfer_id: UUID,
    kind: Kind,
    sender: Party,
    receiver: Party,
    decided_by: Decision,
    at: datetime,
    signing: SigningKey,
    absent: Sequence[Absent] = (),
    supersedes: UUID | None = None,
    left_on: str | None = None,
    lasts: timedelta = LASTS,
) -> Built:
    """Raises: pydantic.ValidationError or Refusal, for what a receiver would refuse."""
    described = Manifest(
        spec=SPEC, package_id=str(package_id), transfer_id=str(transfer_id), kind=kind, sender=sender,
        receiver=receiver,
        decided_by=decided_by, created_at=instants.to_text(at), expires_at=instants.to_text(at + lasts),
        supersedes=str(supersedes) if supersedes else None, left_on=left_on,
        parts=[content.part for content in contents], absent=list(absent),
    )  # fmt: skip
    raw = described.to_bytes()
    jws = jose.sign(
        raw, signing.key, kid=signing.kid, iat=int(at.timestamp()), typ=MANIFEST_TYP, detached=True
    ).encode()
    entries = {archive.MANIFEST: raw, archive.SIGNATURE: jws}
    entries.update((content.part.path, content.data) for content in contents)
    return Built(described, raw, jws, archive.write(entries))


def seal(
    package: bytes, receiver_key: KeyEntry, *, typ: str = PACKAGE_TYP, cty: str = PACKAGE_CTY
) -> SealedPackage:
    """Encrypt the archive for the receiver's `enc` key."""
    key = jose.key_object(receiver_key.jwk)
    if not isinstance(key, ECKey):
        raise ValueError("an enc key is a P-256 key")
    sealed = jose.seal(package, key, kid=receiver_key.kid, typ=typ, cty=cty).encode("ascii")
    return SealedPackage(sealed)
