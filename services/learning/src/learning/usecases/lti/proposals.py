"""Scores of tools as teachers meet them: proposals beside the marks, looked at and put aside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from servicekit.auth import Actor
from servicekit.db import Transaction
from servicekit.errors import Invalid

from learning import policy
from learning.domain.register import School, SchoolClass
from learning.store import register
from learning.store.lti import scores as store
from learning.store.lti import tools
from learning.store.lti.scores import Told
from learning.usecases import standing

AT_ONCE = 500
Key = tuple[UUID, UUID]
"""Line item and child."""


@dataclass(frozen=True, slots=True)
class ClassScores:
    """`told` may hold one more than was asked: there are more. `tools`: name of the tool behind each deployment."""

    school_class: SchoolClass
    school: School
    told: Sequence[Told]
    tools: Mapping[UUID, str]


async def look_at_scores(tx: Transaction, actor: Actor, class_id: UUID, after: Key | None, limit: int) -> ClassScores:
    """Raises: Unseen, Refused."""
    school_class, mine = await standing.of_class(tx, actor, class_id)
    policy.may_arrange_tools(school_class, mine).enforce()
    school = (await register.schools(tx, [school_class.school_id]))[0]
    told = await store.told_of_class(tx, class_id, after, limit)
    names = {one.id: tool.facts.name for tool in await tools.all_of_board(tx) for one in tool.deployments}
    return ClassScores(school_class, school, told, names)


async def set_aside(tx: Transaction, actor: Actor, class_id: UUID, which: Sequence[Key], *, back: bool) -> int:
    """Out of sight or back; the tool is told nothing. Returns how many changed. Raises: Unseen, Refused, Invalid."""
    school_class, mine = await standing.of_class(tx, actor, class_id)
    policy.may_arrange_tools(school_class, mine).enforce()
    if not 0 < len(which) <= AT_ONCE:
        raise Invalid(f"一度に扱えるのは1件から{AT_ONCE}件までです。")
    changed = await store.set_aside(tx, class_id, which, None if back else actor.person_id)
    action = "lti_score.taken_back" if back else "lti_score.set_aside"
    tx.audit(action, class_id, after={"scores": changed}, subject_id=class_id)
    return changed
