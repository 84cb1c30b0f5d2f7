"""The forms this service prints, versioned by the school year a layout is valid from."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from pydantic import TypeAdapter

from reports.domain.forms.attendance_register import AttendanceRegister
from reports.domain.forms.certificates import EnrolmentCertificate, TextbookCertificate
from reports.domain.forms.guidance_record_1 import GuidanceRecord1
from reports.domain.forms.guidance_record_2 import GuidanceRecord2
from reports.domain.forms.guidance_record_copy import GuidanceRecordCopy
from reports.domain.forms.report_card import ReportCard

FormDocument = (
    GuidanceRecord1
    | GuidanceRecord2
    | GuidanceRecordCopy
    | ReportCard
    | AttendanceRegister
    | EnrolmentCertificate
    | TextbookCertificate
)

FormKey = Literal[
    "report_card",
    "guidance_record_1",
    "guidance_record_2",
    "guidance_record_copy",
    "attendance_register",
    "enrolment_certificate",
    "textbook_certificate",
]

Period = Literal["term", "month", "none"]
Retention = Literal["leaving", "school_year_end", "none"]


@dataclass(frozen=True, slots=True)
class Form:
    """One form in one version.

    `information_class`: 1–4 (I 指導要録, II 通知表, III 出席簿・証明書). `valid_from`: first school year of the layout.
    `retention_years` count from `retention`: 卒業・転学 ("leaving") or the end of the school year (規則 28条).
    """

    key: FormKey
    label: str
    information_class: int
    period: Period
    per_pupil: bool
    per_class: bool
    valid_from: int
    revision: int
    retention: Retention
    retention_years: int | None
    document: type[Any]

    @property
    def version(self) -> str:
        """As printed in the footer and kept with every document: school year and revision."""
        return f"{self.valid_from}.{self.revision}"


_FORMS: tuple[Form, ...] = (
    Form("report_card", "通知表", 2, "term", True, True, 2020, 1, "none", None, ReportCard),
    Form("guidance_record_1", "指導要録 様式1（学籍）", 1, "none", True, True, 2020, 1, "leaving", 20, GuidanceRecord1),
    Form("guidance_record_2", "指導要録 様式2（指導）", 1, "none", True, True, 2020, 1, "leaving", 5, GuidanceRecord2),
    Form("guidance_record_copy", "指導要録の写し", 1, "none", True, False, 2020, 1, "leaving", 20, GuidanceRecordCopy),
    Form("attendance_register", "出席簿", 3, "month", False, True, 2020, 2, "school_year_end", 5, AttendanceRegister),
    Form(
        "enrolment_certificate",
        "在学証明書",
        3,
        "none",
        True,
        False,
        2020,
        1,
        "school_year_end",
        5,
        EnrolmentCertificate,
    ),
    Form(
        "textbook_certificate",
        "教科用図書給与証明書",
        3,
        "none",
        True,
        False,
        2020,
        1,
        "school_year_end",
        5,
        TextbookCertificate,
    ),
)


class UnknownForm(LookupError):
    """No form of that key is valid in that school year."""


def forms_of(school_year: int) -> Mapping[str, Form]:
    """The layouts in force in a school year: of each form the newest one that is already valid."""
    chosen: dict[str, Form] = {}
    for form in sorted(_FORMS, key=lambda f: (f.valid_from, f.revision)):
        if form.valid_from <= school_year:
            chosen[form.key] = form
    return MappingProxyType(chosen)


def form_of(key: str, school_year: int) -> Form:
    """Raises: UnknownForm."""
    try:
        return forms_of(school_year)[key]
    except KeyError:
        raise UnknownForm(key) from None


_ADAPTERS: dict[Any, TypeAdapter[Any]] = {form.document: TypeAdapter(form.document) for form in _FORMS}


def to_data(document: FormDocument) -> dict[str, Any]:
    """The document as JSON-ready data, as it is printed, stored and hashed."""
    return _ADAPTERS[type(document)].dump_python(document, mode="json")  # type: ignore[no-any-return]


def from_data(form: Form, data: Mapping[str, Any]) -> FormDocument:
    """The typed document of stored data. Raises: pydantic.ValidationError, when it does not fit the form's schema."""
    return _ADAPTERS[form.document].validate_python(dict(data), strict=False)  # type: ignore[no-any-return]


def json_schema(form: Form) -> dict[str, Any]:
    """The published JSON Schema (draft 2020-12) of the form's document."""
    schema = _ADAPTERS[form.document].json_schema(mode="serialization")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"https://komu.example/forms/{form.key}/{form.version}",
        "title": form.label,
        **{key: value for key, value in schema.items() if key != "title"},
    }
