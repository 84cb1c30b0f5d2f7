"""Who may print and open what. Pure decisions; the content of a print is also guarded by the services it comes from."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from servicekit.auth import Actor, Decision

from reports.domain.forms.registry import Form
from reports.domain.standing import Place, Standing

_LEADERS = frozenset({"principal", "vice_principal"})
_CERTIFICATES = frozenset({"enrolment_certificate", "textbook_certificate"})
_OFFICE = frozenset({"guidance_record_1", "attendance_register", *_CERTIFICATES})
_HOMEROOM = frozenset({"report_card", "guidance_record_1", "guidance_record_2", "attendance_register"})


@dataclass(frozen=True, slots=True)
class Scope:
    """What a list may show: whole schools, and single classes of others. Only this module makes one."""

    every_school: bool
    school_ids: frozenset[UUID]
    class_ids: frozenset[UUID]
    homeroom_forms: frozenset[str]
    """Forms shown of single classes."""
    office_forms: frozenset[str] | None
    """None: every form of the whole schools."""


def may_issue(actor: Actor, standing: Standing, place: Place, form: Form) -> Decision:
    """校長 is responsible, 担任 writes (規則 24条); certificates are papers of the school, made by 事務 and 管理職."""
    return _may(actor, standing, place, form.key, can="作成できる", cannot="作成できません")


def may_open(actor: Actor, standing: Standing, place: Place, form: str) -> Decision:
    """The archive follows the same lines as issuing."""
    return _may(actor, standing, place, form, can="開ける", cannot="開けません")


def _may(actor: Actor, standing: Standing, place: Place, form: str, *, can: str, cannot: str) -> Decision:
    if standing.every_school and actor.holds("board_admin"):
        return Decision.allow()
    posts = standing.at(place.school_id)
    if not posts:
        return Decision.unseen()
    if posts & _LEADERS:
        return Decision.allow()
    if "office" in posts and form in _OFFICE:
        return Decision.allow()
    homeroom = place.class_id is not None and place.class_id in standing.homeroom_class_ids
    if homeroom and form in _HOMEROOM:
        return Decision.allow()
    if form == "report_card" and (place.school_id, place.school_grade) in standing.headed:
        return Decision.allow()
    if form in _CERTIFICATES:
        return Decision.deny(f"証明書を{can}のは校長・教頭・事務職員です。", reason="NOT_OFFICE")
    if form == "guidance_record_copy":
        return Decision.deny(f"指導要録の写しを{can}のは校長・教頭です。", reason="NOT_LEADER")
    return Decision.deny(
        f"この学級の担任ではないため、この帳票を{cannot}。必要なときは担任か教頭に頼んでください。",
        reason="NOT_HOMEROOM",
    )


def scope(actor: Actor, standing: Standing) -> Scope:
    """What the person may see in the archive."""
    if standing.every_school and actor.holds("board_admin"):
        return Scope(True, frozenset(), frozenset(), frozenset(), None)
    leading = {school for school, posts in standing.posts.items() if posts & _LEADERS}
    office = {school for school, posts in standing.posts.items() if "office" in posts} - leading
    return Scope(
        every_school=False,
        school_ids=frozenset(leading | office),
        class_ids=standing.homeroom_class_ids,
        homeroom_forms=_HOMEROOM,
        office_forms=_OFFICE if office and not leading else None,
    )


def may_read_audit(actor: Actor, standing: Standing, school_id: UUID) -> Decision:
    """The 校長 of the school sees who looked and who issued; the board sees all its schools."""
    if standing.every_school and actor.holds("board_admin"):
        return Decision.allow()
    if not standing.serves(school_id):
        return Decision.unseen()
    if "principal" in standing.at(school_id):
        return Decision.allow()
    return Decision.deny("閲覧・変更の記録を見られるのは校長です。", reason="NOT_PRINCIPAL")


def printable(standing: Standing, place: Place, forms: Collection[Form], actor: Actor) -> list[Form]:
    """The forms of the place that the person may print."""
    return [form for form in forms if may_issue(actor, standing, place, form).allowed]
