"""Facts every decision asks for: the class, and what the actor is at its school today."""

from __future__ import annotations

from uuid import UUID

from servicekit.auth import Actor
from servicekit.clock import day_in_jst
from servicekit.db import Transaction
from servicekit.errors import Unseen

from attendance.domain.register import SchoolClass, Standing
from attendance.store import register


async def of_class(tx: Transaction, actor: Actor, class_id: UUID) -> tuple[SchoolClass, Standing]:
    """The class and the actor's standing at its school. Raises: Unseen."""
    homeroom = await register.get_class(tx, class_id)
    if homeroom is None:
        raise Unseen
    return homeroom, await of_school(tx, actor, homeroom.school_id)


async def of_school(tx: Transaction, actor: Actor, school_id: UUID) -> Standing:
    """The actor's standing at a school today."""
    return await register.standing(tx, actor.person_id, school_id, day_in_jst(tx.now))
