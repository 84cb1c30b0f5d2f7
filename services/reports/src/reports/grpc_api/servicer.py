"""ReportsService. What a form needs of the second factor follows its information class, so it is asked for inside."""

from collections.abc import AsyncIterator

from komu.common.v1 import common_pb2
from komu.reports.v1 import reports_pb2 as pb
from komu.reports.v1 import reports_pb2_grpc
from servicekit import jobs
from servicekit.clients import Clients
from servicekit.clock import day_in_jst
from servicekit.errors import Unseen
from servicekit.grpc import Call, rpc

from reports import policy
from reports.clients import Sources
from reports.domain.forms.registry import forms_of
from reports.domain.standing import Place, Standing
from reports.grpc_api import audit, translate
from reports.grpc_api.translate import uuid_of
from reports.typesetting.typesetter import Typesetter
from reports.usecases import archives, printing
from reports.usecases.gathering import gather

_EVERYBODY = frozenset({"teacher", "vice_principal", "principal", "office", "board_admin"})
RIGHTS = {
    "form.print": _EVERYBODY,
    "document.read": _EVERYBODY,
    "reports.audit": frozenset({"principal", "board_admin"}),
}
"""Right → coarse roles. The finer decision, with the register's facts of the day, is in policy."""

_CHUNK = 256 * 1024


class ReportsServicer(reports_pb2_grpc.ReportsServiceServicer):
    """Inbound calls of reports. Previews have a typesetter of their own: they do not wait for a class."""

    def __init__(self, clients: Clients, printer: Typesetter, previewer: Typesetter) -> None:
        self._clients = clients
        self._printer = printer
        self._previewer = previewer

    def _sources(self, call: Call) -> Sources:
        return Sources(self._clients, call)

    async def _standing(self, call: Call) -> Standing:
        return await self._sources(call).standing(day_in_jst(call.now), board_admin=call.person.holds("board_admin"))

    @rpc(right="form.print")
    async def ListForms(self, request: pb.ListFormsRequest, call: Call) -> pb.ListFormsReply:
        sources = self._sources(call)
        homeroom = await sources.homeroom(uuid_of(request.class_id, "class_id"))
        place = Place(uuid_of(homeroom.school.id, "school_id"), uuid_of(homeroom.id, "class_id"), homeroom.school_grade)
        forms = list(forms_of(homeroom.school_year).values())
        allowed = policy.printable(await self._standing(call), place, forms, call.person)
        return pb.ListFormsReply(forms=[translate.form(form) for form in allowed])

    @rpc(right="form.print")
    async def PreviewForm(self, request: pb.PreviewFormRequest, call: Call) -> pb.PreviewFormReply:
        today = day_in_jst(call.now)
        asked = translate.preview(request, today.year if today.month >= 4 else today.year - 1)
        gathered = await gather(self._sources(call), call.person, asked, call.now)
        pictures = await printing.preview(self._previewer, gathered, call.now, "svg" if request.page else "png")
        if request.page > len(pictures.pages):
            raise Unseen("そのページはありません。")
        return translate.preview_reply(pictures, request.page)

    @rpc(right="form.print")
    async def IssueDocument(self, request: pb.IssueDocumentRequest, call: Call) -> pb.Document:
        asked = translate.issue(request)
        earlier = await call.read(printing.earlier, asked.idempotency_key)
        if earlier is not None:
            return translate.document(earlier)
        gathered = await gather(self._sources(call), call.person, asked, call.now)
        order = gathered.order(asked, call.now)
        rendered = await printing.typeset(self._printer, order)
        return translate.document(await call.run(printing.keep, order, rendered))

    @rpc(right="form.print")
    async def PrintClass(self, request: pb.PrintClassRequest, call: Call) -> common_pb2.Job:
        asked = translate.print_class(request)
        earlier = await call.read(printing.earlier_job, asked.idempotency_key)
        if earlier is not None:
            return _job(earlier)
        gathered = await gather(self._sources(call), call.person, asked, call.now)
        return _job(await call.run(printing.order_class, gathered.order(asked, call.now)))

    @rpc(right="form.print")
    async def GetJob(self, request: common_pb2.GetJobRequest, call: Call) -> common_pb2.Job:
        return _job(await call.read(printing.get_job, uuid_of(request.job_id, "job_id")))

    @rpc(right="form.print")
    async def CancelJob(self, request: common_pb2.CancelJobRequest, call: Call) -> common_pb2.Job:
        return _job(await call.run(printing.cancel_job, uuid_of(request.job_id, "job_id")))

    @rpc(right="document.read")
    async def ListDocuments(self, request: pb.ListDocumentsRequest, call: Call) -> pb.ListDocumentsReply:
        filters = translate.filters(request)
        found, more = await call.read(archives.list_documents, await self._standing(call), filters)
        return pb.ListDocumentsReply(documents=[translate.document(each) for each in found], more=more)

    @rpc(right="document.read")
    async def GetDocument(self, request: pb.GetDocumentRequest, call: Call) -> AsyncIterator[pb.GetDocumentReply]:
        document_id = uuid_of(request.document_id, "document_id")
        document, pdf = await call.read(archives.open_document, await self._standing(call), document_id)
        yield pb.GetDocumentReply(document=translate.document(document))
        for start in range(0, len(pdf), _CHUNK):
            yield pb.GetDocumentReply(chunk=pdf[start : start + _CHUNK])

    @rpc(right="document.read")
    async def VerifyDocument(self, request: pb.GetDocumentRequest, call: Call) -> pb.DocumentVerification:
        document_id = uuid_of(request.document_id, "document_id")
        return translate.verification(
            await call.read(archives.verify_document, await self._standing(call), document_id)
        )

    @rpc(right="form.print")
    async def ListTextbooks(self, request: pb.ListTextbooksRequest, call: Call) -> pb.ListTextbooksReply:
        school_id = uuid_of(request.school_id, "school_id")
        found = await call.read(
            archives.last_textbooks,
            await self._standing(call),
            school_id,
            translate.school_grade_of(request.school_grade),
            request.school_year,
        )
        return pb.ListTextbooksReply(textbooks=[translate.textbook(each) for each in found])

    @rpc(right="reports.audit")
    async def ReadAudit(self, request: common_pb2.ReadAuditRequest, call: Call) -> common_pb2.ReadAuditReply:
        return await audit.read_audit(request, call, await self._standing(call))


def _job(status: jobs.JobStatus) -> common_pb2.Job:
    message: common_pb2.Job = jobs.to_proto(status)
    return message
