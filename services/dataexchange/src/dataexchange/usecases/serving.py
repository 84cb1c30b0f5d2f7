"""Reading as a partner: one object, or a page of a list whose order is remembered as long as nothing changes."""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cachetools import LRUCache
from servicekit.db import Transaction

from dataexchange.domain.partners import Grant
from dataexchange.domain.rest.answers import Declined, Minor
from dataexchange.domain.rest.query import Query
from dataexchange.domain.rest.routes import Operation
from dataexchange.store import served

_MOST_REMEMBERED = 8_000_000
"""Ordinals of all remembered orders together, 4 bytes each."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Objects joined by commas, and how many there are on all pages."""

    body: str
    total: int


class Reader:
    """Answers partners. An order that a filter, a sort or a limit to schools asks for is found once per version; then
    every page of it, the last like the first, is a slice of its ordinals."""

    def __init__(self, most: int = _MOST_REMEMBERED) -> None:
        self._orders: LRUCache[tuple[object, ...], tuple[int, Sequence[int]]] = LRUCache(
            most, getsizeof=lambda order: 64 + len(order[1])
        )

    async def one(self, tx: Transaction, token: bytes, grant: Grant, operation: Operation, id_: str) -> str:
        """Raises: Declined."""
        found = await served.one(tx, token, operation, id_, grant)
        _still(found)
        if not found.body:
            raise _unknown()
        return found.body

    async def page(
        self, tx: Transaction, token: bytes, grant: Grant, operation: Operation, ids: Mapping[str, str], query: Query
    ) -> Answer:
        """Raises: Declined."""
        if query.plain and not (operation.must or operation.conditions or operation.parents or grant.school_ids):
            plain = await served.plain_page(tx, token, operation, query)
            _still(plain)
            return Answer(plain.body, plain.mark)
        key = (grant.tenant, grant.school_ids, operation.service, operation.path, *ids.values(), query.key)
        version, order = self._orders.get(key, (-1, ()))
        found = await served.these(tx, token, operation, order[query.offset : query.offset + query.limit])
        _still(found)
        if found.mark != version:
            fresh = await served.ordinals(tx, operation, ids, query, grant)
            if fresh is None:
                raise _unknown()
            version, order = fresh[0], array("i", fresh[1])
            if 64 + len(order) <= self._orders.maxsize:
                self._orders[key] = version, order
            found = await served.these(tx, token, operation, order[query.offset : query.offset + query.limit])
        return Answer(found.body, len(order))


def _still(page: served.Page) -> None:
    if not page.stands:
        raise Declined(Minor.UNAUTHORISED, "the access token has ended")


def _unknown() -> Declined:
    return Declined(Minor.UNKNOWN_OBJECT, "no such object")
