"""Who may do what with learning data. Pure decisions."""

from __future__ import annotations

from servicekit.auth import Actor, Decision


def may_manage_clients(actor: Actor) -> Decision:
    """The 設置者 answers for what tools get (個人情報保護法 66条): its board opens and closes their doors."""
    if actor.holds("board_admin"):
        return Decision.allow()
    return Decision.deny(
        "学習ツールの接続を管理できるのは教育委員会の担当者です。必要なときは教育委員会に伝えてください。",
        reason="NOT_BOARD",
    )
