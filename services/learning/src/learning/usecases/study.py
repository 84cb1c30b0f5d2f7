"""What children's answers say, noted when statements are stored and shown to who works with the children."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time
from uuid import UUID

import orjson
from jpschool.school_year import first_day, school_year_of
from servicekit.auth import Actor
from servicekit.clock import JST, day_in_jst
from servicekit.db import Transaction
from servicekit.errors import Unseen

from learning import policy
from learning.domain.arrived import Arrived
from learning.domain.register import Member, SchoolClass
from learning.domain.study import ANSWERED, COMPLETED, Result, result_of
from learning.domain.study_pictures import Picture, Unit, picture, units, words_of
from learning.domain.xapi.actors import key_of
from learning.store import register
from learning.store import study as store
from learning.usecases import standing as standings

_VERBS = frozenset({key_of(ANSWERED), key_of(COMPLETED)})
_MOST = 300
_AT_ONCE = 2000


async def note(tx: Transaction, client_id: UUID, stored: Sequence[Arrived]) -> None:
    """Called with statements that were just stored, in the same transaction."""
    found = [
        result
        for one in stored
        if one.terms.verb in _VERBS
        and (result := result_of(UUID(one.terms.id), one.said, tx.now)) is not None
    ]
    if found:
        await store.add(tx, [(client_id, result) for result in found])


async def note_again(tx: Transaction) -> int:
    """Lays every result of the board anew from the statements that are kept. Returns how many there are."""
    await store.forget(tx)
    after: tuple[datetime, UUID] | None = None
    count = 0
    while page := await store.scored_bodies(tx, _VERBS, after, _AT_ONCE):
        found = [
            (client_id, result)
            for client_id, statement_id, stored, body in page
            if (result := result_of(statement_id, orjson.loads(body), stored)) is not None
        ]
        await store.add(tx, found)
        count += len(found)
        after = (page[-1][2], page[-1][1])
    return count


async def class_units(tx: Transaction, actor: Actor, class_id: UUID) -> tuple[SchoolClass, int, list[Unit]]:
    """The class, how many children it has, and its units of this school year. Raises: Refused, Unseen."""
    school_class, members, seen = await _of_class(tx, actor, class_id)
    tx.audit("study.read", class_id, subject_id=class_id)
    sums = await store.unit_sums(tx, [member.pupil_id for member in members], _since(tx), words_of(seen))
    return school_class, len(members), units(sums, members)


async def class_unit(tx: Transaction, actor: Actor, class_id: UUID, unit: str) -> tuple[SchoolClass, Picture]:
    """One unit in full. Raises: Refused, Unseen."""
    school_class, members, seen = await _of_class(tx, actor, class_id)
    pupil_ids = [member.pupil_id for member in members]
    shown = await store.of_pupils(tx, pupil_ids, _since(tx), words_of(seen), unit=unit)
    if not shown:
        raise Unseen("この単元の学習の記録はありません。")
    tx.audit("study.read", class_id, subject_id=class_id, after={"unit": unit})
    return school_class, picture(unit, shown, members)


async def pupil_results(tx: Transaction, actor: Actor, pupil_id: UUID) -> list[Result]:
    """What the child did in this school year, newest first. Raises: Refused, Unseen."""
    places, standing = await standings.of_pupil(tx, actor, pupil_id)
    policy.may_see_pupil(actor, places, standing).enforce()
    tx.audit("study.read", pupil_id, subject_id=pupil_id)
    allowed = [policy.subjects_seen(place.school_class, standing) for place in places]
    subjects = None if None in allowed else frozenset().union(*(one for one in allowed if one))
    return await store.of_pupils(tx, [pupil_id], _since(tx), words_of(subjects), most=_MOST)


async def _of_class(
    tx: Transaction, actor: Actor, class_id: UUID
) -> tuple[SchoolClass, list[Member], frozenset[str] | None]:
    school_class, standing = await standings.of_class(tx, actor, class_id)
    policy.may_see_class(actor, school_class, standing).enforce()
    members = await register.members(tx, class_id, day_in_jst(tx.now))
    return school_class, members, policy.subjects_seen(school_class, standing)


def _since(tx: Transaction) -> datetime:
    """1 April of the running school year."""
    return datetime.combine(first_day(school_year_of(day_in_jst(tx.now))), time(), JST)
