"""名簿にない児童生徒: messages of the contract as commands, and what was found as messages."""

from __future__ import annotations

import base64
import json
from uuid import UUID

from komu.roster.v1 import roster_pb2
from servicekit.errors import Invalid, Violation

from roster.domain.leaving import Decision
from roster.domain.people import Pupil
from roster.domain.unlisted import Decided, Place, Unlisted
from roster.events import iso
from roster.grpc_api import to_proto
from roster.grpc_api.from_proto import an_id, maybe_day
from roster.usecases.unlisted import DecideUnlisted, Outcome, UnlistedPage

_MOST_PUPILS = 200
_DECISIONS = {
    "keep": roster_pb2.UNLISTED_DECISION_KEEP,
    "withdraw": roster_pb2.UNLISTED_DECISION_WITHDRAW,
    "graduate": roster_pb2.UNLISTED_DECISION_GRADUATE,
    "whereabouts_unknown": roster_pb2.UNLISTED_DECISION_WHEREABOUTS_UNKNOWN,
}
_KINDS = {number: word for word, number in _DECISIONS.items()}
_GROUNDS = {roster_pb2.WITHDRAWAL_GROUND_ABROAD: "abroad", roster_pb2.WITHDRAWAL_GROUND_OVER_AGE: "over_age"}


def command(request: roster_pb2.DecideUnlistedRequest) -> DecideUnlisted:
    """Raises Invalid."""
    if not 0 < len(request.pupils) <= _MOST_PUPILS:
        message = f"児童生徒を1人以上、{_MOST_PUPILS}人まで選んでください。"
        raise Invalid(message, [Violation("pupils", message)])
    if request.decision not in _KINDS:
        message = "どう扱うかを選んでください。"
        raise Invalid(message, [Violation("decision", message)])
    kind = _KINDS[request.decision]
    return DecideUnlisted(
        {an_id(choice.pupil_id, "pupils"): choice.version for choice in request.pupils},
        Decision(
            kind, request.reason.strip(),
            maybe_day(request.effective_on, "effective_on") if kind != "keep" else None,
            _GROUNDS.get(request.ground, "") if kind == "withdraw" else "",
            maybe_day(request.unknown_since, "unknown_since") if kind == "whereabouts_unknown" else None,
        ),
    )  # fmt: skip


def listed(found: UnlistedPage) -> roster_pb2.ListUnlistedPupilsReply:
    """A page of the list."""
    return roster_pb2.ListUnlistedPupilsReply(
        pupils=map(pupil, found.pupils), next_key=_cursor(found.next_place) if found.next_place else "",
        total=found.total,
    )  # fmt: skip


def pupil(value: Unlisted) -> roster_pb2.UnlistedPupil:
    """A child whom the files do not list."""
    return roster_pb2.UnlistedPupil(
        pupil=to_proto.pupil(value.pupil), version=value.version, missing_on=iso(value.missing_on),
        import_id=to_proto.text_id(value.import_id), import_source=value.import_source,
    )  # fmt: skip


def preview(value: Outcome) -> roster_pb2.UnlistedPreview:
    """What the decision would do."""
    return roster_pb2.UnlistedPreview(
        pupil=pupil(value.child), refusal=value.refusal, roll_ends_on=iso(value.after.period.ends_on),
        class_ends_on=iso(value.class_ends_on),
    )  # fmt: skip


def decided(value: tuple[Decided, Pupil]) -> roster_pb2.DecidedUnlisted:
    """A decision with its child."""
    made, child = value
    message = roster_pb2.DecidedUnlisted(
        id=str(made.id), pupil=to_proto.pupil(child), decision=_DECISIONS[made.kind],
        effective_on=iso(made.effective_on), reason=made.reason, decided_by=to_proto.text_id(made.decided_by),
        taken_back=made.taken_back, taken_back_reason=made.taken_back_reason,
    )  # fmt: skip
    message.decided_at.FromDatetime(made.decided_at)
    return message


def _cursor(place: Place) -> str:
    return base64.urlsafe_b64encode(json.dumps(place, default=str).encode()).decode()


def place(text: str) -> Place | None:
    """The cursor of the last page; None when empty. Raises Invalid."""
    if not text:
        return None
    try:
        code, school_grade, class_name, number, sort_key, pupil_id = json.loads(base64.urlsafe_b64decode(text))
        return Place(str(code), str(school_grade), str(class_name), int(number), str(sort_key), UUID(pupil_id))
    except (ValueError, TypeError):
        message = "続きの位置が正しくありません。一覧を開き直してください。"
        raise Invalid(message, [Violation("after_key", message)]) from None
