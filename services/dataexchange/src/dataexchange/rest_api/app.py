"""The paths of OneRoster 1.2 REST, before everything else that the listener serves."""

import logging
import re
from collections.abc import Mapping
from typing import Any

import orjson
from cachetools import LRUCache
from servicekit.db import Database, Transaction
from servicekit.errors import KomuError
from servicekit.json import dumps
from starlette.types import ASGIApp, Receive, Scope, Send

from dataexchange.domain import partners as rules
from dataexchange.domain.partners import Grant
from dataexchange.domain.rest import answers, openapi, written
from dataexchange.domain.rest.answers import Declined, Minor
from dataexchange.domain.rest.query import Query, fields, parse, selected
from dataexchange.domain.rest.routes import DISCOVERY, Operation, Router, envelope
from dataexchange.rest_api import token as token_endpoint
from dataexchange.rest_api import wire
from dataexchange.rest_api.standing import Asking
from dataexchange.usecases import gradebook, partners
from dataexchange.usecases.serving import Answer, Reader, version_for

log = logging.getLogger(__name__)

ROOT = "/ims/oneroster/"
_BASE = re.compile(r"/ims/oneroster/(rostering|gradebook|resources)/v1p2(/.*)\Z", re.DOTALL)
_MOST_GRANTS = 20_000
_MOST_REMEMBERED_BYTES = 64 * 1024 * 1024
_WHOLE = Query()
_HREF = b'"href":"/ims/'
"""Prepared bodies name no host; references are absolute, as a strict reader of the standard wants them."""


class RestApp:
    """Serves partners; every other path goes on to `then`."""

    def __init__(self, database: Database, then: ASGIApp) -> None:
        self._database = database
        self._then = then
        self._router = Router()
        self._reader = Reader()
        self._asking = Asking(database)
        self._remembered: LRUCache[tuple[object, ...], Answer] = LRUCache(
            _MOST_REMEMBERED_BYTES, getsizeof=lambda answer: 256 + len(answer.body)
        )
        self._grants: LRUCache[bytes, Grant] = LRUCache(_MOST_GRANTS)
        self._documents: dict[tuple[str, str], bytes] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._then(scope, receive, send)
        elif scope["path"].startswith(ROOT):
            await self._serve(scope, receive, send)
        elif scope["path"] == token_endpoint.PATH:
            await self._guarded(token_endpoint.serve(self._database, scope, receive, send), send)
        else:
            await self._then(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._guarded(self._answer(scope, receive, send), send)
        except Declined as declined:
            await wire.decline(send, declined)

    async def _guarded(self, work: Any, send: Send) -> None:
        """The database is away: try again later, in the words of the standard."""
        try:
            await work
        except KomuError as error:
            log.warning("oneroster: %s", error.reason)
            busy = Declined(Minor.BUSY, "not now: try again in a minute", 503)
            await wire.decline(send, busy, [(b"retry-after", b"60")])

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = _BASE.match(scope["path"])
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        if found is None:
            raise Declined(Minor.UNKNOWN_OBJECT, "no such path")
        service, path = found.groups()
        if path.startswith("/discovery/"):
            await self._discover(scope, send, service, path.removeprefix("/discovery/"), method)
            return
        token, grant = await self._grant(scope)
        routed = self._router.find(service, path)
        if routed is None:
            raise Declined(Minor.UNKNOWN_OBJECT, "no such path")
        operations, ids = routed
        operation = operations.get(method)
        if operation is None:
            allowed = ", ".join(sorted(operations)).encode()
            declined = Declined(Minor.UNSUPPORTED, f"{method} is not for this path")
            await wire.decline(send, declined, [(b"allow", allowed)])
            return
        if grant.scopes.isdisjoint(operation.scopes):
            raise Declined(Minor.FORBIDDEN, f"needs the scope {' or '.join(operation.scopes)}")
        if method == "GET":
            await self._read(scope, send, operation, ids, token, grant)
        else:
            await self._write(scope, receive, send, operation, ids, token, grant)

    async def _grant(self, scope: Scope) -> tuple[bytes, Grant]:
        """What the bearer's token opens. Whether it still stands is asked with the answer itself. Raises: Declined."""
        scheme, _, token = wire.header(scope, b"authorization").partition(" ")
        token = token.strip()
        tenant = rules.tenant_of(token) if scheme.lower() == "bearer" else None
        if tenant is None:
            raise Declined(Minor.UNAUTHORISED, "needs an access token: Authorization: Bearer …")
        digest = rules.sha256(token)
        grant = self._grants.get(digest)
        if grant is None:
            async with self._database.reading(tenant) as tx:
                grant = await partners.grant_of(tx, token)
            if grant is None:
                raise Declined(Minor.UNAUTHORISED, "the access token is unknown or has ended")
            self._grants[digest] = grant
        if grant.expires_at <= self._database.clock():
            self._grants.pop(digest, None)
            raise Declined(Minor.UNAUTHORISED, "the access token has ended")
        return digest, grant

    async def _read(
        self, scope: Scope, send: Send, operation: Operation, ids: Mapping[str, str], token: bytes, grant: Grant
    ) -> None:
        given = wire.parameters(scope)
        for id_ in ids.values():
            try:
                written.a_guid(id_)
            except Declined:
                raise Declined(Minor.UNKNOWN_OBJECT, "no such object") from None
        name = envelope(operation).encode()
        origin = answers.origin(scope["scheme"], wire.header(scope, b"host"))
        if not operation.many:
            query = Query(fields=fields(operation.kind, given)) if given else _WHOLE
            page = await self._find(operation, ids, query, token, grant, origin)
            await wire.answer(send, 200, b'{"%s":%s}' % (name, page.body))
            return
        query = parse(operation.kind, given)
        page = await self._find(operation, ids, query, token, grant, origin)
        link = answers.links(origin + scope["path"], given, query.limit, query.offset, page.total)
        headers = [(b"x-total-count", str(page.total).encode()), (b"link", link.encode("ascii", "replace"))]
        await wire.answer(send, 200, b'{"%s":[%s]}' % (name, page.body), headers)

    async def _find(
        self, operation: Operation, ids: Mapping[str, str], query: Query, token: bytes, grant: Grant,
        origin: str,
    ) -> Answer:  # fmt: skip
        """As it was found before, when nothing has changed since; else from the database. Raises: Declined."""
        key = (grant.tenant, grant.school_ids, operation.service, operation.path, *ids.values(), query, origin)
        found = self._remembered.get(key)
        if found is not None:
            standing = await self._asking.ask(grant.tenant, token)
            if token not in standing.tokens:
                raise Declined(Minor.UNAUTHORISED, "the access token has ended")
            if version_for(operation, standing.versions) == found.version:
                return found
        async with self._database.reading(grant.tenant) as tx:
            if operation.many:
                found = await self._reader.page(tx, token, grant, operation, ids, query)
            else:
                found = await self._reader.one(tx, token, grant, operation, ids["sourcedId"])
        if query.fields and found.body:
            found = found._replace(body=_only(query, found.body))
        if origin:
            found = found._replace(body=found.body.replace(_HREF, b'"href":"%s/ims/' % origin.encode()))
        if len(found.body) <= _MOST_REMEMBERED_BYTES // 64:
            self._remembered[key] = found
        return found

    async def _write(
        self, scope: Scope, receive: Receive, send: Send, operation: Operation, ids: Mapping[str, str], token: bytes,
        grant: Grant,
    ) -> None:  # fmt: skip
        given = None if operation.method == "DELETE" else await wire.json_body(scope, receive, written.MAX_BYTES)
        async with self._database.transaction(grant.tenant) as tx:
            await partners.still(tx, token)
            status, answer = await _written(tx, grant, operation, ids, given)
        if answer is None:
            await wire.answer(send, status, b"")
        else:
            await wire.answer_json(send, status, answer)

    async def _discover(self, scope: Scope, send: Send, service: str, name: str, method: str) -> None:
        if name not in DISCOVERY[service]:
            raise Declined(Minor.UNKNOWN_OBJECT, "no such document")
        if method != "GET":
            await wire.decline(send, Declined(Minor.UNSUPPORTED, "GET"), [(b"allow", b"GET")])
            return
        origin = answers.origin(scope["scheme"], wire.header(scope, b"host"))
        key = (service, origin)
        if key not in self._documents:
            if len(self._documents) > 100:
                self._documents.clear()
            self._documents[key] = dumps(openapi.document(service, origin, token_endpoint.PATH))
        await wire.answer(send, 200, self._documents[key])


async def _written(
    tx: Transaction, grant: Grant, operation: Operation, ids: Mapping[str, str], given: Any
) -> tuple[int, dict[str, Any] | None]:
    if operation.method == "PUT":
        new = await gradebook.put(tx, grant, operation, ids["sourcedId"], given)
        return (201 if new else 200), None
    if operation.method == "DELETE":
        await gradebook.delete(tx, grant, operation, ids["sourcedId"])
        return 204, None
    pairs = await gradebook.post(tx, grant, operation, ids, given)
    return 201, {
        "sourcedIdPairs": [{"suppliedSourcedId": given_, "allocatedSourcedId": ours} for given_, ours in pairs]
    }


def _only(query: Query, body: bytes) -> bytes:
    """Of each object the members asked for."""
    return dumps([selected(query.fields, one) for one in orjson.loads(b"[%s]" % body)])[1:-1]
