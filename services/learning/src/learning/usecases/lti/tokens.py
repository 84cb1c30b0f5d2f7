"""Who a tool is, and what it may call: assertions, access tokens, the class a token reaches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from servicekit.db import Transaction
from servicekit.ids import uuid7

from learning.domain.lti import jose, scopes
from learning.domain.lti.claims import Platform
from learning.domain.lti.keys import LONGEST_TOKEN
from learning.domain.lti.refusals import LtiRefusal, invalid_client, not_here
from learning.domain.lti.tools import Tool
from learning.domain.register import SchoolClass
from learning.store import register
from learning.store.lti import launches, links, tools


@dataclass(frozen=True, slots=True)
class Reach:
    """What a call of a tool is about: one deployment, one class. `base`: address of its services."""

    tool: Tool
    deployment_id: UUID
    school_class: SchoolClass
    base: str


async def find_tool(tx: Transaction, tool_id: UUID) -> Tool:
    """The tool while it is in use. Raises: LtiRefusal."""
    tool = await tools.one(tx, tool_id)
    if tool is None or not tool.active:
        raise invalid_client("この client_id は登録されていないか、停止されています。")
    return tool


async def spend_assertion(
    tx: Transaction, platform: Platform, tool: Tool, client_id: str, claims: Mapping[str, Any]
) -> None:
    """The tool's own words about itself (RFC 7523, 3; Security Framework 1.0, 4.1.1), good once. Raises: LtiRefusal."""
    audiences = (platform.token_endpoint, platform.issuer)
    ends_at = jose.check_claims(claims, issuer=client_id, audiences=audiences, now=tx.now)
    if claims.get("sub") != client_id:
        raise invalid_client("sub が client_id と違います。")
    await spend(tx, tool, "jti", jose.text_claim(claims, "jti"), ends_at)


async def spend(tx: Transaction, tool: Tool, kind: str, value: str, ends_at: datetime) -> None:
    """Raises: LtiRefusal, when the tool used it before."""
    if not await launches.first_time(tx, tool.id, f"{kind}:{value}", ends_at + 2 * jose.SKEW):
        raise LtiRefusal("invalid_request", f"この {kind} は、すでに使われています。")


def access_token(platform: Platform, client_id: str, asked: str, now: datetime) -> dict[str, Any]:
    """Claims of the token, with those of the asked scopes we have. Raises: LtiRefusal, when there are none."""
    granted = [scope for scope in dict.fromkeys(asked.split()) if scope in scopes.ALL]
    if not granted:
        raise LtiRefusal("invalid_scope", "scope に、このプラットフォームのものがありません。")
    return {
        "iss": platform.issuer,
        "sub": client_id,
        "aud": platform.services,
        "iat": int(now.timestamp()),
        "exp": int((now + LONGEST_TOKEN).timestamp()),
        "jti": uuid7().hex,
        "scope": " ".join(granted),
    }


async def reach(tx: Transaction, platform: Platform, tool: Tool, deployment_id: UUID, class_id: UUID) -> Reach:
    """A tool reaches a class of its school while something of it lies ready there. Raises: LtiRefusal."""
    deployment = tool.deployment(deployment_id)
    school_class = await register.class_of(tx, class_id)
    if deployment is None or school_class is None or school_class.school_id != deployment.school_id:
        raise not_here("この学級は、このツールからは見えません。")
    if not any(link.deployment_id == deployment_id for link in await links.of_class(tx, class_id)):
        raise not_here("この学級には、このツールの教材が置かれていません。")
    return Reach(tool, deployment_id, school_class, platform.context(tx.tenant, deployment_id, class_id))
