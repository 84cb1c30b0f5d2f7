"""MEXCBT利用申込: what founder and school do in which order at the ministry's 運用支援サイト.

Source: 文部科学省「MEXCBT利用申込の流れ」(令和4年度). The site itself is filled in by people; here is kept what they
agreed, what they have done there and on which day, and what is still missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from jpschool.school_year import school_year_of

from learning.domain.mexcbt_counts import Counts


class FounderKind(StrEnum):
    """設置者の区分: the menus of the site differ by it."""

    PUBLIC = "public"
    NATIONAL = "national"
    PRIVATE = "private"


class State(StrEnum):
    """Where a school's use of MEXCBT stands."""

    LISTED = "listed"
    """申込準備中: the founder chose school and 学習eポータル; nothing is at the site yet."""
    REGISTERED = "registered"
    """利用学校登録済み: at the site; the school got 「学校情報登録依頼」 by mail."""
    CONFIRMED = "confirmed"
    """学校情報登録済み: 学年 and account counts are given; MEXCBT and the portal's company prepare."""
    IN_USE = "in_use"
    REMOVED = "removed"
    """対象校削除済み."""
    WITHDRAWN = "withdrawn"
    """取り下げ: before anything was at the site."""


class Step(StrEnum):
    LIST = "list"
    CHANGE = "change"
    REGISTER = "register"
    CONFIRM = "confirm"
    START = "start"
    RECOUNT = "recount"
    REMOVE = "remove"
    WITHDRAW = "withdraw"
    UNDO = "undo"


class Side(StrEnum):
    """Who acts."""

    BOARD = "board"
    SCHOOL = "school"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Contact:
    """担当者連絡先."""

    name: str = ""
    mail: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True)
class Founder:
    """設置者情報. One for a board; `version` 0 = nothing saved yet."""

    kind: FounderKind = FounderKind.PUBLIC
    name: str = ""
    code: str = ""
    """設置者コード, as the ministry's letter gives it."""
    department: str = ""
    contact: Contact = Contact()
    wants_authoring: bool = False
    """テスト作成サイトの利用希望."""
    applied_before: bool = False
    """At least one school applied before Komu; the prototype alone does not count."""
    notes_read_on: date | None = None
    """「留意事項および申込の流れ」 was read."""
    registered_on: date | None = None
    """設置者情報新規登録 was done at the site."""
    version: int = 0


@dataclass(frozen=True, slots=True)
class Intake:
    """受付 of a school year."""

    school_year: int
    opens_on: date
    closes_on: date | None = None
    source: str = ""
    version: int = 0


@dataclass(frozen=True, slots=True)
class Application:
    """One school's application; after 対象校削除 the school gets a new one. `school_id` None = 試用アカウント."""

    id: UUID
    school_id: UUID | None
    school_year: int
    portal: str
    contact: Contact
    state: State
    counts: Counts | None = None
    version: int = 1

    @property
    def trial(self) -> bool:
        return self.school_id is None

    @property
    def open(self) -> bool:
        return self.state not in (State.REMOVED, State.WITHDRAWN)


@dataclass(frozen=True, slots=True)
class Done:
    """One step that was taken: history, never changed."""

    id: UUID
    step: Step
    before: State
    after: State
    on_day: date
    by: UUID
    at: datetime
    reason: str = ""
    counts: Counts | None = None


_FROM = {
    Step.CHANGE: {State.LISTED: State.LISTED},
    Step.REGISTER: {State.LISTED: State.REGISTERED},
    Step.WITHDRAW: {State.LISTED: State.WITHDRAWN},
    Step.CONFIRM: {State.REGISTERED: State.CONFIRMED},
    Step.START: {State.CONFIRMED: State.IN_USE},
    Step.RECOUNT: {State.CONFIRMED: State.CONFIRMED, State.IN_USE: State.IN_USE},
    Step.REMOVE: {
        State.REGISTERED: State.REMOVED,
        State.CONFIRMED: State.REMOVED,
        State.IN_USE: State.REMOVED,
    },
}
NEEDS_REASON = frozenset({Step.WITHDRAW, Step.REMOVE, Step.UNDO})
OF_SCHOOL = frozenset({Step.CONFIRM, Step.RECOUNT})
"""Steps of the school; the others are the founder's."""


def after(application: Application, step: Step) -> State | None:
    """The state `step` leads to; None where it cannot be taken now. A trial has no school that confirms."""
    if application.trial:
        if step in OF_SCHOOL:
            return None
        if (step, application.state) == (Step.START, State.REGISTERED):
            return State.IN_USE
    return _FROM.get(step, {}).get(application.state)


def possible(application: Application) -> tuple[Step, ...]:
    """Every step that can be taken from here, in the usual order."""
    return tuple(step for step in _FROM if after(application, step) is not None)


def standing_steps(history: Sequence[Done]) -> list[Done]:
    """The steps that still count, oldest first: each 取り消し takes away the one before it."""
    stack: list[Done] = []
    for done in history:
        if done.step is Step.UNDO:
            if stack:
                stack.pop()
        else:
            stack.append(done)
    return stack


def undone(application: Application, history: Sequence[Done]) -> Application | None:
    """The application before its last step; None where nothing but the listing stands (that is withdrawn)."""
    stack = standing_steps(history)
    if not stack or stack[-1].step in (Step.LIST, Step.CHANGE):
        return None
    left = [done for done in stack[:-1] if done.counts is not None]
    counts = left[-1].counts if left else None
    return replace(
        application,
        state=stack[-1].before,
        counts=counts,
        school_year=counts.school_year if counts else application.school_year,
    )


def usual_opening(school_year: int) -> date:
    """28 March: the day the ministry named for 令和4年度; a board enters another where a letter says so."""
    return date(school_year, 3, 28)


def why_closed(intake: Intake, day: date) -> str:
    """Why nothing can be registered for that year on that day; empty = the 受付 is open."""
    if day < intake.opens_on:
        opens = f"{intake.opens_on.year}年{intake.opens_on.month}月{intake.opens_on.day}日"
        return f"{intake.school_year}年度の受付は{opens}からです。それまでに準備だけ進められます。"
    if intake.closes_on is not None and day > intake.closes_on:
        closed = f"{intake.closes_on.year}年{intake.closes_on.month}月{intake.closes_on.day}日"
        return f"{intake.school_year}年度の受付は{closed}に終わりました。受付期間が延びたときは、期間を改めてください。"
    return ""


def way_in(founder: Founder, applications: Sequence[Application]) -> str:
    """The button to press: has this founder applied for at least one school? The prototype alone counts as no."""
    known = founder.applied_before or any(_was_at_the_site(one) for one in applications)
    return "登録情報の追加・修正" if known else "新規申込"


def _was_at_the_site(application: Application) -> bool:
    return application.state not in (State.LISTED, State.WITHDRAWN)


def menu(step: Step, kind: FounderKind) -> str:
    """Where at the site the step is done; empty = not at the site."""
    match step:
        case Step.REGISTER:
            return "２．利用学校登録" if kind is FounderKind.PUBLIC else "３．管理学校追加"
        case Step.REMOVE:
            return "４．登録情報修正（対象校削除）"
        case Step.CONFIRM | Step.RECOUNT:
            return "１．学校情報修正"
        case _:
            return ""


FOUNDER_MENU = "１．設置者情報新規登録"


def trial_entry(founder: Founder) -> tuple[str, str]:
    """Code and name of the entry to choose at the site for 試用アカウント."""
    return f"XXX999_{founder.code}", f"試用学校_{founder.name}"


def missing_of_founder(founder: Founder) -> list[tuple[str, str]]:
    """(field, what to do) for everything without which no school can be registered."""
    wanted = (
        ("name", founder.name, "設置者名を入力してください。"),
        ("code", founder.code, "設置者コードを入力してください。"),
        ("department", founder.department, "担当の部署を入力してください。"),
        ("contact_name", founder.contact.name, "担当者の氏名を入力してください。"),
        ("mail", founder.contact.mail, "担当者のメールアドレスを入力してください。申込のあとの認証に使われます。"),
        ("phone", founder.contact.phone, "担当者の電話番号を入力してください。"),
        ("notes_read", founder.notes_read_on, "「留意事項および申込の流れ」を読み、読んだことを記してください。"),
    )
    return [(field, message) for field, value, message in wanted if not value]


@dataclass(frozen=True, slots=True)
class Task:
    """What somebody has to do next, and where at the site. `application_id` None = about the founder."""

    side: Side
    what: str
    menu: str = ""
    application_id: UUID | None = None


def tasks(founder: Founder, applications: Sequence[Application], intake: Intake, today: date) -> list[Task]:
    """Everything that is open, the founder's own first."""
    found: list[Task] = []
    missing = missing_of_founder(founder)
    closed = why_closed(intake, today)
    if missing:
        found.append(Task(Side.BOARD, "設置者情報を仕上げる：" + " ".join(message for _, message in missing)))
    elif way_in(founder, applications) == "新規申込" and founder.registered_on is None:
        what = closed or "運用支援サイトで「新規申込」を開き、設置者情報を登録する。"
        found.append(Task(Side.BOARD, what, FOUNDER_MENU))
    if not any(one.open for one in applications):
        found.append(Task(Side.BOARD, "MEXCBTを使う学校を選ぶ。"))
    found.extend(task for one in applications if (task := _task_of(founder, one, closed, today)) is not None)
    return found


def _task_of(founder: Founder, one: Application, closed: str, today: date) -> Task | None:
    match one.state:
        case State.LISTED:
            what = closed or "運用支援サイトに学校を登録し、登録した日を記す。"
            return Task(Side.BOARD, what, menu(Step.REGISTER, founder.kind), one.id)
        case State.REGISTERED if not one.trial:
            what = "メール「学校情報登録依頼」を受け、利用学年とアカウント数を確かめて登録する。"
            return Task(Side.SCHOOL, what, menu(Step.CONFIRM, founder.kind), one.id)
        case State.CONFIRMED | State.REGISTERED:
            what = "MEXCBTと学習eポータルの事業者の準備と通知を待つ。通知が届いたら、利用開始を記す。"
            return Task(Side.OPERATOR, what, "", one.id)
        case State.IN_USE if not one.trial and one.school_year < school_year_of(today):
            what = f"{school_year_of(today)}年度の利用学年とアカウント数を登録し直す（進学・進級）。"
            return Task(Side.SCHOOL, what, menu(Step.RECOUNT, founder.kind), one.id)
        case _:
            return None
