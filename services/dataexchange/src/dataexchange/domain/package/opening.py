"""Open and check. Every check leaves a finding; a package is good only when no finding is a refusal."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from joserfc.jwk import ECKey

from dataexchange.domain import instants, jose
from dataexchange.domain.directory import Directory
from dataexchange.domain.package import archive, records
from dataexchange.domain.package.manifest import MANIFEST_TYP, PACKAGE_CTY, PACKAGE_TYP, Manifest, Strict
from dataexchange.domain.package.manifest import parse as parse_manifest
from dataexchange.domain.refusals import Code, Refusal

CLOCK_SKEW: Final = timedelta(minutes=5)

# What was checked, in the order it is checked, in the words of the report.
CHECKS: Final[dict[str, tuple[str, str]]] = {
    "directory": ("名簿の署名と有効期間", "directory: signature and validity"),
    "seal": ("封緘の形式と暗号方式", "seal: form and algorithms"),
    "receiver": ("宛先", "receiver"),
    "opened": ("開封", "opened"),
    "structure": ("ZIPの構造", "structure of the archive"),
    "manifest": ("目録の形式", "form of the manifest"),
    "signature": ("目録の署名", "signature of the manifest"),
    "key": ("署名鍵の有効性", "validity of the signing key"),
    "sender": ("送信元と署名者の一致", "sender is the signer"),
    "dates": ("作成日時と有効期限", "dates"),
    "parts": ("文書の過不足", "parts complete"),
    "part": ("文書の内容", "content of a part"),
    "record": ("記録データの様式", "form of a record"),
    "received": ("前の学校から受けた写し", "copies received earlier"),
    "receipt": ("受領書", "receipt"),
    "chain": ("受領書のつながり", "chain of receipts"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: it holds, it was refused, or it could not be looked at."""

    check: str
    subject: str = ""
    refusal: Refusal | None = None
    unchecked: str = ""

    @property
    def holds(self) -> bool:
        return self.refusal is None and not self.unchecked


@dataclass(slots=True)
class Opened:
    """A package taken apart. Trust it only when `findings` holds no refusal."""

    manifest: Manifest
    entries: dict[str, bytes]
    records: dict[str, Strict] = field(default_factory=dict)
    signed_at: datetime | None = None


@dataclass(slots=True)
class Examination:
    """Collects findings; going on after a refusal where later checks still say something."""

    findings: list[Finding] = field(default_factory=list)

    def holds(self, check: str, subject: str = "") -> None:
        self.findings.append(Finding(check, subject))

    def refuse(self, check: str, refusal: Refusal, subject: str = "") -> None:
        self.findings.append(Finding(check, subject, refusal))

    def unchecked(self, check: str, why: str, subject: str = "") -> None:
        self.findings.append(Finding(check, subject, unchecked=why))

    @property
    def first_refusal(self) -> Refusal | None:
        return next((finding.refusal for finding in self.findings if finding.refusal is not None), None)


def open_sealed(
    sealed: bytes, keys: Mapping[str, ECKey], directory: Directory, at: datetime, receiver: str | None = None, *,
    typ: str = PACKAGE_TYP, cty: str = PACKAGE_CTY,
) -> bytes:  # fmt: skip
    """What is inside (the archive), for the organisation that holds one of `keys` (by kid). Raises: Refusal."""
    looked = jose.look_at_sealed(sealed, typ=typ, cty=cty)
    owner, key = directory.key(looked.kid, "enc")
    if looked.kid not in keys or (receiver is not None and owner.id != receiver):
        raise Refusal(Code.WRONG_RECEIVER, owner.id)
    fault = key.fault(at)
    if fault is not None:
        raise fault
    return looked.open(lambda kid: keys[kid])


def examine(
    package: bytes, directory: Directory, at: datetime, *, receiver: str | None = None, arriving: bool = False
) -> tuple[Opened | None, Examination]:
    """All checks of an opened archive.

    `receiver`: the organisation that must stand in the manifest. `arriving`: the package arrives now, so its own
    expiry counts; an archived one is checked as of the instant it arrived.
    """
    exam = Examination()
    try:
        entries = archive.read(package)
    except Refusal as refusal:
        exam.refuse("structure", refusal)
        return None, exam
    exam.holds("structure", f"{len(entries)}")
    opened = _examine_entries(entries, directory, at, exam, arriving=arriving, receiver=receiver)
    if opened is not None:
        _examine_received(opened, directory, exam)
    return opened, exam


def accept(package: bytes, directory: Directory, at: datetime, *, receiver: str) -> Opened:
    """A package that arrives now, wholly good. Raises: Refusal, the first fault found."""
    opened, exam = examine(package, directory, at, receiver=receiver, arriving=True)
    refusal = exam.first_refusal
    if refusal is not None:
        raise refusal
    if opened is None:  # cannot be: no refusal means it was opened
        raise Refusal(Code.MANIFEST_MISSING)
    return opened


def _examine_entries(
    entries: dict[str, bytes],
    directory: Directory,
    at: datetime,
    exam: Examination,
    *,
    arriving: bool,
    receiver: str | None,
) -> Opened | None:
    raw, jws = entries.get(archive.MANIFEST), entries.get(archive.SIGNATURE)
    if raw is None or jws is None:
        exam.refuse("manifest", Refusal(Code.MANIFEST_MISSING))
        return None
    if list(entries)[:2] != [archive.MANIFEST, archive.SIGNATURE]:
        exam.refuse("structure", Refusal(Code.ARCHIVE_MALFORMED, "order"))
    try:
        manifest = parse_manifest(raw)
        exam.holds("manifest", manifest.package_id)
    except Refusal as refusal:
        exam.refuse("manifest", refusal)
        return None
    opened = Opened(manifest, entries)
    opened.signed_at = _examine_signature(raw, jws, manifest, directory, at, exam)
    _examine_dates(manifest, opened.signed_at, at, exam, arriving=arriving)
    if receiver is not None:
        if manifest.receiver.organisation == receiver:
            exam.holds("receiver", receiver)
        else:
            exam.refuse("receiver", Refusal(Code.WRONG_RECEIVER, manifest.receiver.organisation))
    _examine_parts(opened, exam)
    return opened


def _examine_signature(
    raw: bytes, jws: bytes, manifest: Manifest, directory: Directory, at: datetime, exam: Examination
) -> datetime | None:
    try:
        signed = jose.take_apart(jws, typ=MANIFEST_TYP, malformed=Code.SIGNATURE_INVALID, payload=raw)
        signed_at = instants.from_epoch(signed.iat)
        owner, key = directory.key(signed.kid, "sig")
        signed.check(jose.key_object(key.jwk))
    except Refusal as refusal:
        exam.refuse("signature", refusal)
        return None
    except ValueError:
        exam.refuse("signature", Refusal(Code.SIGNATURE_INVALID, "iat"))
        return None
    exam.holds("signature", signed.kid)
    try:
        directory.reliable_key(signed.kid, "sig", signed_at, at)
        exam.holds("key", signed.kid)
    except Refusal as refusal:
        exam.refuse("key", refusal)
    if owner.id == manifest.sender.organisation:
        exam.holds("sender", owner.id)
    else:
        exam.refuse("sender", Refusal(Code.SENDER_MISMATCH, f"{manifest.sender.organisation} ≠ {owner.id}"))
    return signed_at


def _examine_dates(
    manifest: Manifest, signed_at: datetime | None, at: datetime, exam: Examination, *, arriving: bool
) -> None:
    if manifest.created > at + CLOCK_SKEW or (signed_at is not None and signed_at > at + CLOCK_SKEW):
        exam.refuse("dates", Refusal(Code.SIGNED_IN_FUTURE, manifest.created_at))
    elif signed_at is not None and not manifest.created - CLOCK_SKEW <= signed_at < manifest.expires:
        exam.refuse("dates", Refusal(Code.MANIFEST_INVALID, "created_at"))
    elif arriving and at >= manifest.expires:
        exam.refuse("dates", Refusal(Code.PACKAGE_EXPIRED, manifest.expires_at))
    else:
        exam.holds("dates", manifest.created_at)


def _examine_parts(opened: Opened, exam: Examination) -> None:
    listed = {part.path: part for part in opened.manifest.parts}
    held = {path for path in opened.entries if path not in (archive.MANIFEST, archive.SIGNATURE)}
    for path in sorted(set(listed) - held):
        exam.refuse("parts", Refusal(Code.PART_MISSING, path), path)
    for path in sorted(held - set(listed)):
        exam.refuse("parts", Refusal(Code.PART_UNLISTED, path), path)
    if set(listed) == held:
        exam.holds("parts", str(len(listed)))
    if opened.manifest.kind == "return" and [part.role for part in listed.values()] != ["reason"]:
        exam.refuse("parts", Refusal(Code.MANIFEST_INVALID, "a return holds its reason only"))
    for path, part in listed.items():
        data = opened.entries.get(path)
        if data is None:
            continue
        if len(data) != part.bytes or hashlib.sha256(data).hexdigest() != part.sha256:
            exam.refuse("part", Refusal(Code.PART_DAMAGED, path), path)
            continue
        if part.media_type == "application/pdf" and not data.startswith(b"%PDF-"):
            exam.refuse("part", Refusal(Code.PART_DAMAGED, path), path)
            continue
        exam.holds("part", path)
        schema = records.SCHEMA_OF_ROLE.get(part.role)
        if schema is None:
            continue
        try:
            if part.schema_ != schema:
                raise Refusal(Code.VERSION_UNSUPPORTED, f"{path}: {part.schema_}")
            opened.records[path] = records.parse(schema, data, path)
            exam.holds("record", path)
        except Refusal as refusal:
            exam.refuse("record", refusal, path)


def _examine_received(opened: Opened, directory: Directory, exam: Examination) -> None:
    """Copies of former schools travel on with their own manifest and signature: checked as of when they were made."""
    folders = sorted({path.split("/")[1] for path in opened.entries if path.startswith("received/")})
    for folder in folders:
        prefix = f"received/{folder}/"
        try:
            raw, jws = opened.entries.get(prefix + archive.MANIFEST), opened.entries.get(prefix + archive.SIGNATURE)
            if raw is None or jws is None:
                raise Refusal(Code.MANIFEST_MISSING, prefix)
            former = parse_manifest(raw)
            signed = jose.take_apart(jws, typ=MANIFEST_TYP, malformed=Code.SIGNATURE_INVALID, payload=raw)
            owner, key = directory.key(signed.kid, "sig")
            signed.check(jose.key_object(key.jwk))
            fault = key.fault(instants.from_epoch(signed.iat))
            if fault is not None:
                raise fault
            if owner.id != former.sender.organisation or former.package_id != folder:
                raise Refusal(Code.SENDER_MISMATCH, prefix)
            for part in former.parts:
                path = part.path if part.path.startswith("received/") else prefix + part.path
                data = opened.entries.get(path)
                if data is None:
                    raise Refusal(Code.PART_MISSING, path)
                if len(data) != part.bytes or hashlib.sha256(data).hexdigest() != part.sha256:
                    raise Refusal(Code.PART_DAMAGED, path)
            exam.holds("received", folder)
        except Refusal as refusal:
            exam.refuse("received", refusal, folder)
        except ValueError:
            exam.refuse("received", Refusal(Code.SIGNATURE_INVALID, prefix), folder)
