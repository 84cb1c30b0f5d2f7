"""Collects the facts of a print from the other services and assembles its documents. Opens no transaction."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from jpschool.school_grade import SchoolGrade
from servicekit.auth import Actor
from servicekit.clock import day_in_jst
from servicekit.errors import Invalid, Refused, Unseen, Violation
from servicekit.ids import uuid7

from reports import policy
from reports.clients import Sources
from reports.domain.archive import Order, canonical
from reports.domain.assembly import certificates, guidance, registers, report_cards
from reports.domain.forms.certificates import Textbook
from reports.domain.forms.registry import Form, FormDocument, UnknownForm, form_of, to_data
from reports.domain.sources import ClassFact, Curriculum, RecordKey, Records, Register, SumsFact, TermFact
from reports.domain.standing import Place

_YEARS_BACK = 5


@dataclass(frozen=True, slots=True)
class Asked:
    """One print as asked for. `pupil_ids` empty with a class: all its pupils. `term`: 学期, or YYYY-MM for 出席簿."""

    form: str
    class_id: UUID | None = None
    pupil_ids: tuple[UUID, ...] = ()
    term: str = ""
    purpose: str = "print"
    counterpart_name: str = ""
    idempotency_key: str = ""
    textbooks: tuple[Textbook, ...] = ()
    document_number: str = ""
    use: str = ""
    overlay: Mapping[RecordKey, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Gathered:
    """Everything a print needs: assembled documents, whose they are, where they belong."""

    form: Form
    documents: tuple[FormDocument, ...]
    labels: tuple[str, ...]
    pupil_ids: tuple[UUID, ...]
    place: Place
    school_name: str
    school_year: int
    term: str

    def order(self, asked: Asked, now: datetime) -> Order:
        """The order with its data frozen."""
        return Order(
            id=uuid7(),
            form=self.form,
            school_id=self.place.school_id,
            school_name=self.school_name,
            class_id=self.place.class_id,
            school_grade=self.place.school_grade,
            school_year=self.school_year,
            term=self.term,
            purpose=asked.purpose,
            counterpart_name=asked.counterpart_name,
            pupil_ids=self.pupil_ids,
            labels=self.labels,
            data=canonical(self.form, [to_data(document) for document in self.documents]),
            ordered_at=now,
            idempotency_key=asked.idempotency_key,
        )


async def gather(sources: Sources, actor: Actor, asked: Asked, now: datetime) -> Gathered:
    """Who may print is decided before anything of class I or II is asked for.

    Raises: Invalid, Unseen, Refused, StepUpRequired.
    """
    today = day_in_jst(now)
    school_year = today.year if today.month >= 4 else today.year - 1
    form = _form(asked, school_year)
    actor.require_level(form.information_class, now)
    if asked.class_id is None and not asked.pupil_ids:
        raise Invalid("だれの帳票かを選んでください。", [Violation("pupil_id", "児童生徒か学級を選んでください。")])
    standing_asked = sources.standing(today, board_admin=actor.holds("board_admin"))
    if asked.class_id is not None:
        standing, homeroom = await asyncio.gather(standing_asked, sources.homeroom(asked.class_id))
        place = Place(UUID(homeroom.school.id), asked.class_id, homeroom.school_grade)
        school_year = homeroom.school_year
        policy.may_issue(actor, standing, place, form).enforce()
        if not form.per_pupil:
            return await _register(sources, form, asked, homeroom, place)
        pupils = await sources.registers(school_year, pupil_ids=asked.pupil_ids, class_id=asked.class_id)
    else:
        standing, pupils = await asyncio.gather(
            standing_asked, sources.registers(school_year, pupil_ids=asked.pupil_ids)
        )
        if not pupils:
            raise Unseen("この児童生徒は見つかりません。")
        first = pupils[0]
        place = Place(UUID(first.school.id), UUID(first.class_id) if first.class_id else None, first.school_grade)
        policy.may_issue(actor, standing, place, form).enforce()
    if not pupils:
        raise Invalid("この学級には児童生徒がいません。", [Violation("class_id", "印刷する児童生徒がいません。")])
    match form.key:
        case "report_card":
            documents, term = await _report_cards(sources, asked, pupils, place, school_year, today)
        case "guidance_record_1":
            documents, term = [guidance.guidance_record_1(pupil) for pupil in pupils], ""
        case "guidance_record_2" | "guidance_record_copy":
            documents, term = await _guidance(sources, form, asked, pupils, school_year, today), ""
        case _:
            documents, term = [_certificate(form, asked, pupil, today) for pupil in pupils], ""
    return Gathered(
        form=form,
        documents=tuple(documents),
        labels=tuple(f"{pupil.number}番" if pupil.number else "番号なし" for pupil in pupils)
        if len(pupils) > 1
        else (),
        pupil_ids=tuple(pupil.pupil_id for pupil in pupils),
        place=place,
        school_name=pupils[0].school.name,
        school_year=school_year,
        term=term,
    )


def _form(asked: Asked, school_year: int) -> Form:
    try:
        return form_of(asked.form, school_year)
    except UnknownForm:
        raise Invalid("その帳票はありません。", [Violation("form", "帳票を選んでください。")]) from None


async def _register(sources: Sources, form: Form, asked: Asked, homeroom: ClassFact, place: Place) -> Gathered:
    month = _month(asked.term, homeroom.school_year)
    class_id = UUID(homeroom.id)
    sheet, names = await asyncio.gather(sources.month(class_id, month), sources.register_names(class_id))
    return Gathered(
        form=form,
        documents=(registers.attendance_register(homeroom, sheet, names),),
        labels=(),
        pupil_ids=tuple(pupil for pupil, _, _ in sheet.pupils),
        place=place,
        school_name=homeroom.school.name,
        school_year=homeroom.school_year,
        term=month,
    )


def _month(text: str, school_year: int) -> str:
    try:
        first = date.fromisoformat(f"{text}-01")
    except ValueError:
        raise Invalid("月を選んでください。", [Violation("term", "YYYY-MMで指定してください。")]) from None
    if not date(school_year, 4, 1) <= first <= date(school_year + 1, 3, 31):
        raise Invalid("この学級の年度の月を選んでください。", [Violation("term", "年度の外の月です。")])
    return text


async def _report_cards(
    sources: Sources, asked: Asked, pupils: Sequence[Register], place: Place, school_year: int, today: date
) -> tuple[list[FormDocument], str]:
    ids = [pupil.pupil_id for pupil in pupils]
    terms = await sources.terms(place.school_id, school_year)
    term = asked.term or _running(terms, today)
    if term not in {each.key for each in terms if each.key != "year"}:
        raise Invalid("学期を選んでください。", [Violation("term", "通知表の学期ではありません。")])
    reached = [each for each in terms if each.key != "year" and each.key <= term]
    ranges = [
        (each.key, date.fromisoformat(each.starts_on), min(date.fromisoformat(each.ends_on), today))
        for each in reached
        if date.fromisoformat(each.starts_on) <= today
    ]
    (records, curricula), sums = await asyncio.gather(
        sources.records("report_card", pupil_ids=ids, school_years=[school_year], term=term),
        sources.sums(ranges, pupil_ids=ids) if ranges else _no_sums(),
    )
    by_grade = {curriculum.school_grade: curriculum for curriculum in curricula}
    return [
        report_cards.report_card(
            pupil,
            records.get(pupil.pupil_id, Records()).with_overlay(asked.overlay),
            by_grade.get(_grade(pupil, school_year)) or Curriculum(school_year, _grade(pupil, school_year), ()),
            terms,
            term,
            sums.get(pupil.pupil_id, {}),
            today.isoformat(),
        )
        for pupil in pupils
    ], term


async def _guidance(
    sources: Sources, form: Form, asked: Asked, pupils: Sequence[Register], school_year: int, today: date
) -> list[FormDocument]:
    ids = [pupil.pupil_id for pupil in pupils]
    ranges = [
        (str(year), date(year, 4, 1), min(date(year + 1, 3, 31), today))
        for year in range(school_year - _YEARS_BACK, school_year + 1)
        if date(year, 4, 1) <= today
    ]
    (records, curricula), sums = await asyncio.gather(
        sources.records("guidance_record", pupil_ids=ids), sources.sums(ranges, pupil_ids=ids)
    )
    made: list[FormDocument] = []
    for pupil in pupils:
        of_pupil = {int(name): total for name, total in sums.get(pupil.pupil_id, {}).items()}
        entered = records.get(pupil.pupil_id, Records()).with_overlay(asked.overlay)
        sheet = guidance.guidance_record_2(pupil, entered, curricula, of_pupil)
        if form.key == "guidance_record_copy":
            made.append(
                guidance.guidance_record_copy(
                    guidance.guidance_record_1(pupil),
                    sheet,
                    issued_on=today.isoformat(),
                    recipient=asked.counterpart_name,
                    principal_name=certificates.principal(pupil, today.isoformat()),
                )
            )
        else:
            made.append(sheet)
    return made


def _certificate(form: Form, asked: Asked, pupil: Register, today: date) -> FormDocument:
    if form.key == "enrolment_certificate":
        if not pupil.enrolled:
            raise Refused(
                "この児童生徒は今日この学校に在籍していないため、在学証明書は作れません。"
                "在籍していたことの証明が必要なときは、指導要録 様式1で確かめてください。",
                reason="NOT_ENROLLED",
            )
        return certificates.enrolment_certificate(
            pupil,
            number=asked.document_number,
            issued_on=today.isoformat(),
            purpose=asked.use or "転学のため",
        )
    return certificates.textbook_certificate(
        pupil,
        asked.textbooks,
        number=asked.document_number,
        issued_on=today.isoformat(),
    )


def _running(terms: Sequence[TermFact], today: date) -> str:
    """The 学期 of the day, else the last one that has begun."""
    begun = [term for term in terms if term.key != "year" and term.starts_on <= today.isoformat()]
    return begun[-1].key if begun else "1"


def _grade(pupil: Register, school_year: int) -> SchoolGrade:
    year = pupil.year(school_year)
    return SchoolGrade(year.school_grade if year else pupil.school_grade)


async def _no_sums() -> dict[UUID, dict[str, SumsFact]]:
    return {}
