"""The board registers a tool, changes what it may know and where it is used, switches it off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from servicekit.audit import board_subject
from servicekit.auth import Actor
from servicekit.db import Transaction
from servicekit.errors import Conflict, Invalid, Unseen, Violation
from servicekit.ids import uuid7

from learning import policy
from learning.domain.lti.tools import Origin, Tool, ToolFacts, arranged, faults
from learning.domain.register import School
from learning.store import register
from learning.store.lti import tools as store


@dataclass(frozen=True, slots=True)
class Registration:
    """A tool as the board wants it, and the schools that use it."""

    facts: ToolFacts
    school_ids: Sequence[UUID]


@dataclass(frozen=True, slots=True)
class BoardTools:
    """All tools of the board, and the schools they may be given to."""

    tools: Sequence[Tool]
    schools: Sequence[School]


async def list_tools(tx: Transaction, actor: Actor) -> BoardTools:
    """Raises: Refused."""
    policy.may_manage_tools(actor).enforce()
    return BoardTools(await store.all_of_board(tx), await register.schools(tx))


async def register_tool(tx: Transaction, actor: Actor, asked: Registration, *, local: bool) -> Tool:
    """`local`: tools without https are taken. Raises: Refused, Invalid."""
    policy.may_manage_tools(actor).enforce()
    school_ids = await _checked(tx, asked, local=local)
    bare = Tool(uuid7(), asked.facts, Origin.BY_HAND, (), actor.person_id, tx.now, None, 1)
    tool = replace(bare, deployments=arranged(bare, school_ids, [uuid7() for _ in school_ids]))
    await store.add(tx, tool)
    tx.audit("lti_tool.registered", tool.id, after=tool, subject_id=board_subject(tx.tenant))
    return tool


async def change_tool(
    tx: Transaction, actor: Actor, tool_id: UUID, version: int, asked: Registration, *, local: bool
) -> Tool:
    """Takes effect with the next launch and the next call of the tool. Raises: Refused, Unseen, Conflict, Invalid."""
    tool = await _in_use(tx, actor, tool_id, version)
    school_ids = await _checked(tx, asked, local=local)
    deployments = arranged(tool, school_ids, [uuid7() for _ in school_ids])
    facts = replace(asked.facts, custom=tool.facts.custom)
    changed = replace(tool, facts=facts, deployments=deployments, version=tool.version + 1)
    return await _save(tx, tool, changed, "lti_tool.changed")


async def disable_tool(tx: Transaction, actor: Actor, tool_id: UUID, version: int) -> Tool:
    """No launch, no token and no service from now on; what it told stays. Raises: Refused, Unseen, Conflict."""
    tool = await _in_use(tx, actor, tool_id, version)
    return await _save(tx, tool, replace(tool, disabled_at=tx.now, version=tool.version + 1), "lti_tool.disabled")


async def _save(tx: Transaction, before: Tool, after: Tool, action: str) -> Tool:
    if not await store.change(tx, after):
        raise _somebody_was_faster()
    tx.audit(action, after.id, before=before, after=after, subject_id=board_subject(tx.tenant))
    return after


async def _checked(tx: Transaction, asked: Registration, *, local: bool) -> list[UUID]:
    """The schools, each once. Raises: Invalid."""
    wrong = faults(asked.facts, local=local)
    school_ids = list(dict.fromkeys(asked.school_ids))
    known = {school.id for school in await register.schools(tx, school_ids)}
    if set(school_ids) - known:
        wrong.append(Violation("school_ids", "この教育委員会の学校を選んでください。"))
    if wrong:
        raise Invalid("入力を確かめてください。", wrong)
    return school_ids


async def _in_use(tx: Transaction, actor: Actor, tool_id: UUID, version: int) -> Tool:
    policy.may_manage_tools(actor).enforce()
    tool = await store.one(tx, tool_id)
    if tool is None:
        raise Unseen("この学習ツールは登録されていません。")
    if not tool.active:
        raise Conflict("この学習ツールは停止されています。使うには新しく登録してください。", reason="DISABLED")
    if tool.version != version:
        raise _somebody_was_faster()
    return tool


def _somebody_was_faster() -> Conflict:
    return Conflict("ほかの人が先にこの学習ツールを変えました。画面を読み込み直して、もう一度確かめてください。")
