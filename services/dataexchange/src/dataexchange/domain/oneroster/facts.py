"""What the checker learns while it reads, and the reader of rows needs again: ids, kinds and relations."""

from dataclasses import dataclass, field
from typing import NamedTuple


class Session(NamedTuple):
    """学年度 as the package names it, with its days in the Japanese reading (both inclusive, ISO)."""

    school_year: int
    starts_on: str
    ends_on: str


class Org(NamedTuple):
    """An organisation row."""

    name: str
    type: str  # district | school
    code: str


class ClassFact(NamedTuple):
    """A class row, as other files refer to it."""

    school: str
    title: str
    type: str  # homeroom | scheduled
    special_needs: bool
    school_grades: str
    session: str
    subject: str


class RoleFact(NamedTuple):
    """One row of roles."""

    role_type: str
    role: str
    org: str
    begins_on: str
    ends_before: str


@dataclass(slots=True)
class Facts:
    """sourcedIds by file (with the row they stand in) and what hangs on them."""

    ids: dict[str, dict[str, int]] = field(default_factory=dict)
    # How academicSessions are to be read (`Profile.whole_years`), and files that only say what changed.
    whole_years: bool = True
    delta: frozenset[str] = frozenset()
    sessions: dict[str, Session] = field(default_factory=dict)
    orgs: dict[str, Org] = field(default_factory=dict)
    classes: dict[str, ClassFact] = field(default_factory=dict)
    master_ids: dict[str, int] = field(default_factory=dict)
    users_without_school_grade: dict[str, int] = field(default_factory=dict)
    agents_named: list[tuple[int, str]] = field(default_factory=list)
    parents_named: list[tuple[int, str]] = field(default_factory=list)
    home_class_of: dict[str, str] = field(default_factory=dict)
    primary_role: dict[str, str] = field(default_factory=dict)
    roles_of_staff: dict[str, list[RoleFact]] = field(default_factory=dict)
    roles_held: set[tuple[str, str]] = field(default_factory=set)
    secondary_rows: list[tuple[int, str]] = field(default_factory=list)
    homerooms_of: dict[str, list[tuple[str, str, str]]] = field(default_factory=dict)
    # Pupils of each 講座, and the homeroom each pupil is in: together they tell lessons of one whole class.
    course_pupils: dict[str, set[str]] = field(default_factory=dict)
    # Tables that could not be read to their end: what they lack proves nothing.
    incomplete: set[str] = field(default_factory=set)
    enrolled: set[tuple[str, str, str, str]] = field(default_factory=set)

    def forget_after(self, file: str) -> None:
        """What only rows of that table were compared with goes when it was read: nobody refers to a row of roles."""
        if file == "users":
            self.master_ids = {}
        elif file == "roles":
            self.roles_held, self.ids[file] = set(), {}
