"""What every LTI route needs, and how refusals are told: a page to people, JSON to programs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any, Final
from urllib.parse import parse_qsl

from servicekit.db import Database
from servicekit.errors import KomuError
from servicekit.http import status_of
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from learning.clients.tool_keys import ToolKeys
from learning.domain.lti import jose
from learning.domain.lti.claims import Platform
from learning.domain.lti.plain import is_plain, plain
from learning.domain.lti.refusals import LtiRefusal, invalid_client, invalid_request
from learning.domain.lti.tools import Tool, read_client_id
from learning.usecases.lti.keys import KeyRing
from learning.usecases.lti.tokens import find_tool

LARGEST_FORM: Final = 512 * 1024
NO_STORE: Final = {"cache-control": "no-store"}
Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class LtiSide:
    """The platform as the HTTP side has it."""

    database: Database
    platform: Platform
    keys: KeyRing
    tool_keys: ToolKeys
    local_tools: bool
    """Whether tools without https are taken."""

    async def tool_of(self, client_id: str) -> tuple[str, Tool]:
        """Board and tool of a client_id, while it is in use. Raises: LtiRefusal."""
        read = read_client_id(client_id)
        if read is None:
            raise invalid_client("この client_id は登録されていないか、停止されています。")
        async with self.database.reading(read[0]) as tx:
            return read[0], await find_tool(tx, read[1])

    async def read_from_tool(self, tool: Tool, token: str) -> dict[str, Any]:
        """Claims of a JWT the tool signed. Raises: LtiRefusal."""
        kid = jose.kid_of(token)
        facts = tool.facts
        keys = facts.public_keys or await self.tool_keys.of(facts.jwks_url, kid)
        return plain(jose.read(token, keys))


def to_programs(endpoint: Endpoint) -> Endpoint:
    """Refusals as RFC 6749 (5.2) has them: `error` and `error_description`."""

    async def answered(request: Request) -> Response:
        try:
            return await endpoint(request)
        except LtiRefusal as refusal:
            body = {"error": refusal.error, "error_description": refusal.message}
            headers = {"www-authenticate": f'Bearer error="{refusal.error}"'} if refusal.status == 401 else {}
            return JSONResponse(body, refusal.status, headers=NO_STORE | headers)
        except KomuError as error:
            body = {"error": error.reason.lower(), "error_description": error.message}
            return JSONResponse(body, status_of(error), headers=NO_STORE)

    return answered


def to_people(endpoint: Endpoint) -> Endpoint:
    """Refusals as a page: what is wrong and what to do now."""

    async def answered(request: Request) -> Response:
        try:
            return await endpoint(request)
        except LtiRefusal as refusal:
            return _page(refusal.message, 400 if refusal.status == 401 else refusal.status)
        except KomuError as error:
            return _page(error.message, status_of(error))

    return answered


def _page(message: str, status: int) -> HTMLResponse:
    return HTMLResponse(
        '<!DOCTYPE html><html lang="ja"><head><meta charset="utf-8"><meta name="viewport" '
        'content="width=device-width, initial-scale=1"><title>学習ツールを開けません | Komu 校務</title></head>'
        f"<body><main><h1>学習ツールを開けません</h1><p>{escape(message)}</p></main></body></html>",
        status,
        headers=NO_STORE,
    )


async def form_of(request: Request) -> Mapping[str, str]:
    """The fields of a form or, for GET, of the query; a field given twice is refused. Raises: LtiRefusal."""
    if request.method == "GET":
        pairs = list(request.query_params.multi_items())
    else:
        if request.headers.get("content-type", "").split(";")[0].strip() != "application/x-www-form-urlencoded":
            raise invalid_request("application/x-www-form-urlencoded で送ってください。")
        body = await body_of(request, LARGEST_FORM)
        try:
            pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=50)
        except (ValueError, UnicodeDecodeError):
            raise invalid_request("フォームとして読めません。") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise invalid_request("同じ項目が二度あります。")
    if not all(map(is_plain, fields.values())):
        raise invalid_request("使えない文字があります。")
    return fields


async def body_of(request: Request, limit: int) -> bytes:
    """The body, refused as soon as it is too long. Raises: LtiRefusal."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise LtiRefusal("invalid_request", "本文が大きすぎます。", 413)
        chunks.append(chunk)
    return b"".join(chunks)
