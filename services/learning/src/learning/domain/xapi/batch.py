"""A request's statements, checked and made ready for the store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from learning.domain.arrived import Arrived
from learning.domain.xapi.attachments import matched
from learning.domain.xapi.signatures import check_signatures
from learning.domain.xapi.statements import check
from learning.domain.xapi.wrong import Wrong

_VERSIONS = {1: "1.0.0", 2: "2.0.0"}
MOST = 5000
"""Statements of one request."""


def read_batch(value: Any, contents: Mapping[str, bytes], edition: int, authority: dict[str, Any]) -> list[Arrived]:
    """All of them or none. `authority`: who asserts them, as the store knows it (Data 2.4.9). Raises: Wrong."""
    many = type(value) is list
    statements = value if many else [value]
    if len(statements) > MOST:
        raise Wrong(f"$: more than {MOST} statements in one request", 413)
    arrived = []
    seen: set[str] = set()
    for number, statement in enumerate(statements):
        path = f"$[{number}]" if many else "$"
        terms = check(statement, edition, path)
        terms.id = terms.id.lower()
        if terms.id in seen:
            raise Wrong(f"{path}.id: is used twice in this request")
        seen.add(terms.id)
        if terms.attachments:
            check_signatures(statement, contents)
        statement.pop("stored", None)
        statement["authority"] = authority
        statement.setdefault("version", _VERSIONS[edition])
        body = orjson.dumps(statement).decode()
        arrived.append(Arrived(terms, edition, "timestamp" in statement, body, statement))
    matched([one.terms for one in arrived], contents)
    return arrived
