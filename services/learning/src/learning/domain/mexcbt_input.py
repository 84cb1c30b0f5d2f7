"""What may be typed about founder, school contact and 学習eポータル."""

from __future__ import annotations

import re
from collections.abc import Iterator

from learning.domain.mexcbt import Contact, Founder

LONGEST_NAME = 100
_MAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_PHONE = re.compile(r"\+?[0-9()-]{9,20}")
_CODE = re.compile(r"[0-9A-Za-z-]{1,20}")


def wrong_founder(founder: Founder) -> list[tuple[str, str]]:
    """(field, why). What is left out is allowed here and named among what is missing; what is there must be right."""
    wrong: list[tuple[str, str]] = []
    for field, label, value in (("name", "設置者名", founder.name), ("department", "担当の部署", founder.department)):
        if len(value) > LONGEST_NAME:
            wrong.append((field, f"{label}を{LONGEST_NAME}字以内で入力してください。"))
    if founder.code and not _CODE.fullmatch(founder.code):
        wrong.append(("code", "設置者コードを半角の英数字で入力してください。"))
    wrong.extend((("contact_name" if field == "name" else field), why) for field, why in _wrong(founder.contact))
    return wrong


def wrong_contact(contact: Contact) -> list[tuple[str, str]]:
    """(field, why). The site sends 「学校情報登録依頼」 to this address: nothing may be left out."""
    missing = [
        (field, f"学校担当者の{label}を入力してください。")
        for field, label, value in (
            ("name", "氏名", contact.name),
            ("mail", "メールアドレス", contact.mail),
            ("phone", "電話番号", contact.phone),
        )
        if not value
    ]
    return [*missing, *_wrong(contact)]


def wrong_portal(portal: str) -> list[tuple[str, str]]:
    """(field, why)."""
    if 0 < len(portal.strip()) <= LONGEST_NAME:
        return []
    return [("portal", f"学習eポータルの名称を{LONGEST_NAME}字以内で入力してください。")]


def _wrong(contact: Contact) -> Iterator[tuple[str, str]]:
    if len(contact.name) > LONGEST_NAME:
        yield "name", f"氏名を{LONGEST_NAME}字以内で入力してください。"
    if contact.mail and (len(contact.mail) > 254 or not _MAIL.fullmatch(contact.mail)):
        yield "mail", "メールアドレスの形が正しくありません。例：kyoiku@example.jp"
    if contact.phone and not _PHONE.fullmatch(contact.phone):
        yield "phone", "電話番号を半角の数字とハイフンで入力してください。例：03-0000-0000"
