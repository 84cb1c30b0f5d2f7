"""Audit entries in words: what was done, and what changed from what to what."""

import json
from dataclasses import dataclass
from typing import Any

_NOUNS = {
    "mark": "評点",
    "cell": "成績",
    "cells": "成績",
    "sheet": "成績表",
    "rating": "評定",
    "comment": "所見",
    "term": "学期",
    "records": "成績の記録",
    "record": "記録",
    "guidance_record": "指導要録",
    "report_card": "通知表",
    "register_sheet": "学籍の記録",
    "register_sheets": "学籍の記録",
    "document": "文書",
    "form": "帳票",
    "attendance": "出欠",
    "attendance_day": "出欠",
    "attendance_mark": "出欠",
    "attendance_register": "出席簿",
    "day": "出欠",
    "month": "月の出欠",
    "closure": "休業・閉鎖",
    "calendar": "授業日",
    "pupil": "児童生徒",
    "person": "人",
    "staff": "職員",
    "class": "学級",
    "homeroom": "学級",
    "class_member": "学級の在籍",
    "placement": "学級の在籍",
    "enrolment": "在籍",
    "departure": "転学",
    "duty": "校務分掌",
    "appointment": "任用",
    "school": "学校",
    "import": "取り込み",
    "roster": "名簿",
    "roster_import": "名簿の取り込み",
    "export": "書き出し",
    "transfer": "転学の手続き",
    "arrival": "転入の受け付け",
    "package": "引き継ぎの書類",
    "part": "引き継ぎの書類",
    "audit": "操作の記録",
}
_VERBS = {
    "read": "閲覧",
    "viewed": "閲覧",
    "listed": "一覧の閲覧",
    "searched": "検索",
    "previewed": "下書きの閲覧",
    "downloaded": "取得",
    "opened": "閲覧",
    "created": "作成",
    "added": "追加",
    "entered": "入力",
    "saved": "保存",
    "set": "設定",
    "changed": "変更",
    "updated": "変更",
    "corrected": "訂正",
    "removed": "削除",
    "deleted": "削除",
    "cleared": "取り消し",
    "cancelled": "取り消し",
    "withdrawn": "取り下げ",
    "discarded": "破棄",
    "assigned": "決定",
    "ended": "終了",
    "placed": "編入",
    "closed": "締め切り",
    "reopened": "締め切りの解除",
    "approved": "承認",
    "refused": "拒否",
    "accepted": "受け入れ",
    "matched": "照合",
    "recorded": "記録",
    "declared": "決定",
    "drafted": "起案",
    "issued": "発行",
    "printed": "印刷",
    "sent": "送付",
    "received": "受領",
    "admitted": "転入学",
    "staged": "下読み",
    "uploaded": "受け付け",
    "applied": "反映",
    "exported": "書き出し",
}
_FIELDS = {
    "value": "値",
    "code": "記号",
    "symbol": "記号",
    "status": "状態",
    "state": "状態",
    "reason": "理由",
    "note": "備考",
    "comment": "所見",
    "text": "文",
    "rating": "評定",
    "mark": "評点",
    "viewpoint": "観点",
    "subject": "教科",
    "on": "日",
    "day": "日",
    "date": "日",
    "starts_on": "始まり",
    "ends_on": "終わり",
    "left_on": "去った日",
    "effective_on": "異動の日",
    "accepted_on": "受け入れの日",
    "closed_at": "締め切った時",
    "closed_by": "締め切った人",
    "staff_id": "職員",
    "class_id": "学級",
    "pupil_id": "児童生徒",
    "school_id": "学校",
    "school_grade": "学年",
    "school_year": "年度",
    "number": "出席番号",
    "name": "名前",
    "kind": "種類",
    "scope": "範囲",
    "period": "期間",
    "counterpart_name": "相手の学校",
    "counterpart_address": "相手の所在地",
    "version": "版",
    "rows": "行数",
    "count": "件数",
    "term": "学期",
    "late": "遅刻",
    "early": "早退",
    "arrived_at": "登校時刻",
    "left_at": "下校時刻",
}
_READING_VERBS = {"read", "viewed", "listed", "searched", "previewed", "downloaded", "opened"}
_SHORT = 120


@dataclass(frozen=True, slots=True)
class Difference:
    """One field before and after; empty text where there was nothing."""

    field: str
    before: str
    after: str


def is_reading(action: str) -> bool:
    return action.rpartition(".")[2] in _READING_VERBS


def action_words(action: str) -> str:
    """`mark.corrected` → `評点の訂正`; a verb nobody has translated yet stays readable as it is."""
    noun, _, verb = action.rpartition(".")
    known_noun = _NOUNS.get(noun) or _NOUNS.get(noun.rpartition(".")[2])
    known_verb = _VERBS.get(verb)
    if known_noun and known_verb:
        return f"{known_noun}の{known_verb}"
    return action


def differences(before_json: str, after_json: str) -> list[Difference]:
    """What changed, field by field; nested values by their path."""
    before, after = _flat(before_json), _flat(after_json)
    fields = list(dict.fromkeys([*before, *after]))
    return [
        Difference(_label(field), before.get(field, ""), after.get(field, ""))
        for field in fields
        if before.get(field, "") != after.get(field, "")
    ]


def _label(path: str) -> str:
    return "・".join(_FIELDS.get(part, part) for part in path.split("."))


def _flat(raw: str) -> dict[str, str]:
    if not raw:
        return {}
    try:
        value = json.loads(raw)
    except ValueError:
        return {"value": _shortened(raw)}
    found: dict[str, str] = {}
    _walk(value, "", found)
    return found


def _walk(value: Any, path: str, found: dict[str, str]) -> None:
    match value:
        case dict():
            for key, inner in value.items():
                _walk(inner, f"{path}.{key}" if path else str(key), found)
        case list() if any(isinstance(inner, dict | list) for inner in value):
            for index, inner in enumerate(value, start=1):
                _walk(inner, f"{path}.{index}" if path else str(index), found)
        case list():
            found[path or "value"] = _shortened("、".join(_plain(inner) for inner in value))
        case _:
            found[path or "value"] = _shortened(_plain(value))


def _plain(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "はい" if value else "いいえ"
        case _:
            return str(value)


def _shortened(text: str) -> str:
    return text if len(text) <= _SHORT else f"{text[:_SHORT]}…（全{len(text)}字）"
