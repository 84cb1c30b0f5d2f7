"""/statements: Communication 2.1."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import orjson
from servicekit.db import Database, Transaction
from starlette.responses import Response

from learning.domain.arrived import Arrived, Caller, Kept
from learning.domain.tool_clients import key_of
from learning.domain.xapi import attachments, showing
from learning.domain.xapi.batch import read_batch
from learning.domain.xapi.formats import timestamp
from learning.domain.xapi.parameters import Query, cursor, none_but, read_query, uuid_in
from learning.domain.xapi.reading import read_json
from learning.domain.xapi.wrong import Wrong
from learning.http_api.xapi.asked import Asked
from learning.http_api.xapi.used import Used
from learning.usecases import statements

_TOLD_S = 1.0
_CONSISTENT = "x-experience-api-consistent-through"


class Statements:
    """Takes statements in and gives them out."""

    def __init__(self, database: Database, url: str, used: Used) -> None:
        self._used = used
        self._database = database
        self._url = url
        self._through = ""
        self._through_at = 0.0

    async def answer(self, asked: Asked, caller: Caller, edition: int) -> Response:
        """Raises: Wrong."""
        if asked.method == "GET":
            return await self._find(asked, caller, edition)
        none_but(asked.parameters, frozenset(("statementId",)) if asked.method == "PUT" else frozenset())
        statement_id = uuid_in(asked.parameters, "statementId")
        if asked.method == "PUT" and statement_id is None:
            raise Wrong("parameter statementId: is missing")
        raw, contents = _parts(asked)
        value = read_json(raw)
        if statement_id is not None:
            _name(value, statement_id)
        arrived = read_batch(value, contents, edition, self._authority(caller))
        through = await self._keep(caller, arrived, contents)
        headers = {_CONSISTENT: through}
        if statement_id is not None:
            return Response(status_code=204, headers=headers)
        ids = orjson.dumps([one.terms.id for one in arrived])
        return Response(ids, media_type="application/json", headers=headers)

    def _authority(self, caller: Caller) -> dict[str, Any]:
        account = {"homePage": self._url, "name": key_of(caller.tenant, caller.client.id)}
        return {"objectType": "Agent", "name": caller.client.name, "account": account}

    async def _keep(self, caller: Caller, arrived: Sequence[Arrived], contents: dict[str, bytes]) -> str:
        async with self._database.transaction(caller.tenant) as tx:
            new = await statements.take_in(tx, caller, arrived, contents)
        self._used.note(caller, new)
        if time.monotonic() - self._through_at > _TOLD_S:
            async with self._database.reading(caller.tenant) as tx:
                asked_at = time.monotonic()
                self._know(await statements.consistent_through(tx), asked_at)
        return self._through

    def _know(self, through: datetime, asked_at: float) -> dict[str, str]:
        """What was once consistent stays so: writers are told what was true a second ago."""
        self._through, self._through_at = timestamp(through), asked_at
        return {_CONSISTENT: self._through}

    async def _find(self, asked: Asked, caller: Caller, edition: int) -> Response:
        query = read_query(asked.parameters, self._url, edition)
        languages = showing.languages_of(asked.headers.get("accept-language", ""))
        async with self._database.reading(caller.tenant) as tx:
            asked_at = time.monotonic()
            if query.statement_id or query.voided_id:
                wanted = query.statement_id or query.voided_id
                assert wanted is not None
                through, found = await statements.find_one(tx, caller, wanted, voided=query.voided_id is not None)
                headers = self._know(through, asked_at)
                if found is None:
                    raise Wrong(f"statement {wanted}: is not here", 404)
                headers["last-modified"] = format_datetime(found.stored.replace(microsecond=0), usegmt=True)
                shown = await _shown(tx, [found], query, edition, languages)
                body = shown[0]
                page: Sequence[Kept] = [found]
            else:
                through, page = await statements.find(tx, caller, query)
                headers = self._know(through, asked_at)
                more = _more(asked.parameters, page, query)
                page = page[: query.limit]
                if page:
                    headers["last-modified"] = format_datetime(_latest(page).replace(microsecond=0), usegmt=True)
                shown = await _shown(tx, page, query, edition, languages)
                body = f'{{"statements":[{",".join(shown)}],"more":{orjson.dumps(more).decode()}}}'
            if not query.attachments:
                return Response(body.encode(), media_type="application/json", headers=headers)
            plain = [orjson.loads(one.body) for one in page]
            hashes = {one["sha2"].lower() for each in plain for one in attachments.attachments_of(each)}
            contents = await statements.contents_of(tx, hashes)
        mixed = attachments.joined(body.encode(), plain, contents)
        return Response(mixed, headers={**headers, "content-type": f"multipart/mixed; boundary={attachments.BOUNDARY}"})


def _latest(page: Sequence[Kept]) -> datetime:
    return max(page[0].stored, page[-1].stored)


def _parts(asked: Asked) -> tuple[bytes, dict[str, bytes]]:
    kind = asked.content_type.partition(";")[0].strip().lower()
    if kind == "multipart/mixed":
        return attachments.split(asked.content_type, asked.body)
    if kind != "application/json":
        raise Wrong("Content-Type: application/json or multipart/mixed")
    return asked.body, {}


def _name(value: Any, statement_id: UUID) -> None:
    """PUT: the statement has the id of the parameter, or none (Communication 2.1.1)."""
    if not isinstance(value, dict):
        raise Wrong("$: PUT takes one statement")
    given = value.get("id")
    if given is None and "id" not in value:
        value["id"] = str(statement_id)
    elif not isinstance(given, str) or given.lower() != str(statement_id):
        raise Wrong("$.id: is not the statementId of the parameter")


def _more(parameters: dict[str, str], page: Sequence[Kept], query: Query) -> str:
    if len(page) <= query.limit:
        return ""
    last = page[query.limit - 1]
    return "/xapi/statements?" + urlencode(cursor(parameters, last.stored, last.id))


async def _shown(
    tx: Transaction, page: Sequence[Kept], query: Query, edition: int, languages: Sequence[str]
) -> list[str]:
    if query.format == "exact" and (edition == 2 or all(one.edition == 1 for one in page)):
        return [one.json() for one in page]
    plain = [orjson.loads(one.json()) for one in page]
    if edition == 1:
        plain = [showing.older(one) if kept.edition == 2 else one for one, kept in zip(plain, page, strict=True)]
    if query.format == "ids":
        plain = [showing.ids_only(one) for one in plain]
    elif query.format == "canonical":
        iris = {iri for one in plain for iri in showing.definitions_in(one)}
        known = await statements.definitions_of(tx, iris)
        plain = [showing.canonical(one, known, languages) for one in plain]
    return [orjson.dumps(one).decode() for one in plain]
