"""What is typed at the 運用支援サイト, as sheets to hand out, with the columns of its forms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from jpschool.school_grade import SchoolGrade

from learning.domain.mexcbt import Application, Founder, FounderKind, State, trial_entry
from learning.domain.register import School

KINDS = {FounderKind.PUBLIC: "公立", FounderKind.NATIONAL: "国立", FounderKind.PRIVATE: "私立"}
_FOUNDER = (
    "設置者区分", "設置者名", "設置者コード", "担当部署", "担当者氏名", "メールアドレス", "電話番号",
    "テスト作成サイトの利用希望",
)  # fmt: skip
_SCHOOL = (
    "学校コード", "学校名", "学校担当者氏名", "学校担当者メールアドレス", "学校担当者電話番号",
    "活用する学習eポータル標準準拠ソフト",
)  # fmt: skip
_DETAIL = ("利用見込み学年", "児童生徒の利用アカウント概数", "教員の利用アカウント概数", "名簿から数えた日")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table of text."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def sheets(founder: Founder, applications: Sequence[Application], schools: Mapping[UUID, School]) -> list[Sheet]:
    """設置者情報, 利用学校, and 学校情報 of the schools that confirmed; ended applications are left out."""
    open_ones = [one for one in applications if one.open]
    confirmed = [one for one in open_ones if one.state in (State.CONFIRMED, State.IN_USE) and one.counts is not None]
    return [
        Sheet("設置者情報", _FOUNDER, (_founder_row(founder),)),
        Sheet("利用学校", _SCHOOL, tuple(_school_row(founder, one, schools) for one in open_ones)),
        Sheet(
            "学校情報",
            _SCHOOL + _DETAIL,
            tuple((*_school_row(founder, one, schools), *_detail(one)) for one in confirmed),
        ),
    ]


def _founder_row(founder: Founder) -> tuple[str, ...]:
    return (
        KINDS[founder.kind],
        founder.name,
        founder.code,
        founder.department,
        founder.contact.name,
        founder.contact.mail,
        founder.contact.phone,
        "希望する" if founder.wants_authoring else "希望しない",
    )


def _school_row(founder: Founder, one: Application, schools: Mapping[UUID, School]) -> tuple[str, ...]:
    if one.school_id is None:
        code, name = trial_entry(founder)
    else:
        school = schools.get(one.school_id)
        code, name = (school.code, school.name) if school else ("", "")
    return (code, name, one.contact.name, one.contact.mail, one.contact.phone, one.portal)


def _detail(one: Application) -> tuple[str, ...]:
    if one.counts is None:
        return ("",) * len(_DETAIL)
    chosen = "・".join(
        SchoolGrade(code).label if code in SchoolGrade.__members__ else code for code in one.counts.school_grades
    )
    return (chosen, str(one.counts.pupils), str(one.counts.teachers), one.counts.taken_on.isoformat())
