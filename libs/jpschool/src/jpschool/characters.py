"""Characters of names: what JIS X 0213 holds, what only MJ (文字情報基盤) can write, and how people search for either.

A name has three sets: official (戸籍, MJ characters with variation selectors allowed), display (JIS X 0213), katakana.
"""

from dataclasses import dataclass
from functools import lru_cache

# Python's EUC-JIS-2004 table follows one of two published mappings; these code points are JIS X 0213 in the other.
_SAME_CHARACTER = str.maketrans(
    {
        "\u2014": "\u2015",
        "\u2212": "\uff0d",
        "\u2225": "\u2016",
        "\uffe0": "\u00a2",
        "\uffe1": "\u00a3",
        "\uffe2": "\u00ac",
    }
)


@dataclass(frozen=True, slots=True)
class ForeignCharacter:
    """One character outside JIS X 0213 and where it stands (0-based, in code points)."""

    text: str
    place: int

    @property
    def code_points(self) -> str:
        """「U+8FBB U+E0100」: what to look up in the MJ文字情報一覧表."""
        return " ".join(f"U+{ord(character):04X}" for character in self.text)


def is_variation_selector(character: str) -> bool:
    """VS1…16 and the ideographic variation selectors VS17…256 (異体字セレクタ)."""
    return "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"


def is_half_width_kana(character: str) -> bool:
    """半角カナ and its marks (JIS X 0201), U+FF61…U+FF9F."""
    return "\uff61" <= character <= "\uff9f"


def clusters(text: str) -> list[str]:
    """Characters as people count them here: a base character with its variation selectors or combining 濁点 is one."""
    found: list[str] = []
    for character in text:
        if found and (is_variation_selector(character) or character in "\u3099\u309a"):
            found[-1] += character
        else:
            found.append(character)
    return found


def without_variation_selectors(text: str) -> str:
    """The base characters alone: 辻󠄀 → 辻. What display names and search keys keep."""
    return "".join(character for character in text if not is_variation_selector(character))


def fits_jis_x_0213(text: str) -> bool:
    """Whether every character belongs to JIS X 0213:2004 (半角カナ does not)."""
    if text.isascii():
        return text.isprintable()
    try:
        encoded = text.encode("euc_jis_2004")
    except UnicodeEncodeError:
        try:
            encoded = text.translate(_SAME_CHARACTER).encode("euc_jis_2004")
        except UnicodeEncodeError:
            return False
    # 0x8E announces JIS X 0201 kana; it never occurs inside other characters of this encoding.
    # str.isprintable() calls U+3000 (和字間隔) unprintable; it belongs to the standard.
    return b"\x8e" not in encoded and text.replace("\u3000", "").isprintable()


def outside_jis_x_0213(text: str) -> list[ForeignCharacter]:
    """The characters that do not belong, each with its variation selectors, in order."""
    if fits_jis_x_0213(text):
        return []
    found = []
    place = 0
    for cluster in clusters(text):
        if not fits_jis_x_0213(cluster):
            found.append(ForeignCharacter(cluster, place))
        place += len(cluster)
    return found


# 縮退 of the variants met in names, after MJ縮退マップ and 誤字俗字・正字一覧表 (法務省民二5202号): enough to find
# a person and to propose a display name. A person decides the display name; this only proposes. Common form first.
_VARIANTS = (
    "高髙 崎﨑嵜碕 吉𠮷 辺邊邉 斉斎齊齋 沢澤 浜濱濵 広廣 国國 島嶋嶌 桜櫻 滝瀧 竜龍 富冨 徳德",
    "恵惠 真眞 槙槇 静靜 栄榮 瀬瀨 関關 黒黑 緑綠 郎郞 蔵藏 館舘 曽曾 条條 実實 豊豐 与與 万萬",
    "宝寳寶 寿壽 亀龜 柳栁桺 𠮟叱 薮藪籔 淵渕渊 岩巌巖嵓 峰峯 礼禮 弥彌 祢禰 凜凛 遥遙 桑桒 船舩",
    "兎兔 橋𣘺𫞎",
)
_TO_COMMON = str.maketrans({variant: group[0] for line in _VARIANTS for group in line.split() for variant in group[1:]})


@lru_cache(maxsize=65536)
def common_form(text: str) -> str:
    """Every known variant replaced by its common form and selectors dropped: 髙𣘺 → 高橋, 渡邉 → 渡辺, 宮﨑 → 宮崎.

    For search keys, never for what is shown or printed.
    """
    return without_variation_selectors(text).translate(_TO_COMMON)


def proposed_display(official: str) -> str:
    """A display name to propose for an official one: only what JIS X 0213 lacks is replaced (﨑 stays, 髙 → 高)."""
    bases = map(without_variation_selectors, clusters(official))
    return "".join(base if fits_jis_x_0213(base) else common_form(base) for base in bases)
