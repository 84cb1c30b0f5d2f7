"""Who may see and change attendance. Pure decisions on facts of the day; 出席簿 is information of class III."""

from __future__ import annotations

from servicekit.auth import Actor, Decision

from attendance.domain.register import SchoolClass, Standing

_LEADERS = frozenset({"principal", "vice_principal"})


def may_read_class(actor: Actor, homeroom: SchoolClass, standing: Standing) -> Decision:
    """校長 inspects, 担任 writes (学校教育法施行規則 25条); 養護教諭, 事務 and 学年主任 read."""
    if actor.holds("board_admin"):
        return Decision.allow()
    if not standing.serves:
        return Decision.unseen()
    if standing.posts & (_LEADERS | {"office", "nurse"}):
        return Decision.allow()
    if homeroom.id in standing.homeroom_class_ids or homeroom.school_grade in standing.headed_school_grades:
        return Decision.allow()
    return Decision.deny(
        f"{homeroom.name}の担任ではないため、出席簿を開けません。必要なときは担任か教頭に頼んでください。",
        reason="NOT_HOMEROOM",
    )


def may_take_roll(actor: Actor, homeroom: SchoolClass, standing: Standing) -> Decision:
    """担任・副担任 write; 校長 and 教頭 stand in when the 担任 is away."""
    readable = may_read_class(actor, homeroom, standing)
    if not readable.allowed:
        return readable
    if homeroom.id in standing.homeroom_class_ids or standing.posts & _LEADERS:
        return Decision.allow()
    return Decision.deny(
        f"{homeroom.name}の出欠を記入できるのは担任・副担任・教頭・校長です。", reason="NOT_HOMEROOM"
    )


def may_read_school(actor: Actor, standing: Standing) -> Decision:
    """Everybody who works at the school sees which classes have taken the roll, as counts."""
    return Decision.allow() if standing.serves or actor.holds("board_admin") else Decision.unseen()


def may_decide_school_days(actor: Actor, standing: Standing) -> Decision:
    """臨時休業 is the 設置者's to order (学校保健安全法 20条), entered by 校長 or 教頭; so are 授業日."""
    if actor.holds("board_admin"):
        return Decision.allow()
    if not standing.serves:
        return Decision.unseen()
    if standing.posts & _LEADERS:
        return Decision.allow()
    return Decision.deny("授業日と臨時休業を決められるのは校長・教頭です。", reason="NOT_LEADER")


def may_read_sums(actor: Actor, homeroom: SchoolClass, standing: Standing) -> Decision:
    """Sums for forms follow the class they belong to."""
    return may_read_class(actor, homeroom, standing)


def may_read_decisions(actor: Actor) -> Decision:
    """What the board decided binds its schools: those who lead one may read it."""
    if actor.holds("board_admin", "principal", "vice_principal"):
        return Decision.allow()
    return Decision.deny("学校の決まりを見られるのは、教育委員会の担当者と校長・教頭です。", reason="NOT_LEADER")


def may_decide(actor: Actor) -> Decision:
    """The 設置者 manages its schools (学校教育法 5条); its board sets the rules they share (地教行法 33条)."""
    if actor.holds("board_admin"):
        return Decision.allow()
    return Decision.deny(
        "学校の決まりを変えられるのは教育委員会の担当者です。変えたいときは教育委員会に伝えてください。",
        reason="NOT_BOARD",
    )


def may_read_audit(actor: Actor, standing: Standing) -> Decision:
    """The 校長 of the school sees who looked and who changed; the board sees all its schools."""
    if actor.holds("board_admin"):
        return Decision.allow()
    if not standing.serves:
        return Decision.unseen()
    if "principal" in standing.posts:
        return Decision.allow()
    return Decision.deny("閲覧・変更の記録を見られるのは校長です。", reason="NOT_PRINCIPAL")
