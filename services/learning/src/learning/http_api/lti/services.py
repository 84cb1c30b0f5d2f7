"""LTI Advantage over HTTP: tokens, members, line items, scores, results."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from learning.domain.lti import jose, scopes
from learning.domain.lti import scores as rules
from learning.domain.lti.claims import ROLES
from learning.domain.lti.plain import plain
from learning.domain.lti.refusals import LtiRefusal, invalid_client, invalid_request, invalid_token, not_here
from learning.domain.lti.scores import LineItem, Score
from learning.http_api.lti.platform import NO_STORE, LtiSide, body_of, form_of, to_programs
from learning.store.lti.scores import Asked
from learning.usecases.lti import services, tokens
from learning.usecases.lti.tokens import Reach

LARGEST_BODY = 64 * 1024
MOST = 100
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
TOKEN_KIND = "at+jwt"  # noqa: S105 - RFC 9068, 2.1
Answering = Callable[[Request, "Door"], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Door:
    """A call whose token was found good for this class."""

    tenant: str
    at: tuple[UUID, UUID]
    client_id: str
    tool_id: UUID


def routes(lti: LtiSide) -> list[Route]:
    """`/lti/token` and everything below `/lti/services`."""

    @to_programs
    async def token(request: Request) -> Response:
        form = await form_of(request)
        if form.get("grant_type") != "client_credentials":
            raise LtiRefusal("unsupported_grant_type", "grant_type は client_credentials だけを受け付けます。")
        if form.get("client_assertion_type") != ASSERTION_TYPE or not form.get("client_assertion"):
            raise invalid_client("client_assertion(JWT)が必要です。")
        assertion = form["client_assertion"]
        try:
            client_id = jose.text_claim(jose.look_at(assertion), "sub")
            tenant, tool = await lti.tool_of(client_id)
            claims = await lti.read_from_tool(tool, assertion)
            given = tokens.access_token(lti.platform, client_id, form.get("scope", ""), lti.database.clock())
            async with lti.database.transaction(tenant) as tx:
                await tokens.spend_assertion(tx, lti.platform, tool, client_id, claims)
        except LtiRefusal as refusal:
            if refusal.error == "invalid_scope":
                raise
            raise invalid_client(refusal.message) from refusal
        signed = jose.sign(given, await lti.keys.private_key(), kind=TOKEN_KIND)
        told = {
            "access_token": signed,
            "token_type": "bearer",
            "expires_in": given["exp"] - given["iat"],
            "scope": given["scope"],
        }
        return JSONResponse(told, headers=NO_STORE)

    async def door(request: Request, needed: Sequence[str]) -> Door:
        """Raises: LtiRefusal."""
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not bearer:
            raise invalid_token("アクセストークン(Bearer)が必要です。")
        keys = [key.public for key in await lti.keys.published()]
        try:
            claims = jose.read(bearer, keys)
            audience = [lti.platform.services]
            jose.check_claims(claims, issuer=lti.platform.issuer, audiences=audience, now=lti.database.clock())
        except LtiRefusal as refusal:
            raise invalid_token(refusal.message) from refusal
        if jose.typ_of(bearer) != TOKEN_KIND:
            raise invalid_token("これはアクセストークンではありません。")
        if not set(claims["scope"].split()) & set(needed):
            raise LtiRefusal("insufficient_scope", f"scope {needed[0]} のトークンが必要です。", 403)
        tenant, tool = await lti.tool_of(claims["sub"])
        if tenant != request.path_params["tenant"]:
            raise not_here("この学級は、このツールからは見えません。")
        at = _uuid(request.path_params["deployment_id"]), _uuid(request.path_params["class_id"])
        return Door(tenant, at, claims["sub"], tool.id)

    def called(*needed: str) -> Callable[[Answering], Callable[[Request], Awaitable[Response]]]:
        def wrapped(answering: Answering) -> Callable[[Request], Awaitable[Response]]:
            @to_programs
            async def endpoint(request: Request) -> Response:
                return await answering(request, await door(request, needed))

            return endpoint

        return wrapped

    async def reached(tx: Any, at: Door) -> Reach:
        return await tokens.reach(tx, lti.platform, await tokens.find_tool(tx, at.tool_id), *at.at)

    @called(scopes.MEMBERSHIP)
    async def members(request: Request, at: Door) -> Response:
        role, limit, after = request.query_params.get("role"), _limit(request), _after(request)
        async with lti.database.reading(at.tenant) as tx:
            reach = await reached(tx, at)
            found = await services.members(tx, reach)
        people = [(one, kind) for one, kind in found.people if role is None or _has_role(ROLES[kind], role)]
        if after is not None:
            ids = [one for one, _ in people]
            people = people[ids.index(after) + 1 :] if after in ids else []
        told = {
            "id": f"{reach.base}/members",
            "context": found.context,
            "members": [
                {
                    "status": "Active",
                    "user_id": str(one),
                    "lis_person_sourcedid": str(one),
                    "roles": list(ROLES[kind]),
                }
                for one, kind in people[:limit]
            ],
        }
        more = people[limit - 1][0] if len(people) > limit else None
        return _answer(told, scopes.MEMBERS_TYPE, _next(f"{reach.base}/members", request, more))

    @called(scopes.LINEITEM, scopes.LINEITEM_READ)
    async def list_items(request: Request, at: Door) -> Response:
        query = plain(dict(request.query_params))
        link = query.get("resource_link_id")
        asked = Asked(
            *at.at, link_id=_uuid(link) if link else None, resource_id=query.get("resource_id"), tag=query.get("tag"),
            after=_after(request), limit=_limit(request),
        )  # fmt: skip
        async with lti.database.reading(at.tenant) as tx:
            reach = await reached(tx, at)
            found = await services.line_items(tx, reach, asked)
        listed = [_item(reach, one) for one in found[: asked.limit]]
        more = found[asked.limit - 1].id if len(found) > asked.limit else None
        return _answer(listed, scopes.LINEITEMS_TYPE, _next(f"{reach.base}/lineitems", request, more))

    @called(scopes.LINEITEM)
    async def add_item(request: Request, at: Door) -> Response:
        columns = rules.read_line_item(await _json(request, scopes.LINEITEM_TYPE))
        async with lti.database.transaction(at.tenant) as tx:
            reach = await reached(tx, at)
            made = await services.add_line_item(tx, reach, columns)
        return _answer(_item(reach, made), scopes.LINEITEM_TYPE, status=201)

    @called(scopes.LINEITEM, scopes.LINEITEM_READ)
    async def get_item(request: Request, at: Door) -> Response:
        async with lti.database.reading(at.tenant) as tx:
            reach = await reached(tx, at)
            return _answer(_item(reach, await services.line_item(tx, reach, _item_id(request))), scopes.LINEITEM_TYPE)

    @called(scopes.LINEITEM)
    async def put_item(request: Request, at: Door) -> Response:
        columns = rules.read_line_item(await _json(request, scopes.LINEITEM_TYPE))
        async with lti.database.transaction(at.tenant) as tx:
            reach = await reached(tx, at)
            changed = await services.change_line_item(tx, reach, _item_id(request), columns)
        return _answer(_item(reach, changed), scopes.LINEITEM_TYPE)

    @called(scopes.LINEITEM)
    async def delete_item(request: Request, at: Door) -> Response:
        async with lti.database.transaction(at.tenant) as tx:
            await services.remove_line_item(tx, await reached(tx, at), _item_id(request))
        return Response(status_code=204)

    @called(scopes.SCORE)
    async def post_score(request: Request, at: Door) -> Response:
        score = rules.read_score(await _json(request, scopes.SCORE_TYPE))
        async with lti.database.transaction(at.tenant) as tx:
            reach = await reached(tx, at)
            await services.take_score(tx, reach, _item_id(request), score)
        return JSONResponse({"resultUrl": f"{reach.base}/lineitems/{_item_id(request)}/results"})

    @called(scopes.RESULT_READ)
    async def results(request: Request, at: Door) -> Response:
        person, limit = request.query_params.get("user_id"), _limit(request)
        async with lti.database.reading(at.tenant) as tx:
            reach = await reached(tx, at)
            found = await services.results(
                tx, reach, _item_id(request), _uuid(person) if person else None, _after(request), limit
            )
        url = f"{reach.base}/lineitems/{_item_id(request)}"
        more = found[limit - 1].pupil_id if len(found) > limit else None
        told = [_result(url, score) for score in found[:limit]]
        return _answer(told, scopes.RESULTS_TYPE, _next(f"{url}/results", request, more))

    base = "/lti/services/{tenant}/{deployment_id}/{class_id}"
    item = base + "/lineitems/{item_id}"
    return [
        Route("/lti/token", token, methods=["POST"]),
        Route(f"{base}/members", members, methods=["GET"]),
        Route(f"{base}/lineitems", list_items, methods=["GET"]),
        Route(f"{base}/lineitems", add_item, methods=["POST"]),
        Route(item, get_item, methods=["GET"]),
        Route(item, put_item, methods=["PUT"]),
        Route(item, delete_item, methods=["DELETE"]),
        Route(f"{item}/scores", post_score, methods=["POST"]),
        Route(f"{item}/results", results, methods=["GET"]),
    ]


def _item(reach: Reach, one: LineItem) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": f"{reach.base}/lineitems/{one.id}",
        "label": one.label,
        "scoreMaximum": one.score_maximum,
        "resourceId": one.resource_id,
        "tag": one.tag,
        "resourceLinkId": str(one.link_id) if one.link_id else "",
        "startDateTime": one.starts_at.isoformat() if one.starts_at else "",
        "endDateTime": one.ends_at.isoformat() if one.ends_at else "",
    }
    return {name: value for name, value in told.items() if value != ""}


def _result(item_url: str, score: Score) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": f"{item_url}/results/{score.pupil_id}",
        "scoreOf": item_url,
        "userId": str(score.pupil_id),
    }
    if score.given is not None and score.grading == "FullyGraded":
        told |= {"resultScore": score.given, "resultMaximum": score.maximum}
    return told | ({"comment": score.comment} if score.comment else {})


def _has_role(roles: Sequence[str], asked: str) -> bool:
    """By its whole name or, for the context's roles, by the short one (NRPS 2.0, 2.4.1)."""
    return asked in roles or f"http://purl.imsglobal.org/vocab/lis/v2/membership#{asked}" in roles


def _answer(body: Any, kind: str, link: str | None = None, status: int = 200) -> Response:
    headers = {**NO_STORE, **({"link": f'<{link}>; rel="next"'} if link else {})}
    return Response(json.dumps(body, ensure_ascii=False), status, headers=headers, media_type=kind)


def _next(url: str, request: Request, after: UUID | None) -> str | None:
    if after is None:
        return None
    kept = [(name, value) for name, value in request.query_params.multi_items() if name != "after"]
    return f"{url}?{urlencode([*kept, ('after', str(after))])}"


def _limit(request: Request) -> int:
    """At most MOST at a time, whatever is asked."""
    asked = request.query_params.get("limit", "")
    if asked and (not asked.isdecimal() or not asked.isascii() or len(asked) > 9 or int(asked) < 1):
        raise invalid_request("limit は 1 以上の整数です。")
    return min(int(asked), MOST) if asked else MOST


def _after(request: Request) -> UUID | None:
    after = request.query_params.get("after")
    return _uuid(after) if after else None


def _item_id(request: Request) -> UUID:
    return _uuid(request.path_params["item_id"])


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise not_here("そのようなものはありません。") from None


async def _json(request: Request, kind: str) -> Any:
    """Raises: LtiRefusal."""
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != kind:
        raise LtiRefusal("invalid_request", f"Content-Type は {kind} です。", 415)
    try:
        return plain(json.loads(await body_of(request, LARGEST_BODY)))
    except (ValueError, RecursionError):
        raise invalid_request("JSON として読めません。") from None
