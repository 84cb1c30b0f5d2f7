"""Between the contract's messages and our values. Bad input becomes Invalid with the field that is wrong."""

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp
from jpschool.days import read_day
from jpschool.school_grade import SchoolGrade
from komu.reports.v1 import reports_pb2 as pb
from servicekit.clock import JST
from servicekit.errors import Invalid, Violation

from reports.domain.archive import IssuedDocument, Verification
from reports.domain.forms.certificates import Textbook
from reports.domain.forms.registry import Form
from reports.typesetting.typesetter import Pictures
from reports.usecases.archives import Filters
from reports.usecases.gathering import Asked

_MOST_PUPILS = 100
_MOST_TEXTBOOKS = 40
_PURPOSES = {"", "print", "transfer"}


def uuid_of(text: str, field: str) -> UUID:
    """Raises: Invalid."""
    try:
        return UUID(text)
    except ValueError:
        raise Invalid("識別子が正しくありません。", [Violation(field, "UUIDではありません。")]) from None


def school_grade_of(text: str) -> str:
    """Raises: Invalid."""
    if text not in SchoolGrade.__members__:
        raise Invalid("学年が正しくありません。", [Violation("school_grade", "P1〜P6かJ1〜J3です。")])
    return text


def maybe_uuid(text: str, field: str) -> UUID | None:
    return uuid_of(text, field) if text else None


def issue(request: pb.IssueDocumentRequest) -> Asked:
    """Raises: Invalid."""
    if request.purpose not in _PURPOSES:
        raise Invalid("目的が正しくありません。", [Violation("purpose", "printかtransferです。")])
    if len(request.textbooks) > _MOST_TEXTBOOKS:
        raise Invalid("教科書が多すぎます。", [Violation("textbooks", f"{_MOST_TEXTBOOKS}件までです。")])
    return Asked(
        form=request.form,
        class_id=maybe_uuid(request.class_id, "class_id"),
        pupil_ids=tuple(uuid_of(text, "pupil_id") for text in [request.pupil_id] if text),
        term=request.term[:10],
        purpose=request.purpose or "print",
        counterpart_name=request.counterpart_name[:100],
        idempotency_key=request.idempotency_key[:100],
        textbooks=tuple(
            Textbook(
                subject=book.subject[:40],
                publisher=book.publisher[:40],
                code=book.code[:40],
                title=book.title[:100],
                supplied=book.supplied,
            )
            for book in request.textbooks
        ),
        document_number=request.document_number[:40],
        use=request.use[:100],
    )


def print_class(request: pb.PrintClassRequest) -> Asked:
    """Raises: Invalid."""
    if len(request.pupil_ids) > _MOST_PUPILS:
        raise Invalid("一度に印刷できる人数を超えています。", [Violation("pupil_ids", f"{_MOST_PUPILS}人までです。")])
    return Asked(
        form=request.form,
        class_id=uuid_of(request.class_id, "class_id"),
        pupil_ids=tuple(uuid_of(text, "pupil_ids") for text in request.pupil_ids),
        term=request.term[:10],
        idempotency_key=request.idempotency_key[:100],
    )


def preview(request: pb.PreviewFormRequest, school_year: int) -> Asked:
    """Raises: Invalid."""
    return Asked(
        form=request.form,
        class_id=maybe_uuid(request.class_id, "class_id"),
        pupil_ids=tuple(uuid_of(text, "pupil_id") for text in [request.pupil_id] if text),
        term=request.term[:10],
        overlay={
            (school_year, value.term, value.subject, value.column): value.value[:2000]
            for value in request.overlay[:200]
        },
    )


def preview_reply(pictures: Pictures, page: int) -> pb.PreviewFormReply:
    """One page (1-based), or with 0 all of them."""
    return pb.PreviewFormReply(
        image=pictures.pages[page - 1] if page else pictures.pages[0],
        images=[] if page else pictures.pages,
        media_type=pictures.media_type,
        pages=len(pictures.pages),
        notes=pictures.notes,
    )


def filters(request: pb.ListDocumentsRequest) -> Filters:
    """Raises: Invalid."""
    to_on = day_of(request.to_on, "to_on")
    return Filters(
        pupil_id=maybe_uuid(request.pupil_id, "pupil_id"),
        class_id=maybe_uuid(request.class_id, "class_id"),
        school_id=maybe_uuid(request.school_id, "school_id"),
        form=request.form,
        issued_by=maybe_uuid(request.issued_by, "issued_by"),
        from_at=midnight(day_of(request.from_on, "from_on")),
        to_at=midnight(to_on + timedelta(days=1)) if to_on else None,
        before=maybe_uuid(request.before_document_id, "before_document_id"),
        document_id=maybe_uuid(request.document_id, "document_id"),
        limit=request.limit or 50,
    )


def day_of(text: str, field: str) -> date | None:
    if not text:
        return None
    try:
        return read_day(text)
    except ValueError:
        raise Invalid("日付が正しくありません。", [Violation(field, "YYYY-MM-DDで書いてください。")]) from None


def midnight(day: date | None) -> datetime | None:
    return datetime.combine(day, time(), JST).astimezone(UTC) if day else None


def form(told: Form) -> pb.Form:
    return pb.Form(
        key=told.key,
        label=told.label,
        information_class=told.information_class,
        per_term=told.period != "none",
        per_class=told.per_class,
        version_year=told.valid_from,
    )


def document(told: IssuedDocument) -> pb.Document:
    issued_at = Timestamp()
    issued_at.FromDatetime(told.issued_at.astimezone(UTC))
    return pb.Document(
        id=str(told.id),
        form=told.form,
        form_label=told.form_label,
        pupil_id=str(told.pupil_ids[0]) if len(told.pupil_ids) == 1 else "",
        class_id=str(told.class_id or ""),
        term=told.term,
        school_year=told.school_year,
        pages=told.pages,
        bytes=told.size,
        sha256=told.sha256.hex(),
        data_sha256=told.data_sha256.hex(),
        issued_at=issued_at,
        issued_by=str(told.issued_by),
        retained_until=told.retained_until.isoformat() if told.retained_until else "",
        retention_basis=told.retention_basis,
        notes=told.notes,
        information_class=told.information_class,
        form_version=told.form_version,
        school_id=str(told.school_id),
        purpose=told.purpose,
        counterpart_name=told.counterpart_name,
        pupil_ids=[str(pupil) for pupil in told.pupil_ids],
    )


def verification(told: Verification) -> pb.DocumentVerification:
    return pb.DocumentVerification(
        document_id=str(told.document_id),
        pdf_matches=told.pdf_matches,
        data_matches=told.data_matches,
        sha256=told.sha256.hex(),
        data_sha256=told.data_sha256.hex(),
    )


def textbook(told: Textbook) -> pb.Textbook:
    return pb.Textbook(
        subject=told.subject, publisher=told.publisher, code=told.code, title=told.title, supplied=told.supplied
    )
