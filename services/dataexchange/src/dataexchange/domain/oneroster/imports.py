"""An import as people follow it: uploaded, checked, staged in the register, applied; and when it may go on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from dataexchange.domain.oneroster.findings import Finding, Findings

MAX_UPLOAD_BYTES = 64 * 1024 * 1024


class Kind(StrEnum):
    """What is imported."""

    ONEROSTER = "oneroster"
    SUPPLEMENT = "supplement"  # 学籍補足
    SCHOOL_SUPPLEMENT = "school_supplement"  # 学校補足

    @property
    def supplements(self) -> bool:
        """Adds to what the register holds already; never says that something is gone."""
        return self is not Kind.ONEROSTER


class State(StrEnum):
    """Where an import stands."""

    CHECKING = "checking"
    REFUSED = "refused"  # the check found errors; nothing was written
    CHECKED = "checked"  # clean, but the register has not taken the rows yet
    STAGED = "staged"
    APPLYING = "applying"
    APPLIED = "applied"
    FAILED = "failed"
    DISCARDED = "discarded"

    @property
    def may_be_applied(self) -> bool:
        """A failed one may be tried again: applying is all or nothing."""
        return self in (State.STAGED, State.FAILED)

    @property
    def may_be_discarded(self) -> bool:
        """Also one whose check or hand-over was cut off by a restart."""
        return self in (State.CHECKING, State.CHECKED, State.STAGED, State.FAILED)


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it came in."""

    kind: Kind
    file_name: str
    sha256: str
    bytes: int

    @property
    def source(self) -> str:
        """How the register's history names it."""
        return f"{self.file_name} (sha256 {self.sha256[:16]})"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the check said."""

    findings: Findings
    profile: str
    rows_by_file: Mapping[str, int]
    school_year: int


@dataclass(frozen=True, slots=True)
class Import:
    """One import with its history."""

    id: UUID
    upload: Upload
    state: State
    uploaded_by: UUID
    uploaded_at: datetime
    profile: str = ""
    findings: tuple[Finding, ...] = ()
    errors_total: int = 0
    notes_total: int = 0
    rows_by_file: Mapping[str, int] = field(default_factory=dict)
    school_year: int = 0
    applied_by: UUID | None = None
    applied_at: datetime | None = None
    failure: str = ""
