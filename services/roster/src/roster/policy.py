"""Who may see and change the register. Pure decisions on the facts of the day; each refusal says why.

Names and classes are information of class III, the register sheet (指導要録 様式1) of class I.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from uuid import UUID

from servicekit.auth import Actor, Decision

from roster.domain.standing import LEADERS, REGISTRARS, Standing


@dataclass(frozen=True, slots=True)
class Scope:
    """The schools whose pupils and staff may be listed; only this module makes one."""

    school_ids: frozenset[UUID]
    whole_board: bool = False

    def covers(self, school_id: UUID) -> bool:
        """Whether that school may be looked at."""
        return self.whole_board or school_id in self.school_ids


@dataclass(frozen=True, slots=True)
class PupilFacts:
    """What a decision about one pupil needs to know."""

    pupil_id: UUID
    school_ids: frozenset[UUID]  # schools whose roll the child stands or stood on
    class_id: UUID | None  # of today
    class_name: str
    protected_address: bool


def scope(actor: Actor, standing: Standing) -> Scope:
    """The schools a person sees: those served today; the 教育委員会 sees all of its own."""
    return Scope(standing.school_ids, whole_board=actor.holds("board_admin"))


def may_see_school(actor: Actor, standing: Standing, school_id: UUID) -> Decision:
    """Another school of the same board is not even told to exist."""
    return Decision.allow() if scope(actor, standing).covers(school_id) else Decision.unseen()


def may_see_pupil(actor: Actor, standing: Standing, school_ids: Iterable[UUID]) -> Decision:
    """Staff see the pupils of the schools they serve today."""
    seen = scope(actor, standing)
    return Decision.allow() if seen.whole_board or any(map(seen.covers, school_ids)) else Decision.unseen()


def sees_protected_address(standing: Standing, school_ids: Iterable[UUID]) -> bool:
    """支援措置の対象 (DV 等): the address stays with 校長・教頭・事務職員 of the child's school."""
    return any(standing.holds(school_id, REGISTRARS) for school_id in school_ids)


def may_assign_duties(actor: Actor, standing: Standing, school_id: UUID) -> Decision:
    """校長 and 教頭 decide 校務分掌 (学校教育法施行規則 43条)."""
    if not standing.serves(school_id):
        return may_see_school(actor, standing, school_id) if not actor.holds("board_admin") else _not_leader()
    return Decision.allow() if standing.holds(school_id, LEADERS) else _not_leader()


def _not_leader() -> Decision:
    return Decision.deny("担任を決められるのは校長・教頭です。", reason="NOT_LEADER")


def may_keep_register(actor: Actor, standing: Standing, school_id: UUID, what: str) -> Decision:
    """学籍の異動 and class placement are entered by 校長・教頭・事務職員 of that school."""
    if standing.holds(school_id, REGISTRARS):
        return Decision.allow()
    if not scope(actor, standing).covers(school_id):
        return Decision.unseen()
    return Decision.deny(f"{what}を入力できるのは、その学校の校長・教頭・事務職員です。", reason="NOT_REGISTRAR")


def kept_scope(actor: Actor, standing: Standing) -> Scope:
    """異動一覧, 名簿にない児童生徒: shown to who keeps the register of the school, and to the 教育委員会."""
    kept = frozenset(school_id for school_id in standing.school_ids if standing.holds(school_id, REGISTRARS))
    return Scope(kept, whole_board=actor.holds("board_admin"))


def may_decide_unlisted(actor: Actor, standing: Standing, school_id: UUID, kind: str) -> Decision:
    """The school enters what its 校長 allows or recognises (退学, 卒業).

    The 教育委員会 makes the roster file and keeps 学齢簿 (学校教育法施行令 1条): it knows of a child that stays, and of
    居所不明.
    """
    if actor.holds("board_admin"):
        if kind in ("keep", "whereabouts_unknown"):
            return Decision.allow()
        return Decision.deny(
            "退学・卒業は校長が認めるものなので、教育委員会は入力できません。その学校の校長・教頭・事務職員に頼んでください。",
            reason="NOT_REGISTRAR",
        )
    return may_keep_register(actor, standing, school_id, "名簿にない児童生徒の扱い")


def may_read_register_sheets(
    actor: Actor, standing: Standing, pupils: Collection[PupilFacts], homeroom_of: Collection[UUID] = ()
) -> Decision:
    """指導要録 (class I): 校長・教頭・事務職員 of the school, and the 担任 of each of the pupils.

    `homeroom_of`: classes whose 担任 the actor is or was in the year asked for.
    """
    led = standing.homeroom_class_ids | frozenset(homeroom_of)
    for pupil in pupils:
        if any(standing.holds(school_id, REGISTRARS) for school_id in pupil.school_ids):
            continue
        seen = may_see_pupil(actor, standing, pupil.school_ids)
        if not seen.allowed:
            return seen
        if actor.holds("board_admin"):
            return Decision.deny(
                "指導要録の原本は学校が管理します。教育委員会の担当者は開けません。学校の校長に依頼してください。",
                reason="CLASS_I",
            )
        if pupil.class_id not in led or pupil.class_id is None:
            room = pupil.class_name or "この児童生徒の学級"
            return Decision.deny(
                f"{room}の担任ではないため、指導要録を開けません。必要なときは担任か教頭に頼んでください。",
                reason="NOT_HOMEROOM",
            )
    return Decision.allow()


def may_read_register_names(actor: Actor, standing: Standing, school_id: UUID, class_id: UUID) -> Decision:
    """出席簿 (class III): who keeps the register, the 担任 who writes it, and the board, which may inspect it."""
    if standing.holds(school_id, REGISTRARS) or class_id in standing.homeroom_class_ids or actor.holds("board_admin"):
        return Decision.allow()
    if not standing.serves(school_id):
        return Decision.unseen()
    return Decision.deny(
        "出席簿を作れるのは、学級の担任と校長・教頭・事務職員です。必要なときは担任か教頭に頼んでください。",
        reason="NOT_HOMEROOM",
    )


def may_match_arrivals(actor: Actor, standing: Standing) -> Decision:
    """Whoever keeps a register may ask whether an arriving child is known to the board."""
    if any(standing.holds(school_id, REGISTRARS) for school_id in standing.school_ids):
        return Decision.allow()
    return Decision.deny("転入の受入れを入力できるのは、校長・教頭・事務職員です。", reason="NOT_REGISTRAR")


def may_import(actor: Actor) -> Decision:
    """The roster of the whole board is replaced by its administrator only."""
    if actor.holds("board_admin"):
        return Decision.allow()
    return Decision.deny("名簿を取り込めるのは教育委員会の管理者です。", reason="NOT_BOARD_ADMIN")


def may_plan_year(actor: Actor, standing: Standing, school_id: UUID) -> Decision:
    """年度更新の準備: classes, 担任, 出席番号 and 卒業 of the coming year are planned by who keeps the register."""
    return may_keep_register(actor, standing, school_id, "年度更新の準備")


def may_form_classes(
    actor: Actor, standing: Standing, school_id: UUID, led: Collection[str], school_grade: str
) -> Decision:
    """クラス替え of a 学年: who plans the year, and 担任・副担任・学年主任 of the children, who know them.

    `led`: 学年 of the coming year whose children the actor leads now. It shows 配慮 and 成績の段階 (class II).
    """
    if standing.holds(school_id, REGISTRARS) or (standing.serves(school_id) and school_grade in led):
        return Decision.allow()
    if not scope(actor, standing).covers(school_id):
        return Decision.unseen()
    return Decision.deny(
        "クラス替えの案を見て動かせるのは、その学年の担任・副担任・学年主任と、校長・教頭・事務職員です。",
        reason="NOT_OF_SCHOOL_GRADE",
    )


def may_publish_year(actor: Actor, standing: Standing, school_id: UUID) -> Decision:
    """The change of the year decides 進級, 卒業 (学校教育法施行規則 57条, 58条) and 校務分掌 (43条): the 校長's."""
    if standing.holds(school_id, LEADERS):
        return Decision.allow()
    if not scope(actor, standing).covers(school_id):
        return Decision.unseen()
    return Decision.deny(
        "年度更新を公開したり取り消したりできるのは校長・教頭です。準備ができたら、校長か教頭に頼んでください。",
        reason="NOT_LEADER",
    )


def may_read_audit(actor: Actor, standing: Standing, school_id: UUID) -> Decision:
    """The 校長 of the school sees who looked and who changed; the board sees all its schools."""
    if actor.holds("board_admin") or standing.holds(school_id, frozenset({"principal"})):
        return Decision.allow()
    if not standing.serves(school_id):
        return Decision.unseen()
    return Decision.deny("閲覧・変更の記録を見られるのは校長です。", reason="NOT_PRINCIPAL")
