"""Whom a person serves today, as the register told it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Standing:
    """`posts`: school → posts held there today (principal, vice_principal, teacher, office, nurse)."""

    posts: Mapping[UUID, frozenset[str]] = field(default_factory=dict)
    homeroom_class_ids: frozenset[UUID] = frozenset()
    headed: frozenset[tuple[UUID, str]] = frozenset()
    """(school, 学年) of 学年主任."""
    every_school: bool = False
    """A board's administrator."""

    def at(self, school_id: UUID) -> frozenset[str]:
        return self.posts.get(school_id, frozenset())

    def serves(self, school_id: UUID) -> bool:
        return self.every_school or school_id in self.posts


@dataclass(frozen=True, slots=True)
class Place:
    """What a document is about: school, class (None when it has none), 学年."""

    school_id: UUID
    class_id: UUID | None
    school_grade: str
