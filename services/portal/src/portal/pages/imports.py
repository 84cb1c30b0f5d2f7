"""名簿の取込: a board's administrator uploads, reads what is wrong, what would change, applies."""

import csv
import io
from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, File, Form, Query, Request, Response, UploadFile
from fastapi.responses import JSONResponse
from komu.common.v1 import common_pb2
from komu.dataexchange.v1 import imports_pb2
from komu.roster.v1 import roster_pb2
from servicekit.errors import Conflict, Invalid, Refused, Unseen, Violation

from portal import text
from portal.asked_by import AskedBy, asked_by
from portal.nav import NavItem
from portal.rpc import Rpc, if_allowed, rpc
from portal.session import SignedIn, signed_in
from portal.view import redirect, view

ADMINISTRATORS = {"board_admin"}
MIB = 1024 * 1024
UPLOAD_WITHIN_S = 300.0
APPLY_WITHIN_S = 120.0
_CHUNK = 256 * 1024

router = APIRouter(prefix="/imports")
NAV = [NavItem("名簿の取込", "/imports", roles=ADMINISTRATORS, order=60)]
UPLOADS = {"/imports": 65 * MIB}  # the service says 64 MiB in its own words; one more for the form around the file

User = Annotated[SignedIn, Depends(signed_in)]
Calls = Annotated[Rpc, Depends(rpc)]

KINDS = {"oneroster": "OneRoster名簿", "supplement": "学籍補足", "school_supplement": "学校補足"}
TEMPLATES = {
    "supplement": (
        "学籍補足_ひな形.csv",
        (
            ("利用者識別子", "3f2b8c1e-5a47-4d09-9b6e-71c0d2a8e4f5"),
            ("戸籍の氏", "見本"),
            ("戸籍の名", "花子"),
            ("戸籍のミドルネーム", ""),
            ("通称の氏", ""),
            ("通称の名", ""),
            ("性別", "女"),
            ("生年月日", "2017-05-05"),
            ("郵便番号", "999-0101"),
            ("住所", "みらい県見本市本町1丁目2番3号"),
            ("住所の異動日", ""),
            ("入学日", "2024-04-01"),
            ("入学前の経歴", "見本市立みほん幼稚園"),
            ("住所の秘匿", ""),
            ("保護者1の氏", "見本"),
            ("保護者1の名", "太郎"),
            ("保護者1の氏カナ", "ミホン"),
            ("保護者1の名カナ", "タロウ"),
            ("保護者1の続柄", "父"),
            ("保護者1の電話", "000-0000-0000"),
            ("保護者1の住所", ""),
            ("保護者2の氏", ""),
            ("保護者2の名", ""),
            ("保護者2の氏カナ", ""),
            ("保護者2の名カナ", ""),
            ("保護者2の続柄", ""),
            ("保護者2の電話", ""),
            ("保護者2の住所", ""),
        ),
    ),
    "school_supplement": (
        "学校補足_ひな形.csv",
        (
            ("学校コード", "B147299900018"),
            ("学校名", "見本市立みほん小学校"),
            ("所在地", "みらい県見本市本町1丁目1番1号"),
        ),
    ),
}
"""Kind of upload → name of the file to start from, and its columns with an invented example."""
STATES = {
    "checking": ("確認の途中", "plain"),
    "refused": ("誤りあり", "bad"),
    "checked": ("受け渡し前", "warn"),
    "staged": ("確認待ち", "key"),
    "applying": ("取り込み中", "key"),
    "applied": ("取り込み済み", "good"),
    "failed": ("失敗", "bad"),
    "discarded": ("取りやめ", "plain"),
}
ENTITIES = {
    "schools": "学校",
    "classes": "学級・講座",
    "people": "人",
    "members": "学級の在籍",
    "appointments": "教職員の配置",
    "duties": "担任・担当",
}
CHANGES = {"added": "新しく入る", "changed": "変わる", "gone": "なくなる"}
SEVERITIES = {"": "すべて", "error": "誤り", "note": "注意"}
SHOWN = 200


@router.get("")
async def overview(
    request: Request, user: User, rpc: Calls, before: Annotated[str, Query(max_length=40)] = ""
) -> Response:
    """Upload, and everything uploaded so far."""
    return await _overview(request, rpc, before=before)


async def _overview(
    request: Request, rpc: Rpc, *, before: str = "", errors: Sequence[Violation] = (), status: int = 200
) -> Response:
    listed = await rpc.dataexchange.ListImports(imports_pb2.ListImportsRequest(before_import_id=before))
    names = await _names(rpc, {one.uploaded_by for one in listed.imports})
    return view(
        request,
        "imports/overview.html",
        {
            "imports": listed.imports,
            "names": names,
            "kinds": KINDS,
            "states": STATES,
            "errors": errors,
            "next_url": f"/imports?before={listed.imports[-1].id}" if listed.more else None,
        },
        title="名簿の取込",
        status=status,
    )


@router.post("")
async def upload(
    request: Request,
    user: User,
    rpc: Calls,
    kind: Annotated[str, Form(max_length=20)],
    file: Annotated[UploadFile, File()],
) -> Response:
    """Take the file to the service in pieces; go to what was found."""
    if not file.filename:
        missing = [Violation(f"file-{kind}", "ファイルを選んでください。")]
        if asked_by(request) is AskedBy.SCRIPT:
            raise Invalid("ファイルを選んでください。", missing)
        return await _overview(request, rpc, errors=missing, status=422)
    found = await rpc.dataexchange.UploadImport(_parts(kind, file), timeout=UPLOAD_WITHIN_S)
    address = f"/imports/{found.id}"
    if asked_by(request) is AskedBy.SCRIPT:
        return JSONResponse({"location": address})
    return redirect(request, address)


async def _parts(kind: str, file: UploadFile) -> AsyncIterator[imports_pb2.UploadImportRequest]:
    yield imports_pb2.UploadImportRequest(header=imports_pb2.UploadHeader(file_name=file.filename or "", kind=kind))
    while chunk := await file.read(_CHUNK):
        yield imports_pb2.UploadImportRequest(chunk=chunk)


@router.get("/templates/{kind}.csv")
async def template(kind: str, user: User) -> Response:
    """The header and one invented row, to be filled in with a spreadsheet. Raises: Unseen."""
    if kind not in TEMPLATES:
        raise Unseen
    name, columns = TEMPLATES[kind]
    return as_csv(name, [[column for column, _ in columns], [example for _, example in columns]])


@router.get("/{import_id}")
async def look(
    request: Request,
    import_id: str,
    user: User,
    rpc: Calls,
    severity: Annotated[str, Query(max_length=10)] = "",
    file: Annotated[str, Query(max_length=80)] = "",
    word: Annotated[str, Query(max_length=80)] = "",
) -> Response:
    """What was found, what would change, how far it is."""
    found = await rpc.dataexchange.GetImport(imports_pb2.GetImportRequest(import_id=import_id))
    return await _look(request, rpc, found, severity=severity, file=file, word=word)


async def _look(
    request: Request,
    rpc: Rpc,
    found: Any,
    *,
    severity: str = "",
    file: str = "",
    word: str = "",
    errors: Sequence[Any] = (),
    status: int = 200,
) -> Response:
    kept = _filtered(found.findings, severity, file, word)
    names = await _names(rpc, {found.uploaded_by, found.applied_by})
    unlisted = await _unlisted(rpc, found) if found.state == "applied" else 0
    return view(
        request,
        "imports/import.html",
        {
            "found": found,
            "names": names,
            "kinds": KINDS,
            "states": STATES,
            "entities": ENTITIES,
            "changes": CHANGES,
            "severities": list(SEVERITIES.items()),
            "files": [("", "すべて"), *((name, name) for name in _files(found.findings))],
            "chosen": {"severity": severity, "file": file, "word": word},
            "findings": kept[:SHOWN],
            "kept": len(kept),
            "blocking": [one for one in found.change.problems if not one.startswith("注意")],
            "warnings": [one for one in found.change.problems if one.startswith("注意")],
            "unlisted": unlisted,
            "errors": errors,
        },
        title=f"取込 {found.file_name}",
        status=status,
        fragment="findings",
    )


async def _unlisted(rpc: Rpc, found: Any) -> int:
    """How many children on the roll that file did not list, and nobody has decided about yet."""
    asked = roster_pb2.ListUnlistedPupilsRequest(import_id=found.id, limit=1)
    reply = await if_allowed(rpc.roster.ListUnlistedPupils(asked))
    return reply.total if reply else 0


def _files(findings: Sequence[Any]) -> list[str]:
    return sorted({one.file for one in findings if one.file})


def _filtered(findings: Sequence[Any], severity: str, file: str, word: str) -> list[Any]:
    return [
        one
        for one in findings
        if (not severity or one.severity == severity)
        and (not file or one.file == file)
        and (not word or word in one.reason or word in one.value or word in one.column or word in one.code)
    ]


@router.get("/{import_id}/findings.csv")
async def findingsas_csv(import_id: str, user: User, rpc: Calls) -> Response:
    """The findings for a spreadsheet."""
    found = await rpc.dataexchange.GetImport(imports_pb2.GetImportRequest(import_id=import_id))
    rows: list[list[Any]] = [["種類", "ファイル", "行", "列", "値", "理由", "どうするか", "コード"]]
    for one in found.findings:
        severity = SEVERITIES.get(one.severity, one.severity)
        rows.append([severity, one.file, one.row or "", one.column, inert(one.value), one.reason, one.remedy, one.code])
    return as_csv(f"確認結果_{found.file_name}.csv", rows)


def as_csv(name: str, rows: Sequence[Sequence[Any]]) -> Response:
    """A download for a spreadsheet: with BOM, so that it opens rightly there."""
    target = io.StringIO()
    csv.writer(target, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows(rows)
    return Response(
        b"\xef\xbb\xbf" + target.getvalue().encode(),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}"},
    )


def inert(value: str) -> str:
    """A value that a spreadsheet would run as a formula is shown as text."""
    return f"'{value}" if value.startswith(("=", "+", "-", "@", "\t")) else value


@router.post("/{import_id}/apply")
async def apply(
    request: Request, import_id: str, user: User, rpc: Calls, confirm_shrink: Annotated[str, Form(max_length=5)] = ""
) -> Response:
    """Start; the page then shows the bar."""
    asked = imports_pb2.ApplyImportRequest(import_id=import_id, confirm_shrink=confirm_shrink == "1")
    try:
        await rpc.dataexchange.ApplyImport(asked, timeout=APPLY_WITHIN_S)
    except (Refused, Conflict) as problem:
        field = "confirm_shrink" if problem.reason == "SHRINK_NOT_CONFIRMED" else ""
        found = await rpc.dataexchange.GetImport(imports_pb2.GetImportRequest(import_id=import_id))
        return await _look(request, rpc, found, errors=[Violation(field, problem.message)], status=409)
    return redirect(request, f"/imports/{import_id}")


@router.post("/{import_id}/discard")
async def discard(request: Request, import_id: str, user: User, rpc: Calls) -> Response:
    await rpc.dataexchange.DiscardImport(imports_pb2.DiscardImportRequest(import_id=import_id))
    return redirect(request, "/imports", notice="取込を取りやめました。名簿は変わっていません。")


@router.get("/{import_id}/progress")
async def progress(request: Request, import_id: str, user: User, rpc: Calls) -> Response:
    """The bar; once it is over, the whole page again."""
    found = await rpc.dataexchange.GetImport(imports_pb2.GetImportRequest(import_id=import_id))
    if found.state != "applying":
        return redirect(request, f"/imports/{import_id}")
    return view(request, "imports/progress.html", {"found": found}, title="取り込みの進み具合")


@router.post("/{import_id}/cancel")
async def cancel(request: Request, import_id: str, user: User, rpc: Calls) -> Response:
    """Stop the register's job: all or nothing, so nothing has changed."""
    found = await rpc.dataexchange.GetImport(imports_pb2.GetImportRequest(import_id=import_id))
    if found.state == "applying":
        await rpc.roster.CancelJob(common_pb2.CancelJobRequest(job_id=found.job.id))
    return redirect(request, f"/imports/{import_id}")


async def _names(rpc: Rpc, person_ids: set[str]) -> dict[str, str]:
    wanted = sorted(person_ids - {""})
    if not wanted:
        return {}
    reply = await if_allowed(rpc.roster.GetPeopleNames(roster_pb2.GetPeopleNamesRequest(person_ids=wanted)))
    return {one.person_id: text.full_name(one.names.display) for one in reply.people} if reply else {}
