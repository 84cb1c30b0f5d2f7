"""Kana: full-width katakana as names need it, and the keys that find and order people."""

import re
import unicodedata

from jpschool.characters import common_form, is_half_width_kana

_HIRAGANA_TO_KATAKANA = {code: code + 0x60 for code in [*range(0x3041, 0x3097), 0x309D, 0x309E]}
_FULL_WIDTH_KATAKANA = re.compile(r"[\u30a1-\u30fa\u30fb\u30fc\u30fd\u30fe\u3000 ＝・－]+")
_NOT_SEARCHED = re.compile(r"[\s\u3000・･.,，．'’‐\-−－＝=＿_]+")

_SMALL = dict(zip("ァィゥェォッャュョヮヵヶ", "アイウエオツヤユヨワカケ", strict=True))
_VOICED = dict(
    zip(
        "ガギグゲゴザジズゼゾダヂヅデドバビブベボヴヷヸヹヺ",
        "カキクケコサシスセソタチツテトハヒフヘホウワヰヱヲ",
        strict=True,
    )
)
_HALF_VOICED = dict(zip("パピプペポ", "ハヒフヘホ", strict=True))
_ROWS = (
    "アカサタナハマヤラワ",
    "イキシチニヒミリヰ",
    "ウクスツヌフムユル",
    "エケセテネヘメレヱ",
    "オコソトノホモヨロヲ",
)
_VOWEL = {kana: row[0] for row in _ROWS for kana in row}


def has_half_width_kana(text: str) -> bool:
    """Whether any 半角カナ is in it (forbidden in names by 相互運用標準モデル)."""
    return any(map(is_half_width_kana, text))


def is_full_width_katakana(text: str) -> bool:
    """Whether it is written in full-width katakana only (長音, 中点 and spaces allowed)."""
    return _FULL_WIDTH_KATAKANA.fullmatch(text) is not None


def full_width_katakana(text: str) -> str:
    """Hiragana and 半角カナ as full-width katakana; everything else as NFKC leaves it. 「ﾔﾏﾀﾞ」「やまだ」→「ヤマダ」."""
    return unicodedata.normalize("NFKC", text).translate(_HIRAGANA_TO_KATAKANA)


def search_key(text: str) -> str:
    """What two spellings of one name share: width, kana kind, case, spaces, 中点 and kanji variants make no difference.

    search_key("髙橋　はな") == search_key("高橋ハナ"). Index this; search with the key of what was typed.
    """
    bare = _NOT_SEARCHED.sub("", unicodedata.normalize("NFKC", text))
    return unicodedata.normalize("NFKC", common_form(bare).casefold().translate(_HIRAGANA_TO_KATAKANA))


def gojuon_key(*parts: str) -> str:
    """五十音順 key of katakana name parts (family, given); compare by code point (`COLLATE "C"`).

    After JIS X 4061 in its basic form: first the kana without marks (長音 read as the vowel before it), then
    清音 < 濁音 < 半濁音, then small < large. A shorter name comes first; a part ends before anything that follows it.
    """
    bases: list[str] = []
    voicing: list[str] = []
    sizes: list[str] = []
    for part in parts:
        base, voice, size = _weights(full_width_katakana(part))
        bases.append(base)
        voicing.append(voice)
        sizes.append(size)
    return "\x1f".join((" ".join(bases), " ".join(voicing), " ".join(sizes)))


def _weights(katakana: str) -> tuple[str, str, str]:
    base: list[str] = []
    voicing: list[str] = []
    sizes: list[str] = []
    for character in katakana:
        size = "0" if character in _SMALL else "1"
        large = _SMALL.get(character, character)
        if large in "・　 ＝":
            continue
        if large == "ー":
            base.append(_VOWEL.get(base[-1], "ー") if base else "ー")
            voicing.append("0")
            sizes.append("0")
            continue
        plain = _VOICED.get(large) or _HALF_VOICED.get(large) or large
        base.append(plain)
        voicing.append("2" if large in _HALF_VOICED else "1" if large in _VOICED else "0")
        sizes.append(size)
    return "".join(base), "".join(voicing), "".join(sizes)
