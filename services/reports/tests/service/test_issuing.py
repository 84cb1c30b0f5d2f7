"""Forms are printed for one child and for a class, kept with their data, opened by whom they concern (J6, J8)."""

import asyncio
import hashlib
import io
import re
from uuid import uuid4

import orjson
import psycopg
import pypdf
import pytest
from komu.common.v1 import common_pb2
from komu.reports.v1 import reports_pb2 as pb
from komu.roster.v1 import events_pb2, roster_pb2
from reports.consumers import on_enrolment_changed, on_enrolments_began
from servicekit.errors import Invalid, Refused, StepUpRequired, Unseen

from services.reports.tests.service.peers import School


def issue(school: School, form: str, place: int = 0, **more: object) -> pb.IssueDocumentRequest:
    return pb.IssueDocumentRequest(form=form, pupil_id=str(school.pupils[place]), class_id=str(school.class_id), **more)


async def opened(caller: object, document_id: str) -> tuple[pb.Document, bytes]:
    parts = await caller.GetDocument(pb.GetDocumentRequest(document_id=document_id))  # type: ignore[attr-defined]
    return parts[0].document, b"".join(part.chunk for part in parts[1:])


async def finished(caller: object, job_id: str) -> common_pb2.Job:
    for _ in range(600):
        job = await caller.GetJob(common_pb2.GetJobRequest(job_id=job_id))  # type: ignore[attr-defined]
        if job.state not in (common_pb2.JOB_STATE_WAITING, common_pb2.JOB_STATE_RUNNING):
            return job  # type: ignore[no-any-return]
        await asyncio.sleep(0.05)
    raise AssertionError("the job does not end")


def text_of(pdf: bytes) -> str:
    return re.sub(r"\s+", "", "".join(p.extract_text() for p in pypdf.PdfReader(io.BytesIO(pdf)).pages))


async def test_sheet_two_of_one_child_prints_what_the_services_know(school: School) -> None:
    document = await school.teacher.IssueDocument(issue(school, "guidance_record_2"))
    assert (document.form_label, document.pages, document.information_class) == ("指導要録 様式2（指導）", 2, 1)
    told, pdf = await opened(school.teacher, document.id)
    assert hashlib.sha256(pdf).hexdigest() == document.sha256 == told.sha256
    text = text_of(pdf)
    for expected in ("渡邉\U000e010f花1", "進んで学習に取り組んだ。", "青空市立あおぞら小学校", "70", "67"):
        assert expected in text
    assert document.id in text


async def test_a_class_is_one_file_in_number_order(school: School) -> None:
    request = pb.PrintClassRequest(form="report_card", class_id=str(school.class_id), term="2")
    job = await finished(school.teacher, (await school.teacher.PrintClass(request)).id)
    assert (job.state, job.done, job.total) == (common_pb2.JOB_STATE_DONE, 35, 35)
    document, pdf = await opened(school.teacher, job.result_id)
    pages = pypdf.PdfReader(io.BytesIO(pdf)).pages
    assert len(pages) == document.pages == 70
    first = [re.sub(r"\s+", "", page.extract_text()) for page in pages[::2]]
    assert all(f"渡辺花{n}" in page for n, page in enumerate(first, 1))
    assert list(document.pupil_ids) == [str(pupil) for pupil in school.pupils]


async def test_the_same_key_twice_issues_once(school: School) -> None:
    request = issue(school, "report_card", term="1", idempotency_key="k1")
    assert await school.teacher.IssueDocument(request) == await school.teacher.IssueDocument(request)
    many = pb.PrintClassRequest(form="report_card", class_id=str(school.class_id), term="1", idempotency_key="k2")
    job = await school.teacher.PrintClass(many)
    await finished(school.teacher, job.id)
    assert (await school.teacher.PrintClass(many)).id == job.id
    listed = await school.teacher.ListDocuments(pb.ListDocumentsRequest(class_id=str(school.class_id)))
    assert len(listed.documents) == 2


async def test_register_of_a_month(school: School) -> None:
    request = pb.IssueDocumentRequest(form="attendance_register", class_id=str(school.class_id), term="2026-11")
    document = await school.person(school.teacher_id, "teacher", strong=False).IssueDocument(request)
    assert document.retained_until == "2032-03-31"
    _, pdf = await opened(school.person(school.teacher_id, "teacher", strong=False), document.id)
    joint = ("教諭緑川葉子（9日まで）", "教頭若葉芽（10日から）")
    assert all(part in text_of(pdf) for part in ("出席簿", "青空太郎", "渡邉\U000e010f花1", *joint))
    assert "前田校一" not in text_of(pdf)
    with pytest.raises(Invalid, match="年度"):
        await school.teacher.IssueDocument(
            pb.IssueDocumentRequest(form="attendance_register", class_id=str(school.class_id), term="2025-03")
        )


async def test_the_register_of_an_earlier_month_names_who_was_in_office_then(school: School) -> None:
    request = pb.IssueDocumentRequest(form="attendance_register", class_id=str(school.class_id), term="2026-09")
    _, pdf = await opened(school.teacher, (await school.teacher.IssueDocument(request)).id)
    assert all(part in text_of(pdf) for part in ("前田校一", "教諭緑川葉子"))
    assert not any(part in text_of(pdf) for part in ("青空太郎", "若葉芽", "まで）"))


async def test_papers_of_a_transfer(school: School) -> None:
    copy = await school.principal.IssueDocument(
        issue(school, "guidance_record_copy", purpose="transfer", counterpart_name="港野市立港野小学校")
    )
    _, pdf = await opened(school.principal, copy.id)
    assert "この写しは、指導要録の原本と相違ないことを証明する。" in text_of(pdf)
    assert "港野市立港野小学校長に送付する。" in text_of(pdf)
    usual = await school.office.ListTextbooks(
        pb.ListTextbooksRequest(school_id=str(school.id), school_grade="P3", school_year=2026)
    )
    assert [book.subject for book in usual.textbooks][:3] == ["国語", "書写", "社会"]
    books = [pb.Textbook(subject="国語", publisher="青空書房", code="国語301", title="こくご三上", supplied=True)]
    certificate = await school.office.IssueDocument(
        issue(school, "textbook_certificate", textbooks=books, document_number="26-015")
    )
    _, pdf = await opened(school.office, certificate.id)
    assert "こくご三上" in text_of(pdf)
    last = await school.office.ListTextbooks(
        pb.ListTextbooksRequest(school_id=str(school.id), school_grade="P3", school_year=2026)
    )
    assert list(last.textbooks) == books
    enrolled = await school.office.IssueDocument(issue(school, "enrolment_certificate"))
    assert enrolled.pages == 1


async def test_preview_shows_what_is_being_typed_and_keeps_nothing(school: School) -> None:
    request = pb.PreviewFormRequest(
        form="guidance_record_2",
        pupil_id=str(school.pupils[0]),
        class_id=str(school.class_id),
        page=2,
        overlay=[pb.OverlayValue(subject="remarks", column="remarks.general", term="year", value="長い" * 2000)],
    )
    preview = await school.teacher.PreviewForm(request)
    assert preview.media_type == "image/svg+xml"
    assert preview.pages >= 3
    assert any("別紙" in note for note in preview.notes)
    assert not (await school.teacher.ListDocuments(pb.ListDocumentsRequest())).documents
    request.page = 0
    beside = await school.teacher.PreviewForm(request)
    assert beside.media_type == "image/png"
    assert len(beside.images) == beside.pages
    request.page = 9
    with pytest.raises(Unseen):
        await school.teacher.PreviewForm(request)


async def test_second_factor_is_asked_for_by_what_the_form_holds(school: School) -> None:
    weak = school.person(school.teacher_id, "teacher", strong=False)
    for form in ("report_card", "guidance_record_1", "guidance_record_2"):
        with pytest.raises(StepUpRequired):
            await weak.IssueDocument(issue(school, form, term="2" if form == "report_card" else ""))
    document = await school.teacher.IssueDocument(issue(school, "guidance_record_1"))
    with pytest.raises(StepUpRequired):
        await opened(weak, document.id)


async def test_who_may_not_is_told_why_and_strangers_see_nothing(school: School) -> None:
    document = await school.teacher.IssueDocument(issue(school, "guidance_record_2"))
    with pytest.raises(Refused, match="担任ではない"):
        await school.other_teacher.IssueDocument(issue(school, "guidance_record_2"))
    with pytest.raises(Refused, match="担任ではない"):
        await opened(school.other_teacher, document.id)
    with pytest.raises(Refused, match="校長・教頭"):
        await school.teacher.IssueDocument(issue(school, "guidance_record_copy"))
    with pytest.raises(Refused, match="事務"):
        await school.teacher.IssueDocument(issue(school, "enrolment_certificate"))
    stranger = school.person(uuid4(), "teacher")
    with pytest.raises(Unseen):
        await opened(stranger, document.id)
    assert not (await stranger.ListDocuments(pb.ListDocumentsRequest())).documents
    other_board = School(school.running, f"{school.tenant}-x")
    with pytest.raises(Unseen):
        await opened(other_board.principal, document.id)


async def test_every_opening_is_noted_for_every_pupil_in_the_file(school: School) -> None:
    pupils = [str(pupil) for pupil in school.pupils[:2]]
    request = pb.PrintClassRequest(form="guidance_record_1", class_id=str(school.class_id), pupil_ids=pupils)
    job = await finished(school.teacher, (await school.teacher.PrintClass(request)).id)
    await opened(school.principal, job.result_id)
    read = await school.principal.ReadAudit(common_pb2.ReadAuditRequest(school_id=str(school.id), kind="read"))
    assert {(e.action, e.subject_id, e.actor_id) for e in read.entries} == {
        ("document.read", pupil, str(school.principal_id)) for pupil in pupils
    }
    issued = await school.principal.ReadAudit(
        common_pb2.ReadAuditRequest(school_id=str(school.id), subject_id=pupils[0], kind="change")
    )
    assert [entry.action for entry in issued.entries] == ["document.issued"]
    with pytest.raises(Refused):
        await school.teacher.ReadAudit(common_pb2.ReadAuditRequest(school_id=str(school.id)))


async def test_what_was_issued_cannot_be_written_again_and_is_checked_against_its_hash(school: School) -> None:
    document = await school.teacher.IssueDocument(issue(school, "guidance_record_2"))
    request = pb.GetDocumentRequest(document_id=document.id)
    checked = await school.teacher.VerifyDocument(request)
    assert (checked.pdf_matches, checked.data_matches) == (True, True)
    with pytest.raises(Exception, match="permission denied") as refused:
        async with school.running.database.transaction(school.tenant) as tx:
            await tx.execute("UPDATE documents SET pdf = '' WHERE tenant_id = :t", {"t": school.tenant})
    assert isinstance(getattr(refused.value, "orig", refused.value), psycopg.errors.InsufficientPrivilege)
    async with school.running.database.reading(school.tenant) as tx:
        row = (await tx.execute("SELECT data FROM documents WHERE id = :id", {"id": document.id})).one()
    stored = orjson.loads(bytes(row.data))
    assert stored["form"] == "guidance_record_2"
    assert stored["documents"][0]["remarks"][2]["text"] == school.remark


async def left(school: School, place: int, ends_on: str, left_by: str = "graduated") -> None:
    event = events_pb2.EnrolmentChanged(
        meta=common_pb2.EventMeta(id=str(uuid4()), tenant=school.tenant, aggregate_id=str(uuid4())),
        enrolment=roster_pb2.EnrolmentState(
            pupil_id=str(school.pupils[place]),
            school_id=str(school.id),
            period=common_pb2.Period(starts_on="2024-04-08", ends_on=ends_on),
            left_by=left_by,
        ),
    )
    async with school.running.database.transaction(school.tenant) as tx:
        await on_enrolment_changed.run(tx, event)


async def test_retention_counts_from_leaving_per_sheet_and_waits_for_the_last_child(school: School) -> None:
    one = await school.teacher.IssueDocument(issue(school, "guidance_record_1"))
    two = await school.teacher.IssueDocument(issue(school, "guidance_record_2"))
    pupils = [str(pupil) for pupil in school.pupils[:2]]
    request = pb.PrintClassRequest(form="guidance_record_2", class_id=str(school.class_id), pupil_ids=pupils)
    both = (await finished(school.teacher, (await school.teacher.PrintClass(request)).id)).result_id

    async def until() -> dict[str, str]:
        listed = await school.principal.ListDocuments(pb.ListDocumentsRequest())
        return {document.id: document.retained_until for document in listed.documents}

    assert (one.retained_until, two.retained_until) == ("", "")
    assert "20年" in one.retention_basis
    assert "5年" in two.retention_basis
    await left(school, 0, "2026-11-24", "not_enrolled")  # 居所不明: neither 卒業 nor 転学
    assert await until() == {one.id: "", two.id: "", both: ""}
    await left(school, 0, "2026-11-24", "transferred_out")
    assert await until() == {one.id: "2046-11-24", two.id: "2031-11-24", both: ""}
    await left(school, 1, "2030-03-31")
    assert (await until())[both] == "2035-03-31"
    late = await school.principal.IssueDocument(issue(school, "guidance_record_copy"))
    assert late.retained_until == "2046-11-24"
    await left(school, 0, "", "")
    assert await until() == {one.id: "", two.id: "", both: "", late.id: ""}


async def came(school: School, *places: int, starts_on: str) -> None:
    event = events_pb2.EnrolmentsBegan(
        meta=common_pb2.EventMeta(id=str(uuid4()), tenant=school.tenant, aggregate_id=str(uuid4())),
        school_id=str(school.id),
        starts_on=starts_on,
        entered_by="transferred_in",
        pupil_ids=[str(school.pupils[place]) for place in places],
    )
    async with school.running.database.transaction(school.tenant) as tx:
        await on_enrolments_began.run(tx, event)


async def test_a_child_that_a_roster_file_brings_back_stops_the_clock_and_an_older_file_does_not(
    school: School,
) -> None:
    one = await school.teacher.IssueDocument(issue(school, "guidance_record_2", 0))
    other = await school.teacher.IssueDocument(issue(school, "guidance_record_2", 1))

    async def until() -> dict[str, str]:
        listed = await school.principal.ListDocuments(pb.ListDocumentsRequest())
        return {document.id: document.retained_until for document in listed.documents}

    await left(school, 0, "2026-11-24", "transferred_out")
    await left(school, 1, "2026-11-24", "transferred_out")
    await came(school, 0, 1, starts_on="2026-04-01")  # told late: both left after that day
    assert await until() == {one.id: "2031-11-24", other.id: "2031-11-24"}
    await came(school, 0, 2, starts_on="2027-01-08")
    assert await until() == {one.id: "", other.id: "2031-11-24"}


async def test_archive_filters_and_pages(school: School) -> None:
    made = [await school.teacher.IssueDocument(issue(school, "report_card", n, term="1")) for n in range(3)]
    await school.teacher.IssueDocument(issue(school, "guidance_record_1", 0))
    cards = await school.teacher.ListDocuments(pb.ListDocumentsRequest(form="report_card", limit=2))
    assert [document.id for document in cards.documents] == [made[2].id, made[1].id]
    assert cards.more
    rest = await school.teacher.ListDocuments(
        pb.ListDocumentsRequest(form="report_card", limit=2, before_document_id=made[1].id)
    )
    assert [document.id for document in rest.documents] == [made[0].id]
    of_pupil = await school.teacher.ListDocuments(pb.ListDocumentsRequest(pupil_id=str(school.pupils[0])))
    assert {document.form for document in of_pupil.documents} == {"report_card", "guidance_record_1"}
    none = await school.teacher.ListDocuments(pb.ListDocumentsRequest(to_on="2026-11-01"))
    assert not none.documents


async def test_wrong_questions_are_told_by_field(school: School) -> None:
    with pytest.raises(Invalid) as unknown:
        await school.teacher.IssueDocument(issue(school, "nothing"))
    assert unknown.value.violations[0].field == "form"
    with pytest.raises(Invalid) as term:
        await school.teacher.IssueDocument(issue(school, "report_card", term="9"))
    assert term.value.violations[0].field == "term"
    with pytest.raises(Invalid):
        await school.teacher.IssueDocument(pb.IssueDocumentRequest(form="guidance_record_1"))
    with pytest.raises(Unseen):
        await school.teacher.IssueDocument(
            pb.IssueDocumentRequest(form="guidance_record_1", pupil_id=str(uuid4()), class_id=str(uuid4()))
        )


async def test_forms_offered_follow_the_person(school: School) -> None:
    request = pb.ListFormsRequest(class_id=str(school.class_id))
    keys = {
        name: {form.key for form in (await caller.ListForms(request)).forms}
        for name, caller in (("teacher", school.teacher), ("office", school.office), ("principal", school.principal))
    }
    assert keys["teacher"] == {"report_card", "guidance_record_1", "guidance_record_2", "attendance_register"}
    assert "textbook_certificate" in keys["office"]
    assert "report_card" not in keys["office"]
    assert "guidance_record_copy" in keys["principal"]


async def test_a_print_can_be_cancelled_and_leaves_no_data(school: School) -> None:
    request = pb.PrintClassRequest(form="guidance_record_2", class_id=str(school.class_id))
    job = await school.teacher.PrintClass(request)
    cancelled = await school.teacher.CancelJob(common_pb2.CancelJobRequest(job_id=job.id))
    ended = await finished(school.teacher, cancelled.id)
    assert ended.state in (common_pb2.JOB_STATE_CANCELLED, common_pb2.JOB_STATE_DONE)
    if ended.state == common_pb2.JOB_STATE_CANCELLED:
        assert not (await school.teacher.ListDocuments(pb.ListDocumentsRequest())).documents
        async with school.running.database.reading(school.tenant) as tx:
            assert await tx.scalar("SELECT count(*) FROM print_orders") == 0


async def test_only_a_child_on_the_roll_gets_an_enrolment_certificate(school: School) -> None:
    """在学証明書 says 「在学していることを証明する」: of a child who has left, that would be false."""
    school.left.add(school.pupils[0])
    with pytest.raises(Refused, match="在籍していない"):
        await school.office.IssueDocument(issue(school, "enrolment_certificate"))
    assert (await school.office.IssueDocument(issue(school, "enrolment_certificate", place=1))).id
