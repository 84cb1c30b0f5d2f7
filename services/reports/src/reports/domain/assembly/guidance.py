"""指導要録 様式1・様式2 and their 写し from the register, the records and the attendance sums."""

from collections.abc import Callable, Mapping, Sequence

from jpschool.school_grade import SchoolGrade
from jpschool.school_year import first_day, last_day

from reports.domain.assembly.words import class_label, entries, furigana, now_of, of_kind
from reports.domain.forms.guidance_record_1 import (
    EventKind,
    GuidanceRecord1,
    RegisteredGuardian,
    RegisteredPerson,
    RegisterEvent,
    RegisterYear,
)
from reports.domain.forms.guidance_record_2 import (
    AttendanceYear,
    BehaviourRow,
    GuidanceRecord2,
    IntegratedStudy,
    Place,
    SpecialActivity,
    SubjectRecord,
    ViewpointRow,
    YearText,
)
from reports.domain.forms.guidance_record_copy import GuidanceRecordCopy
from reports.domain.forms.values import Certification, Entry, SchoolKind, StaffPeriod
from reports.domain.sources import Curriculum, EventFact, GuardianFact, Records, Register, StaffFact, SumsFact, YearFact

YEAR = "year"

# 教科, the 学年 that have it and those with a 評定 (規則 50条・別表第1, 72条・別表第2; notice 別紙1・2).
_P = (1, 2, 3, 4, 5, 6)
_ELEMENTARY: tuple[tuple[str, str, tuple[int, ...]], ...] = (
    ("japanese", "国語", _P),
    ("social_studies", "社会", _P[2:]),
    ("arithmetic", "算数", _P),
    ("science", "理科", _P[2:]),
    ("life_environment", "生活", _P[:2]),
    ("music", "音楽", _P),
    ("arts_and_crafts", "図画工作", _P),
    ("home_economics", "家庭", _P[4:]),
    ("physical_education", "体育", _P),
    ("foreign_language", "外国語", _P[4:]),
)
_J = (1, 2, 3)
_LOWER_SECONDARY: tuple[tuple[str, str, tuple[int, ...]], ...] = (
    ("japanese", "国語", _J),
    ("social_studies", "社会", _J),
    ("mathematics", "数学", _J),
    ("science", "理科", _J),
    ("music", "音楽", _J),
    ("fine_arts", "美術", _J),
    ("health_physical_education", "保健体育", _J),
    ("technology_home_economics", "技術・家庭", _J),
    ("foreign_language", "外国語", _J),
)
_VIEWPOINTS = (
    ("viewpoint.knowledge", "知識・技能"),
    ("viewpoint.thinking", "思考・判断・表現"),
    ("viewpoint.attitude", "主体的に学習に取り組む態度"),
)
_BEHAVIOUR = (
    ("behaviour.lifestyle", "基本的な生活習慣"),
    ("behaviour.health", "健康・体力の向上"),
    ("behaviour.autonomy", "自主・自律"),
    ("behaviour.responsibility", "責任感"),
    ("behaviour.creativity", "創意工夫"),
    ("behaviour.consideration", "思いやり・協力"),
    ("behaviour.life_and_nature", "生命尊重・自然愛護"),
    ("behaviour.work_and_service", "勤労・奉仕"),
    ("behaviour.fairness", "公正・公平"),
    ("behaviour.public_spirit", "公共心・公徳心"),
)
_SPECIAL_ELEMENTARY = (
    ("special_activity.class", "学級活動", _P),
    ("special_activity.council", "児童会活動", _P),
    ("special_activity.club", "クラブ活動", _P[3:]),
    ("special_activity.events", "学校行事", _P),
)
_SPECIAL_LOWER_SECONDARY = (
    ("special_activity.class", "学級活動", _J),
    ("special_activity.council", "生徒会活動", _J),
    ("special_activity.events", "学校行事", _J),
)
# 別紙4: the 観点 of 特別活動; the school may word them anew.
SPECIAL_ACTIVITY_VIEWPOINT = (
    "よりよい生活や社会を構築するための知識・技能\n"
    "集団や社会の形成者としての思考・判断・表現\n"
    "主体的に生活や社会、人間関係をよりよく構築しようとする態度"
)
_EVENT_LABELS: Mapping[str, tuple[EventKind, str]] = {
    "admitted": ("admitted", "入学"),
    "admitted_from_abroad": ("admitted_from_abroad", "編入学"),
    "transferred_in": ("transferred_in", "転入学"),
    "transferred_out": ("transferred_out", "転学"),
    "withdrawn": ("withdrawn", "退学"),
    "reinstated": ("admitted_from_abroad", "復籍"),
    "not_enrolled": ("not_enrolled", "居所不明により在学しない者"),
    "deferred": ("not_enrolled", "就学猶予・免除により在学しない者"),
    "graduated": ("graduated", "卒業"),
}


def school_kind_of(school_grade: str) -> SchoolKind:
    return "elementary" if SchoolGrade(school_grade).elementary else "lower_secondary"


def guidance_record_1(register: Register) -> GuidanceRecord1:
    """様式1. Only what happened at this school stands in the boxes of 入学 to 卒業."""
    kind = school_kind_of(register.school_grade)
    names = of_kind(register.names, "official", "display")
    official = now_of(names) or register.display_name
    alias = [value for value in register.names if value.kind == "alias" and not value.ends_on]
    shown = entries(names) or (Entry(text=register.display_name),)
    kana = of_kind(register.names, "kana")
    return GuidanceRecord1(
        school_kind=kind,
        years=tuple(_register_year(register, school_grade) for school_grade in (_P if kind == "elementary" else _J)),
        pupil=RegisteredPerson(
            names=(*shown, *(Entry(text=f"（通称 {value.text}）") for value in alias)),
            kana=tuple(
                Entry(text=furigana(entry.text, official), struck=entry.struck, ends_on=entry.ends_on)
                for entry in entries(kana)
            ),
            sex=register.sex,
            birth_on=register.birth_on,
            addresses=entries(list(register.addresses)),
        ),
        guardian=_guardian(register, same=f"{'児童' if kind == 'elementary' else '生徒'}の欄に同じ"),
        prior_history=register.prior_history,
        events=tuple(
            RegisterEvent(
                kind=_EVENT_LABELS[event.kind][0],
                label=_EVENT_LABELS[event.kind][1],
                effective_on=event.effective_on,
                left_on=event.left_on,
                school_grade=int(event.school_grade[1:]) if event.school_grade else 1,
                counterpart_name=event.counterpart_name,
                counterpart_address=event.counterpart_address,
                reason=event.reason,
                struck=event.struck,
            )
            for event in _events(register)
        ),
        schools=(Entry(text="\n".join(part for part in (register.school.name, register.school.address) if part)),),
        next_label="進　学　先" if kind == "elementary" else "進学先・就職先等",
        next_school=register.next_school,
        next_school_address=register.next_school_address,
    )


def guidance_record_2(
    register: Register, records: Records, curricula: Sequence[Curriculum], sums: Mapping[int, SumsFact]
) -> GuidanceRecord2:
    """様式2. `sums`: school year → 出欠 of that year."""
    kind = school_kind_of(register.school_grade)
    grades = _P if kind == "elementary" else _J
    prefix = "P" if kind == "elementary" else "J"
    years = {school_grade: _year_of(register, f"{prefix}{school_grade}") for school_grade in grades}
    own = [c for c in curricula if c.school_grade.startswith(prefix)]

    def value(school_grade: int, subject: str, column: str) -> str:
        year = years[school_grade]
        return records.get(year.school_year, YEAR, subject, column) if year else ""

    def values(subject: str, column: str) -> tuple[str, ...]:
        return tuple(value(school_grade, subject, column) for school_grade in grades)

    integrated = grades[2:] if kind == "elementary" else grades
    special = _SPECIAL_ELEMENTARY if kind == "elementary" else _SPECIAL_LOWER_SECONDARY
    return GuidanceRecord2(
        school_kind=kind,
        school_grades=grades,
        pupil_names=entries(of_kind(register.names, "official", "display")) or (Entry(text=register.display_name),),
        school_name=register.school.name,
        places=tuple(_place(years[school_grade]) for school_grade in grades),
        subjects=tuple(
            SubjectRecord(
                label=label,
                taught=taught,
                rated=tuple(school_grade for school_grade in taught if kind == "lower_secondary" or school_grade >= 3),
                viewpoints=tuple(
                    ViewpointRow(label=text, values=values(key, column))
                    for column, text in _labels(own, key, "viewpoint", _VIEWPOINTS)
                ),
                ratings=values(key, "rating"),
            )
            for key, label, taught in (_ELEMENTARY if kind == "elementary" else _LOWER_SECONDARY)
        ),
        moral=tuple(
            YearText(school_grade=school_grade, text=value(school_grade, "moral", "moral")) for school_grade in grades
        ),
        foreign_language_activity=tuple(
            YearText(
                school_grade=school_grade,
                text=value(school_grade, "foreign_language_activity", "foreign_language_activity"),
            )
            for school_grade in ((3, 4) if kind == "elementary" else ())
        ),
        integrated=tuple(
            IntegratedStudy(
                school_grade=school_grade,
                activity=value(school_grade, "integrated", "integrated.activity"),
                viewpoint=value(school_grade, "integrated", "integrated.viewpoint"),
                assessment=value(school_grade, "integrated", "integrated.assessment"),
            )
            for school_grade in integrated
        ),
        special_activities=tuple(
            SpecialActivity(
                label=label,
                viewpoint=SPECIAL_ACTIVITY_VIEWPOINT,
                taught=taught,
                values=values("special_activity", key),
            )
            for key, label, taught in special
        ),
        behaviour=tuple(
            BehaviourRow(label=label, values=values("behaviour", key))
            for key, label in _labels(own, "behaviour", "behaviour", _BEHAVIOUR)
        ),
        remarks=tuple(
            YearText(school_grade=school_grade, text=value(school_grade, "remarks", "remarks.general"))
            for school_grade in grades
        ),
        attendance=tuple(
            _attendance(school_grade, years[school_grade], sums, value(school_grade, "remarks", "remarks.attendance"))
            for school_grade in grades
        ),
    )


def guidance_record_copy(
    register: GuidanceRecord1, guidance: GuidanceRecord2, *, issued_on: str, recipient: str, principal_name: str
) -> GuidanceRecordCopy:
    """写し for the next school, certified by the 校長 of `issued_on` (規則 24条3項)."""
    text = "この写しは、指導要録の原本と相違ないことを証明する。"
    if recipient:
        text += f"\n学校教育法施行規則第24条第3項の規定により、{recipient}長に送付する。"
    return GuidanceRecordCopy(
        register=register,
        guidance=guidance,
        certification=Certification(
            text=text,
            issued_on=issued_on,
            school_name=guidance.school_name,
            principal_name=principal_name,
        ),
    )


def _guardian(register: Register, *, same: str) -> RegisteredGuardian:
    """保護者 of rank 1; of those before, what has changed is struck and stays readable. `same`: an empty address."""
    first = sorted(register.guardians, key=lambda guardian: guardian.rank)[:1]

    def history(of: Callable[[GuardianFact], str]) -> tuple[Entry, ...]:
        now = [of(guardian) for guardian in first if of(guardian)]
        before = {of(each): each.ends_on for each in register.former_guardians if of(each) and of(each) not in now}
        struck = (Entry(text=text, struck=True, ends_on=ends_on) for text, ends_on in before.items())
        return (*struck, *(Entry(text=text) for text in now))

    return RegisteredGuardian(
        names=history(lambda guardian: guardian.name),
        kana=history(lambda guardian: furigana(guardian.kana, guardian.name)),
        addresses=history(lambda guardian: guardian.address or same),
    )


def _events(register: Register) -> list[EventFact]:
    """What stands in the boxes of this school, by date. A slip put right on the day it was entered (an import and its
    supplement) never was the record: it is not printed struck."""
    own = [e for e in register.events if e.school_id == register.school.id and e.kind in _EVENT_LABELS]
    valid = {(event.kind, event.recorded_on) for event in own if not event.struck}
    kept = [event for event in own if not event.struck or (event.kind, event.recorded_on) not in valid]
    return sorted(kept, key=lambda event: event.effective_on)


def _labels(
    curricula: Sequence[Curriculum], subject: str, kind: str, by_law: tuple[tuple[str, str], ...]
) -> tuple[tuple[str, str], ...]:
    """Columns of the form: those of the law, in the board's newest wording, then what the board added."""
    found = dict(by_law)
    for curriculum in sorted(curricula, key=lambda c: c.school_year):
        for sheet in curriculum.subjects:
            if sheet.key == subject:
                found.update({column.key: column.label for column in sheet.columns if column.kind == kind})
    return tuple(found.items())


def _year_of(register: Register, school_grade: str) -> YearFact | None:
    found = [year for year in register.years if year.school_grade == school_grade]
    return max(found, key=lambda year: year.school_year) if found else None


def _staff(facts: Sequence[StaffFact], school_year: int) -> tuple[StaffPeriod, ...]:
    """With the days served within that year: the line of a year tells of nothing else."""
    first, last = first_day(school_year).isoformat(), last_day(school_year).isoformat()
    return tuple(
        StaffPeriod(name=s.name, starts_on=max(s.starts_on, first), ends_on=min(s.ends_on or last, last))
        for s in sorted(facts, key=lambda staff: staff.starts_on)
    )


def _register_year(register: Register, school_grade: int) -> RegisterYear:
    prefix = register.school_grade[0]
    year = _year_of(register, f"{prefix}{school_grade}")
    if year is None:
        return RegisterYear(school_grade=school_grade)
    place = _place(year)
    return RegisterYear(
        school_grade=school_grade,
        school_year=year.school_year,
        class_name=place.class_name,
        number=place.number,
        principals=_staff(year.principals, year.school_year),
        homeroom_teachers=_staff(year.homeroom_teachers, year.school_year),
    )


def _place(year: YearFact | None) -> Place:
    if year is None:
        return Place()
    return Place(
        class_name=class_label(year.class_name, year.school_grade), number=str(year.number) if year.number else ""
    )


def _attendance(school_grade: int, year: YearFact | None, sums: Mapping[int, SumsFact], remark: str) -> AttendanceYear:
    found = sums.get(year.school_year) if year else None
    if found is None or found.lesson_days == 0:
        return AttendanceYear(school_grade=school_grade, remarks=remark)
    return AttendanceYear(
        school_grade=school_grade,
        lesson_days=found.lesson_days,
        excused=found.excused,
        required=found.required,
        absent=found.absent,
        present=found.present,
        remarks=remark or "、".join(found.remarks),
    )
