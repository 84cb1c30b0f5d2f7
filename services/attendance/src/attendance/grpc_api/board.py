"""Between the contract's messages and the board's decisions."""

from __future__ import annotations

from collections.abc import Sequence

from komu.attendance.v1 import attendance_pb2 as pb
from komu.common.v1 import common_pb2
from servicekit.errors import Invalid, Violation

from attendance.domain.decisions import CATEGORY_BASES, CATEGORY_LABELS, EFFECT_LABELS, Difference
from attendance.domain.marks import Symbol
from attendance.grpc_api.translate import CATEGORIES, instant, symbol
from attendance.store.decisions import Kind, Topic
from attendance.usecases.decisions import BoardDecisions, Decide, State, Turn

_CATEGORY_OF = {number: category for category, number in CATEGORIES.items()}
_TOPICS = {pb.BOARD_TOPIC_SYMBOLS: Topic.SYMBOLS, pb.BOARD_TOPIC_REASONS: Topic.REASONS}


def set_symbols(request: pb.SetBoardSymbolsRequest) -> Decide:
    """Raises: Invalid, for a symbol without a category."""
    missing = [at for at, one in enumerate(request.symbols) if one.category not in _CATEGORY_OF]
    if missing:
        raise Invalid(
            "区分を選んでください。", [Violation(f"symbols.{at}.category", "区分を選んでください。") for at in missing]
        )
    wanted = tuple(
        Symbol(
            one.key, one.sign, one.label, _CATEGORY_OF[one.category], one.shortcut, one.late, one.early, one.retired
        )
        for one in request.symbols
    )
    return Decide(Topic.SYMBOLS, request.school_year, request.version, wanted)


def set_reasons(request: pb.SetBoardReasonsRequest) -> Decide:
    return Decide(Topic.REASONS, request.school_year, request.version, tuple(request.reasons))


def turn(request: pb.ChangeBoardDecisionRequest) -> Turn:
    """Raises: Invalid."""
    if request.topic not in _TOPICS:
        raise Invalid("決まりの種類が正しくありません。", [Violation("topic", "記号か理由です。")])
    return Turn(_TOPICS[request.topic], request.school_year, request.version)


def reply(value: BoardDecisions) -> pb.BoardDecisions:
    """Both topics of a year."""
    return pb.BoardDecisions(
        symbols_state=_state(value.school_year, value.symbols),
        symbols=[symbol(one) for one in value.symbols.content if isinstance(one, Symbol)],
        used=sorted(value.used),
        reasons_state=_state(value.school_year, value.reasons),
        reasons=[one for one in value.reasons.content if isinstance(one, str)],
        categories=[
            pb.CategoryRule(
                category=CATEGORIES[category],
                label=CATEGORY_LABELS[category],
                counts_as=name,
                basis=CATEGORY_BASES[category],
            )
            for effect, name in EFFECT_LABELS.items()
            for category in CATEGORY_LABELS
            if category.effect is effect
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
        state.decided_at.CopyFrom(instant(value.last.decided_at))
        state.undone = value.last.kind is Kind.UNDONE
    return state


def _changes(found: Sequence[Difference]) -> list[common_pb2.DecisionChange]:
    return [
        common_pb2.DecisionChange(subject=one.subject, what=one.what, before=one.before, after=one.after)
        for one in found
    ]
