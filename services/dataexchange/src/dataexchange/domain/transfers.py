"""The values of a transfer: what is kept about a departure, an arrival, a delivery."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final
from uuid import UUID

from dataexchange.domain.states import ArrivalState, TransferState

DEPLOYMENT: Final = "deployment"
"""The tenant of what belongs to no board but to the deployment: the directory it uses, nonces it has seen."""


@dataclass(frozen=True, slots=True)
class StateChange:
    """Who, when, why."""

    state: str
    at: datetime
    actor_id: UUID | None
    reason: str


@dataclass(frozen=True, slots=True)
class Destination:
    """Where the child goes: the organisation that opens the package, and the school it names."""

    organisation: str
    organisation_name: str
    school_code: str = ""
    school_name: str = ""
    school_address: str = ""

    @property
    def name(self) -> str:
        """As 様式1 prints it: the school, or the board where no school was chosen."""
        return self.school_name or self.organisation_name


@dataclass(frozen=True, slots=True)
class Transfer:
    """転学 of one child to a school of another organisation."""

    id: UUID
    pupil_id: UUID
    school_id: UUID
    destination: Destination
    left_on: date
    reason: str
    state: TransferState
    version: int
    created_at: datetime
    accepted_on: date | None = None
    package_id: UUID | None = None
    last_error: str = ""


@dataclass(frozen=True, slots=True)
class KeptReceipt:
    """A receipt as it lies in the table."""

    package_id: UUID
    organisation: str
    recipient: str
    kind: str
    at: datetime
    sha256: str
    previous: str | None
    code: str
    text: str
    jws: str


@dataclass(frozen=True, slots=True)
class KeptPackage:
    """A package built here, without its sealed bytes."""

    id: UUID
    kind: str
    transfer_id: UUID
    arrival_id: UUID | None
    to_organisation: str
    manifest: bytes
    manifest_jws: bytes
    sha256: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ArrivalPart:
    """A file of an arrived package, without its bytes."""

    path: str
    media_type: str
    role: str
    title: str
    information_class: int
    custody: str
    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Arrival:
    """A package that came in and was found good."""

    id: UUID
    transfer_id: UUID
    kind: str
    from_organisation: str
    from_organisation_name: str
    from_school_name: str
    from_school_address: str
    to_organisation: str
    to_school_code: str
    state: ArrivalState
    sha256: str
    received_at: datetime
    version: int
    left_on: date | None = None
    matched_pupil_id: UUID | None = None
    pupil_id: UUID | None = None
    school_id: UUID | None = None
    accepted_on: date | None = None
    refusal_code: str = ""
    refusal_text: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """Something that still has to reach another organisation: a package or a receipt."""

    id: UUID
    kind: str
    package_id: UUID
    from_organisation: str
    to_organisation: str
    attempts: int
    next_attempt_at: datetime
    gives_up_at: datetime
    receipt_sha256: str | None = None
    last_error: str = ""


@dataclass(frozen=True, slots=True)
class TransferView:
    """A transfer with everything its page shows."""

    transfer: Transfer
    history: list[StateChange] = field(default_factory=list)
    receipts: list[KeptReceipt] = field(default_factory=list)
    package: KeptPackage | None = None
    delivery: Delivery | None = None


@dataclass(frozen=True, slots=True)
class ArrivalView:
    """An arrival with everything its page shows; the learner only where the reader may see it."""

    arrival: Arrival
    history: list[StateChange] = field(default_factory=list)
    receipts: list[KeptReceipt] = field(default_factory=list)
    parts: list[ArrivalPart] = field(default_factory=list)
    learner: bytes | None = None
    enrolment_history: bytes | None = None
    manifest: bytes | None = None
