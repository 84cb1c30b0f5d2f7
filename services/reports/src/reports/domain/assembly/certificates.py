"""在学証明書 and 教科用図書給与証明書."""

from collections.abc import Sequence

from reports.domain.assembly.guidance import school_kind_of
from reports.domain.assembly.words import entries, furigana, in_office, now_of, of_kind
from reports.domain.forms.certificates import EnrolmentCertificate, Textbook, TextbookCertificate
from reports.domain.forms.values import Entry
from reports.domain.sources import Register


def enrolment_certificate(
    register: Register, *, number: str, issued_on: str, purpose: str
) -> EnrolmentCertificate:
    """States that the child is on the roll on the day of issue."""
    school_grade = register.as_school_grade
    return EnrolmentCertificate(
        document_number=number,
        pupil_names=_names(register),
        pupil_kana=_kana(register),
        birth_on=register.birth_on,
        school_grade_label=f"第{school_grade.year}学年",
        address=now_of(list(register.addresses)),
        purpose=purpose,
        statement=f"上記の者は、本校第{school_grade.year}学年に在学していることを証明する。",
        issued_on=issued_on,
        school_name=register.school.name,
        school_address=register.school.address,
        principal_name=principal(register, issued_on),
    )


def textbook_certificate(
    register: Register, textbooks: Sequence[Textbook], *, number: str, issued_on: str
) -> TextbookCertificate:
    """Which 種目 this school supplied: the next one supplies only those that differ."""
    return TextbookCertificate(
        document_number=number,
        school_kind=school_kind_of(register.school_grade),
        pupil_names=_names(register),
        pupil_kana=_kana(register),
        birth_on=register.birth_on,
        school_grade_label=f"第{register.as_school_grade.year}学年",
        textbooks=tuple(textbooks),
        statement="上記の者に対し、教科用図書を上記のとおり給与したことを証明する。",
        issued_on=issued_on,
        school_name=register.school.name,
        school_address=register.school.address,
        principal_name=principal(register, issued_on),
    )


def _names(register: Register) -> tuple[Entry, ...]:
    """The official name of the day, and 通称 beside it."""
    official = now_of(of_kind(register.names, "official", "display")) or register.display_name
    alias = [value.text for value in register.names if value.kind == "alias" and not value.ends_on]
    return (Entry(text=official), *(Entry(text=f"（通称 {text}）") for text in alias))


def _kana(register: Register) -> str:
    names = entries(of_kind(register.names, "official", "display"))
    kana = now_of(of_kind(register.names, "kana"))
    return furigana(kana, names[-1].text if names else register.display_name)


def principal(register: Register, on: str) -> str:
    """The 校長 in office on the day (ISO 8601) who certifies, also of a child who left years ago."""
    served = in_office(register.principals, on)
    return served[-1].name if served else ""
