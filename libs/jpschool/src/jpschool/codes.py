"""学校コード, 教育委員会コード, 全国地方公共団体コード: form and check digits.

Sources: 文部科学省 学校コード (2020-12) and 教育委員会コード; 総務省 全国地方公共団体コード.
Codes are text: leading zeros matter.
"""

import re
from dataclasses import dataclass

SCHOOL_KINDS: dict[str, str] = {
    "A1": "幼稚園",
    "A2": "幼保連携型認定こども園",
    "B1": "小学校",
    "C1": "中学校",
    "C2": "義務教育学校",
    "D1": "高等学校",
    "D2": "中等教育学校",
    "E1": "特別支援学校",
    "F1": "大学",
    "F2": "短期大学",
    "G1": "高等専門学校",
    "H1": "専修学校",
    "H2": "各種学校",
}
FOUNDERS: dict[str, str] = {"1": "国立", "2": "公立", "3": "私立"}
PREFECTURE_NUMBERS = frozenset(f"{number:02d}" for number in range(1, 48))

_SCHOOL = re.compile(r"[A-H][12][0-9]{2}[123][1-9][0-9]{6}[0-9]")
_SIX_DIGITS = re.compile(r"[0-9]{6}")


@dataclass(frozen=True, slots=True)
class SchoolCode:
    """学校コード: 13 characters. Construct with `parse`; permanent and never reused."""

    text: str

    @classmethod
    def parse(cls, text: str) -> "SchoolCode":
        """Raises: ValueError with a Japanese sentence telling which part is wrong."""
        why = why_not_school_code(text)
        if why is not None:
            raise ValueError(why)
        return cls(text)

    @property
    def kind(self) -> str:
        """学校種, e.g. 小学校."""
        return SCHOOL_KINDS[self.text[:2]]

    @property
    def prefecture(self) -> str:
        """都道府県番号, 01…47."""
        return self.text[2:4]

    @property
    def founder(self) -> str:
        """設置区分, e.g. 公立."""
        return FOUNDERS[self.text[4]]

    def __str__(self) -> str:
        return self.text


def school_code_check_digit(first_twelve: str) -> str:
    """検査数字 of a 学校コード from its first 12 characters.

    The letter A…H becomes 01…08; the 13 digits are multiplied by 1,2,1,2,… from the left; the decimal digits of
    the products are added; the check digit brings the sum to a multiple of ten.
    """
    digits = f"{ord(first_twelve[0]) - ord('A') + 1:02d}{first_twelve[1:]}"
    total = sum(sum(divmod(int(digit) * (1 + place % 2), 10)) for place, digit in enumerate(digits))
    return str(-total % 10)


def why_not_school_code(text: str) -> str | None:
    """Why `text` is no 学校コード, as a Japanese sentence; None when it is one."""
    if len(text) != 13:
        return f"学校コードは13文字です（{len(text)}文字あります）。"
    if _SCHOOL.fullmatch(text) is None:
        return "学校コードの形（英大文字1字と半角数字12字、設置区分は1～3、学校番号は0以外で始まる）ではありません。"
    if text[:2] not in SCHOOL_KINDS:
        return f"学校種「{text[:2]}」はありません。"
    if text[2:4] not in PREFECTURE_NUMBERS:
        return f"都道府県番号「{text[2:4]}」はありません。"
    expected = school_code_check_digit(text[:12])
    if text[12] != expected:
        return f"学校コードの検査数字が合いません（正しくは{expected}）。"
    return None


def why_not_board_code(text: str) -> str | None:
    """Why `text` is no 教育委員会コード (都道府県番号 2 + 委員会番号 4); None when it is one."""
    if _SIX_DIGITS.fullmatch(text) is None:
        return "教育委員会コードは半角数字6桁です。"
    if text[:2] not in PREFECTURE_NUMBERS:
        return f"都道府県番号「{text[:2]}」はありません。"
    return None


def municipality_check_digit(first_five: str) -> str:
    """検査数字 of a 全国地方公共団体コード from its first five digits (modulus 11, weights 6…2)."""
    total = sum(int(digit) * weight for digit, weight in zip(first_five, (6, 5, 4, 3, 2), strict=True))
    return str((11 - total % 11) % 10)


def why_not_municipality_code(text: str) -> str | None:
    """Why `text` is no 全国地方公共団体コード (6 digits with check digit); None when it is one."""
    if _SIX_DIGITS.fullmatch(text) is None:
        return "全国地方公共団体コードは半角数字6桁です。"
    if text[:2] not in PREFECTURE_NUMBERS:
        return f"都道府県番号「{text[:2]}」はありません。"
    expected = municipality_check_digit(text[:5])
    if text[5] != expected:
        return f"全国地方公共団体コードの検査数字が合いません（正しくは{expected}）。"
    return None
