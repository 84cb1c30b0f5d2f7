"""Who may do what with a transfer: pure decisions on the register's facts of the day."""

from dataclasses import dataclass
from uuid import UUID

from servicekit.auth import Actor, Decision

from dataexchange.domain.notices import Notice
from dataexchange.domain.transfers import Arrival, Transfer


@dataclass(frozen=True, slots=True)
class Served:
    """Where the person serves today, by the register's appointments; the token does not say it."""

    name: str
    school_ids: frozenset[UUID]
    school_codes: frozenset[str]
    code_of: tuple[tuple[UUID, str], ...]
    homeroom_class_ids: frozenset[UUID]
    board: bool

    def code(self, school_id: UUID) -> str:
        return dict(self.code_of).get(school_id, "")


def may_draft(actor: Actor, served: Served, school_id: UUID) -> Decision:
    """学籍の事務: 事務職員, 教頭, 校長 of the child's school."""
    if school_id not in served.school_ids:
        return Decision.unseen()
    if not actor.holds("office", "vice_principal", "principal"):
        return Decision.deny("転学の手続きを始められるのは、学校の事務担当・教頭・校長です。")
    return Decision.allow()


def may_approve(actor: Actor, served: Served, transfer: Transfer) -> Decision:
    """校長 sends the 写し (学校教育法施行規則 24条3項)."""
    if transfer.school_id not in served.school_ids:
        return Decision.unseen()
    if not actor.holds("principal"):
        return Decision.deny("転学の書類の送付を承認できるのは、在籍校の校長です(学校教育法施行規則24条3項)。")
    return Decision.allow()


def may_see_transfer(actor: Actor, served: Served, transfer: Transfer) -> Decision:
    if served.board and actor.holds("board_admin"):
        return Decision.allow()
    if transfer.school_id not in served.school_ids:
        return Decision.unseen()
    if not actor.holds("office", "vice_principal", "principal"):
        return Decision.deny("転出の手続きを見られるのは、学校の事務担当・教頭・校長です。")
    return Decision.allow()


def may_withdraw(actor: Actor, served: Served, transfer: Transfer) -> Decision:
    """Before the approval the office may, after it only the 校長 who approved such things."""
    if transfer.school_id not in served.school_ids:
        return Decision.unseen()
    if transfer.state == "drafted" and actor.holds("office", "vice_principal", "principal"):
        return Decision.allow()
    if not actor.holds("principal"):
        return Decision.deny("承認された転出を取り下げられるのは校長です。")
    return Decision.allow()


def may_handle_arrival(actor: Actor, served: Served, arrival: Arrival) -> Decision:
    """Addressed to one 校長: the school that the package names, or the board where it names none we know."""
    if served.board and actor.holds("board_admin"):
        return Decision.allow()
    if not arrival.to_school_code or arrival.to_school_code not in served.school_codes:
        return Decision.unseen()
    if not actor.holds("office", "vice_principal", "principal"):
        return Decision.deny("届いた転入の書類を扱えるのは、受入れ校の事務担当・教頭・校長です。")
    return Decision.allow()


def may_admit(actor: Actor, served: Served, arrival: Arrival, school_id: UUID) -> Decision:
    """Into a school of one's own; the board into any of its schools."""
    handle = may_handle_arrival(actor, served, arrival)
    if not handle.allowed:
        return handle
    if school_id not in served.school_ids:
        return Decision.deny("ご自身の学校への転入だけを受け入れられます。")
    return Decision.allow()


def may_send_notice(actor: Actor, served: Served, school_id: UUID) -> Decision:
    """The office of the school that expects the child."""
    if school_id not in served.school_ids:
        return Decision.unseen()
    if not actor.holds("office", "vice_principal", "principal"):
        return Decision.deny("転入の予定を知らせられるのは、受入れ校の事務担当・教頭・校長です。")
    return Decision.allow()


def may_handle_notice(actor: Actor, served: Served, notice: Notice) -> Decision:
    """The school of ours that it names, or the board where it names none."""
    if served.board and actor.holds("board_admin"):
        return Decision.allow()
    if not notice.own_school_code or notice.own_school_code not in served.school_codes:
        return Decision.unseen()
    if not actor.holds("office", "vice_principal", "principal"):
        return Decision.deny("転入の照会を扱えるのは、学校の事務担当・教頭・校長です。")
    return Decision.allow()


def may_read_received(actor: Actor, served: Served, school_id: UUID, class_id: UUID | None) -> Decision:
    """写し of the former school: the child's 担任 and the heads of its school (指導要録は情報分類I)."""
    if school_id not in served.school_ids:
        return Decision.unseen()
    if actor.holds("vice_principal", "principal", "office"):
        return Decision.allow()
    if class_id is not None and class_id in served.homeroom_class_ids:
        return Decision.allow()
    return Decision.deny("前の学校の記録を見られるのは、担任・教頭・校長・事務担当です。")


def may_read_audit(actor: Actor, served: Served, school_id: UUID) -> Decision:
    if actor.holds("board_admin") and served.board:
        return Decision.allow()
    if school_id not in served.school_ids:
        return Decision.unseen()
    if not actor.holds("principal"):
        return Decision.deny("記録を見られるのは校長です。")
    return Decision.allow()


def may_read_audit_of_board(actor: Actor, served: Served) -> bool:
    """What the board did for all its schools (partners, secrets, imports, exports): the board itself."""
    return actor.holds("board_admin") and served.board
