"""Print orders: the data of a class, waiting for its job; gone once the document is in the archive."""

from uuid import UUID

from servicekit.db import Transaction

from reports.domain.archive import Order
from reports.domain.forms.registry import form_of
from reports.store.tables import print_orders


async def add(tx: Transaction, order: Order, ordered_by: UUID) -> None:
    """Keeps the order until its job is done."""
    await tx.execute(
        print_orders.insert(),
        {
            "tenant_id": tx.tenant,
            "id": order.id,
            "form": order.form.key,
            "school_id": order.school_id,
            "class_id": order.class_id,
            "school_grade": order.school_grade,
            "school_year": order.school_year,
            "term": order.term,
            "purpose": order.purpose,
            "counterpart_name": order.counterpart_name,
            "school_name": order.school_name,
            "pupil_ids": list(order.pupil_ids),
            "labels": list(order.labels),
            "data": order.data,
            "ordered_at": order.ordered_at,
            "ordered_by": ordered_by,
            "idempotency_key": order.idempotency_key,
        },
    )


async def get(tx: Transaction, order_id: UUID) -> Order | None:
    """None once it is done or cancelled."""
    row = (await tx.execute(print_orders.select().where(print_orders.c.id == order_id))).first()
    if row is None:
        return None
    return Order(
        id=row.id,
        form=form_of(row.form, row.school_year),
        school_id=row.school_id,
        school_name=row.school_name,
        class_id=row.class_id,
        school_grade=row.school_grade,
        school_year=row.school_year,
        term=row.term,
        purpose=row.purpose,
        counterpart_name=row.counterpart_name,
        pupil_ids=tuple(row.pupil_ids),
        labels=tuple(row.labels),
        data=bytes(row.data),
        ordered_at=row.ordered_at,
        idempotency_key=row.idempotency_key,
    )


async def by_key(tx: Transaction, ordered_by: UUID, key: str) -> UUID | None:
    """The order (and job) an earlier call with the same idempotency key made."""
    query = print_orders.select().where(print_orders.c.ordered_by == ordered_by, print_orders.c.idempotency_key == key)
    row = (await tx.execute(query)).first()
    return row.id if row is not None else None


async def remove(tx: Transaction, order_id: UUID) -> None:
    """Its data are in the archive, or nobody wants them any more."""
    await tx.execute(print_orders.delete().where(print_orders.c.id == order_id))
