"""取込: what a new roster file would change, and when that needs a second look."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

ENTITIES = ("schools", "classes", "people", "members", "appointments", "duties")
EXAMPLES = 20
_SHRINK_DENOMINATOR = 5

STAGED, COMPARED, APPLYING, APPLIED, FAILED, CANCELLED = (
    "staged",
    "compared",
    "applying",
    "applied",
    "failed",
    "cancelled",
)


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field that differs."""

    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Example:
    """One record that would be added, changed or end."""

    kind: str  # added | changed | gone
    label: str
    fields: tuple[FieldChange, ...] = ()


@dataclass(frozen=True, slots=True)
class EntityChange:
    """Counts for one kind of record; `existing` = active before the import."""

    entity: str
    existing: int
    added: int
    changed: int
    gone: int
    examples: tuple[Example, ...] = ()

    @property
    def shrinks(self) -> bool:
        """Whether more than a fifth of what is active would vanish."""
        return self.gone * _SHRINK_DENOMINATOR > self.existing


def needs_shrink_confirmation(changes: Iterable[EntityChange]) -> bool:
    """A wrong or half file looks like a mass departure: then a person must say so twice."""
    return any(change.shrinks for change in changes)


def source_uuid(tenant: str, source_id: str) -> uuid.UUID:
    """The identifier of a class or organisation from a roster file: its sourcedId, which the profile makes a UUID.

    Anything else gets a stable one of its own per board.
    """
    if len(source_id) == 36:
        try:
            return uuid.UUID(source_id)
        except ValueError:
            pass
    return uuid.uuid5(uuid.NAMESPACE_URL, f"https://komu.example/{tenant}/{source_id}")


def entered_by(starts_on: date) -> str:
    """How a child who is new in a roster file came: at the start of the school year 入学, later 転入学.

    The office corrects what this guesses wrong; the guess is recorded as coming from the file.
    """
    return "admitted" if (starts_on.month, starts_on.day) <= (4, 10) and starts_on.month == 4 else "transferred_in"
