"""What a board decides about 出欠 for one school year: its 出欠記号 over the national categories, and its 欠席理由.

A day that was marked keeps its meaning: a symbol some mark of the year has may be renamed or retired, but neither
removed nor given another category (the sums of 指導要録 would change unseen: notice 30文科初第1845号).
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from attendance.domain.marks import Category, Effect, Symbol

MOST_SYMBOLS = 30
MOST_REASONS = 40
LONGEST_SIGN = 3
LONGEST_LABEL = 20
LONGEST_REASON = 20
SHORTCUTS = "abcdefghijklmnopqrstuvwxyz123456789"
"""0 and the space bar set 出席."""

CATEGORY_LABELS = {
    Category.PRESENT: "出席",
    Category.ABSENT_ILLNESS: "病欠",
    Category.ABSENT_OTHER: "事故欠",
    Category.BEREAVEMENT: "忌引",
    Category.SUSPENDED_INFECTION: "出席停止（感染症）",
    Category.SUSPENDED_CONDUCT: "出席停止（性行不良）",
    Category.EXCUSED_DISASTER: "非常変災等",
    Category.EXCUSED_PRINCIPAL: "校長が認めた日",
    Category.OFFICIAL_LEAVE: "公欠",
    Category.PRESENT_ELSEWHERE: "出席扱い",
}
EFFECT_LABELS = {Effect.PRESENT: "出席", Effect.ABSENT: "欠席", Effect.EXCUSED: "出席停止・忌引等"}
CATEGORY_BASES = {
    Category.PRESENT: "遅刻・早退や、出席した日の覚え書き。日数は変わりません。",
    Category.ABSENT_ILLNESS: "病気やけがで休んだ日。",
    Category.ABSENT_OTHER: "家の都合など、病気以外で休んだ日。届けのない日も。",
    Category.BEREAVEMENT: "近親者の死亡で休んだ日。日数の目安は教育委員会の規則によります。",
    Category.SUSPENDED_INFECTION: "感染症のため校長が出席を停止した日（学校保健安全法19条）。",
    Category.SUSPENDED_CONDUCT: "性行不良のため教育委員会が出席停止を命じた日（学校教育法35条・49条）。",
    Category.EXCUSED_DISASTER: "非常変災など本人や保護者の責任によらず、校長が出席しなくてよいと認めた日。",
    Category.EXCUSED_PRINCIPAL: "そのほか、教育上特に必要で校長が出席しなくてよいと認めた日。",
    Category.OFFICIAL_LEAVE: "届けのある大会・受検など。出席に数えます。",
    Category.PRESENT_ELSEWHERE: "教育支援センターや自宅のICT学習などを校長が出席と認めた日。内数も数えます。",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a decision: the path of the field (empty = the whole) and the sentence beside it."""

    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that differs between two decisions, in words. `before` empty = new, `after` empty = gone."""

    subject: str
    what: str
    before: str
    after: str


def tidy_symbols(wanted: Iterable[Symbol], now: Iterable[Symbol]) -> tuple[Symbol, ...]:
    """As typed → as kept: no blanks around, keys in small ASCII letters, none on a retired symbol.

    A new symbol's key is its first label, so that the audit log stays readable when the symbol is gone.
    """
    wanted, now = tuple(wanted), tuple(now)
    taken = {symbol.key for symbol in (*wanted, *now)}
    kept = []
    for symbol in wanted:
        label = symbol.label.strip()
        shortcut = "" if symbol.retired else unicodedata.normalize("NFKC", symbol.shortcut).strip().lower()
        key = symbol.key or _free(label, taken)
        taken.add(key)
        kept.append(replace(symbol, key=key, sign=symbol.sign.strip(), label=label, shortcut=shortcut))
    return tuple(kept)


def _free(label: str, taken: AbstractSet[str]) -> str:
    names = (label, *(f"{label}（{number}）" for number in range(2, len(taken) + 3)))
    return next(name for name in names if name not in taken)


def faults_of_symbols(wanted: Sequence[Symbol], now: Sequence[Symbol], used: AbstractSet[str]) -> list[Fault]:
    """Why these symbols cannot be decided; `used`: keys that a mark of the year has (or had before a correction)."""
    faults = [fault for at, symbol in enumerate(wanted) for fault in _of_one(f"symbols.{at}", symbol)]
    faults += _doubles(wanted)
    before = {symbol.key: symbol for symbol in now}
    for at, symbol in enumerate(wanted):
        was = before.get(symbol.key)
        if was is not None and symbol.key in used and _meaning(was) != _meaning(symbol):
            field = next(name for name in ("category", "late", "early") if getattr(was, name) != getattr(symbol, name))
            message = (
                f"「{was.label}」はこの年度の出欠で使われているため、区分と遅刻・早退は変えられません。"
                "新しい記号を加えて、こちらは「使わない」にしてください。"
            )
            faults.append(Fault(f"symbols.{at}.{field}", message))
    kept = {symbol.key for symbol in wanted}
    faults += [
        Fault("", f"「{was.label}」はこの年度の出欠で使われているため、なくせません。「使わない」にしてください。")
        for key, was in before.items()
        if key in used and key not in kept
    ]
    offered = {symbol.category.effect for symbol in wanted if not symbol.retired}
    for effect, name in ((Effect.ABSENT, "欠席"), (Effect.EXCUSED, "出席停止・忌引等")):
        if effect not in offered:
            faults.append(Fault("", f"{name}に数える記号が一つもありません。一つは使えるようにしてください。"))
    if len(wanted) > MOST_SYMBOLS:
        faults.append(Fault("", f"記号は{MOST_SYMBOLS}個までです（今は{len(wanted)}個）。"))
    return faults


def _meaning(symbol: Symbol) -> tuple[Category, bool, bool]:
    return symbol.category, symbol.late, symbol.early


def _of_one(path: str, symbol: Symbol) -> list[Fault]:
    faults = []
    if not symbol.sign:
        faults.append(Fault(f"{path}.sign", "記号を入力してください（例：病）。"))
    elif len(symbol.sign) > LONGEST_SIGN:
        faults.append(Fault(f"{path}.sign", f"記号は出席簿のます目に入る{LONGEST_SIGN}字までです。"))
    if not symbol.label:
        faults.append(Fault(f"{path}.label", "名前を入力してください（例：病欠）。"))
    elif len(symbol.label) > LONGEST_LABEL:
        faults.append(Fault(f"{path}.label", f"名前は{LONGEST_LABEL}字までです。"))
    if symbol.shortcut and (len(symbol.shortcut) != 1 or symbol.shortcut not in SHORTCUTS):
        faults.append(Fault(f"{path}.shortcut", "キーは英字（A～Z）か数字（1～9）の1字です。0は「出席」のキーです。"))
    if (symbol.late or symbol.early) and symbol.category.effect is not Effect.PRESENT:
        field = "late" if symbol.late else "early"
        faults.append(Fault(f"{path}.{field}", "遅刻・早退を付けられるのは、出席に数える区分だけです。"))
    return faults


def _doubles(wanted: Sequence[Symbol]) -> list[Fault]:
    """Each later one of two that share a sign, a label or a key. A retired sign still stands on the year's 出席簿."""
    faults = []
    for name, word in (("sign", "記号"), ("label", "名前"), ("shortcut", "キー")):
        first: dict[str, Symbol] = {}
        for at, symbol in enumerate(wanted):
            value = getattr(symbol, name)
            if not value:
                continue
            if (other := first.setdefault(value, symbol)) is not symbol:
                which = f"「{other.label}」{'（使わない記号）' if other.retired else ''}"
                shown = value.upper() if name == "shortcut" else value
                message = f"{word}「{shown}」は{which}と同じです。別にしてください。"
                faults.append(Fault(f"symbols.{at}.{name}", message))
    return faults


def tidy_reasons(wanted: Iterable[str]) -> tuple[str, ...]:
    """Without blanks around; empty lines say nothing."""
    return tuple(text for reason in wanted if (text := reason.strip()))


def faults_of_reasons(wanted: Sequence[str]) -> list[Fault]:
    """Why these 欠席理由 cannot be decided."""
    times = Counter(wanted)
    faults = [
        Fault("reasons", f"「{reason}」が{number}回あります。一つにしてください。")
        for reason, number in times.items()
        if number > 1
    ]
    faults += [
        Fault("reasons", f"「{reason[:LONGEST_REASON]}…」は{LONGEST_REASON}字までにしてください。")
        for reason in times
        if len(reason) > LONGEST_REASON
    ]
    if not wanted:
        faults.append(Fault("reasons", "理由を一つは入力してください。"))
    if len(wanted) > MOST_REASONS:
        faults.append(Fault("reasons", f"理由は{MOST_REASONS}個までです（今は{len(wanted)}個）。"))
    return faults


def differences_of_symbols(before: Sequence[Symbol], after: Sequence[Symbol]) -> list[Difference]:
    """What changes from one to the other, symbol by symbol; the order counts as one more difference."""
    was, will = {s.key: s for s in before}, {s.key: s for s in after}
    found = []
    for key in dict.fromkeys((*was, *will)):
        old, new = was.get(key), will.get(key)
        if old is None or new is None:
            found.append(Difference((old or new).label, "記号", *("" if s is None else _line(s) for s in (old, new))))  # type: ignore[union-attr]
            continue
        pairs = zip(_told(old), _told(new), strict=True)
        found += [Difference(new.label, what, one, other) for (what, one), (_, other) in pairs if one != other]
    common = [key for key in was if key in will]
    if common != [key for key in will if key in was]:
        found.append(Difference("並び順", "順", *("・".join(s.sign for s in side) for side in (before, after))))
    return found


def _told(symbol: Symbol) -> list[tuple[str, str]]:
    return [
        ("記号", symbol.sign),
        ("名前", symbol.label),
        ("区分", CATEGORY_LABELS[symbol.category]),
        ("キー", symbol.shortcut.upper() or "なし"),
        ("遅刻", "数える" if symbol.late else "数えない"),
        ("早退", "数える" if symbol.early else "数えない"),
        ("入力画面", "出さない" if symbol.retired else "出す"),
    ]


def _line(symbol: Symbol) -> str:
    key = f"、キー{symbol.shortcut.upper()}" if symbol.shortcut else ""
    return f"{symbol.sign}（{CATEGORY_LABELS[symbol.category]}{key}）"


def differences_of_reasons(before: Sequence[str], after: Sequence[str]) -> list[Difference]:
    """Reasons that come and go; the order counts as one more difference."""
    found = [Difference(reason, "理由", reason, "") for reason in before if reason not in after]
    found += [Difference(reason, "理由", "", reason) for reason in after if reason not in before]
    kept, now = [r for r in before if r in after], [r for r in after if r in before]
    if kept != now:
        found.append(Difference("並び順", "順", "・".join(kept), "・".join(now)))
    return found


def may_change_year(school_year: int, this_year: int) -> str:
    """Empty where the year's decisions may change: this one and the next. The past stands on paper already."""
    if school_year < this_year:
        return "終わった年度の決まりは変えられません。その年度の出席簿・通知表がこの決まりで作られています。"
    if school_year > this_year + 1:
        return f"決められるのは{this_year + 1}年度までです。"
    return ""
