"""The archive: listing, opening (noted for every pupil in it), checking against the hashes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import orjson
from jpschool.school_grade import SchoolGrade
from servicekit.auth import Actor
from servicekit.db import Transaction
from servicekit.errors import Unseen

from reports import policy
from reports.domain.archive import IssuedDocument, Verification, digest
from reports.domain.forms.certificates import Textbook
from reports.domain.standing import Place, Standing
from reports.domain.textbooks import usual_textbooks
from reports.store import archive

_MOST = 100


@dataclass(frozen=True, slots=True)
class Filters:
    """What to list; empty = everything the person may see. `from_at` inclusive, `to_at` exclusive."""

    pupil_id: UUID | None = None
    class_id: UUID | None = None
    school_id: UUID | None = None
    form: str = ""
    issued_by: UUID | None = None
    from_at: datetime | None = None
    to_at: datetime | None = None
    before: UUID | None = None
    document_id: UUID | None = None
    limit: int = 50


async def list_documents(
    tx: Transaction, actor: Actor, standing: Standing, filters: Filters
) -> tuple[list[IssuedDocument], bool]:
    """A page, newest first, and whether more follow."""
    limit = min(max(filters.limit, 1), _MOST)
    found = await archive.newest(
        tx,
        policy.scope(actor, standing),
        pupil_id=filters.pupil_id,
        class_id=filters.class_id,
        school_id=filters.school_id,
        form=filters.form,
        issued_by=filters.issued_by,
        from_at=filters.from_at,
        to_at=filters.to_at,
        before=filters.before,
        document_id=filters.document_id,
        limit=limit + 1,
    )
    return found[:limit], len(found) > limit


async def open_document(
    tx: Transaction, actor: Actor, standing: Standing, document_id: UUID
) -> tuple[IssuedDocument, bytes]:
    """The document with its PDF; class I and II need the second factor, every opening is noted.

    Raises: Unseen, Refused, StepUpRequired.
    """
    document = await _visible(tx, actor, standing, document_id)
    actor.require_level(document.information_class, tx.now)
    content = await archive.content(tx, document_id)
    if content is None:
        raise Unseen
    for pupil_id in document.pupil_ids:
        tx.audit(
            "document.read",
            document.id,
            after={"form": document.form},
            information_class=document.information_class,
            subject_id=pupil_id,
        )
    return document, content[0]


async def verify_document(tx: Transaction, actor: Actor, standing: Standing, document_id: UUID) -> Verification:
    """Whether what is stored is what was issued. Raises: Unseen, Refused."""
    document = await _visible(tx, actor, standing, document_id)
    content = await archive.content(tx, document_id)
    if content is None:
        raise Unseen
    pdf, data = digest(content[0]), digest(content[1])
    return Verification(document.id, pdf == document.sha256, data == document.data_sha256, pdf, data)


async def last_textbooks(
    tx: Transaction, actor: Actor, standing: Standing, school_id: UUID, school_grade: str, school_year: int
) -> list[Textbook]:
    """What the school entered last for that 学年, else the usual 種目: the next certificate begins with it."""
    place = Place(school_id, None, school_grade)
    policy.may_open(actor, standing, place, "textbook_certificate").enforce()
    data = await archive.last_data(
        tx, form="textbook_certificate", school_id=school_id, school_grade=school_grade, school_year=school_year
    )
    if data is None:
        return usual_textbooks(SchoolGrade(school_grade))
    return [Textbook(**each) for each in orjson.loads(data)["documents"][0]["textbooks"]]


async def pupil_left(tx: Transaction, pupil_id: UUID, school_id: UUID, left_on: date | None) -> None:
    """卒業・転学 (or its correction): the retention of what was issued for the pupil starts (or stops)."""
    await archive.start_clock(tx, pupil_id, school_id, left_on)


async def pupils_came(tx: Transaction, pupils: Sequence[UUID], school_id: UUID, starts_on: date) -> None:
    """The retention of what was issued stops for those who had left the school before that day and are back."""
    for pupil_id in await archive.back_again(tx, pupils, school_id, starts_on):
        await archive.start_clock(tx, pupil_id, school_id, None)


async def _visible(tx: Transaction, actor: Actor, standing: Standing, document_id: UUID) -> IssuedDocument:
    document = await archive.facts(tx, document_id)
    if document is None:
        raise Unseen("この文書は見つかりません。")
    place = Place(document.school_id, document.class_id, document.school_grade)
    policy.may_open(actor, standing, place, document.form).enforce()
    return document
