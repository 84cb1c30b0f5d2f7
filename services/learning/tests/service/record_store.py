"""A board's record store over its real HTTP application, and statements that say only what matters."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx
import orjson
from komu.learning.v1 import tool_clients_pb2 as pb
from komu.learning.v1.tool_clients_pb2_grpc import ToolClientServiceStub
from learning.http_api import record_store
from learning.settings import Settings
from servicekit.http import SecurityHeaders
from servicekit.testing import RunningService, an_actor
from starlette.applications import Starlette
from starlette.middleware import Middleware

URL = "http://lrs.test"
KEY = "a secret of this deployment"
ANSWERED = "http://adlnet.gov/expapi/verbs/answered"
VOIDED = "http://adlnet.gov/expapi/verbs/voided"


def a_statement(**more: Any) -> dict[str, Any]:
    """A pupil answered a question."""
    return {
        "actor": {"account": {"homePage": "https://portal.example", "name": str(uuid4())}},
        "verb": {"id": ANSWERED, "display": {"ja-JP": "解答した", "en": "answered"}},
        "object": {"id": f"https://drill.example/q/{uuid4()}", "definition": {"name": {"ja-JP": "問1", "en": "Q1"}}},
        **more,
    }


class Tool:
    """A learning tool with its key."""

    def __init__(self, http: httpx.AsyncClient, opened: pb.OpenedToolClient, version: str = "1.0.3") -> None:
        self.http = http
        self.key, self.secret, self.client = opened.client.key, opened.secret, opened.client
        self.version = version

    def headers(self, more: dict[str, str] | None = None) -> dict[str, str]:
        basic = base64.b64encode(f"{self.key}:{self.secret}".encode()).decode()
        return {"authorization": f"Basic {basic}", "x-experience-api-version": self.version, **(more or {})}

    async def ask(
        self,
        method: str,
        path: str,
        params: dict[str, str] | None = None,
        *,
        content: bytes | None = None,
        json: Any = None,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        given = self.headers(headers)
        if json is not None:
            content = orjson.dumps(json)
            given.setdefault("content-type", "application/json")
        query = "&".join(f"{name}={quote(value, safe='')}" for name, value in (params or {}).items())
        url = f"/xapi/{path}" + (f"?{query}" if query else "")
        return await self.http.request(method, url, content=content, headers=given)

    async def post(self, statements: Any, *, version: str | None = None) -> httpx.Response:
        more = {"x-experience-api-version": version} if version else None
        return await self.ask("POST", "statements", json=statements, headers=more)

    async def find(self, **params: str) -> list[dict[str, Any]]:
        answer = await self.ask("GET", "statements", params)
        assert answer.status_code == 200, answer.text
        return answer.json()["statements"]  # type: ignore[no-any-return]


class Board:
    """Opens the store to tools."""

    def __init__(self, running: RunningService, tenant: str) -> None:
        self.tenant, self.running = tenant, running
        self.rpc = running.caller(ToolClientServiceStub, an_actor(tenant, "board_admin"))
        settings = Settings(database_url="postgresql://unused", learning_url=URL, lti_key=KEY, xapi_max_body_mb=1)
        app = Starlette(routes=record_store(running.database, settings), middleware=[Middleware(SecurityHeaders)])
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=URL)

    async def tool(self, *, reading: int = pb.READING_OWN, version: str = "1.0.3") -> Tool:
        request = pb.RegisterToolClientRequest(name="計算ドリル", purpose="学習履歴の受け取り", reading=reading)
        return Tool(self.http, await self.rpc.RegisterToolClient(request), version)
