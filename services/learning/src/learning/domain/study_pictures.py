"""学習のようす of a class: how far its children are in a unit, by question and by 観点."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from learning.domain.register import Member
from learning.domain.study import Band, Result, band_of, latest, mean

SUBJECT_WORDS: Mapping[str, frozenset[str]] = {
    "japanese": frozenset({"国語"}),
    "social_studies": frozenset({"社会"}),
    "arithmetic": frozenset({"算数"}),
    "mathematics": frozenset({"数学"}),
    "science": frozenset({"理科"}),
    "life_environment": frozenset({"生活"}),
    "music": frozenset({"音楽"}),
    "arts_and_crafts": frozenset({"図画工作"}),
    "fine_arts": frozenset({"美術"}),
    "home_economics": frozenset({"家庭"}),
    "physical_education": frozenset({"体育"}),
    "health_physical_education": frozenset({"保健体育"}),
    "technology_home_economics": frozenset({"技術・家庭"}),
    "foreign_language": frozenset({"外国語", "英語"}),
}
"""Key of a 教科 in 校務分掌 → the 教科名 that tools write."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A 単元 at a glance. `bands`: how many children of the class are where."""

    unit: str
    subject: str
    questions: int
    bands: Mapping[Band, int]
    mean: float | None
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Child:
    """One child in a unit. `mean` is of its last answer to each question; None = nothing answered."""

    pupil_id: UUID
    number: int
    questions: int
    mean: float | None
    band: Band


@dataclass(frozen=True, slots=True)
class Line:
    """A question, or a 観点, of a unit: how many children answered, and how well."""

    name: str
    children: int
    mean: float


@dataclass(frozen=True, slots=True)
class Picture:
    """A unit in full."""

    unit: str
    subject: str
    codes: tuple[str, ...]
    children: Sequence[Child]
    questions: Sequence[Line]
    purposes: Sequence[Line]


def words_of(subjects: frozenset[str] | None) -> list[str] | None:
    """教科名 of what a 教科担任 may see; None = everything."""
    if subjects is None:
        return None
    return sorted(frozenset().union(*(SUBJECT_WORDS.get(key, frozenset()) for key in subjects)))


@dataclass(frozen=True, slots=True)
class Sums:
    """A unit as the database sums it up: the mean of each child's last answers, to how many questions."""

    unit: str
    subject: str
    questions: int
    last_at: datetime
    means: Mapping[UUID, float]


def units(sums: Iterable[Sums], members: Sequence[Member]) -> list[Unit]:
    """Every unit somebody of the class answered in, the one touched last first."""
    found = [
        Unit(
            one.unit,
            one.subject,
            one.questions,
            Counter(band_of(one.means.get(member.pupil_id)) for member in members),
            mean(list(one.means.values())),
            one.last_at,
        )
        for one in sums
    ]
    return sorted(found, key=lambda unit: unit.last_at, reverse=True)


def picture(unit: str, results: Iterable[Result], members: Sequence[Member]) -> Picture:
    """One unit: every child of the class in 出席番号 order, every question and every 観点, the weakest first."""
    answers = latest(one for one in results if not one.whole and one.unit == unit)
    names = {one.activity: one.name or one.activity for one in answers}
    codes = dict.fromkeys(code for one in answers for code in one.codes)
    questions = [_line(name, [one for one in answers if one.activity == key]) for key, name in names.items()]
    purposes = dict.fromkeys(purpose for one in answers for purpose in one.purposes)
    return Picture(
        unit,
        next((one.subject for one in answers if one.subject), ""),
        tuple(codes),
        _children(answers, members),
        sorted(questions, key=lambda line: line.mean),
        sorted(
            (_line(purpose, [one for one in answers if purpose in one.purposes]) for purpose in purposes),
            key=lambda line: line.mean,
        ),
    )


def _children(answers: Sequence[Result], members: Sequence[Member]) -> list[Child]:
    of_child: dict[UUID, list[float]] = {}
    for one in answers:
        of_child.setdefault(one.pupil_id, []).append(one.scaled)
    children = []
    for member in members:
        scores = of_child.get(member.pupil_id, [])
        reached = mean(scores)
        children.append(Child(member.pupil_id, member.number, len(scores), reached, band_of(reached)))
    return children


def _line(name: str, answers: Sequence[Result]) -> Line:
    scores = [one.scaled for one in answers]
    return Line(name, len({one.pupil_id for one in answers}), sum(scores) / len(scores))
