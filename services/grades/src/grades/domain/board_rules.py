"""What a board decides for one school year: which parts its 通知表 has and how long a text may be."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from grades.domain.terms import TermKey


class Part(StrEnum):
    """A part of 通知表 that a board may ask for, allow or leave out (通知表 has no legal form)."""

    RATING = "rating"  # 学期の評定
    SUBJECT_COMMENT = "subject_comment"  # 教科ごとの所見
    MORAL = "moral"
    FOREIGN_LANGUAGE_ACTIVITY = "foreign_language_activity"
    INTEGRATED = "integrated"
    SPECIAL_ACTIVITY = "special_activity"
    BEHAVIOUR = "behaviour"
    REMARKS = "remarks"  # 学級担任の所見
    ATTENDANCE_REMARK = "attendance_remark"


class Use(StrEnum):
    """How a part is used."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    UNUSED = "unused"


DEFAULT_USES: Mapping[Part, Use] = MappingProxyType(
    {
        Part.RATING: Use.REQUIRED,
        Part.SUBJECT_COMMENT: Use.OPTIONAL,
        Part.MORAL: Use.OPTIONAL,
        Part.FOREIGN_LANGUAGE_ACTIVITY: Use.OPTIONAL,
        Part.INTEGRATED: Use.OPTIONAL,
        Part.SPECIAL_ACTIVITY: Use.OPTIONAL,
        Part.BEHAVIOUR: Use.OPTIONAL,
        Part.REMARKS: Use.REQUIRED,
        Part.ATTENDANCE_REMARK: Use.OPTIONAL,
    }
)

# (column, for 指導要録) → characters the form holds at its smallest allowed type.
DEFAULT_LIMITS: Mapping[tuple[str, bool], int] = MappingProxyType(
    {
        ("comment", False): 60,
        ("moral", False): 120,
        ("moral", True): 120,
        ("foreign_language_activity", False): 120,
        ("foreign_language_activity", True): 120,
        ("integrated.activity", False): 60,
        ("integrated.activity", True): 60,
        ("integrated.viewpoint", False): 60,
        ("integrated.viewpoint", True): 60,
        ("integrated.assessment", False): 120,
        ("integrated.assessment", True): 120,
        ("remarks.comment", False): 200,
        ("remarks.general", True): 300,
        ("remarks.attendance", False): 40,
        ("remarks.attendance", True): 40,
    }
)


@dataclass(frozen=True, slots=True)
class BoardRules:
    """The decisions of one board for one school year. Hashable, so plans made from it can be kept."""

    uses: tuple[tuple[Part, Use], ...] = tuple(DEFAULT_USES.items())
    limits: tuple[tuple[tuple[str, bool], int], ...] = tuple(DEFAULT_LIMITS.items())

    @classmethod
    def of(cls, uses: Mapping[Part, Use], limits: Mapping[tuple[str, bool], int]) -> "BoardRules":
        """What is not decided follows the defaults."""
        return cls(tuple(sorted({**DEFAULT_USES, **uses}.items())), tuple(sorted({**DEFAULT_LIMITS, **limits}.items())))

    def use(self, part: Part) -> Use:
        return dict(self.uses)[part]

    def limit(self, column: str, term: TermKey) -> int:
        """Longest text of that column, in characters as people count them."""
        return dict(self.limits)[column, term is TermKey.YEAR]
