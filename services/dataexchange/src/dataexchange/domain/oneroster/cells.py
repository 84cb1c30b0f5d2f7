"""What one column may hold, asked of a whole block of rows at once.

Each check first asks the block one cheap question that honest data answers with yes; only where it says no are the
cells looked at one by one. That is what makes 50,000 rows a matter of a second.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import date
from functools import lru_cache

from jpschool.characters import fits_jis_x_0213, is_variation_selector, outside_jis_x_0213
from jpschool.kana import has_half_width_kana, is_full_width_katakana
from jpschool.school_grade import OTHER_SCHOOL_GRADE_CODES, SchoolGrade

from dataexchange.domain.oneroster.findings import Findings
from dataexchange.domain.oneroster.profile_columns import Column, Kind
from dataexchange.domain.oneroster.table import Block

UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
GUID = re.compile(r"[0-9a-zA-Z.\-_/@]{1,255}")
_INTEGER = re.compile(r"[0-9]{1,6}")
_NUMBER = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,12})?")
_INSTANT = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?Z")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_EXTENSION = re.compile(r"ext:[0-9a-zA-Z.\-_]+")
_BOOLEANS = frozenset({"true", "false"})
_GRADES = frozenset(SchoolGrade) | OTHER_SCHOOL_GRADE_CODES

# What a cell of one kind must satisfy: None = fine, otherwise (code, reason).
Verdict = tuple[str, str] | None


def check_characters(file: str, header: Sequence[str], block: Block, findings: Findings) -> None:
    """Every value: JIS X 0213, no 半角カナ, no line break (相互運用標準モデル V6, file rules)."""
    wrong = {
        value
        for place in range(len(header))
        if not fits_jis_x_0213("".join(distinct := block.distinct(place)))
        for value in distinct
        if value and not fits_jis_x_0213(value)
    }
    if not wrong:
        return
    for number, row in enumerate(block.rows, block.first_row):
        for name, value in zip(header, row, strict=True):
            if value in wrong:
                code, reason = _why_not_written(value)
                findings.error(code, file, reason, row=number, column=name, value=value)


def _why_not_written(value: str) -> tuple[str, str]:
    if "\n" in value or "\r" in value:
        return "text.line_break", "値の中で改行できません。"
    if has_half_width_kana(value):
        return "text.half_width_kana", "半角カナは使えません。全角カタカナにしてください。"
    foreign = outside_jis_x_0213(value)
    told = "、".join(f"「{one.text}」({one.code_points})" for one in foreign[:3])
    if any(is_variation_selector(character) for one in foreign for character in one.text):
        return "text.variation_selector", f"異体字セレクタ付きの文字は送れません。JIS X 0213の字にしてください: {told}"
    if any(not one.text.isprintable() for one in foreign):
        return "text.control", f"目に見えない制御文字があります: {foreign[0].code_points}"
    return "text.outside_jis_x_0213", f"JIS X 0213にない文字です: {told}"


def check_columns(
    file: str,
    columns: Sequence[Column],
    block: Block,
    known: Callable[[Column], Mapping[str, int] | None],
    findings: Findings,
) -> None:
    """Every column of a block. `known`: the sourcedIds of the file a reference points into; None = not to be judged."""
    for place, column in enumerate(columns):
        if column.kind in (Kind.TEXT, Kind.TEXTS) and not column.required:
            continue
        wrong = _wrong(column, block.distinct(place), known(column) if column.refers_to else None)
        if not wrong:
            continue
        for number, value in enumerate(block.columns[place], block.first_row):
            if value in wrong:
                code, reason = wrong[value]
                findings.error(code, file, reason, row=number, column=column.name, value=value)


def _wrong(column: Column, distinct: frozenset[str], known: Mapping[str, int] | None) -> dict[str, tuple[str, str]]:
    """The values that may not stand in this column, with why."""
    wrong: dict[str, tuple[str, str]] = {}
    if "" in distinct:
        distinct = distinct - {""}
        if column.required:
            wrong[""] = ("value.missing", "必須の値がありません。")
    match column.kind:
        case Kind.REFERENCE:
            if known is not None and not distinct <= known.keys():
                wrong |= dict.fromkeys(distinct - known.keys(), _unknown(column))
        case Kind.REFERENCES:
            if known is not None:
                wrong |= {
                    value: _unknown(column) for value in distinct if not all(one in known for one in split_list(value))
                }
        case Kind.ONE_OF:
            wrong |= {
                value: _not_a_token(column, value)
                for value in distinct - column.tokens
                if not (column.extensible and _EXTENSION.fullmatch(value))
            }
        case Kind.GUID | Kind.UUID4 if are_uuid4(distinct):
            pass
        case kind if kind in _BY_KIND:
            judge = _BY_KIND[kind]
            wrong |= {value: verdict for value in distinct if (verdict := judge(value)) is not None}
    return wrong


def are_uuid4(values: Collection[str]) -> bool:
    """Whether each of them, and there are some, is what `UUID4` matches. Slices ask a column ten times as fast."""
    count, text = len(values), "".join(values)
    return (
        set(map(len, values)) == {36}
        and text.isascii()
        and not text.encode().translate(None, b"0123456789abcdef-")
        and text.count("-") == 4 * count
        and all(text[place::36] == "-" * count for place in (8, 13, 18, 23))
        and text[14::36] == "4" * count
        and set(text[19::36]) <= set("89ab")
    )


def split_list(value: str) -> list[str]:
    """The parts of a list value; blanks around the commas do not count."""
    return [part.strip() for part in value.split(",") if part.strip()]


def _unknown(column: Column) -> tuple[str, str]:
    return "reference.unknown", f"{column.refers_to}.csvにないsourcedIdです。"


def _not_a_token(column: Column, value: str) -> tuple[str, str]:
    allowed = "、".join(sorted(column.tokens))
    if value.startswith("ext:") and not column.extensible:
        return "token.extension", f"日本版では「ext:」の値は使えません。使える値: {allowed}"
    return "token.unknown", f"使える値は {allowed} です（大文字・小文字も区別します）。"


def _guid(value: str) -> Verdict:
    if GUID.fullmatch(value):
        return None
    return "guid.form", "sourcedIdは半角英数字と「. - _ / @」の255文字までです。"


def _uuid4(value: str) -> Verdict:
    if UUID4.fullmatch(value):
        return None
    if UUID4.fullmatch(value.lower()):
        return "uuid.case", "UUIDは小文字で書いてください。"
    return "uuid.form", "利用者識別子はUUID v4（8-4-4-4-12桁、小文字の16進数）です。"


def _kana(value: str) -> Verdict:
    if is_full_width_katakana(value) or has_half_width_kana(value):  # 半角カナ is told by check_characters
        return None
    return "kana.form", "全角カタカナで書いてください。"


@lru_cache(maxsize=65536)
def _date(value: str) -> Verdict:
    if _DATE.fullmatch(value) is None:
        return "date.form", "日付はYYYY-MM-DD（半角）です。"
    try:
        date.fromisoformat(value)
    except ValueError:
        return "date.impossible", "暦にない日付です。"
    return None


def _boolean(value: str) -> Verdict:
    return None if value in _BOOLEANS else ("boolean.form", "true か false（小文字）です。")


def _integer(value: str) -> Verdict:
    return None if _INTEGER.fullmatch(value) else ("integer.form", "半角数字の整数です。")


def _number(value: str) -> Verdict:
    return None if _NUMBER.fullmatch(value) else ("number.form", "半角数字の数です（小数点は「.」）。")


@lru_cache(maxsize=4096)
def _instant(value: str) -> Verdict:
    found = _INSTANT.fullmatch(value)
    if found is None:
        return "instant.form", "日時はYYYY-MM-DDTHH:MM:SS.sssZ（協定世界時）です。"
    return _date(found[1])


def _school_grades(value: str) -> Verdict:
    wrong = [part for part in split_list(value) if part not in _GRADES]
    if wrong:
        return "school_grade.unknown", f"学年コードにありません: {'、'.join(wrong)}（P1～P6、J1～J3 など）。"
    return None


def _empty(value: str) -> Verdict:
    return "value.not_blank", "この欄は空にします（全件の名簿では status・dateLastModified・courseCode は書きません）。"


_BY_KIND: dict[Kind, Callable[[str], Verdict]] = {
    Kind.GUID: _guid,
    Kind.UUID4: _uuid4,
    Kind.KANA: _kana,
    Kind.DATE: _date,
    Kind.BOOLEAN: _boolean,
    Kind.INTEGER: _integer,
    Kind.NUMBER: _number,
    Kind.INSTANT: _instant,
    Kind.SCHOOL_GRADES: _school_grades,
    Kind.EMPTY: _empty,
}


def duplicates(values: Sequence[str], first_row: int, seen: dict[str, int]) -> Iterator[tuple[int, str, int]]:
    """(row, value, row of the first) for values met before; `seen` learns the rest. Blanks do not count."""
    before = len(seen)
    fresh = dict(zip(reversed(values), range(first_row + len(values) - 1, first_row - 1, -1), strict=True))
    fresh.pop("", None)
    if len(fresh) == len(values) and not (before and not seen.keys().isdisjoint(fresh)):
        seen.update(fresh)
        return
    for number, value in enumerate(values, first_row):
        if value and value in seen:
            yield number, value, seen[value]
        elif value:
            seen[value] = number
