"""What is missing before a rehearsal may be published, and what publishing would do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from roster.domain.rollover import balance, numbering
from roster.domain.rollover.plan import (
    ENTERS,
    GRADUATES,
    HOMEROOM,
    IN_CLASS,
    LEAVES,
    PROMOTED,
    RETAINED,
    UNKNOWN,
    Pair,
    PlannedClass,
    PlannedPupil,
)


@dataclass(frozen=True, slots=True)
class Missing:
    """One kind of gap, with whom it is about. `blocking`: it cannot be published so."""

    kind: str
    sentence: str
    names: tuple[str, ...] = ()
    blocking: bool = True


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the register says today beside the plan."""

    came: tuple[str, ...] = ()  # on the roll, not in the plan
    went: tuple[str, ...] = ()  # in the plan, no longer on the roll
    undecided: tuple[str, ...] = ()  # 名簿にない児童生徒
    elsewhere: tuple[str, ...] = ()  # entrants on the roll of another school on 1 April
    existing: tuple[str, ...] = ()  # classes that the register has for that year already
    not_serving: frozenset[UUID] = frozenset()  # planned 担任 without a post at the school on 1 April
    used_numbers: frozenset[int] = frozenset()  # 証書番号 of the ledger


def missing(
    classes: Sequence[PlannedClass], pupils: Sequence[PlannedPupil], pairs: Sequence[Pair], around: Surroundings
) -> list[Missing]:
    """Every gap, the blocking ones first."""
    by_id = {each.id: each for each in classes}
    homeless = [each for each in pupils if each.outcome in IN_CLASS and each.class_id is None]
    led = [each for each in classes if each.kind == HOMEROOM and each.homeroom_staff_id is None]
    strangers = [each for each in classes if each.homeroom_staff_id in around.not_serving]
    sizes = balance.balance(pupils)
    empty = [each for each in classes if each.kind == HOMEROOM and each.id not in sizes]
    unnumbered = [each for each in pupils if each.outcome in IN_CLASS and each.class_id and not each.number]
    doubled = numbering.doubled(pupils)
    graduates = [each for each in pupils if each.outcome == GRADUATES]
    uncertified = [each for each in graduates if each.certificate is None]
    again = numbering.taken_again({each.id: each.certificate for each in graduates if each.certificate is not None},
                                  around.used_numbers)  # fmt: skip
    wishes = balance.broken(pairs, {each.id: each.class_id for each in pupils})
    names = {each.id: each.name for each in pupils}
    shared = [
        f"{by_id[key].name if key in by_id else ''} {each.number}番 {each.name}"
        for key, sharing in doubled.items()
        for each in sharing
    ]
    broken = [f"{names.get(pair.first_id, '')}と{names.get(pair.second_id, '')}" for pair in wishes]
    found = (
        ("came", around.came),
        ("went", around.went),
        ("undecided", around.undecided),
        ("unknown", [each.name for each in pupils if each.outcome == UNKNOWN]),
        ("elsewhere", around.elsewhere),
        ("existing", around.existing),
        ("no_class", [each.name for each in homeless]),
        ("no_teacher", [each.name for each in led]),
        ("not_serving", [each.name for each in strangers]),
        ("empty_class", [each.name for each in empty]),
        ("no_number", [each.name for each in unnumbered]),
        ("doubled", shared),
        ("no_certificate", [each.name for each in uncertified]),
        ("certificate_used", [str(number) for number in again]),
        ("pairs", broken),
    )
    return [Missing(kind, _SENTENCES[kind], tuple(who), kind != "pairs") for kind, who in found if who]


_SENTENCES = {
    "came": "名簿に増えた児童生徒が、準備に入っていません。「名簿に合わせる」で取り込んでください。",
    "went": "名簿からいなくなった児童生徒が、準備に残っています。「名簿に合わせる」で外してください。",
    "undecided": "名簿にない児童生徒の扱いが決まっていません。「名簿にない児童生徒」で先に決めてください。",
    "unknown": "学年のわからない児童生徒がいます。名簿の学年を直し、「名簿に合わせる」を押してください。",
    "elsewhere": "新入学の児童生徒が、4月1日にほかの学校に在籍しています。前の学校の卒業・転学が先です。",
    "existing": "この年度の学級が、すでに名簿にあります（名簿の取込など）。二重になるため公開できません。",
    "no_class": "学級の決まっていない児童生徒がいます。",
    "no_teacher": "担任の決まっていない学級があります。",
    "not_serving": "担任に決めた人の、4月1日からのこの学校の配置が名簿にありません。",
    "empty_class": "児童生徒のいない学級があります。",
    "no_number": "出席番号のない児童生徒がいます。「出席番号を付ける」を押してください。",
    "doubled": "同じ出席番号が二つあります。",
    "no_certificate": "証書番号のない卒業生がいます。「卒業」で番号を付けてください。",
    "certificate_used": "台帳にある証書番号と重なっています。始まりの番号を変えてください。",
    "pairs": "分けたい・一緒にしたい二人の希望どおりになっていません。",
}


@dataclass(frozen=True, slots=True)
class DiffLine:
    """One thing that publishing does."""

    who: str
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class DiffPart:
    """One kind of change with all its lines, in printed order."""

    kind: str
    lines: tuple[DiffLine, ...]


def diff(
    classes: Sequence[PlannedClass], pupils: Sequence[PlannedPupil], staff: Mapping[UUID, str]
) -> tuple[DiffPart, ...]:
    """Everything a published year changes: 学籍, classes, 担任, members with their numbers."""
    named = {each.id: each.name for each in classes}
    order = {each.id: (each.kind != HOMEROOM, each.school_grade, each.position) for each in classes}

    def old(pupil: PlannedPupil) -> str:
        return f"{pupil.from_class} {pupil.from_number}番" if pupil.from_class else ""

    def new(pupil: PlannedPupil) -> str:
        place = named.get(pupil.class_id, "学級なし") if pupil.class_id else "学級なし"
        return f"{place} {pupil.number}番" if pupil.number else place

    def lines(outcome: str, after: Callable[[PlannedPupil], str]) -> tuple[DiffLine, ...]:
        chosen = [each for each in pupils if each.outcome == outcome]
        chosen.sort(
            key=lambda each: (order.get(each.class_id, (True, "", 0)) if each.class_id else (True, "", 0), each.number,
                              each.certificate or 0, each.from_class, each.from_number, each.sort_key)
        )  # fmt: skip
        return tuple(DiffLine(each.name, old(each), after(each)) for each in chosen)

    sizes = balance.balance(pupils)
    parts = (
        DiffPart(
            "classes",
            tuple(
                DiffLine(
                    each.name, "", f"{sizes[each.id].size if each.id in sizes else 0}人・担任 "
                    + (staff.get(each.homeroom_staff_id, "") if each.homeroom_staff_id else "なし"),
                )
                for each in sorted(classes, key=lambda each: order[each.id])
            ),
        ),
        DiffPart(PROMOTED, lines(PROMOTED, new)),
        DiffPart(RETAINED, lines(RETAINED, new)),
        DiffPart(ENTERS, lines(ENTERS, new)),
        DiffPart(
            GRADUATES,
            lines(GRADUATES, lambda each: f"卒業 証書第{each.certificate}号" if each.certificate else "卒業"),
        ),
        DiffPart(LEAVES, lines(LEAVES, lambda _: "転出の手続き中（学級なし）")),
    )  # fmt: skip
    return tuple(part for part in parts if part.lines)
