"""MEXCBT利用申込: words of its states and steps, and what its pages share."""

from collections.abc import Iterable
from typing import Any

from servicekit.errors import Conflict, Invalid, Violation

STATES = {
    "listed": ("申込準備中", "warn"),
    "registered": ("学校の確認待ち", "warn"),
    "confirmed": ("利用開始待ち", "key"),
    "in_use": ("利用中", "good"),
    "removed": ("削除済み", "plain"),
    "withdrawn": ("取り下げ", "plain"),
}
SIDES = {"board": "教育委員会", "school": "学校", "operator": "MEXCBT・事業者"}
STEPS = {
    "list": "学校を選びました",
    "change": "学習eポータルか担当者を変えました",
    "register": "利用学校を登録しました",
    "confirm": "学校情報を登録しました",
    "start": "利用を始めました",
    "recount": "学校情報を登録し直しました",
    "remove": "対象校から削除しました",
    "withdraw": "取り下げました",
    "undo": "直前の手続きを取り消しました",
}
POSTS = {"principal": "校長", "vice_principal": "教頭", "teacher": "教諭", "nurse": "養護教諭"}
SITE = "https://support2.mexcbt.mext.go.jp"  # 運用支援サイト
FIRST_PORTAL = "実証用学習eポータル"


def words() -> dict[str, Any]:
    """For the templates."""
    return {"site": SITE, "states": STATES, "sides": SIDES, "posts": POSTS}


def portals(applications: Iterable[Any]) -> list[str]:
    """学習eポータル to choose from: what the board uses already, and the one for trials."""
    return sorted({one.portal for one in applications} | {FIRST_PORTAL})


def violations(error: Invalid | Conflict) -> list[Violation]:
    """What stands beside the fields, or the one sentence."""
    return list(error.violations) if isinstance(error, Invalid) and error.violations else [Violation("", error.message)]


def status(error: Invalid | Conflict) -> int:
    """Of the page that comes back."""
    return 409 if isinstance(error, Conflict) else 422
