"""/agents and /activities: Communication 2.4, 2.5."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import orjson
from servicekit.db import Database
from starlette.responses import Response

from learning.domain.arrived import Caller
from learning.domain.xapi.actors import IFIS
from learning.domain.xapi.parameters import agent_in, iri_in, none_but
from learning.http_api.xapi.asked import Asked
from learning.usecases import statements

Resource = Callable[[Asked, Caller, int], Awaitable[Response]]


def agents(database: Database) -> Resource:
    """A Person: what is known to be the same agent. We join none by guess: its identifier, and its names."""

    async def answer(asked: Asked, caller: Caller, _edition: int) -> Response:
        none_but(asked.parameters, frozenset(("agent",)))
        key, agent = agent_in(asked.parameters)
        async with database.reading(caller.tenant) as tx:
            names = await statements.names_of(tx, caller, key)
        if agent.get("name") and agent["name"] not in names:
            names.append(agent["name"])
        person = {"objectType": "Person", **{name: [agent[name]] for name in IFIS if name in agent}}
        if names:
            person["name"] = names
        return Response(orjson.dumps(person), media_type="application/json")

    return answer


def activities(database: Database) -> Resource:
    """The activity as the statements so far describe it; one that nobody spoke of is its identifier."""

    async def answer(asked: Asked, caller: Caller, _edition: int) -> Response:
        none_but(asked.parameters, frozenset(("activityId",)))
        iri = iri_in(asked.parameters, "activityId")
        async with database.reading(caller.tenant) as tx:
            known = await statements.definitions_of(tx, [iri])
        activity = {"objectType": "Activity", "id": iri, **({"definition": known[iri]} if iri in known else {})}
        return Response(orjson.dumps(activity), media_type="application/json")

    return answer
