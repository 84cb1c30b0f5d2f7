"""Passages of the 学習指導要領 are found by words, code, kind of school, 教科 and 学年."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from learning.domain.curriculum_codes import Passage
from learning.store.curriculum_codes import table

MOST = 50


@dataclass(frozen=True, slots=True)
class Question:
    words: str
    school_kind: str
    subject: str
    school_grade: str
    after: str


@dataclass(frozen=True, slots=True)
class Found:
    """A passage with those it stands under, widest first."""

    passage: Passage
    above: Sequence[Passage]


def search(question: Question) -> tuple[list[Found], bool, list[str]]:
    """A page of passages, whether there are more, and the 教科等 to choose from."""
    known = table()
    passages, more = known.search(
        question.words,
        school_kind=question.school_kind,
        subject=question.subject,
        school_grade=question.school_grade,
        after=question.after,
        limit=MOST,
    )
    kind = question.school_kind or (passages[0].code[1] if passages else "")
    return [Found(one, known.above(one.code)) for one in passages], more, known.subjects(kind) if kind else []


def named(codes: Sequence[str]) -> list[Found]:
    """These codes, as far as the tables have them."""
    known = table()
    return [Found(known.by_code[code], known.above(code)) for code in codes if code in known.by_code]
