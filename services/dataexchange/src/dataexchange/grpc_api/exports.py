"""ExportService: packages for others as jobs, and the check of anybody's package."""

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncIterator
from typing import IO
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp
from komu.dataexchange.v1 import exports_pb2, exports_pb2_grpc, imports_pb2
from servicekit import jobs
from servicekit.errors import Invalid, Unseen, Violation
from servicekit.grpc import Call, rpc

from dataexchange.domain.oneroster.check import Checked, Purpose, check_package
from dataexchange.domain.oneroster.exports import Export, State, Wish
from dataexchange.domain.oneroster.findings import Finding
from dataexchange.domain.oneroster.imports import MAX_UPLOAD_BYTES
from dataexchange.domain.oneroster.profile import PUBLISHED, profile_named
from dataexchange.usecases import handing_out

_IN_MEMORY_BYTES = 8 * 1024 * 1024
_CHUNK = 256 * 1024
_PAGE = 50
_FINDINGS = 5_000
_STOPPED = {"failed": State.FAILED, "cancelled": State.CANCELLED}


class ExportServicer(exports_pb2_grpc.ExportServiceServicer):
    """The board's administrator hands rosters out, and looks at what others hand in without taking it in."""

    @rpc(right="roster.export")
    async def ListProfiles(
        self, request: exports_pb2.ListProfilesRequest, call: Call
    ) -> exports_pb2.ListProfilesReply:
        names = [exports_pb2.ProfileName(key=one.key, label=one.label) for one in PUBLISHED]
        return exports_pb2.ListProfilesReply(profiles=names)

    @rpc(right="roster.export")
    async def StartExport(self, request: exports_pb2.StartExportRequest, call: Call) -> exports_pb2.Export:
        wish = Wish(
            request.profile,
            tuple(_id(one, "schools") for one in request.school_ids),
            request.recipient.strip(),
            request.purpose.strip(),
            _id(request.base_export_id, "base") if request.base_export_id else None,
            request.since.ToDatetime().astimezone() if request.HasField("since") else None,
        )
        return _to_proto(await call.run(handing_out.start, wish))

    @rpc(right="roster.export")
    async def GetExport(self, request: exports_pb2.GetExportRequest, call: Call) -> exports_pb2.Export:
        found, job = await call.read(handing_out.look, _known(request.export_id))
        if found.state is State.WRITING and job.state in _STOPPED:
            found = await call.run(handing_out.note_stopped, found.id, _STOPPED[job.state])
        reply = _to_proto(found)
        reply.job.MergeFrom(jobs.to_proto(job))
        return reply

    @rpc(right="roster.export")
    async def CancelExport(self, request: exports_pb2.CancelExportRequest, call: Call) -> exports_pb2.Export:
        return _to_proto(await call.run(handing_out.cancel, _known(request.export_id)))

    @rpc(right="roster.export")
    async def ListExports(self, request: exports_pb2.ListExportsRequest, call: Call) -> exports_pb2.ListExportsReply:
        before = _known(request.before_export_id) if request.before_export_id else None
        found, more = await call.read(handing_out.history, before, min(request.limit or _PAGE, _PAGE))
        return exports_pb2.ListExportsReply(exports=[_to_proto(one) for one in found], more=more)

    @rpc(right="roster.export")
    async def DownloadExport(
        self, request: exports_pb2.DownloadExportRequest, call: Call
    ) -> AsyncIterator[exports_pb2.DownloadExportReply]:
        found = await call.run(handing_out.note_download, _known(request.export_id))
        yield exports_pb2.DownloadExportReply(
            header=imports_pb2.ExportHeader(
                file_name=found.file_name, sha256=found.sha256, rows_by_file=dict(found.rows_by_file)
            )
        )
        async with call.reading() as tx:
            async for block in handing_out.content(tx, found.id):
                for start in range(0, len(block), _CHUNK):
                    yield exports_pb2.DownloadExportReply(chunk=block[start : start + _CHUNK])

    @rpc(right="roster.export")
    async def CheckPackage(
        self, requests: AsyncIterator[exports_pb2.CheckPackageRequest], call: Call
    ) -> exports_pb2.CheckPackageReply:
        """Every finding of a package; nothing is imported and nothing kept."""
        with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES) as spool:
            header, digest = await _receive(requests, spool)
            chosen = profile_named(header.profile) if header.profile else None
            if header.profile and chosen is None:
                raise Invalid("形式を選び直してください。", [Violation("profile", "形式を選び直してください。")])
            size = spool.tell()
            checked = await asyncio.to_thread(
                check_package, spool, size, header.file_name, purpose=Purpose.CONFORMANCE, chosen=chosen,
                limit=_FINDINGS,
            )  # fmt: skip
        return _checked_to_proto(checked, digest)


async def _receive(
    requests: AsyncIterator[exports_pb2.CheckPackageRequest], spool: IO[bytes]
) -> tuple[exports_pb2.CheckHeader, str]:
    """Header, then chunks, into `spool`; and the SHA-256 of them. Raises: Invalid."""
    first = await anext(aiter(requests), None)
    if first is None or first.WhichOneof("part") != "header":
        raise Invalid("ファイルが届いていません。もう一度選んで送ってください。", reason="HEADER_FIRST")
    digest, size = hashlib.sha256(), 0
    async for request in requests:
        size += len(request.chunk)
        if size > MAX_UPLOAD_BYTES:
            raise Invalid(
                f"ファイルが大きすぎます（上限{MAX_UPLOAD_BYTES >> 20}MiB）。コマンドcheck-packageなら検査できます。",
                reason="FILE_TOO_LARGE",
            )
        digest.update(request.chunk)
        spool.write(request.chunk)
    return first.header, digest.hexdigest()


def _id(text: str, field: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise Invalid("選び直してください。", [Violation(field, "選び直してください。")]) from error


def _known(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise Unseen("この出力は見つかりません。") from error


def finding_to_proto(one: Finding) -> imports_pb2.Finding:
    return imports_pb2.Finding(
        code=one.code, severity=one.severity.value, file=one.file, row=one.row, column=one.column, value=one.value,
        reason=one.reason, remedy=one.remedy,
    )  # fmt: skip


def _checked_to_proto(checked: Checked, digest: str) -> exports_pb2.CheckPackageReply:
    return exports_pb2.CheckPackageReply(
        profile=checked.profile.key,
        profile_label=checked.profile.label,
        findings=map(finding_to_proto, checked.findings),
        errors_total=checked.findings.errors_total,
        notes_total=checked.findings.notes_total,
        rows_by_file=checked.rows_by_file,
        sha256=digest,
    )


def _to_proto(found: Export) -> exports_pb2.Export:
    wish = found.wish
    reply = exports_pb2.Export(
        id=str(found.id),
        profile=wish.profile,
        profile_label=found.profile.label,
        school_ids=map(str, wish.school_ids),
        mode="delta" if wish.base else "bulk",
        base_export_id=str(wish.base or ""),
        recipient=wish.recipient,
        purpose=wish.purpose,
        state=found.state.value,
        file_name=found.file_name,
        sha256=found.sha256,
        bytes=found.bytes,
        rows_by_file=dict(found.rows_by_file),
        findings=map(finding_to_proto, found.findings),
        errors_total=found.errors_total,
        failure=found.failure,
        requested_by=str(found.requested_by),
        kept=found.kept,
    )
    for name, at in (("requested_at", found.requested_at), ("finished_at", found.finished_at)):
        if at is not None:
            stamp: Timestamp = getattr(reply, name)
            stamp.FromDatetime(at)
    return reply
