"""Sets a print in type and puts it into the archive."""

import asyncio
from collections.abc import Mapping
from datetime import date, datetime
from uuid import UUID

import orjson
from jpschool.wareki import wareki
from servicekit import jobs
from servicekit.auth import Actor
from servicekit.clock import day_in_jst
from servicekit.db import Transaction
from servicekit.jobs import JobContext, JobStatus

from reports import events
from reports.domain import archive as rules
from reports.domain.archive import IssuedDocument, Order
from reports.domain.forms.registry import Form, from_data
from reports.store import archive, orders
from reports.typesetting.typesetter import ImageFormat, Pictures, Rendered, Stamp, Typesetter
from reports.usecases.gathering import Gathered

PRINT_CLASS = "reports.print_class"


async def typeset(typesetter: Typesetter, order: Order) -> Rendered:
    """The order's PDF. Only its own data are read, so a second try prints the same bytes."""
    documents = [from_data(order.form, each) for each in orjson.loads(order.data)["documents"]]
    stamp = _stamp(order.form, order.school_name, order.ordered_at, order.id)
    return await asyncio.to_thread(typesetter.pdf, order.form, documents, stamp, order.labels)


async def preview(typesetter: Typesetter, gathered: Gathered, now: datetime, image: ImageFormat) -> Pictures:
    """The pages as pictures, marked as a preview; nothing is kept."""
    stamp = _stamp(gathered.form, gathered.school_name, now, None)
    return await asyncio.to_thread(typesetter.pictures, gathered.form, gathered.documents[0], stamp, image)


async def keep(tx: Transaction, actor: Actor, order: Order, rendered: Rendered) -> IssuedDocument:
    """Archives the print, tells it, and notes for each pupil who issued what."""
    left = await archive.leavings(tx, order.school_id, order.pupil_ids)
    document = _document(order, rendered, actor.person_id, tx.now, _all_left(order, left))
    await archive.add(
        tx,
        document,
        pdf=rendered.pdf,
        data=order.data,
        retention_years=order.form.retention_years,
        left=left,
        idempotency_key=order.idempotency_key,
    )
    for pupil_id in document.pupil_ids:
        tx.audit(
            "document.issued",
            document.id,
            after={**rules.facts(order), "sha256": document.sha256.hex()},
            information_class=document.information_class,
            subject_id=pupil_id,
        )
    events.document_issued(tx, document)
    return document


async def order_class(tx: Transaction, actor: Actor, order: Order) -> JobStatus:
    """Keeps the order and starts its job; the same idempotency key again answers the same job."""
    if order.idempotency_key:
        same = await orders.by_key(tx, actor.person_id, order.idempotency_key)
        if same is not None:
            return await jobs.get(tx, same)
    await orders.add(tx, order, actor.person_id)
    await jobs.start(tx, PRINT_CLASS, {"order_id": str(order.id)}, job_id=order.id)
    return await jobs.get(tx, order.id)


async def earlier(tx: Transaction, actor: Actor, key: str) -> IssuedDocument | None:
    """What an earlier call with the same idempotency key issued."""
    return await archive.by_key(tx, actor.person_id, key) if key else None


async def earlier_job(tx: Transaction, actor: Actor, key: str) -> JobStatus | None:
    """The job an earlier call with the same idempotency key started, also when it is done."""
    if not key:
        return None
    running = await orders.by_key(tx, actor.person_id, key)
    if running is None:
        done = await archive.by_key(tx, actor.person_id, key)
        running = done.id if done else None
    return await jobs.get(tx, running) if running is not None else None


async def get_job(tx: Transaction, actor: Actor, job_id: UUID) -> JobStatus:
    """Raises: Unseen."""
    return await jobs.get(tx, job_id)


async def cancel_job(tx: Transaction, actor: Actor, job_id: UUID) -> JobStatus:
    """Stops a print; the data of a job that had not begun go at once. Raises: Unseen."""
    status = await jobs.cancel(tx, job_id)
    if status.state == "cancelled":
        await orders.remove(tx, job_id)
    return status


async def print_class(job: JobContext, typesetter: Typesetter) -> str:
    """The job: set the class in type, archive it. After a crash it begins again from the order's data."""
    order_id = UUID(job.args["order_id"])
    async with job.reading() as tx:
        order = await orders.get(tx, order_id)
        if order is None:
            issued = await archive.facts(tx, order_id)
            return str(issued.id) if issued else ""
    size = max(len(order.pupil_ids), 1)
    job.progress(0, size, f"{order.form.label}　{size}人分を組んでいます。")
    if job.cancelled():
        async with job.transaction() as tx:
            await orders.remove(tx, order_id)
    job.check_cancelled()
    rendered = await typeset(typesetter, order)
    job.progress(size, size, f"{rendered.pages}ページを保管しています。")
    async with job.transaction() as tx:
        # Whoever cancels from here on comes too late: what is archived is issued, and the job says so.
        too_late = not job.cancelled()
        if too_late and job.actor is not None:
            await keep(tx, job.actor, order, rendered)
        await orders.remove(tx, order_id)
    await asyncio.to_thread(typesetter.settle)
    if not too_late:
        job.check_cancelled()
    job.progress(size, size, f"{rendered.pages}ページの帳票ができました。")
    return str(order_id)


def _stamp(form: Form, school_name: str, at: datetime, document_id: UUID | None) -> Stamp:
    what = f"文書 {document_id}" if document_id is not None else "プレビュー（発行されていません）"
    footer = f"{form.label}　{form.version}版　{what}　{wareki(day_in_jst(at))}作成"
    return Stamp(author=school_name, footer=footer, created_at=at, draft=document_id is None)


def _all_left(order: Order, left: Mapping[UUID, date]) -> date | None:
    """The day the last of its pupils left; None while one is on the roll."""
    return max(left.values()) if left and len(left) == len(order.pupil_ids) else None


def _document(order: Order, rendered: Rendered, issued_by: UUID, now: datetime, left_on: date | None) -> IssuedDocument:
    return IssuedDocument(
        id=order.id,
        form=order.form.key,
        form_version=order.form.version,
        form_label=order.form.label,
        information_class=order.form.information_class,
        school_id=order.school_id,
        class_id=order.class_id,
        school_grade=order.school_grade,
        school_year=order.school_year,
        term=order.term,
        purpose=order.purpose,
        counterpart_name=order.counterpart_name,
        pages=rendered.pages,
        size=len(rendered.pdf),
        sha256=rules.digest(rendered.pdf),
        data_sha256=rules.digest(order.data),
        notes=rendered.notes,
        issued_at=now,
        issued_by=issued_by,
        retention_basis=rules.retention_basis(order.form),
        retained_until=rules.retained_until(order.form, order.school_year, left_on),
        pupil_ids=order.pupil_ids,
    )
