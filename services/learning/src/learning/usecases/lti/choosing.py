"""What a tool brings back from a deep linking is put into the class it was chosen for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any
from uuid import UUID

from servicekit.db import Transaction
from servicekit.ids import uuid7

from learning.domain.lti import deep_linking, jose, launches
from learning.domain.lti.claims import Platform
from learning.domain.lti.refusals import invalid_request
from learning.domain.lti.scores import LineItem
from learning.store.lti import launches as launch_store
from learning.store.lti import links, scores
from learning.store.lti.links import ToolLink
from learning.usecases.lti.tokens import find_tool, spend


async def take_contents(
    tx: Transaction, platform: Platform, tool_id: UUID, client_id: str, claims: Mapping[str, Any], *, local: bool
) -> UUID:
    """The contents become links, once; each with its line item. Returns the class. Raises: LtiRefusal."""
    tool = await find_tool(tx, tool_id)
    ends_at = jose.check_claims(claims, issuer=client_id, audiences=[platform.issuer], now=tx.now)
    chosen = deep_linking.read_response(claims, local=local)
    launch = launches.may_return(await launch_store.by_data(tx, chosen.data), tx.now)
    if launch.tool_id != tool.id or str(launch.deployment_id) != chosen.deployment_id:
        raise invalid_request("data と deployment_id が、このツールに渡したものと違います。")
    if tool.deployment(launch.deployment_id) is None:
        raise invalid_request("この学校では、この学習ツールは停止されました。")
    await spend(tx, tool, "nonce", jose.text_claim(claims, "nonce"), ends_at)
    await launch_store.give_back(tx, launch.id)
    made = [
        ToolLink(
            uuid7(), launch.deployment_id, launch.class_id, one.kind, one.title, one.text, one.url, dict(one.custom),
            launch.person.id, tx.now,
        )
        for one in chosen.contents
    ]  # fmt: skip
    await links.add(tx, made)
    await scores.add_items(
        tx,
        [
            LineItem(uuid7(), launch.deployment_id, launch.class_id, **(asdict(one.line_item) | {"link_id": link.id}))
            for one, link in zip(chosen.contents, made, strict=True)
            if one.line_item is not None
        ],
    )
    tx.audit("lti_link.chosen", launch.id, after=made, subject_id=launch.class_id)
    return launch.class_id
