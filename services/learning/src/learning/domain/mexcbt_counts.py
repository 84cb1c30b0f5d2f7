"""アカウント数 of a school for MEXCBT: counted from the register on a day, never typed, and told row by row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from learning.domain.register import Post

TEACHING_POSTS = (Post.PRINCIPAL, Post.VICE_PRINCIPAL, Post.TEACHER, Post.NURSE)
"""教員: 校長, 教頭, 教諭, 養護教諭 (学校教育法 37条1項・2項); 事務職員 is none."""


@dataclass(frozen=True, slots=True)
class ClassCount:
    """Children of one 学年 in one 学級 on the day; a class of several 学年 has a row for each."""

    class_id: UUID
    class_name: str
    school_grade: str
    pupils: int


@dataclass(frozen=True, slots=True)
class PostCount:
    """Staff of the school who hold a post on the day; who holds two is counted once, under the first."""

    post: Post
    people: int


@dataclass(frozen=True, slots=True)
class Counts:
    """What a school told MEXCBT, with the rows it comes from."""

    school_year: int
    taken_on: date
    school_grades: tuple[str, ...]
    """利用見込み学年."""
    classes: tuple[ClassCount, ...]
    posts: tuple[PostCount, ...]

    @property
    def pupils(self) -> int:
        """児童生徒の利用アカウント概数."""
        return sum(row.pupils for row in self.classes)

    @property
    def teachers(self) -> int:
        """教員の利用アカウント概数."""
        return sum(row.people for row in self.posts)

    def pupils_of(self, school_grade: str) -> int:
        """Children of one 学年."""
        return sum(row.pupils for row in self.classes if row.school_grade == school_grade)


def counted(
    classes: Sequence[ClassCount], posts: Iterable[PostCount], school_grades: Iterable[str], school_year: int, day: date
) -> Counts:
    """The counts for the chosen 学年, which are ordered as the register has them."""
    chosen = set(school_grades)
    rows = tuple(row for row in classes if row.school_grade in chosen)
    return Counts(
        school_year,
        day,
        tuple(sorted(chosen, key=_order)),
        rows,
        tuple(row for row in posts if row.post in TEACHING_POSTS),
    )


def why_not(counts: Counts) -> str:
    """Why these counts cannot be given (アカウント数は必須); empty = they can."""
    if not counts.school_grades:
        return "利用する学年を選んでください。"
    empty = [one for one in counts.school_grades if counts.pupils_of(one) == 0]
    if empty:
        return (
            f"{counts.school_year}年度の名簿に児童生徒がいない学年があります。学級編制を登録してから確かめてください。"
        )
    if counts.teachers == 0:
        return "名簿にこの学校の教員がいません。教職員の名簿を取り込んでから確かめてください。"
    return ""


def school_grades_of(classes: Sequence[ClassCount]) -> tuple[str, ...]:
    """Every 学年 the school has children in, youngest first."""
    return tuple(sorted({row.school_grade for row in classes if row.school_grade}, key=_order))


def _order(school_grade: str) -> tuple[int, str]:
    return ("EPJH".find(school_grade[:1]), school_grade)
