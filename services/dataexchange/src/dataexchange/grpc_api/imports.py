"""ImportService: rosters in and out. `dataexchange.app` registers the servicer and merges `IMPORT_RIGHTS`."""

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncIterator
from datetime import datetime
from typing import IO
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp
from komu.dataexchange.v1 import imports_pb2, imports_pb2_grpc
from komu.roster.v1 import roster_pb2
from servicekit.clients import Clients
from servicekit.errors import Invalid, KomuError, Unseen
from servicekit.grpc import Call, rpc
from servicekit.ids import uuid7

from dataexchange.clients.roster_imports import RosterImports
from dataexchange.clients.roster_snapshot import RosterSnapshots
from dataexchange.domain.oneroster.exporting import Wanted
from dataexchange.domain.oneroster.imports import MAX_UPLOAD_BYTES, Import, Kind, State, Upload
from dataexchange.grpc_api.exports import finding_to_proto
from dataexchange.usecases import exports, imports

IMPORT_RIGHTS: dict[str, frozenset[str]] = {
    "roster.import": frozenset({"board_admin"}),
    "roster.export": frozenset({"board_admin"}),
}

_IN_MEMORY_BYTES = 8 * 1024 * 1024
_CHUNK = 256 * 1024
_PAGE = 50
_MAX_NAME = 200


class ImportServicer(imports_pb2_grpc.ImportServiceServicer):
    """The board's administrator brings rosters in and hands them out."""

    def __init__(self, clients: Clients) -> None:
        self._register = RosterImports(clients)
        self._snapshots = RosterSnapshots(clients)

    @rpc(right="roster.import")
    async def UploadImport(
        self, requests: AsyncIterator[imports_pb2.UploadImportRequest], call: Call
    ) -> imports_pb2.Import:
        """Take the file in, check all of it, hand clean rows to the register. The file itself is not kept."""
        with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES) as spool:
            upload = await _receive(requests, spool)
            file = imports.UploadedFile(upload, spool)
            import_id = uuid7()
            await call.run(imports.register, import_id, upload)
            outcome = await asyncio.to_thread(file.check)
            found = await call.run(imports.note_checked, import_id, outcome)
            if found.state is not State.CHECKED:
                return _to_proto(found)
            try:
                await self._register.stage(
                    call.token or "",
                    import_id,
                    upload.source,
                    file.rows(),
                    supplement=upload.kind.supplements,
                    school_year=outcome.school_year,
                )
            except KomuError as error:
                await call.run(imports.note_failed, import_id, error.message)
                raise
            found = await call.run(imports.note_staged, import_id)
        return _to_proto(found, await self._register.change(call.token or "", import_id))

    @rpc(right="roster.import")
    async def GetImport(self, request: imports_pb2.GetImportRequest, call: Call) -> imports_pb2.Import:
        found = await call.read(imports.look, _id(request.import_id))
        if found.state not in (State.STAGED, State.APPLYING, State.APPLIED, State.FAILED):
            return _to_proto(found)
        return await self._with_change(found, call)

    @rpc(right="roster.import")
    async def ApplyImport(self, request: imports_pb2.ApplyImportRequest, call: Call) -> imports_pb2.Import:
        import_id = _id(request.import_id)
        found = await call.run(imports.look_for_apply, import_id)
        if found.state.may_be_applied:
            await self._register.apply(call.token or "", import_id, confirm_shrink=request.confirm_shrink)
            found = await call.run(imports.note_applying, import_id, request.confirm_shrink)
        return await self._with_change(found, call)

    @rpc(right="roster.import")
    async def DiscardImport(self, request: imports_pb2.DiscardImportRequest, call: Call) -> imports_pb2.Import:
        return _to_proto(await call.run(imports.discard, _id(request.import_id)))

    @rpc(right="roster.import")
    async def ListImports(self, request: imports_pb2.ListImportsRequest, call: Call) -> imports_pb2.ListImportsReply:
        before = _id(request.before_import_id) if request.before_import_id else None
        found, more = await call.read(imports.history, before, min(request.limit or _PAGE, _PAGE))
        return imports_pb2.ListImportsReply(imports=[_to_proto(one) for one in found], more=more)

    @rpc(right="roster.export")
    async def ExportRoster(
        self, request: imports_pb2.ExportRosterRequest, call: Call
    ) -> AsyncIterator[imports_pb2.ExportRosterReply]:
        """The package, checked by our own checker before the first byte leaves."""
        wanted = Wanted.of(request.school_id, request.profile, request.purpose, request.recipient)
        exports.check_wanted(wanted)
        with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES) as spool:
            register = await self._snapshots.register(call.token or "", wanted.school_id)
            written = await asyncio.to_thread(exports.write, register, wanted, spool, call.now)
            await call.run(exports.note_export, wanted, written)
            yield imports_pb2.ExportRosterReply(
                header=imports_pb2.ExportHeader(
                    file_name=written.file_name, sha256=written.sha256, rows_by_file=written.rows_by_file
                )
            )
            spool.seek(0)
            while chunk := spool.read(_CHUNK):
                yield imports_pb2.ExportRosterReply(chunk=chunk)

    async def _with_change(self, found: Import, call: Call) -> imports_pb2.Import:
        """What the register says of it; an end reached there is noted here."""
        try:
            change = await self._register.change(call.token or "", found.id)
        except Unseen:
            if found.state is State.APPLIED:  # long ago: the register keeps the outcome, not the rows
                return _to_proto(found)
            raise
        if found.state is State.APPLYING and change.state == "applied":
            found = await call.run(imports.note_applied, found.id)
        elif found.state is State.APPLYING and change.state in ("failed", "cancelled"):
            why = change.job.label if change.state == "failed" else "取り込みを取りやめました。何も変わっていません。"
            found = await call.run(imports.note_failed, found.id, why)
        return _to_proto(found, change)


async def _receive(requests: AsyncIterator[imports_pb2.UploadImportRequest], spool: IO[bytes]) -> Upload:
    """Header, then chunks, into `spool`. Raises: Invalid."""
    first = await anext(aiter(requests), None)
    if first is None or first.WhichOneof("part") != "header":
        raise Invalid("ファイルが届いていません。もう一度選んで送ってください。", reason="HEADER_FIRST")
    if first.header.kind not in set(Kind):
        raise Invalid("取り込めるのは OneRoster のZIP、学籍補足CSV、学校補足CSVです。", reason="KIND_UNKNOWN")
    digest, size = hashlib.sha256(), 0
    async for request in requests:
        size += len(request.chunk)
        if size > MAX_UPLOAD_BYTES:
            raise Invalid(
                f"ファイルが大きすぎます（上限{MAX_UPLOAD_BYTES >> 20}MiB）。学校ごとに分けてください。",
                reason="FILE_TOO_LARGE",
            )
        digest.update(request.chunk)
        spool.write(request.chunk)
    name = first.header.file_name.replace("\\", "/").rsplit("/", 1)[-1]
    name = "".join(character for character in name if character.isprintable())[:_MAX_NAME]
    return Upload(Kind(first.header.kind), name or "(名前なし)", digest.hexdigest(), size)


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise Unseen("この取込は見つかりません。") from error


def _to_proto(found: Import, change: roster_pb2.RosterChange | None = None) -> imports_pb2.Import:
    reply = imports_pb2.Import(
        id=str(found.id),
        file_name=found.upload.file_name,
        kind=found.upload.kind.value,
        sha256=found.upload.sha256,
        bytes=found.upload.bytes,
        profile=found.profile,
        state=found.state.value,
        findings=[
            finding_to_proto(one)
            for one in found.findings
        ],
        errors_total=found.errors_total,
        notes_total=found.notes_total,
        rows_by_file=dict(found.rows_by_file),
        uploaded_by=str(found.uploaded_by),
        applied_by=str(found.applied_by or ""),
        failure=found.failure,
    )
    reply.uploaded_at.MergeFrom(_instant(found.uploaded_at))
    if found.applied_at is not None:
        reply.applied_at.MergeFrom(_instant(found.applied_at))
    if change is not None:
        reply.change.MergeFrom(change)
        if change.HasField("job"):
            reply.job.MergeFrom(change.job)
    return reply


def _instant(at: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(at)
    return stamp
