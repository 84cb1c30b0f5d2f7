"""What people ask for, as values."""

from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from dataexchange.domain.package.building import Content
from dataexchange.domain.package.manifest import Absent, School


@dataclass(frozen=True, slots=True)
class PupilFacts:
    """What the register says about a child today."""

    id: UUID
    school_id: UUID
    class_id: UUID | None
    enrolled: bool
    protected: bool
    enrolment_version: int


@dataclass(frozen=True, slots=True)
class Draft:
    pupil_id: UUID
    organisation: str
    school_code: str
    left_on: date
    reason: str
    notice_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Gathered:
    """What was collected for a package from the services, ready to be listed in a manifest."""

    school: School
    contents: list[Content] = field(default_factory=list)
    absent: list[Absent] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Admission:
    """Accept a child: into which school, from which day."""

    arrival_id: UUID
    school_id: UUID
    accepted_on: date
    school_grade: str
    version: int
