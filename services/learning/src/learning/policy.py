"""Who may do what with learning data. Pure decisions."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from servicekit.auth import Actor, Decision

from learning.domain.register import Place, Post, SchoolClass, Standing


def may_manage_clients(actor: Actor) -> Decision:
    """The 設置者 answers for what tools get (個人情報保護法 66条): its board opens and closes their doors."""
    if actor.holds("board_admin"):
        return Decision.allow()
    return Decision.deny(
        "学習ツールの接続を管理できるのは教育委員会の担当者です。必要なときは教育委員会に伝えてください。",
        reason="NOT_BOARD",
    )


def may_see_class(actor: Actor, school_class: SchoolClass, standing: Standing) -> Decision:
    """Whether what the children of a class learned may be opened: 担任, 副担任, its 教科担任, 学年主任, 校長 and 教頭.

    The board sees sums only (`may_see_sums`): it needs no single child to steer (個人情報保護法 61条1項).
    """
    if actor.holds("board_admin"):
        return Decision.deny(
            "一人ひとりの学習データを見られるのは学校の教職員です。教育委員会には学校ごとの集計を表示します。",
            reason="SUMS_ONLY",
        )
    if not standing.serves(school_class.school_id):
        return Decision.unseen()
    if (
        standing.leads(school_class.school_id)
        or standing.has_homeroom(school_class.id)
        or standing.heads(school_class)
        or standing.taught_subjects(school_class.id)
    ):
        return Decision.allow()
    return Decision.deny(
        f"{school_class.name}の学習データを見られるのは、担任・副担任・教科担任・学年主任と校長・教頭です。"
        "担当が変わったときは、校長・教頭に校務分掌の登録を頼んでください。",
        reason="NOT_YOUR_CLASS",
    )


def subjects_seen(school_class: SchoolClass, standing: Standing) -> frozenset[str] | None:
    """教科 whose data of the class the person may see; None = all. A 教科担任 sees the own 教科 only."""
    if standing.leads(school_class.school_id) or standing.has_homeroom(school_class.id) or standing.heads(school_class):
        return None
    return standing.taught_subjects(school_class.id)


def may_see_pupil(actor: Actor, places: Sequence[Place], standing: Standing) -> Decision:
    """A child's data follow the classes it sits in on that day; a child without a class is nobody's to see."""
    decisions = [may_see_class(actor, place.school_class, standing) for place in places]
    allowed = next((one for one in decisions if one.allowed), None)
    return allowed or next((one for one in decisions if not one.hidden), Decision.unseen())


def may_see_sums(actor: Actor, school_id: UUID, standing: Standing) -> Decision:
    """Sums of a school, without children: the board, and who works there."""
    if actor.holds("board_admin") or standing.serves(school_id):
        return Decision.allow()
    return Decision.unseen()


def may_manage_tools(actor: Actor) -> Decision:
    """The 設置者 decides which tools learn what of its children (個人情報保護法 61条, 66条)."""
    if actor.holds("board_admin"):
        return Decision.allow()
    return Decision.deny(
        "学習ツールを登録できるのは教育委員会の担当者です。使いたいツールがあるときは、教育委員会に伝えてください。",
        reason="NOT_BOARD",
    )


def works_with(school_class: SchoolClass, standing: Standing) -> bool:
    """担任, 副担任, 教科担任, 学年主任 of the class, and 校長 and 教頭 of its school."""
    return (
        standing.leads(school_class.school_id)
        or standing.has_homeroom(school_class.id)
        or standing.heads(school_class)
        or bool(standing.taught_subjects(school_class.id))
    )


def may_arrange_tools(school_class: SchoolClass, standing: Standing) -> Decision:
    """Who puts tools into a class and reads what they tell of its children."""
    if works_with(school_class, standing):
        return Decision.allow()
    if not standing.serves(school_class.school_id):
        return Decision.unseen()
    return Decision.deny(
        f"{school_class.name}のツールを扱えるのは、担任・副担任・教科担任・学年主任と校長・教頭です。"
        "担当が変わったときは、校長・教頭に校務分掌の登録を頼んでください。",
        reason="NOT_YOUR_CLASS",
    )


def may_open_tools(school_class: SchoolClass, standing: Standing, *, sits: bool) -> Decision:
    """`sits`: the person is a child of the class today. Who works with the class opens its tools as well."""
    return Decision.allow() if sits else may_arrange_tools(school_class, standing)


def may_apply_for_mexcbt(actor: Actor) -> Decision:
    """申込ができるのは学校設置者のみ (文部科学省「MEXCBT利用申込の流れ」); for public schools that is the board."""
    if actor.holds("board_admin"):
        return Decision.allow()
    return Decision.deny(
        "MEXCBTの利用申込ができるのは学校設置者だけです。利用したいときは教育委員会に伝えてください。",
        reason="NOT_BOARD",
    )


def may_see_mexcbt_of(actor: Actor, school_id: UUID, standing: Standing) -> Decision:
    """The founder sees all its schools; who works at a school sees that school's application."""
    return may_see_sums(actor, school_id, standing)


def may_confirm_mexcbt(actor: Actor, school_id: UUID, standing: Standing) -> Decision:
    """学校情報 is the school's to give: 校長, 教頭 or 事務職員."""
    if not standing.serves(school_id):
        if actor.holds("board_admin"):
            return Decision.deny(
                "学年とアカウント数を登録するのは学校です。学校の担当者に頼んでください。", reason="NOT_SCHOOL"
            )
        return Decision.unseen()
    if standing.leads(school_id) or (school_id, Post.OFFICE) in standing.posts:
        return Decision.allow()
    return Decision.deny("学年とアカウント数を登録できるのは、校長・教頭・事務職員です。", reason="NOT_LEADER")


def may_read_audit(actor: Actor, school_id: UUID, standing: Standing) -> Decision:
    """操作の記録 of a school: its 校長, and the board, which keeps the data safe (個人情報保護法 66条)."""
    if actor.holds("board_admin") or (school_id, Post.PRINCIPAL) in standing.posts:
        return Decision.allow()
    if not standing.serves(school_id):
        return Decision.unseen()
    return Decision.deny(
        "操作の記録を見られるのは校長です。確かめたいことは校長に伝えてください。", reason="NOT_PRINCIPAL"
    )


def may_read_audit_of_board(actor: Actor) -> bool:
    """What the board did for all its schools (tools, secrets, keys): the board itself."""
    return actor.holds("board_admin")
