"""Reading as a partner: one object, or a page of a list. What was found is remembered with the version it is true for;
the entry point asks whether that still is the version before it gives it out again."""

from array import array
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from cachetools import LRUCache
from servicekit.db import Transaction

from dataexchange.domain.partners import Grant
from dataexchange.domain.rest.answers import Declined, Minor
from dataexchange.domain.rest.query import Query
from dataexchange.domain.rest.routes import Operation
from dataexchange.store import served

_MOST_ORDINALS = 8_000_000
"""Of all remembered orders together, 4 bytes each."""


class Answer(NamedTuple):
    """Objects joined by commas, how many there are on all pages, and the version of what this was made from."""

    body: bytes
    total: int
    version: int


async def standing(tx: Transaction, tokens: Sequence[bytes]) -> tuple[frozenset[bytes], dict[str, int]]:
    """Tokens that still stand, and the version by service."""
    return await served.standing(tx, tokens)


def version_for(operation: Operation, versions: Mapping[str, int]) -> int:
    """The version that answers of this operation are made from."""
    return sum(versions.get(service, 0) for service in served.services_of(operation))


class Reader:
    """Answers partners. An order that a filter, a sort or a limit to schools asks for is found once per version; then
    every page of it, the last like the first, is a slice of its ordinals."""

    def __init__(self, most: int = _MOST_ORDINALS) -> None:
        self._orders: LRUCache[tuple[object, ...], tuple[int, Sequence[int]]] = LRUCache(
            most, getsizeof=lambda order: 64 + len(order[1])
        )

    async def one(self, tx: Transaction, token: bytes, grant: Grant, operation: Operation, id_: str) -> Answer:
        """Raises: Declined."""
        found = await served.one(tx, token, operation, id_, grant)
        _still(found)
        if not found.body:
            raise _unknown()
        return Answer(found.body, 1, found.version)

    async def page(
        self, tx: Transaction, token: bytes, grant: Grant, operation: Operation, ids: Mapping[str, str], query: Query
    ) -> Answer:
        """Raises: Declined."""
        if query.plain and not (operation.must or operation.conditions or operation.parents or grant.school_ids):
            plain = await served.plain_page(tx, token, operation, query)
            _still(plain)
            return Answer(plain.body, plain.total, plain.version)
        key = (grant.tenant, grant.school_ids, operation.service, operation.path, *ids.values(), query.key)
        version, order = self._orders.get(key, (-1, ()))
        found = await served.these(tx, token, operation, order[query.offset : query.offset + query.limit])
        _still(found)
        if found.version != version:
            fresh = await served.ordinals(tx, operation, ids, query, grant)
            if fresh is None:
                raise _unknown()
            version, order = fresh[0], array("i", fresh[1])
            if 64 + len(order) <= self._orders.maxsize:
                self._orders[key] = version, order
            found = await served.these(tx, token, operation, order[query.offset : query.offset + query.limit])
        return Answer(found.body, len(order), version)


def _still(page: served.Page) -> None:
    if not page.stands:
        raise Declined(Minor.UNAUTHORISED, "the access token has ended")


def _unknown() -> Declined:
    return Declined(Minor.UNKNOWN_OBJECT, "no such object")
