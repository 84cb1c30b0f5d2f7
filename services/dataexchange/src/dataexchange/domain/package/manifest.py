"""The manifest: what is in a package, who decided it, who sends it to whom. Its exact bytes are what is signed."""

import hashlib
import re
from datetime import date, datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from dataexchange.domain import instants, jose
from dataexchange.domain.package import archive
from dataexchange.domain.refusals import Code, Refusal

SPEC: Final = "1.0"
PACKAGE_TYP: Final = "komu-transfer+jwe"
PACKAGE_CTY: Final = "application/zip"
MANIFEST_TYP: Final = "komu-manifest+jws"

Kind = Literal["transfer", "advance", "late_addition", "return", "disaster"]
Custody = Literal["copy", "extract", "original"]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
OrganisationId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9:._-]{1,63}$")]
Text = Annotated[str, Field(min_length=1, max_length=400)]

MEDIA_TYPES: Final = {
    ".json": "application/json",
    ".pdf": "application/pdf",
    ".jsonl": "application/x-ndjson",
    ".jws": "application/jose",
}

ROLES: Final[dict[str, str]] = {
    "learner": "児童生徒の基本情報",
    "enrolment_history": "学籍の履歴",
    "guidance_record": "指導要録(指導に関する記録)",
    "attendance_summary": "出欠の記録",
    "identifiers": "識別子",
    "health_record": "健康診断票",
    "guidance_record_form_1": "指導要録の写し 様式1(学籍に関する記録)",
    "guidance_record_form_2": "指導要録の写し 様式2(指導に関する記録)",
    "guidance_record_copy": "指導要録の写し(校長の証明付き)",
    "enrolment_certificate": "在学証明書",
    "textbook_certificate": "教科用図書給与証明書",
    "received_copy": "前の学校から受けた写し・抄本",
    "learning_statements": "学習記録(xAPI)",
    "reason": "返送・取下げの理由",
}
Role = Literal[
    "learner", "enrolment_history", "guidance_record", "attendance_summary", "identifiers", "health_record",
    "guidance_record_form_1", "guidance_record_form_2", "guidance_record_copy", "enrolment_certificate",
    "textbook_certificate", "received_copy", "learning_statements", "reason",
]  # fmt: skip


def _instant(text: str) -> str:
    instants.from_text(text)
    return text


def _uuid7(text: str) -> str:
    value = UUID(text)
    if str(value) != text or value.version != 7:
        raise ValueError("not a UUIDv7 in lower case")
    return text


def _day(text: str) -> str:
    if date.fromisoformat(text).isoformat() != text:
        raise ValueError("not a date as YYYY-MM-DD")
    return text


def _path(text: str) -> str:
    if text in (archive.MANIFEST, archive.SIGNATURE) or not archive.path_allowed(text):
        raise ValueError("path outside the published folders")
    return text


Instant = Annotated[str, AfterValidator(_instant), Field(json_schema_extra={"format": "date-time"})]
Uuid7 = Annotated[str, AfterValidator(_uuid7), Field(json_schema_extra={"format": "uuid"})]
Day = Annotated[str, AfterValidator(_day), Field(json_schema_extra={"format": "date"})]
PartPath = Annotated[str, AfterValidator(_path), Field(max_length=400)]


class Strict(BaseModel):
    """No unknown member, no coercion: two readers must never disagree about a signed document."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class School(Strict):
    """A school as both sides can find it: 学校コード where there is one."""

    code: Annotated[str, Field(max_length=20)] = ""
    name: Text
    address: Annotated[str, Field(max_length=400)] = ""


class Party(Strict):
    """One side: the organisation (設置者) that signs or opens, and its school."""

    organisation: OrganisationId
    name: Text
    school: School | None = None


class Decision(Strict):
    """Who decided to send it (校長, 学校教育法施行規則 24条), as an office and a name, and when."""

    office: Text
    name: Text
    at: Instant


class Part(Strict):
    """One entry of the archive."""

    path: PartPath
    media_type: Annotated[str, Field(max_length=80)]
    bytes: Annotated[int, Field(ge=0, le=archive.MAX_ARCHIVE_BYTES)]
    sha256: Sha256
    role: Role
    information_class: Literal[1, 2, 3, 4]
    custody: Custody
    title: Text
    schema_: Annotated[str | None, Field(alias="schema", max_length=80)] = None


class Absent(Strict):
    """A part the kind asks for and this package does not hold, with the reason. Nothing is left out silently."""

    role: Role
    reason: Text


class Manifest(Strict):
    """`manifest.json`."""

    spec: Annotated[str, Field(pattern=r"^\d+\.\d+$")]
    package_id: Uuid7
    transfer_id: Uuid7
    kind: Kind
    sender: Party
    receiver: Party
    decided_by: Decision
    created_at: Instant
    expires_at: Instant
    supersedes: Uuid7 | None = None
    left_on: Day | None = None
    parts: Annotated[list[Part], Field(max_length=archive.MAX_PARTS - 2)]
    absent: list[Absent] = Field(default_factory=list, max_length=50)

    @model_validator(mode="after")
    def _whole(self) -> "Manifest":
        paths = [part.path for part in self.parts]
        if len(set(paths)) != len(paths):
            raise ValueError("a path is listed twice")
        for part in self.parts:
            ending = re.search(r"\.[a-z0-9]+$", part.path)
            if ending is None or MEDIA_TYPES.get(ending.group()) != part.media_type:
                raise ValueError(f"media type of {part.path}")
        if self.expires_at <= self.created_at:
            raise ValueError("expires before it was created")
        if self.sender.organisation == self.receiver.organisation and self.kind == "transfer":
            raise ValueError("sender and receiver are the same organisation")
        if (self.kind == "late_addition") != (self.supersedes is not None):
            raise ValueError("supersedes belongs to late_addition")
        return self

    @property
    def expires(self) -> datetime:
        return instants.from_text(self.expires_at)

    @property
    def created(self) -> datetime:
        return instants.from_text(self.created_at)

    def to_bytes(self) -> bytes:
        """Canonical JSON (RFC 8785): the bytes that are signed."""
        return jose.canonical(self.model_dump(by_alias=True, exclude_none=True))


def part(
    path: str, data: bytes, *, role: str, title: str, information_class: int, custody: str, schema: str | None = None
) -> Part:
    """The manifest's line about one file. Raises: pydantic.ValidationError."""
    ending = "." + path.rsplit(".", 1)[-1]
    fields: dict[str, Any] = {
        "path": path, "media_type": MEDIA_TYPES.get(ending, ""), "bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "role": role, "information_class": information_class, "custody": custody, "title": title, "schema": schema,
    }  # fmt: skip
    return Part.model_validate(fields)


def parse(data: bytes) -> Manifest:
    """Raises: Refusal. The bytes must be the canonical spelling of what they say."""
    value = jose.parse_json(data, Code.MANIFEST_INVALID, "JSON")
    if not isinstance(value, dict):
        raise Refusal(Code.MANIFEST_INVALID, "JSON")
    if value.get("spec") != SPEC:
        raise Refusal(Code.VERSION_UNSUPPORTED, str(value.get("spec"))[:20])
    try:
        manifest = Manifest.model_validate(value)
        canonical = jose.canonical(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        raise Refusal(Code.MANIFEST_INVALID, ".".join(str(step) for step in first["loc"])[:120]) from None
    except ValueError:
        raise Refusal(Code.MANIFEST_INVALID, "canonical") from None
    if canonical != data:
        raise Refusal(Code.MANIFEST_INVALID, "canonical")
    return manifest
