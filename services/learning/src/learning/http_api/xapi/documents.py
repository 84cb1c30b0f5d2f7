"""/activities/state, /activities/profile, /agents/profile: Communication 2.2, 2.3, 2.6, 2.7."""

from __future__ import annotations

from email.utils import format_datetime

import orjson
from servicekit.db import Database
from starlette.responses import Response

from learning.domain.arrived import Caller
from learning.domain.xapi.actors import key_of
from learning.domain.xapi.documents import Blind, Condition, Document
from learning.domain.xapi.parameters import agent_key, iri_in, none_but, time_in, uuid_in
from learning.domain.xapi.reading import read_json
from learning.domain.xapi.wrong import Wrong
from learning.http_api.xapi.asked import Asked
from learning.store.documents import Shelf
from learning.usecases import documents


class Documents:
    """The three resources that keep documents; they differ in what names the shelf."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def state(self, asked: Asked, caller: Caller, edition: int) -> Response:
        """Raises: Wrong."""
        known = frozenset(("activityId", "agent", "registration", "stateId", "since"))
        none_but(asked.parameters, known if asked.method == "GET" else known - {"since"})
        subject = key_of(iri_in(asked.parameters, "activityId"), agent_key(asked.parameters))
        shelf = Shelf("state", subject, uuid_in(asked.parameters, "registration"))
        return await self._answer(asked, caller, edition, shelf, "stateId", all_at_once=True)

    async def activity_profile(self, asked: Asked, caller: Caller, edition: int) -> Response:
        """Raises: Wrong."""
        known = frozenset(("activityId", "profileId", "since"))
        none_but(asked.parameters, known if asked.method == "GET" else known - {"since"})
        shelf = Shelf("activity_profile", key_of(iri_in(asked.parameters, "activityId")))
        return await self._answer(asked, caller, edition, shelf, "profileId")

    async def agent_profile(self, asked: Asked, caller: Caller, edition: int) -> Response:
        """Raises: Wrong."""
        known = frozenset(("agent", "profileId", "since"))
        none_but(asked.parameters, known if asked.method == "GET" else known - {"since"})
        shelf = Shelf("agent_profile", agent_key(asked.parameters))
        return await self._answer(asked, caller, edition, shelf, "profileId")

    async def _answer(
        self, asked: Asked, caller: Caller, edition: int, shelf: Shelf, id_name: str, *, all_at_once: bool = False
    ) -> Response:
        document_id = asked.parameters.get(id_name)
        if document_id is None and not (asked.method == "GET" or (asked.method == "DELETE" and all_at_once)):
            raise Wrong(f"parameter {id_name}: is missing")
        if asked.method == "GET":
            return await self._read(asked, caller, edition, shelf, document_id)
        condition = Condition(asked.headers.get("if-match"), asked.headers.get("if-none-match"))
        new = Document(asked.body, asked.content_type or "application/octet-stream")
        if asked.method == "POST" and new.is_json and not isinstance(read_json(new.content, "the document"), dict):
            raise Wrong("the document: a JSON object is wanted")
        async with self._database.transaction(caller.tenant) as tx:
            if asked.method == "DELETE":
                await documents.remove(tx, caller, shelf, document_id, condition)
            elif asked.method == "PUT":
                await documents.put(tx, caller, shelf, document_id or "", new, condition, _blind(shelf, edition))
            else:
                await documents.add_to(tx, caller, shelf, document_id or "", new, condition)
        return Response(status_code=204)

    async def _read(
        self, asked: Asked, caller: Caller, edition: int, shelf: Shelf, document_id: str | None
    ) -> Response:
        since = time_in(asked.parameters, "since", edition)
        async with self._database.reading(caller.tenant) as tx:
            if document_id is None:
                names = await documents.names(tx, caller, shelf, since)
                return Response(orjson.dumps(list(names)), media_type="application/json")
            found = await documents.read(tx, caller, shelf, document_id)
        if found is None:
            raise Wrong("there is no such document", 404)
        document, changed_at = found
        headers = {
            "etag": document.etag,
            "last-modified": format_datetime(changed_at.replace(microsecond=0), usegmt=True),
            "content-type": document.content_type,
            "content-security-policy": "sandbox; default-src 'none'",
        }
        return Response(document.content, headers=headers)


def _blind(shelf: Shelf, edition: int) -> Blind:
    if edition == 2 or shelf.kind == "activity_profile":
        return Blind.CREATE
    return Blind.ANYTHING if shelf.kind == "state" else Blind.NOTHING
