"""Facts every decision asks for: the class or the child, and what the actor is there today."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from servicekit.auth import Actor
from servicekit.clock import day_in_jst
from servicekit.db import Transaction
from servicekit.errors import Unseen

from learning.domain.register import Place, School, SchoolClass, Standing
from learning.store import register


async def of_actor(tx: Transaction, actor: Actor) -> Standing:
    """Everything the register says of the actor today."""
    return await register.standing(tx, actor.person_id, day_in_jst(tx.now))


async def of_class(tx: Transaction, actor: Actor, class_id: UUID) -> tuple[SchoolClass, Standing]:
    """The class and the actor's standing. Raises: Unseen."""
    school_class = await register.class_of(tx, class_id)
    if school_class is None:
        raise Unseen("この学級は見つかりません。")
    return school_class, await of_actor(tx, actor)


async def of_pupil(tx: Transaction, actor: Actor, pupil_id: UUID) -> tuple[Sequence[Place], Standing]:
    """Where the child sits today, and the actor's standing. Raises: Unseen."""
    found = await register.places(tx, [pupil_id], day_in_jst(tx.now))
    if pupil_id not in found:
        raise Unseen("この児童生徒は見つかりません。")
    return found[pupil_id], await of_actor(tx, actor)


async def of_school(tx: Transaction, actor: Actor, school_id: UUID) -> tuple[School, Standing]:
    """The school and the actor's standing. Raises: Unseen."""
    found = await register.schools(tx, [school_id])
    if not found:
        raise Unseen("この学校は見つかりません。")
    return found[0], await of_actor(tx, actor)
