"""The record store as an ASGI application: which resource, which version, who, and the headers of every answer."""

from __future__ import annotations

import base64
import logging
import re
from collections.abc import Awaitable, Callable

from cachetools import LRUCache
from servicekit.db import Database
from servicekit.errors import Unavailable
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from learning.domain.arrived import Caller
from learning.domain.xapi.wrong import Wrong
from learning.http_api.xapi.asked import Asked, read_asked
from learning.http_api.xapi.documents import Documents
from learning.http_api.xapi.door import Door
from learning.http_api.xapi.people import activities, agents
from learning.http_api.xapi.statements import Statements
from learning.http_api.xapi.used import Used
from learning.store.busy import is_busy

log = logging.getLogger(__name__)
VERSIONS = ("1.0.0", "1.0.1", "1.0.2", "1.0.3", "2.0.0")
_ANSWERED = {1: "1.0.3", 2: "2.0.0"}
_VERSION = re.compile(r"(?:1\.0(?:\.\d{1,3})?|2\.0(?:\.\d{1,3})?)")

Resource = Callable[[Asked, Caller, int], Awaitable[Response]]


class RecordStore:
    """`/xapi`: Communication 2.0, Resources."""

    def __init__(self, database: Database, door: Door, url: str, longest: int) -> None:
        self._door = door
        self._longest = longest
        self._spoken: LRUCache[str, int] = LRUCache(10_000)
        self._used = Used(database)
        statements = Statements(database, url, self._used)
        documents = Documents(database)
        self._resources: dict[str, tuple[frozenset[str], Resource]] = {
            "statements": (frozenset(("GET", "PUT", "POST")), statements.answer),
            "activities/state": (frozenset(("GET", "PUT", "POST", "DELETE")), documents.state),
            "activities/profile": (frozenset(("GET", "PUT", "POST", "DELETE")), documents.activity_profile),
            "agents/profile": (frozenset(("GET", "PUT", "POST", "DELETE")), documents.agent_profile),
            "agents": (frozenset(("GET",)), agents(database)),
            "activities": (frozenset(("GET",)), activities(database)),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        path = scope["path"].removeprefix(scope.get("root_path", "")).strip("/")
        edition = self._edition_spoken(request.headers.get("x-experience-api-version"), request)
        asked: Asked | None = None
        try:
            asked = await read_asked(request, path, self._longest)
            edition = self._edition_spoken(asked.headers.get("x-experience-api-version"), request)
            response = await self._answer(asked, path)
        except Wrong as wrong:
            response = PlainTextResponse(wrong.message, wrong.status)
            if wrong.status == 401:
                response.headers["www-authenticate"] = 'Basic realm="xAPI", charset="UTF-8"'
        except Unavailable:
            response = _later()
        except Exception as error:
            if not is_busy(error):
                raise
            response = _later()
        response.headers["x-experience-api-version"] = _ANSWERED[edition]
        await response(scope, receive, send)

    def _edition_spoken(self, version: str | None, request: Request) -> int:
        """1 or 2, also where the request does not say it well: then as this client spoke before."""
        key = _key_of(request.headers.get("authorization", ""))
        if version is not None and version[:2] in ("1.", "2."):
            edition = int(version[0])
            if key:
                self._spoken[key] = edition
            return edition
        return self._spoken.get(key, 1)

    async def _answer(self, asked: Asked, path: str) -> Response:
        if path == "about":
            if asked.method not in ("GET", "HEAD"):
                raise Wrong("about: is read only", 405)
            return JSONResponse({"version": list(VERSIONS)})
        if path not in self._resources:
            raise Wrong(f"{path[:80]}: there is no such resource", 404)
        edition = self._edition(asked)
        if asked.alternate and edition == 2:
            raise Wrong("the alternate request syntax is not part of 2.0 (IEEE 9274.1.1)")
        methods, resource = self._resources[path]
        if asked.method == "HEAD":
            asked.method = "GET"
        if asked.method not in methods:
            return PlainTextResponse(
                f"{path}: knows {', '.join(sorted(methods))} only", 405, headers={"allow": ", ".join(sorted(methods))}
            )
        caller = await self._door.caller_of(asked.headers.get("authorization", ""))
        self._used.note(caller)
        return await resource(asked, caller, edition)

    def _edition(self, asked: Asked) -> int:
        version = asked.headers.get("x-experience-api-version")
        if version is None:
            raise Wrong("X-Experience-API-Version: the header is missing")
        if _VERSION.fullmatch(version.strip()) is None:
            raise Wrong(f"X-Experience-API-Version: 1.0.x and 2.0.x are spoken here, not {version[:20]!r}")
        return int(version.strip()[0])


def _key_of(authorization: str) -> str:
    try:
        return base64.b64decode(authorization.partition(" ")[2]).decode().partition(":")[0][:80]
    except ValueError:
        return ""


def _later() -> Response:
    return PlainTextResponse("the store is busy; send the same again", 503, headers={"retry-after": "1"})
