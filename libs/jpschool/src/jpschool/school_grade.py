"""学年 of compulsory school as the national roster code writes it: P1…P6 小学校, J1…J3 中学校."""

from enum import StrEnum


class SchoolGrade(StrEnum):
    """学年. The value is the code of OneRoster Japan Profile."""

    P1 = "P1"
    P2 = "P2"
    P3 = "P3"
    P4 = "P4"
    P5 = "P5"
    P6 = "P6"
    J1 = "J1"
    J2 = "J2"
    J3 = "J3"

    @property
    def year(self) -> int:
        """1…6 in 小学校, 1…3 in 中学校."""
        return int(self.value[1])

    @property
    def elementary(self) -> bool:
        return self.value[0] == "P"

    @property
    def label(self) -> str:
        """「3年」, as on a class door."""
        return f"{self.year}年"

    @property
    def full_label(self) -> str:
        """「小学校第3学年」, the element name of 教育データ標準."""
        return f"{'小学校' if self.elementary else '中学校'}第{self.year}学年"

    @property
    def short_label(self) -> str:
        """「小3」."""
        return f"{'小' if self.elementary else '中'}{self.year}"

    @property
    def order(self) -> int:
        """1…9 through the nine years of compulsory school."""
        return self.year if self.elementary else self.year + 6

    def next(self) -> "SchoolGrade | None":
        """学年 of the next school year; None after J3. P6 goes to J1."""
        ordered = tuple(SchoolGrade)
        place = ordered.index(self) + 1
        return ordered[place] if place < len(ordered) else None


# Codes of the national list beyond compulsory school: known, so that they are told apart from a typing error.
OTHER_SCHOOL_GRADE_CODES = frozenset({"E1", "E2", "E3", "H1", "H2", "H3"})
