"""What the register told, as it is kept: schools, classes with their members, staff with posts and duties.

Days are ISO 8601 and inclusive; an empty last day is open.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Facts = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Board:
    """教育委員会: the one `district` of a board's roster."""

    id: str
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class School:
    """A school of the board."""

    id: str
    code: str
    name: str

    @property
    def elementary(self) -> bool:
        return self.code.startswith("B")


@dataclass(frozen=True, slots=True)
class Member:
    """A pupil's time in a class; `number` 0: no 出席番号 yet."""

    pupil_id: str
    number: int
    starts_on: str
    ends_on: str
    school_grade: str


@dataclass(frozen=True, slots=True)
class SchoolClass:
    """学級 or 講座 (`kind`: homeroom | special_needs | course) with everybody who is or was in it."""

    id: str
    school_id: str
    school_year: int
    school_grade: str
    name: str
    kind: str
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class Post:
    """A time of service; an empty school is the board itself."""

    school_id: str
    post: str
    starts_on: str
    ends_on: str


@dataclass(frozen=True, slots=True)
class Duty:
    """担任, 副担任 or 教科担任 of a class (`kind`: homeroom | assistant_homeroom | subject)."""

    staff_id: str
    kind: str
    class_id: str
    subject: str
    starts_on: str
    ends_on: str


@dataclass(frozen=True, slots=True)
class Staff:
    """Somebody who serves or served at a school."""

    id: str
    posts: tuple[Post, ...]
    duties: tuple[Duty, ...]


@dataclass(frozen=True, slots=True)
class Names:
    """A person as the outside may know them: display names in JIS X 0213, kana full-width."""

    family: str
    given: str
    middle: str = ""
    kana_family: str = ""
    kana_given: str = ""
    kana_middle: str = ""


def school(facts: Facts) -> School:
    return School(**facts)


def school_class(facts: Facts) -> SchoolClass:
    return SchoolClass(**{**facts, "members": tuple(Member(**one) for one in facts["members"])})


def staff(facts: Facts) -> Staff:
    posts = tuple(Post(**one) for one in facts["posts"])
    return Staff(facts["id"], posts, tuple(Duty(**one) for one in facts["duties"]))
