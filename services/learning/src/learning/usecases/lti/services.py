"""What tools call about a class: members (NRPS 2.0), line items, scores and results (AGS 2.0)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from uuid import UUID

from servicekit.clock import day_in_jst
from servicekit.db import Transaction
from servicekit.ids import uuid7

from learning.domain.lti import scores as rules
from learning.domain.lti.claims import Context, context_claim
from learning.domain.lti.launches import PersonKind
from learning.domain.lti.refusals import LtiRefusal, not_here
from learning.domain.lti.scores import Columns, LineItem, Score
from learning.store import register
from learning.store.lti import context, links
from learning.store.lti import scores as store
from learning.store.lti.scores import Asked
from learning.usecases.lti.tokens import Reach

MOST_LINE_ITEMS = 1000
"""Of one tool in one class."""


@dataclass(frozen=True, slots=True)
class Members:
    """Who belongs to the class today, and the class as the tool may see it."""

    context: dict[str, object]
    people: Sequence[tuple[UUID, PersonKind]]


async def members(tx: Transaction, at: Reach) -> Members:
    """Teachers first, then the children by 出席番号."""
    day = day_in_jst(tx.now)
    school = (await register.schools(tx, [at.school_class.school_id]))[0]
    teachers = await context.teachers_of_class(tx, at.school_class.id, day)
    children = await register.members(tx, at.school_class.id, day)
    people = [(one, PersonKind.TEACHER) for one in teachers]
    people += [(one.pupil_id, PersonKind.PUPIL) for one in children]
    tx.audit("lti_members.read", at.tool.id, after={"people": len(people)}, subject_id=at.school_class.id)
    seen = context_claim(at.tool, Context(at.school_class.id, at.school_class.name, school.name))
    return Members(seen, people)


async def line_items(tx: Transaction, at: Reach, asked: Asked) -> Sequence[LineItem]:
    """One more than `asked.limit` tells that there are more."""
    return await store.items(tx, replace(asked, deployment_id=at.deployment_id, class_id=at.school_class.id))


async def line_item(tx: Transaction, at: Reach, item_id: UUID) -> LineItem:
    """Raises: LtiRefusal, for another tool's, too."""
    found = await store.item(tx, item_id)
    if found is None or (found.deployment_id, found.class_id) != (at.deployment_id, at.school_class.id):
        raise not_here("この line item はありません。")
    return found


async def add_line_item(tx: Transaction, at: Reach, columns: Columns) -> LineItem:
    """Raises: LtiRefusal."""
    if columns.link_id is not None:
        link = await links.one(tx, columns.link_id)
        if link is None or (link.deployment_id, link.class_id) != (at.deployment_id, at.school_class.id):
            raise not_here("resourceLinkId の教材は、この学級にありません。")
    made = LineItem(id=uuid7(), deployment_id=at.deployment_id, class_id=at.school_class.id, **asdict(columns))
    listed = await store.items(tx, Asked(at.deployment_id, at.school_class.id, limit=MOST_LINE_ITEMS))
    if len(listed) >= MOST_LINE_ITEMS:
        raise LtiRefusal("invalid_request", f"1つの学級に置ける line item は{MOST_LINE_ITEMS}件までです。", 403)
    await store.add_items(tx, [made])
    tx.audit("lti_line_item.added", made.id, after=made, subject_id=made.class_id)
    return made


async def change_line_item(tx: Transaction, at: Reach, item_id: UUID, columns: Columns) -> LineItem:
    """The link stays as it is (AGS 2.0, 3.2.8). Raises: LtiRefusal."""
    before = await line_item(tx, at, item_id)
    after = replace(
        before, label=columns.label, score_maximum=columns.score_maximum, resource_id=columns.resource_id,
        tag=columns.tag, starts_at=columns.starts_at, ends_at=columns.ends_at,
    )  # fmt: skip
    await store.change_item(tx, after)
    tx.audit("lti_line_item.changed", item_id, before=before, after=after, subject_id=before.class_id)
    return after


async def remove_line_item(tx: Transaction, at: Reach, item_id: UUID) -> None:
    """With its scores. Raises: LtiRefusal."""
    before = await line_item(tx, at, item_id)
    await store.remove_item(tx, item_id)
    tx.audit("lti_line_item.removed", item_id, before=before, subject_id=before.class_id)


async def take_score(tx: Transaction, at: Reach, item_id: UUID, score: Score) -> None:
    """A proposal: kept here, shown to the teacher, never written among the marks. Raises: LtiRefusal."""
    await line_item(tx, at, item_id)
    day = day_in_jst(tx.now)
    if score.pupil_id not in {one.pupil_id for one in await register.members(tx, at.school_class.id, day)}:
        raise not_here("userId の児童生徒は、この学級にいません。得点は児童生徒についてだけ受け取ります。")
    rules.check_newer(score, await store.scored_at(tx, item_id, score.pupil_id), tx.now)
    if not await store.put_score(tx, item_id, score):
        rules.check_newer(score, score.scored_at, tx.now)
    tx.audit(
        "lti_score.received", item_id, after={"grading": score.grading, "scored_at": score.scored_at},
        subject_id=score.pupil_id,
    )  # fmt: skip


async def results(
    tx: Transaction, at: Reach, item_id: UUID, pupil_id: UUID | None, after: UUID | None, limit: int
) -> Sequence[Score]:
    """One more than `limit` tells that there are more. Raises: LtiRefusal."""
    await line_item(tx, at, item_id)
    return await store.scores(tx, item_id, pupil_id, after, limit)
