"""学籍補足CSV: what a roster must not carry and the register needs (official name, birth, sex, address, guardians).

A format of our own, one row per person, after 入学者名簿 and 転入学通知書 of 就学事務システム標準仕様書. The official
name keeps its MJ characters and variation selectors; half-width kana and control characters are refused as everywhere.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import IO

from jpschool.kana import has_half_width_kana, is_full_width_katakana

from dataexchange.domain.oneroster import own_csv
from dataexchange.domain.oneroster.cells import UUID4, duplicates
from dataexchange.domain.oneroster.findings import Findings
from dataexchange.domain.oneroster.table import TableReader, Unreadable

FILE = "学籍補足.csv"
GUARDIANS = 2
Tell = Callable[[str, int, str], None]  # code, place, reason
_PERSON = (
    "利用者識別子",
    "戸籍の氏",
    "戸籍の名",
    "戸籍のミドルネーム",
    "通称の氏",
    "通称の名",
    "性別",
    "生年月日",
    "郵便番号",
    "住所",
    "住所の異動日",
    "入学日",
    "入学前の経歴",
    "住所の秘匿",
)
_GUARDIAN = ("氏", "名", "氏カナ", "名カナ", "続柄", "電話", "住所")
HEADER = (*_PERSON, *(f"保護者{rank}の{part}" for rank in range(1, GUARDIANS + 1) for part in _GUARDIAN))
SEXES = {"": "", "男": "male", "女": "female", "その他": "other"}
_SEX_WORDS = {word: text for text, word in SEXES.items()}
_HIDDEN = {"": False, "する": True}
_POSTAL = re.compile(r"[0-9]{3}-[0-9]{4}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
MAX_BYTES = 128 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class GuardianRow:
    """保護者. `address` blank = as the child's (児童の欄に同じ)."""

    family: str
    given: str
    kana_family: str
    kana_given: str
    relationship: str
    phone: str
    address: str = ""


@dataclass(frozen=True, slots=True)
class SupplementRow:
    """One person's facts; what is blank is left as the register has it. Dates ISO; sex male, female, other or blank."""

    person_id: str
    family: str = ""
    given: str = ""
    middle: str = ""
    alias_family: str = ""
    alias_given: str = ""
    sex: str = ""
    birth_on: str = ""
    postal_code: str = ""
    address: str = ""
    address_since: str = ""
    admitted_on: str = ""
    prior_history: str = ""
    protected_address: bool = False
    guardians: tuple[GuardianRow, ...] = field(default=())


def check_supplement(stream: IO[bytes]) -> tuple[Findings, int]:
    """Findings and the number of rows. Never raises for what the file contains."""
    findings = Findings()
    rows = 0
    seen: dict[str, int] = {}
    reader = TableReader(FILE, own_csv.blocks(stream), findings, tolerant=True)
    try:
        if not own_csv.has_header(reader, HEADER, FILE, findings):
            return findings, 0
        for block in reader.blocks():
            rows += len(block.rows)
            people = [row[0] for row in block.rows]
            for number, value, first in duplicates(people, block.first_row, seen):
                reason = f"利用者識別子が{first}行目と重なっています。"
                findings.error("supplement.duplicate", FILE, reason, row=number, column=HEADER[0], value=value)
            for number, row in enumerate(block.rows, block.first_row):
                _check_row(row, number, findings)
        if rows == 0:
            findings.error("file.empty", FILE, "データ行がありません。")
    except Unreadable:
        pass  # told where it happened
    return findings, rows


def supplement_rows(stream: IO[bytes]) -> Iterator[SupplementRow]:
    """The rows of a file whose check was clean."""
    reader = TableReader(FILE, own_csv.blocks(stream), Findings(), tolerant=True)
    reader.header()
    for block in reader.blocks():
        for row in block.rows:
            yield _row(row)


def write_supplement(rows: Iterable[SupplementRow]) -> Iterator[bytes]:
    """The file, line by line."""
    yield own_csv.BOM + own_csv.line(HEADER)
    for row in rows:
        guardians = [*row.guardians, *[GuardianRow("", "", "", "", "", "")] * GUARDIANS][:GUARDIANS]
        yield own_csv.line(
            (
                *(row.person_id, row.family, row.given, row.middle, row.alias_family, row.alias_given),
                *(_SEX_WORDS[row.sex], row.birth_on, row.postal_code, row.address, row.address_since),
                *(row.admitted_on, row.prior_history, "する" if row.protected_address else ""),
                *(
                    value
                    for one in guardians
                    for value in (
                        *(one.family, one.given, one.kana_family, one.kana_given),
                        *(one.relationship, one.phone, one.address),
                    )
                ),
            )
        )


def _row(row: Sequence[str]) -> SupplementRow:
    guardians = []
    for rank in range(GUARDIANS):
        start = len(_PERSON) + rank * len(_GUARDIAN)
        parts = row[start : start + len(_GUARDIAN)]
        if any(parts):
            guardians.append(GuardianRow(*parts))
    return SupplementRow(
        person_id=row[0],
        family=row[1],
        given=row[2],
        middle=row[3],
        alias_family=row[4],
        alias_given=row[5],
        sex=SEXES[row[6]],
        birth_on=row[7],
        postal_code=row[8],
        address=row[9],
        address_since=row[10],
        admitted_on=row[11],
        prior_history=row[12],
        protected_address=_HIDDEN[row[13]],
        guardians=tuple(guardians),
    )


def _check_row(row: Sequence[str], number: int, findings: Findings) -> None:
    def tell(code: str, place: int, reason: str) -> None:
        findings.error(code, FILE, reason, row=number, column=HEADER[place], value=row[place])

    if UUID4.fullmatch(row[0]) is None:
        tell("uuid.form" if row[0] else "value.missing", 0, "利用者識別子（UUID v4、小文字）を書いてください。")
    if bool(row[1]) != bool(row[2]):
        tell("supplement.name_half", 1 if not row[1] else 2, "戸籍の氏と名は両方書くか、両方空にします。")
    if row[6] not in SEXES:
        tell("token.unknown", 6, "性別は 男・女・その他 か空です。")
    for place in (7, 10, 11):
        if row[place] and not _is_date(row[place]):
            tell("date.form", place, "日付はYYYY-MM-DD（半角、暦にある日）です。")
    if row[7] and _is_date(row[7]) and not row[7] >= "1900-01-01":
        tell("date.implausible", 7, "あり得ない生年月日です。")
    if row[8] and _POSTAL.fullmatch(row[8]) is None:
        tell("postal.form", 8, "郵便番号は 123-4567 の形（半角）です。")
    if row[13] not in _HIDDEN:
        tell("token.unknown", 13, "住所の秘匿は「する」か空です。")
    for rank in range(GUARDIANS):
        _check_guardian(row, len(_PERSON) + rank * len(_GUARDIAN), tell)
    for place, value in enumerate(row):
        if (wrong := own_csv.why_not_text(value)) is not None:
            tell(wrong[0], place, wrong[1])


def _check_guardian(row: Sequence[str], start: int, tell: Tell) -> None:
    family, given, kana_family, kana_given, relationship = row[start : start + 5]
    if not any(row[start : start + len(_GUARDIAN)]):
        return
    if not (family and given):
        tell("value.missing", start if not family else start + 1, "保護者の氏名を書いてください。")
    if not relationship:
        tell("value.missing", start + 4, "続柄を書いてください（父・母・祖父など）。")
    for place, value in ((start + 2, kana_family), (start + 3, kana_given)):
        if value and not is_full_width_katakana(value) and not has_half_width_kana(value):
            tell("kana.form", place, "全角カタカナで書いてください。")


def _is_date(value: str) -> bool:
    if _DATE.fullmatch(value) is None:
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True
