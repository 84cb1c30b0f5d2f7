"""通知表 from the records of the terms."""

from collections.abc import Mapping, Sequence

from jpschool.school_grade import SchoolGrade

from reports.domain.assembly.words import class_label, in_office
from reports.domain.forms.report_card import (
    Completion,
    LabelledText,
    ReportCard,
    TermAttendance,
    TermSubject,
    TermViewpoint,
)
from reports.domain.sources import Curriculum, Records, Register, SumsFact, TermFact

_LEGEND = "観点別の評価　A 十分満足できる　B おおむね満足できる　C 努力を要する"
_CIRCLES = "　　行動の記録・特別活動　○ 十分満足できる"


def report_card(
    register: Register,
    records: Records,
    curriculum: Curriculum,
    terms: Sequence[TermFact],
    term: str,
    sums: Mapping[str, SumsFact],
    issued_on: str,
) -> ReportCard:
    """The card of `term`: that term and the ones before it are filled. `sums`: term → 出欠.

    校長 and 担任 are those of the end of the term, or of `issued_on` while it runs.
    """
    shown = [each for each in terms if each.key != "year"]
    reached = [each.key for each in shown if each.key <= term]
    school_grade = SchoolGrade(curriculum.school_grade)
    school_year = curriculum.school_year
    year = register.year(school_year)
    on = min([issued_on, *(each.ends_on for each in shown if each.key == term and each.ends_on)])
    served = in_office(year.principals, on) if year else ()

    def values(subject: str, column: str) -> tuple[str, ...]:
        return tuple(
            records.get(school_year, each.key, subject, column) if each.key in reached else "" for each in shown
        )

    def text(subject: str, column: str) -> str:
        return records.get(school_year, term, subject, column)

    texts: list[LabelledText] = []
    circles: list[TermViewpoint] = []
    special: list[TermViewpoint] = []
    for sheet in curriculum.subjects:
        for column in sheet.columns:
            match column.kind:
                case "moral" | "foreign_language_activity":
                    texts.append(LabelledText(label=sheet.label, text=text(sheet.key, column.key), always=True))
                case "integrated_activity" | "integrated_viewpoint" | "integrated_assessment":
                    texts.append(
                        LabelledText(label=f"{_short(sheet.label)} {column.label}", text=text(sheet.key, column.key))
                    )
                case "comment" if sheet.is_subject:
                    texts.append(LabelledText(label=f"{sheet.label} 所見", text=text(sheet.key, column.key)))
                case "behaviour":
                    circles.append(TermViewpoint(label=column.label, values=values(sheet.key, column.key)))
                case "special_activity":
                    label = f"特別活動　{column.label}"
                    special.append(TermViewpoint(label=label, values=values(sheet.key, column.key)))
    rated = any(sheet.has("rating") for sheet in curriculum.subjects)
    return ReportCard(
        title="通知表",
        term_label=next((each.label for each in shown if each.key == term), term),
        school_year=school_year,
        school_name=register.school.name,
        class_name=f"{school_grade.year}年 {class_label(year.class_name, year.school_grade)}" if year else "",
        number=str(year.number) if year and year.number else "",
        pupil_name=register.display_name,
        principal_name=served[-1].name if served else "",
        homeroom_teachers=tuple(each.name for each in in_office(year.homeroom_teachers, on)) if year else (),
        terms=tuple(each.label for each in shown),
        subjects=tuple(
            TermSubject(
                label=sheet.label,
                viewpoints=tuple(
                    TermViewpoint(label=column.label, values=values(sheet.key, column.key))
                    for column in sheet.columns
                    if column.kind == "viewpoint"
                ),
                rated=sheet.has("rating"),
                ratings=values(sheet.key, "rating"),
            )
            for sheet in curriculum.subjects
            if sheet.is_subject and sheet.has("viewpoint")
        ),
        legend=_LEGEND
        + (f"　　評定　{'3・2・1' if school_grade.elementary else '5・4・3・2・1'}" if rated else "")
        + (_CIRCLES if circles or special else ""),
        texts=tuple(texts),
        behaviour=(*circles, *special),
        comments=tuple(
            LabelledText(
                label=each.label,
                text=records.get(school_year, each.key, "remarks", "remarks.comment") if each.key in reached else "",
            )
            for each in shown
        ),
        attendance=tuple(
            _attendance(each, sums.get(each.key), records, school_year) if each.key in reached else _empty(each)
            for each in shown
        ),
        completion=_completion(school_grade, term, shown, issued_on),
    )


def _completion(school_grade: SchoolGrade, term: str, terms: Sequence[TermFact], issued_on: str) -> Completion | None:
    """修了証 on the last term's card; the last 学年 graduates instead."""
    if not terms or term != terms[-1].key or school_grade in (SchoolGrade.P6, SchoolGrade.J3):
        return None
    return Completion(text=f"第{school_grade.year}学年の課程を修了したことを証する。", issued_on=issued_on)


def _empty(term: TermFact) -> TermAttendance:
    return TermAttendance(label=term.label)


def _attendance(term: TermFact, sums: SumsFact | None, records: Records, school_year: int) -> TermAttendance:
    remark = records.get(school_year, term.key, "remarks", "remarks.attendance")
    if sums is None:
        return TermAttendance(label=term.label, remarks=remark)
    return TermAttendance(
        label=term.label,
        lesson_days=sums.lesson_days,
        excused=sums.excused,
        required=sums.required,
        absent=sums.absent,
        present=sums.present,
        late=sums.late,
        early=sums.early,
        remarks=remark or "、".join(sums.remarks),
    )


def _short(label: str) -> str:
    return label.replace("総合的な学習の時間", "総合")
