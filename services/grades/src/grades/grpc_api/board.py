"""Between the contract's messages and the board's decisions."""

from collections.abc import Sequence
from datetime import date

from komu.common.v1 import common_pb2
from komu.grades.v1 import grades_pb2 as pb
from servicekit.errors import Invalid, Violation

from grades.domain.board_rules import DEFAULT_LIMITS, Part, Use
from grades.domain.decisions import (
    FEWEST_CHARACTERS,
    LIMIT_LABELS,
    PART_LABELS,
    Difference,
    TermWish,
    allowed_uses,
)
from grades.store.decisions import Kind, Topic
from grades.usecases.decisions import Decide, ReportCardWish, Rules, State, Turn
from grades.usecases.facts import term_key

_USES = {use: pb.PartUse.Value(f"PART_USE_{use.name}") for use in Use}
_USE_OF = {number: use for use, number in _USES.items()}
_TOPICS = {pb.BOARD_RULE_TOPIC_TERMS: Topic.TERMS, pb.BOARD_RULE_TOPIC_REPORT_CARD: Topic.REPORT_CARD}


def set_terms(request: pb.SetBoardTermsRequest) -> Decide:
    """Raises: Invalid."""
    wishes = tuple(
        TermWish(term_key(one.key), one.label, _date(one.ends_on, f"terms.{at}.ends_on"))
        for at, one in enumerate(request.terms)
    )
    return Decide(Topic.TERMS, request.school_year, request.version, wishes)


def set_report_card(request: pb.SetBoardReportCardRequest) -> Decide:
    """Raises: Invalid, for what is no part, no use or no column."""
    wrong = [
        Violation(f"parts.{at}.use", "扱いを選んでください。")
        for at, one in enumerate(request.parts)
        if one.use not in _USE_OF or one.key not in set(Part)
    ]
    wrong += [
        Violation(f"limits.{at}.max_characters", "この欄はありません。")
        for at, one in enumerate(request.limits)
        if (one.column, one.guidance_record) not in DEFAULT_LIMITS
    ]
    if wrong:
        raise Invalid("通知表の構成を確かめてください。", wrong)
    wish = ReportCardWish(
        tuple((Part(one.key), _USE_OF[one.use]) for one in request.parts),
        tuple(((one.column, one.guidance_record), one.max_characters) for one in request.limits),
    )
    return Decide(Topic.REPORT_CARD, request.school_year, request.version, wish)


def turn(request: pb.ChangeBoardRulesRequest) -> Turn:
    """Raises: Invalid."""
    if request.topic not in _TOPICS:
        raise Invalid("決まりの種類が正しくありません。", [Violation("topic", "学期か通知表の構成です。")])
    return Turn(_TOPICS[request.topic], request.school_year, request.version)


def reply(value: Rules) -> pb.BoardRules:
    """Both topics of a year."""
    limits = dict(value.report_card.limits)
    return pb.BoardRules(
        terms_state=_state(value.school_year, value.terms_state),
        terms=[
            pb.BoardTerm(
                key=term.key.value,
                label=term.label,
                starts_on=term.starts_on.isoformat(),
                ends_on=term.ends_on.isoformat(),
                closed_at_schools=value.closed.get(term.key, ()),
            )
            for term in value.terms
        ],
        report_card_state=_state(value.school_year, value.report_card_state),
        parts=[
            pb.BoardPart(
                key=part.value,
                label=label,
                use=_USES[value.report_card.use(part)],
                allowed=[_USES[use] for use in allowed_uses(part)],
            )
            for part, label in PART_LABELS.items()
        ],
        limits=[
            pb.BoardLimit(
                column=column,
                guidance_record=record,
                label=LIMIT_LABELS[column][0],
                part=LIMIT_LABELS[column][1].value,
                max_characters=limits[column, record],
                fewest=FEWEST_CHARACTERS,
                most=most,
            )
            for (column, record), most in DEFAULT_LIMITS.items()
        ],
    )


def _state(school_year: int, value: State) -> common_pb2.DecisionState:
    state = common_pb2.DecisionState(
        school_year=school_year,
        locked_reason=value.locked_reason,
        last_change=_changes(value.last_change),
        from_last_year=_changes(value.from_last_year),
    )
    if value.last is not None:
        state.version = value.last.version
        state.decided_by = str(value.last.decided_by)
        state.decided_at.FromDatetime(value.last.decided_at)
        state.undone = value.last.kind is Kind.UNDONE
    return state


def _changes(found: Sequence[Difference]) -> list[common_pb2.DecisionChange]:
    return [
        common_pb2.DecisionChange(subject=one.subject, what=one.what, before=one.before, after=one.after)
        for one in found
    ]


def _date(text: str, field: str) -> date | None:
    """Raises: Invalid."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Invalid("日付の形が正しくありません。", [Violation(field, "2026-07-31の形にしてください。")]) from None
