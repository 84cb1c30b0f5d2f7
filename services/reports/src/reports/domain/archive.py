"""What was issued: the order it came from, the document that stays, how long it is kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

import rfc8785

from reports.domain.forms.registry import Form


@dataclass(frozen=True, slots=True)
class Order:
    """One print as asked for, with the data it prints: nothing is read from elsewhere after this.

    `data`: canonical JSON (RFC 8785) `{form, form_version, documents}`. `labels` name the documents in notes.
    """

    id: UUID
    form: Form
    school_id: UUID
    school_name: str
    class_id: UUID | None
    school_grade: str
    school_year: int
    term: str
    purpose: str
    counterpart_name: str
    pupil_ids: tuple[UUID, ...]
    labels: tuple[str, ...]
    data: bytes
    ordered_at: datetime
    idempotency_key: str = ""


@dataclass(frozen=True, slots=True)
class IssuedDocument:
    """A document of the archive without its content. Hashes are SHA-256 of the PDF and of the canonical data."""

    id: UUID
    form: str
    form_version: str
    form_label: str
    information_class: int
    school_id: UUID
    class_id: UUID | None
    school_grade: str
    school_year: int
    term: str
    purpose: str
    counterpart_name: str
    pages: int
    size: int
    sha256: bytes
    data_sha256: bytes
    notes: tuple[str, ...]
    issued_at: datetime
    issued_by: UUID
    retention_basis: str
    retained_until: date | None
    pupil_ids: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class Verification:
    """The stored bytes against the hashes noted when it was issued."""

    document_id: UUID
    pdf_matches: bool
    data_matches: bool
    sha256: bytes
    data_sha256: bytes


def canonical(form: Form, documents: list[dict[str, Any]]) -> bytes:
    """The data of a print as bytes that have one hash (RFC 8785)."""
    return rfc8785.dumps({"form": form.key, "form_version": form.version, "documents": documents})


def digest(content: bytes) -> bytes:
    return sha256(content).digest()


def retention_basis(form: Form) -> str:
    """Why and from when it is kept (学校教育法施行規則 28条), as the archive shows it."""
    match form.retention:
        case "leaving":
            return f"卒業又は転学の日から{form.retention_years}年（学校教育法施行規則28条）"
        case "school_year_end":
            return f"年度末から{form.retention_years}年（学校教育法施行規則28条）"
        case _:
            return "保存期間の定めなし"


def retained_until(form: Form, school_year: int, left_on: date | None = None) -> date | None:
    """Last day it is kept; None while the clock has not started or none runs."""
    if form.retention_years is None:
        return None
    if form.retention == "school_year_end":
        return date(school_year + 1 + form.retention_years, 3, 31)
    return years_later(left_on, form.retention_years) if left_on is not None else None


def years_later(day: date, years: int) -> date:
    """The same day `years` later; 29 February becomes 28 February."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


def facts(order: Order) -> Mapping[str, Any]:
    """What the audit keeps of an issue: ids and hashes, no content."""
    return {
        "form": order.form.key,
        "form_version": order.form.version,
        "class_id": str(order.class_id or ""),
        "term": order.term,
        "purpose": order.purpose,
    }
