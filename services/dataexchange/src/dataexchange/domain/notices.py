"""転入の予定: the receiving side tells the former school whom it expects and asks for the record.

The document is canonical JSON, sealed for the asked organisation like a package; the request that brings it is signed.
Its taker says only that it came: whether the child exists there is never told to the asker (支援措置).
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Final, Literal, Self
from uuid import UUID

from pydantic import ValidationError, model_validator
from servicekit.errors import Conflict

from dataexchange.domain import jose
from dataexchange.domain.package.manifest import Day, Instant, Party, Strict, Uuid7
from dataexchange.domain.package.records import Learner, Name, Uuid
from dataexchange.domain.refusals import Code, Refusal
from dataexchange.domain.transfers import Delivery, StateChange

TYP: Final = "komu-notice+jwe"
CTY: Final = "application/json"
MAX_BYTES: Final = 64 * 1024
Direction = Literal["in", "out"]


class Child(Strict):
    """By the UUID of its record, or by name, kana and birth date together."""

    person_id: Uuid | None = None
    name: Name | None = None
    kana: Name | None = None
    born_on: Day | None = None

    @model_validator(mode="after")
    def _enough(self) -> Self:
        if self.person_id is None and None in (self.name, self.kana, self.born_on):
            raise ValueError("a UUID, or name, kana and birth date")
        return self

    def is_that_of(self, learner: Learner) -> bool:
        """Does the record of that package belong to the child asked for?"""
        if self.person_id is not None:
            return self.person_id == learner.person_id
        return self.born_on == learner.born_on and self.kana == learner.names.kana


class Document(Strict):
    """`notice/1.0`, the plaintext inside the seal."""

    spec: Literal["1.0"]
    notice_id: Uuid7
    sender: Party
    receiver: Party
    child: Child
    accepted_on: Day
    created_at: Instant


def to_bytes(document: Document) -> bytes:
    return jose.canonical(document.model_dump(mode="json", exclude_none=True))


def parse(data: bytes) -> Document:
    """Raises: Refusal, naming the first wrong member, never a value."""
    value = jose.parse_json(data, Code.NOTICE_INVALID, "JSON")
    try:
        document = Document.model_validate(value)
    except ValidationError as error:
        where = ".".join(str(step) for step in error.errors(include_url=False, include_input=False)[0]["loc"])
        raise Refusal(Code.NOTICE_INVALID, where[:200]) from None
    if to_bytes(document) != data:
        raise Refusal(Code.NOTICE_INVALID, "canonical")
    if document.sender.school is None:
        raise Refusal(Code.NOTICE_INVALID, "sender.school")
    return document


class NoticeState(StrEnum):
    """`sent`: on its way (the asker only) · `received`: the asked side has it · `answered`: by a transfer."""

    SENT = "sent"
    RECEIVED = "received"
    ANSWERED = "answered"
    REFUSED = "refused"
    EXPIRED = "expired"


N = NoticeState
_STEPS: Final[dict[NoticeState, frozenset[NoticeState]]] = {
    N.SENT: frozenset({N.RECEIVED, N.ANSWERED, N.REFUSED, N.EXPIRED}),
    N.RECEIVED: frozenset({N.ANSWERED, N.REFUSED}),
    N.EXPIRED: frozenset({N.ANSWERED}),
    N.ANSWERED: frozenset(),
    N.REFUSED: frozenset(),
}
NAMES: Final[dict[str, str]] = {
    "sent": "送信中", "received": "届いています", "answered": "回答済み", "refused": "対応しない",
    "expired": "送信できませんでした",
}  # fmt: skip


def step(before: NoticeState, after: NoticeState) -> NoticeState:
    """Raises: Conflict, when there is no such step."""
    if after not in _STEPS[before]:
        raise Conflict(
            f"この照会は現在「{NAMES[before]}」のため、「{NAMES[after]}」にできません。",
            {"state": before},
            reason="STATE",
        )
    return after


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice as either side keeps it. `document` is None once the child's facts were erased."""

    id: UUID
    direction: Direction
    organisation: str
    organisation_name: str
    school_code: str
    school_name: str
    own_school_code: str
    expected_on: date
    state: NoticeState
    sha256: str
    created_at: datetime
    version: int = 1
    transfer_id: UUID | None = None
    last_error: str = ""
    document: bytes | None = None

    @property
    def child(self) -> Child | None:
        return parse(self.document).child if self.document is not None else None


@dataclass(frozen=True, slots=True)
class NoticeView:
    notice: Notice
    history: list[StateChange] = field(default_factory=list)
    delivery: Delivery | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What the office of the receiving school states."""

    from_school_id: UUID
    organisation: str
    school_code: str
    child: Child
    expected_on: date
    not_protected: bool
