"""What a member of staff is today: the facts that policies decide on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

LEADERS = frozenset({"principal", "vice_principal"})
REGISTRARS = LEADERS | {"office"}
"""校長・教頭・事務職員: who keep the register of a school."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Posts per school and classes led, of one person on one day, from the register itself and not from the token."""

    person_id: UUID
    posts: Mapping[UUID, frozenset[str]] = field(default_factory=dict)
    homeroom_class_ids: frozenset[UUID] = frozenset()
    of_board: bool = False  # appointed to the 教育委員会 itself

    def serves(self, school_id: UUID) -> bool:
        """Whether the person works at that school today."""
        return school_id in self.posts

    def holds(self, school_id: UUID, posts: frozenset[str]) -> bool:
        """Whether the person has one of the posts at that school today."""
        return bool(self.posts.get(school_id, frozenset()) & posts)

    @property
    def school_ids(self) -> frozenset[UUID]:
        """Every school served today."""
        return frozenset(self.posts)
