"""Who may see and write marks: pure decisions with the reason a person can read.

Facts are the register's of that day (`Standing`), not the token's; the token only says which kind of account it is.
"""

from uuid import UUID

from servicekit.auth import Actor, Decision

from grades.domain.curriculum import Subject
from grades.domain.standing import ClassKind, SchoolClass, Standing
from grades.domain.terms import Term

_ELEMENTARY_WRITERS = "学級担任とその教科の教科担任"


def may_see_class(standing: Standing, school_class: SchoolClass) -> Decision:
    """Whether anything of the class's marks may be opened: 担任, 副担任, its 教科担任, 学年主任, 校長 and 教頭."""
    if standing.leads(school_class.school_id):
        return Decision.allow()
    if not standing.serves(school_class.school_id):
        return Decision.deny("この学校に在職していないため、成績は見られません。", reason="NOT_AT_SCHOOL")
    if (
        standing.has_homeroom(school_class.id)
        or standing.assists_homeroom(school_class.id)
        or standing.heads(school_class)
        or standing.taught_subjects(school_class.id)
    ):
        return Decision.allow()
    return Decision.deny(
        f"{school_class.name}の成績を見られるのは、学級担任・副担任・教科担任・学年主任と校長・教頭です。"
        "担当が変わったときは、校長・教頭に校務分掌の登録を頼んでください。",
        reason="NOT_YOUR_CLASS",
    )


def may_see_sheet(standing: Standing, school_class: SchoolClass, subject: Subject) -> Decision:
    """A 教科担任 sees the own subject only; everybody else who may see the class sees all sheets."""
    seen = may_see_class(standing, school_class)
    if not seen.allowed or standing.teaches(school_class.id, subject.key):
        return seen
    if (
        standing.leads(school_class.school_id)
        or standing.has_homeroom(school_class.id)
        or standing.assists_homeroom(school_class.id)
        or standing.heads(school_class)
    ):
        return seen
    return Decision.deny(
        f"{school_class.name}の{subject.label}を見られるのは、その教科担任と学級担任・副担任・学年主任、校長・教頭です。",
        reason="NOT_YOUR_SUBJECT",
    )


def may_write_sheet(standing: Standing, school_class: SchoolClass, subject: Subject, term: Term) -> Decision:
    """担任: sheets that are no 教科, and in 小学校 every 教科 of the own class. 教科担任: the own subject and class.

    校長 and 教頭 correct what was reopened. A closed term is nobody's.
    """
    if school_class.kind is ClassKind.COURSE:
        return Decision.deny("講座の成績は、児童生徒の学級の画面で入力します。", reason="COURSE")
    if term.closed:
        return Decision.deny(term.why_locked(), reason="TERM_CLOSED")
    if standing.teaches(school_class.id, subject.key):
        return Decision.allow()
    if standing.has_homeroom(school_class.id) and (not subject.is_subject or school_class.elementary):
        return Decision.allow()
    if standing.leads(school_class.school_id):
        if term.reopened:
            return Decision.allow()
        return Decision.deny("校長・教頭が訂正できるのは、締めた学期を再開したあとです。", reason="NOT_REOPENED")
    return Decision.deny(_who_writes(school_class, subject), reason="NOT_YOUR_SUBJECT")


def _who_writes(school_class: SchoolClass, subject: Subject) -> str:
    if not subject.is_subject:
        who = "学級担任"
    elif school_class.elementary:
        who = _ELEMENTARY_WRITERS
    else:
        who = "教科担任"
    return f"{school_class.name}の{subject.label}を入力できるのは、{who}です。"


def may_see_terms(actor: Actor, standing: Standing, school_id: UUID) -> Decision:
    """Everybody who serves at the school, and the board."""
    if standing.serves(school_id) or actor.holds("board_admin"):
        return Decision.allow()
    return Decision.deny("この学校に在職していないため、学期の状態は見られません。", reason="NOT_AT_SCHOOL")


def may_see_closing(standing: Standing, school_id: UUID) -> Decision:
    """校長 and 教頭 see what is missing in their school."""
    if standing.leads(school_id):
        return Decision.allow()
    return Decision.deny("未入力の一覧を見られるのは、その学校の校長・教頭です。", reason="NOT_PRINCIPAL")


def may_close_term(standing: Standing, school_id: UUID) -> Decision:
    """校長 alone: the marks of a school are given in the name of the 校長 (学校教育法施行規則 24条, 57条)."""
    if standing.is_principal(school_id):
        return Decision.allow()
    return Decision.deny("学期を締めたり再開したりできるのは、その学校の校長です。", reason="NOT_PRINCIPAL")


def may_take_records(standing: Standing, school_class: SchoolClass) -> Decision:
    """Whole records for a form or a package: 担任 of the class, 校長 and 教頭 (class I: only who needs it)."""
    if standing.leads(school_class.school_id) or standing.has_homeroom(school_class.id):
        return Decision.allow()
    return Decision.deny(
        f"{school_class.name}の通知表・指導要録の記録をまとめて見られるのは、学級担任と校長・教頭です。",
        reason="NOT_YOUR_CLASS",
    )


def may_read_audit(actor: Actor, standing: Standing, school_id: UUID) -> Decision:
    """校長 of the school, or the board's administrator."""
    if standing.is_principal(school_id) or actor.holds("board_admin"):
        return Decision.allow()
    return Decision.deny(
        "だれが見て、だれが変えたかを確かめられるのは、その学校の校長と教育委員会です。", reason="NOT_PRINCIPAL"
    )


def may_read_decisions(actor: Actor) -> Decision:
    """What the board decided binds its schools: those who lead one may read it."""
    if actor.holds("board_admin", "principal", "vice_principal"):
        return Decision.allow()
    return Decision.deny("学校の決まりを見られるのは、教育委員会の担当者と校長・教頭です。", reason="NOT_LEADER")


def may_decide(actor: Actor) -> Decision:
    """学期 are the founder's (学校教育法施行令 29条1項); its board sets the rules its schools share (地教行法 33条)."""
    if actor.holds("board_admin"):
        return Decision.allow()
    return Decision.deny(
        "学校の決まりを変えられるのは教育委員会の担当者です。変えたいときは教育委員会に伝えてください。",
        reason="NOT_BOARD",
    )
