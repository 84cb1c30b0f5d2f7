"""`python -m dataexchange demo`: the invented boards as files, or loaded into a running stack as a person would do it.

    python -m dataexchange demo --out FOLDER              write the packages, 学籍補足 and 学校補足 only
    python -m dataexchange demo --stack-info FILE         sign in as each board's administrator and import them

Loading has no door of its own: it signs in at the identity provider with the demo administrator's password (code flow
with PKCE, as a browser does), exchanges the token as the portal does, and calls the same RPCs over the portal's line.
A board whose package was applied before is left alone.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import AsyncIterator
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import grpc
from komu.dataexchange.v1 import imports_pb2, imports_pb2_grpc
from servicekit.clients import raise_for
from servicekit.errors import KomuError
from servicekit.signing_in import SignInFailed, exchanged_token, portal_line

from dataexchange.domain.demo.boards import BOARDS, SCHOOL_YEAR, DemoBoard
from dataexchange.domain.demo.roster import DemoRoster
from dataexchange.domain.oneroster.school_supplement import write_school_supplement
from dataexchange.domain.oneroster.supplement import write_supplement
from dataexchange.domain.oneroster.writer import package_name

_CHUNK = 256 * 1024
_WITHIN_S = 120.0
_APPLIED_WITHIN_S = 180.0


class DemoFile(NamedTuple):
    """One file of a board, in the order of import."""

    kind: str  # oneroster | supplement | school_supplement
    name: str
    content: bytes


def add_arguments(parser: argparse.ArgumentParser) -> None:
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--stack-info", "--info", dest="info", type=Path, help="the JSON of `make info`")
    where.add_argument("--out", type=Path, help="folder to write the files into")
    parser.add_argument("--board", choices=sorted(BOARDS), action="append", help="only this board (repeatable)")


def run(arguments: argparse.Namespace) -> int:
    """0 when every board is there; 1 with a sentence when one is not."""
    if arguments.out:
        return _write(arguments.out, arguments.board or sorted(BOARDS))
    info = json.loads(arguments.info.read_text())
    boards = arguments.board or sorted({account["board"] for account in info["accounts"]})
    try:
        asyncio.run(_load(info, [BOARDS[name] for name in boards], portal_line(info)))
    except (KomuError, SignInFailed, LoadFailed, grpc.RpcError) as error:
        print(f"デモの名簿を取り込めませんでした: {error}", file=sys.stderr)
        return 1
    return 0


class LoadFailed(Exception):
    """The import said no; the message has its reason."""


def files_of(board: DemoBoard) -> list[DemoFile]:
    """The board's package, its 学籍補足 and its 学校補足. Same board, same bytes."""
    roster = DemoRoster(board)
    package = BytesIO()
    roster.write_package(package)
    return [
        DemoFile("oneroster", package_name(board.code, f"{SCHOOL_YEAR}-04-01"), package.getvalue()),
        DemoFile("supplement", f"学籍補足_{board.code}.csv", b"".join(write_supplement(roster.supplement()))),
        DemoFile(
            "school_supplement",
            f"学校補足_{board.code}.csv",
            b"".join(write_school_supplement(roster.school_supplement())),
        ),
    ]


def _write(folder: Path, boards: list[str]) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    for name in boards:
        for one in files_of(BOARDS[name]):
            (folder / one.name).write_bytes(one.content)
            print(f"{folder / one.name}  {len(one.content)} bytes")
    return 0


async def _load(info: dict[str, Any], boards: list[DemoBoard], line: grpc.ChannelCredentials) -> None:
    async with grpc.aio.secure_channel(info["services"]["dataexchange"]["grpc"], line) as channel:
        service = imports_pb2_grpc.ImportServiceStub(channel)
        for board in boards:
            token = await exchanged_token(info, f"{board.tenant}.board", "dataexchange")
            await _load_board(service, (("authorization", f"Bearer {token}"),), board)


async def _load_board(service: Any, metadata: tuple[tuple[str, str], ...], board: DemoBoard) -> None:
    try:
        done = await service.ListImports(imports_pb2.ListImportsRequest(limit=50), timeout=_WITHIN_S, metadata=metadata)
        applied = {one.sha256 for one in done.imports if one.state == "applied"}
        for file in files_of(board):
            if sha256(file.content).hexdigest() in applied:
                print(f"{board.name}: {file.name} は取り込み済みです", flush=True)
                continue
            print(f"{board.name}: {file.name} を取り込んでいます", flush=True)
            await _import(service, metadata, file)
    except grpc.RpcError as error:
        raise_for(error)


async def _import(service: Any, metadata: tuple[tuple[str, str], ...], file: DemoFile) -> None:
    async def parts() -> AsyncIterator[imports_pb2.UploadImportRequest]:
        yield imports_pb2.UploadImportRequest(header=imports_pb2.UploadHeader(file_name=file.name, kind=file.kind))
        for start in range(0, len(file.content), _CHUNK):
            yield imports_pb2.UploadImportRequest(chunk=file.content[start : start + _CHUNK])

    found = await service.UploadImport(parts(), timeout=_WITHIN_S, metadata=metadata)
    if found.state != "staged":
        first = next((one for one in found.findings if one.severity == "error"), None)
        raise LoadFailed(f"{file.name}: {first.reason if first else found.failure or found.state}")
    if found.change.problems:
        raise LoadFailed(f"{file.name}: {found.change.problems[0]}")
    found = await service.ApplyImport(
        imports_pb2.ApplyImportRequest(import_id=found.id), timeout=_WITHIN_S, metadata=metadata
    )
    async with asyncio.timeout(_APPLIED_WITHIN_S):
        while found.state == "applying":
            await asyncio.sleep(0.2)
            found = await service.GetImport(
                imports_pb2.GetImportRequest(import_id=found.id), timeout=_WITHIN_S, metadata=metadata
            )
    if found.state != "applied":
        raise LoadFailed(f"{file.name}: {found.failure or found.state}")
