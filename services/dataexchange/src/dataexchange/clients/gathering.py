"""Collect what a package needs from grades, attendance and reports, on behalf of the 校長 who approves."""

import asyncio
import re
from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

import grpc
from komu.attendance.v1 import attendance_pb2 as attendance
from komu.attendance.v1 import attendance_pb2_grpc
from komu.grades.v1 import grades_pb2 as grades
from komu.grades.v1 import grades_pb2_grpc
from komu.reports.v1 import reports_pb2 as reports
from komu.reports.v1 import reports_pb2_grpc
from komu.roster.v1 import roster_pb2 as roster
from servicekit.clients import Clients, raise_for
from servicekit.errors import Invalid, Refused, StepUpRequired, Unseen

from dataexchange.clients.register import Register, answered, history_of, identifiers_of, learner_of, school_of
from dataexchange.domain.commands import Gathered
from dataexchange.domain.package import manifest, records
from dataexchange.domain.package.building import Content
from dataexchange.domain.package.manifest import Absent, School
from dataexchange.domain.transfers import Transfer

LONG_S: Final = 60.0

# form of reports → (role in the manifest, path, information class, may it be missing)
DOCUMENTS: Final[dict[str, tuple[str, str, int, bool]]] = {
    "guidance_record_1": ("guidance_record_form_1", "documents/guidance-record-form-1.pdf", 1, False),
    "guidance_record_2": ("guidance_record_form_2", "documents/guidance-record-form-2.pdf", 1, False),
    "guidance_record_copy": ("guidance_record_copy", "documents/guidance-record-copy.pdf", 1, False),
    "enrolment_certificate": ("enrolment_certificate", "documents/enrolment-certificate.pdf", 3, True),
    "textbook_certificate": ("textbook_certificate", "documents/textbook-certificate.pdf", 3, True),
}
HEALTH_ABSENT: Final = "健康診断票は、このシステムでは電子的に保管していません。原本は紙で送付します。"

_TEXTS: Final = {
    grades.CELL_KIND_MORAL: "特別の教科 道徳",
    grades.CELL_KIND_FOREIGN_LANGUAGE_ACTIVITY: "外国語活動",
    grades.CELL_KIND_INTEGRATED_ACTIVITY: "総合的な学習の時間 学習活動",
    grades.CELL_KIND_INTEGRATED_VIEWPOINT: "総合的な学習の時間 観点",
    grades.CELL_KIND_INTEGRATED_ASSESSMENT: "総合的な学習の時間 評価",
    grades.CELL_KIND_GENERAL_REMARKS: "総合所見及び指導上参考となる諸事項",
    grades.CELL_KIND_ATTENDANCE_REMARK: "出欠の備考",
}


class Gatherer:
    """The services that hold a child's record."""

    def __init__(self, clients: Clients, register: Register) -> None:
        self._clients = clients
        self._register = register

    async def gather(self, token: str | None, transfer: Transfer, copies: Sequence[Content], today: date) -> Gathered:
        """Everything at once; nothing is made up: what has no source is listed as absent.

        Raises: StepUpRequired, Refused, Unseen, Unavailable, Invalid.
        """
        sheet = await self._register.register_sheet(token, transfer.pupil_id)
        school = school_of(sheet)
        years = sorted({line.school_year for line in sheet.years} | {school_year_of(transfer.left_on)})
        guidance, sums, documents = await asyncio.gather(
            self._guidance(token, transfer.pupil_id),
            self._sums(token, transfer, years),
            asyncio.gather(*(self._document(token, transfer, form, sheet) for form in DOCUMENTS)),
        )
        contents = [
            content("record/learner.json", "learner", learner_of(sheet)),
            content("record/identifiers.json", "identifiers", identifiers_of(sheet)),
            content("record/enrolment-history.json", "enrolment_history", history_of(sheet, str(transfer.left_on))),
        ]
        attended = _attendance(sums, sheet, transfer, years)
        contents.append(content("record/attendance-summary.json", "attendance_summary", attended))
        for year in guidance_years(guidance, school, school_year_of(today)):
            contents.append(content(f"record/guidance/{year.school_year}.json", "guidance_record", year))
        absent = [Absent(role="health_record", reason=HEALTH_ABSENT)]
        for made in documents:
            if isinstance(made, Absent):
                absent.append(made)
            else:
                contents.append(made)
        return Gathered(school=school, contents=[*contents, *copies], absent=absent)

    async def _guidance(self, token: str | None, pupil_id: UUID) -> grades.GetRecordsReply:
        stub: Any = self._clients.stub(grades_pb2_grpc.GradesServiceStub, "grades")
        metadata = await self._clients.on_behalf(token or "", "grades")
        request = grades.GetRecordsRequest(pupil_ids=[str(pupil_id)], purpose="guidance_record")
        reply: grades.GetRecordsReply = await answered(stub.GetRecords(request, metadata=metadata, timeout=LONG_S))
        return reply

    async def _sums(self, token: str | None, transfer: Transfer, years: Sequence[int]) -> attendance.GetSumsReply:
        """出欠の記録 of each year, of the year of the move up to the day it left (授業日数 of the child)."""
        stub: Any = self._clients.stub(attendance_pb2_grpc.AttendanceServiceStub, "attendance")
        metadata = await self._clients.on_behalf(token or "", "attendance")
        ranges = [
            attendance.SumRange(
                name=str(year), from_on=f"{year}-04-01", to_on=min(f"{year + 1}-03-31", transfer.left_on.isoformat())
            )
            for year in years[-12:]
        ]
        request = attendance.GetSumsRequest(pupil_ids=[str(transfer.pupil_id)], ranges=ranges)
        reply: attendance.GetSumsReply = await answered(stub.GetSums(request, metadata=metadata, timeout=LONG_S))
        return reply

    async def _document(
        self, token: str | None, transfer: Transfer, form: str, sheet: roster.RegisterSheet
    ) -> Content | Absent:
        """An official PDF; a certificate that this school cannot issue is stated as absent, with its reason."""
        role, path, information_class, may_miss = DOCUMENTS[form]
        stub: Any = self._clients.stub(reports_pb2_grpc.ReportsServiceStub, "reports")
        metadata = await self._clients.on_behalf(token or "", "reports")
        request = reports.IssueDocumentRequest(
            form=form, pupil_id=str(transfer.pupil_id), class_id=sheet.pupil.class_id, purpose="transfer",
            counterpart_name=transfer.destination.name, idempotency_key=f"{transfer.id}:{transfer.version}:{form}",
        )  # fmt: skip
        try:
            issued = await answered(stub.IssueDocument(request, metadata=metadata, timeout=LONG_S))
        except StepUpRequired:
            raise
        except (Invalid, Unseen, Refused) as error:
            if not may_miss:
                raise Invalid(
                    f"「{manifest.ROLES[role]}」を作成できませんでした。{error.message}", reason="DOCUMENT_MISSING"
                ) from error
            return Absent(role=role, reason=error.message or "発行できませんでした。")  # type: ignore[arg-type]
        data = await self._bytes(stub, metadata, issued.id)
        title = manifest.ROLES[role]
        line = manifest.part(path, data, role=role, title=title, information_class=information_class, custody="copy")
        return Content(line, data)

    async def _bytes(self, stub: Any, metadata: Any, document_id: str) -> bytes:
        chunks: list[bytes] = []
        try:
            call = stub.GetDocument(
                reports.GetDocumentRequest(document_id=document_id), metadata=metadata, timeout=LONG_S
            )
            async for part in call:
                chunks.append(part.chunk)
        except grpc.RpcError as error:
            raise_for(error)
        return b"".join(chunks)


def content(path: str, role: str, record: manifest.Strict) -> Content:
    """A record with its line in the manifest."""
    data = records.to_bytes(record)
    schema = records.SCHEMA_OF_ROLE[role]  # type: ignore[index]
    line = manifest.part(
        path, data, role=role, title=manifest.ROLES[role], information_class=1 if role == "guidance_record" else 2,
        custody="copy", schema=schema,
    )  # fmt: skip
    return Content(line, data)


def school_year_of(day: date) -> int:
    """The year a school year begins in (April)."""
    return day.year if day.month >= 4 else day.year - 1


def _attendance(
    reply: attendance.GetSumsReply, sheet: roster.RegisterSheet, transfer: Transfer, years: Sequence[int]
) -> records.AttendanceSummary:
    by_range = reply.pupils[0].by_range if reply.pupils else {}
    school_grade_of = {line.school_year: line.school_grade for line in sheet.years}
    made = []
    for year in years:
        sums = by_range.get(str(year))
        if sums is None:
            continue
        made.append(
            records.AttendanceYear(
                school_year=year, school_grade=school_grade_of.get(year) or sheet.pupil.school_grade,
                lesson_days=sums.lesson_days, suspended_or_mourning=sums.excused, required=sums.required,
                absent=sums.absent, present=sums.present, late=sums.late, left_early=sums.early,
                until=transfer.left_on.isoformat() if year == school_year_of(transfer.left_on) else None,
                note="、".join(sums.remarks)[:20_000],
            )
        )  # fmt: skip
    return records.AttendanceSummary.model_validate({"schema": "attendance_summary/1.0", "years": made})


def guidance_years(reply: grades.GetRecordsReply, school: School, current: int) -> list[records.GuidanceYear]:
    """指導に関する記録 by year: every filled cell finds its place, in the order of the curriculum."""
    plans = {(plan.school_year, plan.school_grade): plan for plan in reply.curricula}
    return [
        _guidance_year(year, plans.get((year.school_year, year.school_grade)), school, current)
        for pupil in reply.pupils
        for year in pupil.years
    ]


def _guidance_year(
    year: grades.YearRecord, plan: grades.CurriculumYear | None, school: School, current: int
) -> records.GuidanceYear:
    cells = {(value.subject, value.column): value for value in year.values}
    subjects: list[records.SubjectRecord] = []
    noted: dict[int, list[records.NotedItem]] = {
        grades.CELL_KIND_BEHAVIOUR: [], grades.CELL_KIND_SPECIAL_ACTIVITY: [],
    }  # fmt: skip
    texts: list[records.NamedText] = []
    for entry in plan.subjects if plan else []:
        viewpoints, rating, comment = [], "", ""
        for column in entry.columns:
            cell = cells.get((entry.subject.key, column.key))
            value = cell.value if cell else ""
            if column.kind == grades.CELL_KIND_VIEWPOINT and value:
                viewpoints.append(records.ViewpointMark(viewpoint=column.label, mark=value))
            elif column.kind == grades.CELL_KIND_RATING:
                rating = value
            elif column.kind in noted:
                noted[column.kind].append(records.NotedItem(item=column.label, noted=bool(value)))
            elif column.kind in _TEXTS and value:
                texts.append(records.NamedText(title=_TEXTS[column.kind], text=value))
            elif column.kind == grades.CELL_KIND_COMMENT:
                comment = value
        if entry.subject.is_subject and (viewpoints or rating or comment):
            subjects.append(
                records.SubjectRecord(
                    subject=entry.subject.label, code=re.sub(r"[^a-z_]", "", entry.subject.key), viewpoints=viewpoints,
                    rating=rating, text=comment,
                )
            )  # fmt: skip
    finished = year.school_year < current
    return records.GuidanceYear.model_validate({
        "schema": "guidance_record/1.0", "school_year": year.school_year, "school_grade": year.school_grade,
        "school": school, "subjects": subjects, "special_activities": noted[grades.CELL_KIND_SPECIAL_ACTIVITY],
        "behaviour": noted[grades.CELL_KIND_BEHAVIOUR], "texts": texts, "closed": finished,
        "open_reason": "" if finished else "学年の途中での転学",
    })  # fmt: skip
