"""The invented pupils of one school, with what the register needs beyond a roster: birth, address, guardians."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from jpschool.kana import gojuon_key
from jpschool.school_grade import SchoolGrade

from dataexchange.domain.demo.boards import SCHOOL_YEAR, DemoBoard, DemoSchool, demo_id
from dataexchange.domain.demo.names import GIVENS, HARD_NAMES, PersonName, Written, number, ordinary_name, pick

HARD_CLASS = (SchoolGrade.P3, 1)  # the class of es.teacher1
SPECIAL_NEEDS = 0  # class number of 特別支援学級


@dataclass(frozen=True, slots=True)
class DemoGuardian:
    """保護者."""

    name: Written
    kana: Written
    relationship: str
    phone: str
    address: str = ""  # blank = lives with the child


@dataclass(frozen=True, slots=True)
class DemoPupil:
    """One child in one class. `starts_on` blank = the whole year."""

    id: str
    name: PersonName
    sex: str
    born_on: date
    school_grade: SchoolGrade
    class_number: int
    number: int
    postal: str
    address: str
    guardians: tuple[DemoGuardian, ...]
    admitted_on: date
    starts_on: date | None
    prior_history: str
    protected: bool


def pupils_of(board: DemoBoard, school: DemoSchool) -> Iterator[DemoPupil]:
    """Every child of the school, class by class, in 出席番号 order (五十音順)."""
    for school_grade, sizes in school.class_sizes.items():
        for class_number, size in enumerate(sizes, 1):
            yield from _class(board, school, school_grade, class_number, size)
    for place in range(school.special_needs):
        school_grade = pick(tuple(school.class_sizes), board.tenant, school.key, "special", place)
        yield _pupil(board, school, school_grade, SPECIAL_NEEDS, place, place + 1, None)


def _class(
    board: DemoBoard, school: DemoSchool, school_grade: SchoolGrade, class_number: int, size: int
) -> Iterator[DemoPupil]:
    hard = HARD_NAMES if (school_grade, class_number) == HARD_CLASS else ()
    unordered = [
        _pupil(
            board,
            school,
            school_grade,
            class_number,
            place,
            0,
            hard[place] if place < len(hard) else None,
        )
        for place in range(size)
    ]
    ordered = sorted(unordered, key=lambda one: (gojuon_key(one.name.kana.family, one.name.kana.given), one.id))
    for roll, pupil in enumerate(ordered, 1):
        yield _numbered(pupil, roll)


def _numbered(pupil: DemoPupil, roll: int) -> DemoPupil:
    return DemoPupil(**{name: getattr(pupil, name) for name in DemoPupil.__slots__} | {"number": roll})


def _pupil(
    board: DemoBoard,
    school: DemoSchool,
    school_grade: SchoolGrade,
    class_number: int,
    place: int,
    roll: int,
    hard: tuple[str, PersonName] | None,
) -> DemoPupil:
    key = (board.tenant, school.key, school_grade.value, class_number, place)
    sex, name = hard if hard else _ordinary(*key)
    came_late = hard is None and number(60, "late", *key) == 0
    years_here = school_grade.year - 1
    entered = date(SCHOOL_YEAR - years_here, 4, 1)
    block = f"{1 + number(8, 'block', *key)}丁目{1 + number(30, 'lot', *key)}番{1 + number(20, 'house', *key)}号"
    quarter = pick(("本町", "緑町", "東町", "西町", "川端", "丘の上", "浜通り"), "quarter", *key)
    return DemoPupil(
        id=demo_id(*map(str, key)),
        name=name,
        sex=sex,
        born_on=_birth(school_grade, *key),
        school_grade=school_grade,
        class_number=class_number,
        number=roll,
        postal=board.postal,
        address=f"みらい県{board.town}{quarter}{block}",
        guardians=_guardians(board, name, *key),
        admitted_on=date(SCHOOL_YEAR, 9, 1) if came_late else entered,
        starts_on=date(SCHOOL_YEAR, 9, 1) if came_late else None,
        prior_history=_prior(board, school, *key),
        protected=number(150, "protected", *key) == 0,
    )


def _ordinary(*key: object) -> tuple[str, PersonName]:
    sex = pick(("female", "male"), "sex", *key)
    return sex, ordinary_name(sex, *key)


def _birth(school_grade: SchoolGrade, *key: object) -> date:
    """Born between 2 April and 1 April (学校教育法17条): six whole years old on the day before school begins."""
    first = date(SCHOOL_YEAR - school_grade.order - 6, 4, 2)
    last = date(first.year + 1, 4, 1)
    return first + timedelta(days=number((last - first).days + 1, "birth", *key))


def _guardians(board: DemoBoard, child: PersonName, *key: object) -> tuple[DemoGuardian, ...]:
    family, kana_family = child.on_the_register.family, child.kana.family
    given, kana = pick(GIVENS["female" if number(3, "first", *key) else "male"], "guardian", *key)
    first = DemoGuardian(
        Written(family, given),
        Written(kana_family, kana),
        "母" if number(3, "first", *key) else "父",
        f"000-{number(9000, 'phone', *key) + 1000}-{number(9000, 'phone2', *key) + 1000}",
    )
    if number(3, "second", *key):
        return (first,)
    given, kana = pick(GIVENS["male" if first.relationship == "母" else "female"], "guardian2", *key)
    apart = f"みらい県{board.town}駅前{1 + number(9, 'apart', *key)}番地" if number(4, "lives", *key) == 0 else ""
    second = DemoGuardian(
        Written(family, given),
        Written(kana_family, kana),
        "父" if first.relationship == "母" else "母",
        f"000-{number(9000, 'phone3', *key) + 1000}-{number(9000, 'phone4', *key) + 1000}",
        apart,
    )
    return first, second


def _prior(board: DemoBoard, school: DemoSchool, *key: object) -> str:
    """入学前の経歴 (指導要録 様式1): kindergarten or nursery before 小学校, 小学校 before 中学校."""
    if not school.elementary:
        before = next(one for one in board.schools if one.elementary)
        return f"{before.name} 卒業"
    place = pick(("ひかり幼稚園", "にじいろ保育園", "こども園そよかぜ"), "prior", *key)
    return f"{board.town}{place} 卒園"
