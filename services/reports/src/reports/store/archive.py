"""Issued documents: written once, listed, opened."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from servicekit.db import Transaction

from reports.domain.archive import IssuedDocument
from reports.policy import Scope
from reports.store.tables import document_subjects, documents

_FACTS = [
    documents.c[name]
    for name in (
        "id", "form", "form_version", "form_label", "information_class", "school_id", "class_id", "school_grade",
        "school_year", "term", "purpose", "counterpart_name", "pages", "size", "sha256", "data_sha256", "notes",
        "issued_at", "issued_by", "retention_basis", "retained_until",
    )
]  # fmt: skip
_PUPILS = (
    sa.select(sa.func.array_agg(sa.text("s.pupil_id ORDER BY s.position")))
    .select_from(document_subjects.alias("s"))
    .where(sa.text("s.tenant_id = documents.tenant_id AND s.document_id = documents.id"))
    .scalar_subquery()
    .label("pupil_ids")
)


async def add(
    tx: Transaction,
    document: IssuedDocument,
    *,
    pdf: bytes,
    data: bytes,
    retention_years: int | None,
    left: Mapping[UUID, date],
    idempotency_key: str,
) -> None:
    """Puts a document into the archive with whose records it prints. `left`: of its pupils, who has left, and when."""
    await tx.execute(
        documents.insert(),
        {
            "tenant_id": tx.tenant,
            "id": document.id,
            "form": document.form,
            "form_version": document.form_version,
            "form_label": document.form_label,
            "information_class": document.information_class,
            "school_id": document.school_id,
            "class_id": document.class_id,
            "school_grade": document.school_grade,
            "school_year": document.school_year,
            "term": document.term,
            "purpose": document.purpose,
            "counterpart_name": document.counterpart_name,
            "pages": document.pages,
            "pdf": pdf,
            "size": document.size,
            "sha256": document.sha256,
            "data": data,
            "data_sha256": document.data_sha256,
            "notes": list(document.notes),
            "issued_at": document.issued_at,
            "issued_by": document.issued_by,
            "retention_years": retention_years,
            "retention_basis": document.retention_basis,
            "retained_until": document.retained_until,
            "idempotency_key": idempotency_key,
        },
    )
    await tx.copy_in(
        "document_subjects",
        ("tenant_id", "document_id", "pupil_id", "position", "left_on"),
        [
            (tx.tenant, document.id, pupil_id, place, left.get(pupil_id))
            for place, pupil_id in enumerate(document.pupil_ids)
        ],
    )


async def leavings(tx: Transaction, school_id: UUID, pupil_ids: Sequence[UUID]) -> dict[UUID, date]:
    """Of these pupils, those who have left the school, and when."""
    result = await tx.execute(
        "SELECT pupil_id, left_on FROM leavings WHERE school_id = :school AND pupil_id = ANY(:pupils)",
        {"school": school_id, "pupils": list(pupil_ids)},
    )
    return {row.pupil_id: row.left_on for row in result}


async def facts(tx: Transaction, document_id: UUID) -> IssuedDocument | None:
    """A document without its content."""
    row = (await tx.execute(_select().where(documents.c.id == document_id))).first()
    return _document(row) if row is not None else None


async def by_key(tx: Transaction, issued_by: UUID, key: str) -> IssuedDocument | None:
    """The document an earlier call with the same idempotency key made."""
    found = _select().where(documents.c.issued_by == issued_by, documents.c.idempotency_key == key)
    row = (await tx.execute(found)).first()
    return _document(row) if row is not None else None


async def content(tx: Transaction, document_id: UUID) -> tuple[bytes, bytes] | None:
    """PDF and canonical data."""
    query = sa.select(documents.c.pdf, documents.c.data).where(documents.c.id == document_id)
    row = (await tx.execute(query)).first()
    return (bytes(row.pdf), bytes(row.data)) if row is not None else None


async def newest(
    tx: Transaction,
    allowed: Scope,
    *,
    pupil_id: UUID | None,
    class_id: UUID | None,
    school_id: UUID | None,
    form: str,
    issued_by: UUID | None,
    from_at: datetime | None,
    to_at: datetime | None,
    before: UUID | None,
    document_id: UUID | None,
    limit: int,
) -> list[IssuedDocument]:
    """Newest first (ids are UUIDv7), of what the scope allows."""
    query = _select().where(_allowed(allowed)).order_by(documents.c.id.desc()).limit(limit)
    if pupil_id is not None:
        query = query.where(
            sa.exists().where(
                document_subjects.c.tenant_id == documents.c.tenant_id,
                document_subjects.c.document_id == documents.c.id,
                document_subjects.c.pupil_id == pupil_id,
            )
        )
    if class_id is not None:
        query = query.where(documents.c.class_id == class_id)
    if school_id is not None:
        query = query.where(documents.c.school_id == school_id)
    if form:
        query = query.where(documents.c.form == form)
    if issued_by is not None:
        query = query.where(documents.c.issued_by == issued_by)
    if from_at is not None:
        query = query.where(documents.c.issued_at >= from_at)
    if to_at is not None:
        query = query.where(documents.c.issued_at < to_at)
    if before is not None:
        query = query.where(documents.c.id < before)
    if document_id is not None:
        query = query.where(documents.c.id == document_id)
    return [_document(row) for row in await tx.execute(query)]


async def last_data(
    tx: Transaction, *, form: str, school_id: UUID, school_grade: str, school_year: int
) -> bytes | None:
    """Canonical data of the newest document of that form, school, 学年 and year."""
    query = (
        sa.select(documents.c.data)
        .where(
            documents.c.form == form,
            documents.c.school_id == school_id,
            documents.c.school_grade == school_grade,
            documents.c.school_year == school_year,
        )
        .order_by(documents.c.id.desc())
        .limit(1)
    )
    found = await tx.scalar(query)
    return bytes(found) if found is not None else None


async def subjects_of(tx: Transaction, school_id: UUID, pupil_id: UUID | None) -> list[UUID]:
    """The pupils for whom the school issued something; of these only `pupil_id`, where given."""
    same_document = sa.and_(
        documents.c.tenant_id == document_subjects.c.tenant_id, documents.c.id == document_subjects.c.document_id
    )
    query = sa.select(document_subjects.c.pupil_id).join(documents, same_document).distinct()
    query = query.where(documents.c.school_id == school_id)
    if pupil_id is not None:
        query = query.where(document_subjects.c.pupil_id == pupil_id)
    return [row.pupil_id for row in await tx.execute(query)]


async def back_again(tx: Transaction, pupils: Sequence[UUID], school_id: UUID, starts_on: date) -> list[UUID]:
    """Those of `pupils` who had left the school before the day they came."""
    rows = await tx.execute(
        "SELECT pupil_id FROM leavings WHERE tenant_id = :tenant AND school_id = :school "
        "AND pupil_id = ANY(:pupils) AND left_on < :starts_on",
        {"tenant": tx.tenant, "school": school_id, "pupils": list(pupils), "starts_on": starts_on},
    )
    return [row.pupil_id for row in rows]


async def start_clock(tx: Transaction, pupil_id: UUID, school_id: UUID, left_on: date | None) -> None:
    """卒業・転学 starts the retention of the pupil's documents of that school; a correction (None) stops it again.

    A document of several pupils is kept until the last of them may go.
    """
    values = {"tenant": tx.tenant, "pupil": pupil_id, "school": school_id, "left_on": left_on}
    await tx.execute(
        "DELETE FROM leavings WHERE tenant_id = :tenant AND school_id = :school AND pupil_id = :pupil", values
    )
    if left_on is not None:
        await tx.execute("INSERT INTO leavings VALUES (:tenant, :school, :pupil, :left_on)", values)
    await tx.execute(
        """
        UPDATE document_subjects s SET left_on = :left_on
        FROM documents d
        WHERE s.tenant_id = :tenant AND s.pupil_id = :pupil AND d.tenant_id = s.tenant_id AND d.id = s.document_id
          AND d.school_id = :school AND s.left_on IS DISTINCT FROM CAST(:left_on AS date)
        """,
        values,
    )
    await tx.execute(
        """
        UPDATE documents d SET retained_until = k.until
        FROM (SELECT m.tenant_id, m.document_id,
                     CASE WHEN bool_and(m.left_on IS NOT NULL) THEN max(m.left_on) END AS left_on
              FROM document_subjects m
              WHERE m.tenant_id = :tenant AND m.document_id IN (
                SELECT document_id FROM document_subjects WHERE tenant_id = :tenant AND pupil_id = :pupil)
              GROUP BY m.tenant_id, m.document_id) c
        JOIN documents o ON o.tenant_id = c.tenant_id AND o.id = c.document_id
        CROSS JOIN LATERAL (SELECT (c.left_on + make_interval(years => o.retention_years))::date AS until) k
        WHERE d.tenant_id = c.tenant_id AND d.id = c.document_id AND d.school_id = :school
          AND d.retention_basis LIKE '卒業%' AND d.retained_until IS DISTINCT FROM k.until
        """,
        values,
    )


def _select() -> sa.Select[Any]:
    return sa.select(*_FACTS, _PUPILS)


def _allowed(allowed: Scope) -> sa.ColumnElement[bool]:
    if allowed.every_school:
        return sa.true()
    schools: sa.ColumnElement[bool] = documents.c.school_id.in_(allowed.school_ids)
    if allowed.office_forms is not None:
        schools = sa.and_(schools, documents.c.form.in_(allowed.office_forms))
    classes = sa.and_(documents.c.class_id.in_(allowed.class_ids), documents.c.form.in_(allowed.homeroom_forms))
    return sa.or_(schools, classes)


def _document(row: Any) -> IssuedDocument:
    return IssuedDocument(
        id=row.id,
        form=row.form,
        form_version=row.form_version,
        form_label=row.form_label,
        information_class=row.information_class,
        school_id=row.school_id,
        class_id=row.class_id,
        school_grade=row.school_grade,
        school_year=row.school_year,
        term=row.term,
        purpose=row.purpose,
        counterpart_name=row.counterpart_name,
        pages=row.pages,
        size=row.size,
        sha256=bytes(row.sha256),
        data_sha256=bytes(row.data_sha256),
        notes=tuple(row.notes),
        issued_at=row.issued_at,
        issued_by=row.issued_by,
        retention_basis=row.retention_basis,
        retained_until=row.retained_until,
        pupil_ids=tuple(row.pupil_ids or ()),
    )
