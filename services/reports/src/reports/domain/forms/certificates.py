"""在学証明書 and 教科用図書給与証明書: handed to the guardian when a child moves."""

from dataclasses import dataclass

from reports.domain.forms.values import Entry, SchoolKind


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolmentCertificate:
    """在学証明書."""

    document_number: str
    pupil_names: tuple[Entry, ...]
    pupil_kana: str
    birth_on: str
    school_grade_label: str
    address: str
    purpose: str
    statement: str
    issued_on: str
    school_name: str
    school_address: str
    principal_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Textbook:
    """One 種目: 発行者, 記号・番号, 書名, whether this school supplied it."""

    subject: str
    publisher: str
    code: str
    title: str
    supplied: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TextbookCertificate:
    """教科用図書給与証明書: the new school supplies only the 種目 that differ (無償措置法施行規則)."""

    document_number: str
    school_kind: SchoolKind
    pupil_names: tuple[Entry, ...]
    pupil_kana: str
    birth_on: str
    school_grade_label: str
    textbooks: tuple[Textbook, ...]
    statement: str
    issued_on: str
    school_name: str
    school_address: str
    principal_name: str
