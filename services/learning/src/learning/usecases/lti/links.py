"""学級のツール: what lies ready in a class, put there and taken away by those who work with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from jpschool.school_year import school_year_of
from servicekit.auth import Actor
from servicekit.clock import day_in_jst
from servicekit.db import Transaction
from servicekit.errors import Invalid, Unseen, Violation
from servicekit.ids import uuid7

from learning import policy
from learning.domain.lti.plain import is_plain
from learning.domain.lti.tools import Tool
from learning.domain.register import School, SchoolClass, Standing
from learning.store import register
from learning.store.lti import context, tools
from learning.store.lti import links as store
from learning.store.lti.links import ToolLink
from learning.usecases import standing

LONGEST_TITLE = 100


@dataclass(frozen=True, slots=True)
class ClassTools:
    """A class, the tools its school has, and what lies ready. `arranges`: whether the reader may change that."""

    school_class: SchoolClass
    school: School
    tools: Sequence[Tool]
    links: Sequence[ToolLink]
    arranges: bool


async def my_classes(tx: Transaction, actor: Actor) -> Sequence[tuple[SchoolClass, School]]:
    """Classes of this school year that the person works with."""
    mine = await standing.of_actor(tx, actor)
    schools = {school.id: school for school in await register.schools(tx, sorted({one for one, _ in mine.posts}))}
    year = school_year_of(day_in_jst(tx.now))
    found = await context.classes_of_schools(tx, list(schools), year)
    return [(one, schools[one.school_id]) for one in found if policy.works_with(one, mine)]


async def look_at_class(tx: Transaction, actor: Actor, class_id: UUID) -> ClassTools:
    """Raises: Unseen, Refused."""
    school_class, mine = await standing.of_class(tx, actor, class_id)
    sits = await _sits_in(tx, actor, class_id)
    policy.may_open_tools(school_class, mine, sits=sits).enforce()
    school = (await register.schools(tx, [school_class.school_id]))[0]
    offered = await tools.of_school(tx, school.id)
    usable = {one.id for tool in offered for one in tool.deployments if one.active}
    links = [link for link in await store.of_class(tx, class_id) if link.deployment_id in usable]
    return ClassTools(school_class, school, offered, links, policy.works_with(school_class, mine))


async def put_ready(tx: Transaction, actor: Actor, class_id: UUID, deployment_id: UUID, title: str) -> ToolLink:
    """The tool itself, under a title. Raises: Unseen, Refused, Invalid."""
    await tool_for(tx, actor, class_id, deployment_id)
    title = title.strip()
    if not 0 < len(title) <= LONGEST_TITLE or not is_plain(title):
        wrong = f"表示する名前を{LONGEST_TITLE}字以内で入力してください。"
        raise Invalid("入力を確かめてください。", [Violation("title", wrong)])
    link = ToolLink(uuid7(), deployment_id, class_id, "resource", title, "", "", {}, actor.person_id, tx.now)
    await store.add(tx, [link])
    tx.audit("lti_link.added", link.id, after=link, subject_id=class_id)
    return link


async def take_away(tx: Transaction, actor: Actor, link_id: UUID) -> UUID:
    """It is not offered any more; what was done with it stays. Returns its class. Raises: Unseen, Refused."""
    link = await link_of(tx, link_id)
    school_class, mine = await standing.of_class(tx, actor, link.class_id)
    policy.may_arrange_tools(school_class, mine).enforce()
    await store.remove(tx, link.id)
    tx.audit("lti_link.removed", link.id, before=link, subject_id=link.class_id)
    return link.class_id


async def link_of(tx: Transaction, link_id: UUID) -> ToolLink:
    """Raises: Unseen."""
    link = await store.one(tx, link_id)
    if link is None:
        raise Unseen(
            "この教材は見つかりません。取り外されたかもしれません。学級のツールのページを読み込み直してください。"
        )
    return link


async def tool_for(
    tx: Transaction, actor: Actor, class_id: UUID, deployment_id: UUID
) -> tuple[Tool, SchoolClass, Standing]:
    """The tool of a deployment at the class's school, for those who arrange it. Raises: Unseen, Refused."""
    school_class, mine = await standing.of_class(tx, actor, class_id)
    policy.may_arrange_tools(school_class, mine).enforce()
    return await usable_tool(tx, school_class, deployment_id), school_class, mine


async def usable_tool(tx: Transaction, school_class: SchoolClass, deployment_id: UUID) -> Tool:
    """Raises: Unseen."""
    tool = await tools.of_deployment(tx, deployment_id)
    deployment = tool.deployment(deployment_id) if tool and tool.active else None
    if tool is None or deployment is None or deployment.school_id != school_class.school_id:
        raise Unseen("この学習ツールは、この学校では使えません。教育委員会が停止したかもしれません。")
    return tool


async def _sits_in(tx: Transaction, actor: Actor, class_id: UUID) -> bool:
    """Whether the actor is a child of that class today."""
    places = (await register.places(tx, [actor.person_id], day_in_jst(tx.now))).get(actor.person_id, [])
    return any(place.school_class.id == class_id for place in places)
