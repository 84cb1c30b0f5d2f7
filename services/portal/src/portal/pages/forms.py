"""帳票: choosing a form, printing it for one child or a class, the archive, the preview beside the grid."""

import asyncio
import base64
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import uuid4

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from fastapi.responses import StreamingResponse
from komu.common.v1 import common_pb2
from komu.grades.v1 import grades_pb2
from komu.reports.v1 import reports_pb2 as pb
from komu.roster.v1 import roster_pb2
from servicekit.clock import today_jst
from servicekit.errors import Invalid, Unseen

from portal.nav import NavItem
from portal.rpc import Rpc, if_allowed, rpc
from portal.session import SignedIn, signed_in
from portal.text import full_name
from portal.view import redirect, view

router = APIRouter(prefix="/forms")
NAV = [
    NavItem("帳票", "/forms", roles={"teacher", "vice_principal", "principal", "office"}, order=30),
]

User = Annotated[SignedIn, Depends(signed_in)]
Calls = Annotated[Rpc, Depends(rpc)]
_SEES_ALL = ("principal", "vice_principal", "office")
_TYPESETTING_S = 60.0
_PAGE = 30
_BLANK_BOOKS = 4
# Forms that ask for something before they can be issued.
_ASKING = {"enrolment_certificate", "textbook_certificate", "guidance_record_copy"}
_MONTHS = (4, 5, 6, 7, 8, 9, 10, 11, 12, 1, 2, 3)
LABELS = {
    "report_card": "通知表",
    "guidance_record_1": "指導要録 様式1（学籍）",
    "guidance_record_2": "指導要録 様式2（指導）",
    "guidance_record_copy": "指導要録の写し",
    "attendance_register": "出席簿",
    "enrolment_certificate": "在学証明書",
    "textbook_certificate": "教科用図書給与証明書",
}


@dataclass(frozen=True, slots=True)
class Choice:
    """The class page: which form, which term or month."""

    form: pb.Form
    term: str
    terms: Sequence[tuple[str, str]]

    @property
    def asking(self) -> bool:
        return self.form.key in _ASKING

    @property
    def per_pupil(self) -> bool:
        return self.form.key != "attendance_register"


@dataclass(frozen=True, slots=True)
class Filters:
    """The archive's search form, as typed."""

    form: str = ""
    class_id: str = ""
    pupil_id: str = ""
    mine: str = ""
    from_on: str = ""
    to_on: str = ""

    def query(self, **changed: str) -> str:
        names = {"form": "form", "class_id": "class", "pupil_id": "pupil", "mine": "mine"}
        names |= {"from_on": "from", "to_on": "to"}
        values = {web: getattr(self, name) for name, web in names.items()} | changed
        return urlencode({key: value for key, value in values.items() if value})


# --- choosing -----------------------------------------------------------------------------------------------------


@router.get("")
async def classes(request: Request, user: User, rpc: Calls) -> Response:
    """The classes the person prints for."""
    found = await _classes(user, rpc)
    if len(found) == 1:
        return redirect(request, f"/forms/{found[0].id}")
    return view(request, "forms/classes.html", {"classes": found}, title="帳票")


async def _classes(user: SignedIn, rpc: Rpc) -> list[roster_pb2.Class]:
    me = await rpc.roster.WhoAmI(roster_pb2.WhoAmIRequest())
    found = list(me.classes)
    if user.holds(*_SEES_ALL):
        lists = await asyncio.gather(
            *(rpc.roster.ListClasses(roster_pb2.ListClassesRequest(school_id=school.id)) for school in me.schools)
        )
        found = [getattr(entry, "class") for answer in lists for entry in answer.classes]
    found = [one for one in found if one.kind != roster_pb2.CLASS_KIND_COURSE]
    return sorted(found, key=lambda one: (one.school_grade[:1] != "P", one.school_grade, one.name))


# --- the preview beside the grid ----------------------------------------------------------------------------------


@router.get("/preview")
async def preview(
    request: Request,
    user: User,
    rpc: Calls,
    form: str,
    pupil: str,
    term: str = "",
    class_id: Annotated[str, Query(alias="class")] = "",
) -> Response:
    """Every page of one child's form as pictures: a fragment for htmx, a page of its own without scripts."""
    asked = pb.PreviewFormRequest(form=form, pupil_id=pupil, class_id=class_id, term=_term_of(form, term), page=0)
    shown = await rpc.reports.PreviewForm(asked, timeout=_TYPESETTING_S)
    query = urlencode({"form": form, "pupil": pupil, "term": term, "class": class_id})
    facts = {
        "label": LABELS.get(form, "帳票"),
        "notes": shown.notes,
        "pages": [
            (number, f"data:{shown.media_type};base64,{base64.b64encode(image).decode()}")
            for number, image in enumerate(shown.images, 1)
        ],
        "query": query,
        "back": f"/forms/{class_id}" if class_id else "/forms",
    }
    return view(request, "forms/preview.html", facts, title=f"{facts['label']}の見本", fragment="pages")


@router.get("/preview/page")
async def preview_page(
    user: User,
    rpc: Calls,
    form: str,
    pupil: str,
    page: Annotated[int, Query(ge=1, le=50)] = 1,
    term: str = "",
    class_id: Annotated[str, Query(alias="class")] = "",
) -> Response:
    """One page to look at closely."""
    asked = pb.PreviewFormRequest(form=form, pupil_id=pupil, class_id=class_id, term=_term_of(form, term), page=page)
    shown = await rpc.reports.PreviewForm(asked, timeout=_TYPESETTING_S)
    return Response(shown.image, media_type=shown.media_type)


def _term_of(form: str, term: str) -> str:
    return term if form == "report_card" else ""


# --- the archive --------------------------------------------------------------------------------------------------


@router.get("/archive")
async def archive(
    request: Request,
    user: User,
    rpc: Calls,
    form: str = "",
    class_id: Annotated[str, Query(alias="class")] = "",
    pupil: str = "",
    mine: str = "",
    from_on: Annotated[str, Query(alias="from")] = "",
    to_on: Annotated[str, Query(alias="to")] = "",
    before: str = "",
) -> Response:
    """What was issued, newest first."""
    filters = Filters(form, class_id, pupil, mine, from_on, to_on)
    asked = pb.ListDocumentsRequest(
        form=form,
        class_id=class_id,
        pupil_id=pupil,
        issued_by=str(user.person_id) if mine else "",
        from_on=from_on,
        to_on=to_on,
        before_document_id=before,
        limit=_PAGE,
    )
    errors: Sequence[Any] = ()
    try:
        listed, choices = await asyncio.gather(rpc.reports.ListDocuments(asked), _classes(user, rpc))
    except Invalid as invalid:
        errors = invalid.violations
        listed, choices = pb.ListDocumentsReply(), await _classes(user, rpc)
    names = await _names(rpc, listed.documents)
    last = listed.documents[-1].id if listed.documents else ""
    facts = {
        "filters": filters,
        "errors": errors,
        "documents": listed.documents,
        "names": names,
        "class_names": {one.id: one.name for one in choices},
        "forms": [("", "すべて"), *LABELS.items()],
        "classes": [("", "すべて"), *((one.id, one.name) for one in choices)],
        "more": f"/forms/archive?{filters.query(before=last)}" if listed.more else "",
    }
    return view(request, "forms/archive.html", facts, title="発行した帳票")


async def _names(rpc: Rpc, documents: Sequence[pb.Document]) -> dict[str, str]:
    """Issuers and, of papers of one child, the child; empty where the names cannot be had."""
    wanted = {document.issued_by for document in documents} | {d.pupil_id for d in documents if d.pupil_id}
    if not wanted:
        return {}
    answer = await if_allowed(rpc.roster.GetPeopleNames(roster_pb2.GetPeopleNamesRequest(person_ids=sorted(wanted))))
    return {person.person_id: full_name(person.names.display) for person in answer.people} if answer else {}


async def _document(rpc: Rpc, document_id: str) -> pb.Document:
    listed = await rpc.reports.ListDocuments(pb.ListDocumentsRequest(document_id=document_id, limit=1))
    if not listed.documents:
        raise Unseen("この文書は見つかりません。")
    found: pb.Document = listed.documents[0]
    return found


@router.get("/documents/{document_id}")
async def document(request: Request, document_id: str, user: User, rpc: Calls) -> Response:
    """Facts of an issued document; the paper itself is opened by its own button (and noted)."""
    return await _document_page(request, rpc, document_id, None)


@router.post("/documents/{document_id}/verify")
async def verify(request: Request, document_id: str, user: User, rpc: Calls) -> Response:
    """Compares what is stored with the hashes noted at issue."""
    checked = await rpc.reports.VerifyDocument(pb.GetDocumentRequest(document_id=document_id))
    return await _document_page(request, rpc, document_id, checked)


async def _document_page(
    request: Request, rpc: Rpc, document_id: str, checked: pb.DocumentVerification | None
) -> Response:
    found = await _document(rpc, document_id)
    facts = {
        "document": found,
        "names": await _names(rpc, [found]),
        "checked": checked,
        "term": await _term_label(rpc, found),
        "strong": found.information_class <= 2,
    }
    return view(request, "forms/document.html", facts, title=found.form_label)


async def _term_label(rpc: Rpc, found: pb.Document) -> str:
    """The month, or the 学期 by the name the board gives it."""
    if not found.term:
        return ""
    if found.form == "attendance_register":
        return f"{int(found.term[5:])}月"
    asked = grades_pb2.ListTermsRequest(school_id=found.school_id, school_year=found.school_year)
    answer = await if_allowed(rpc.grades.ListTerms(asked))
    return next((term.label for term in answer.terms if term.key == found.term), "") if answer else ""


@router.get("/documents/{document_id}/file")
async def file(document_id: str, user: User, rpc: Calls, download: bool = False) -> Response:
    """The PDF. Class I and II ask for the second factor; every opening is noted."""
    parts = rpc.reports.GetDocument(pb.GetDocumentRequest(document_id=document_id), timeout=_TYPESETTING_S)
    first = await anext(parts)
    told = first.document
    name = f"{told.form}_{told.school_year}_{told.id[:8]}.pdf"

    async def chunks() -> AsyncIterator[bytes]:
        async for part in parts:
            yield part.chunk

    disposition = "attachment" if download else "inline"
    headers = {"Content-Disposition": f'{disposition}; filename="{name}"', "Content-Length": str(told.bytes)}
    return StreamingResponse(chunks(), media_type="application/pdf", headers=headers)


# --- the job of a class -------------------------------------------------------------------------------------------


@router.get("/jobs/{job_id}")
async def job(request: Request, job_id: str, user: User, rpc: Calls) -> Response:
    """How far the print of a class is; then where it lies."""
    return _job_page(request, await rpc.reports.GetJob(common_pb2.GetJobRequest(job_id=job_id)))


@router.post("/jobs/{job_id}/cancel")
async def cancel(request: Request, job_id: str, user: User, rpc: Calls) -> Response:
    """Stops the print."""
    return _job_page(request, await rpc.reports.CancelJob(common_pb2.CancelJobRequest(job_id=job_id)))


def _job_page(request: Request, running: common_pb2.Job) -> Response:
    facts = {"job": running, "done": running.state == common_pb2.JOB_STATE_DONE}
    return view(request, "forms/job.html", facts, title="印刷の進み具合", fragment="progress")


# --- a class ------------------------------------------------------------------------------------------------------


@router.get("/{class_id}")
async def of_class(request: Request, class_id: str, user: User, rpc: Calls, form: str = "", term: str = "") -> Response:
    """Choose form and term; print the class or one child."""
    return await _class_page(request, rpc, class_id, form, term)


async def _class_page(
    request: Request, rpc: Rpc, class_id: str, form: str, term: str, errors: Sequence[Any] = ()
) -> Response:
    listed, roster = await asyncio.gather(
        rpc.reports.ListForms(pb.ListFormsRequest(class_id=class_id)),
        rpc.roster.GetClassRoster(roster_pb2.GetClassRosterRequest(class_id=class_id)),
    )
    school_class = getattr(roster, "class")
    forms = list(listed.forms)
    choice = None
    if forms:
        chosen = next((one for one in forms if one.key == form), forms[0])
        terms, now = await _terms(rpc, chosen, roster)
        choice = Choice(chosen, _chosen_term(term, terms, now), terms)
    facts = {
        "class": school_class,
        "forms": forms,
        "choice": choice,
        "pupils": [entry.pupil for entry in roster.entries],
        "key": str(uuid4()),
        "errors": errors,
    }
    title = f"{school_class.name}の帳票"
    return view(request, "forms/class.html", facts, title=title, status=422 if errors else 200)


async def _terms(
    rpc: Rpc, form: pb.Form, roster: roster_pb2.GetClassRosterReply
) -> tuple[list[tuple[str, str]], str]:
    """Months or 学期 the form is printed for, and the one today lies in (empty: none of them)."""
    school_year = getattr(roster, "class").school_year
    today = today_jst()
    if form.key == "attendance_register":
        months = [(f"{school_year if month >= 4 else school_year + 1}-{month:02}", f"{month}月") for month in _MONTHS]
        return months, f"{today:%Y-%m}"
    if not form.per_term:
        return [], ""
    answer = await rpc.grades.ListTerms(
        grades_pb2.ListTermsRequest(school_id=roster.school.id, school_year=school_year)
    )
    terms = [term for term in answer.terms if term.key != "year"]
    running = (term.key for term in terms if term.starts_on <= today.isoformat() <= term.ends_on)
    return [(term.key, term.label) for term in terms], next(running, "")


def _chosen_term(asked: str, terms: Sequence[tuple[str, str]], now: str) -> str:
    """The one asked for, else today's, else the first."""
    keys = [key for key, _ in terms]
    return next((key for key in (asked, now, *keys) if key in keys), "")


@router.post("/{class_id}/print")
async def print_class(
    request: Request,
    class_id: str,
    user: User,
    rpc: Calls,
    form: Annotated[str, Form()],
    key: Annotated[str, Form()],
    term: Annotated[str, Form()] = "",
) -> Response:
    """The whole class as one file: a job."""
    if form == "attendance_register":
        return await _issue(request, rpc, class_id, pb.IssueDocumentRequest(form=form, term=term, idempotency_key=key))
    asked = pb.PrintClassRequest(form=form, class_id=class_id, term=term, idempotency_key=key)
    try:
        started = await rpc.reports.PrintClass(asked, timeout=_TYPESETTING_S)
    except Invalid as invalid:
        return await _class_page(request, rpc, class_id, form, term, invalid.violations)
    return redirect(request, f"/forms/jobs/{started.id}")


@router.post("/{class_id}/issue")
async def issue(
    request: Request,
    class_id: str,
    user: User,
    rpc: Calls,
    form: Annotated[str, Form()],
    pupil: Annotated[str, Form()],
    key: Annotated[str, Form()],
    term: Annotated[str, Form()] = "",
) -> Response:
    """One child's form."""
    asked = pb.IssueDocumentRequest(form=form, pupil_id=pupil, term=term, idempotency_key=f"{key}.{pupil}")
    return await _issue(request, rpc, class_id, asked)


async def _issue(request: Request, rpc: Rpc, class_id: str, asked: pb.IssueDocumentRequest) -> Response:
    asked.class_id = class_id
    try:
        made = await rpc.reports.IssueDocument(asked, timeout=_TYPESETTING_S)
    except Invalid as invalid:
        return await _class_page(request, rpc, class_id, asked.form, asked.term, invalid.violations)
    return redirect(request, f"/forms/documents/{made.id}", notice=f"{made.form_label}を発行しました。")


# --- forms that ask for something first ---------------------------------------------------------------------------


@router.get("/{class_id}/ask")
async def ask(request: Request, class_id: str, user: User, rpc: Calls, form: str, pupil: str) -> Response:
    """What a certificate or a 写し needs that no register holds."""
    if form not in _ASKING:
        raise Unseen
    return await _ask_page(request, rpc, class_id, form, pupil, {}, None, ())


async def _ask_page(
    request: Request,
    rpc: Rpc,
    class_id: str,
    form: str,
    pupil_id: str,
    typed: dict[str, str],
    books: Sequence[pb.Textbook] | None,
    errors: Sequence[Any],
) -> Response:
    roster = await rpc.roster.GetClassRoster(roster_pb2.GetClassRosterRequest(class_id=class_id))
    pupil = next((entry.pupil for entry in roster.entries if entry.pupil.id == pupil_id), None)
    if pupil is None:
        raise Unseen("この学級の児童生徒ではありません。")
    school_class = getattr(roster, "class")
    if form == "textbook_certificate" and books is None:
        last = await rpc.reports.ListTextbooks(
            pb.ListTextbooksRequest(
                school_id=roster.school.id,
                school_grade=school_class.school_grade,
                school_year=school_class.school_year,
            )
        )
        books = list(last.textbooks)
    facts = {
        "class": school_class,
        "pupil": pupil,
        "form": form,
        "label": LABELS[form],
        "typed": typed,
        "books": [*(books or ()), *(pb.Textbook(supplied=True) for _ in range(_BLANK_BOOKS))],
        "known": any(book.title for book in books or ()),
        "key": typed.get("key") or str(uuid4()),
        "errors": errors,
    }
    status = 422 if errors else 200
    return view(request, "forms/ask.html", facts, title=f"{LABELS[form]}の発行", status=status)


@router.post("/{class_id}/ask")
async def issue_asked(request: Request, class_id: str, user: User, rpc: Calls) -> Response:
    """Issues a certificate or a 写し with what was typed."""
    sent = await request.form(max_fields=400)
    typed = {name: str(value).strip() for name, value in sent.items()}
    form, pupil = typed.get("form", ""), typed.get("pupil", "")
    if form not in _ASKING:
        raise Unseen
    books = _books(typed)
    asked = pb.IssueDocumentRequest(
        form=form,
        pupil_id=pupil,
        class_id=class_id,
        purpose="transfer" if form == "guidance_record_copy" else "print",
        counterpart_name=typed.get("counterpart", ""),
        document_number=typed.get("number", ""),
        use=typed.get("use", ""),
        textbooks=books,
        idempotency_key=typed.get("key", ""),
    )
    try:
        made = await rpc.reports.IssueDocument(asked, timeout=_TYPESETTING_S)
    except Invalid as invalid:
        return await _ask_page(request, rpc, class_id, form, pupil, typed, books, invalid.violations)
    return redirect(request, f"/forms/documents/{made.id}", notice=f"{made.form_label}を発行しました。")


def _books(typed: dict[str, str]) -> list[pb.Textbook]:
    """The lines with a 書名 or a 発行者; a 種目 alone was only offered."""
    found = []
    for place in range(40):
        publisher, title = typed.get(f"publisher{place}", ""), typed.get(f"title{place}", "")
        if publisher or title:
            found.append(
                pb.Textbook(
                    subject=typed.get(f"subject{place}", ""),
                    title=title,
                    publisher=publisher,
                    code=typed.get(f"code{place}", ""),
                    supplied=f"supplied{place}" in typed,
                )
            )
    return found
