"""The states of a transfer on both sides, and the steps between them that exist."""

from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from servicekit.errors import Conflict, Invalid, Violation


class TransferState(StrEnum):
    """転学, on the sending side."""

    DRAFTED = "drafted"
    APPROVED = "approved"
    SEALED = "sealed"
    SENT = "sent"
    RECEIVED = "received"
    ACCEPTED = "accepted"
    CLOSED = "closed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class ArrivalState(StrEnum):
    """転入学, on the receiving side."""

    RECEIVED = "received"
    VERIFIED = "verified"
    MATCHED = "matched"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


T, A = TransferState, ArrivalState
_TRANSFER_STEPS: Final[dict[TransferState, frozenset[TransferState]]] = {
    T.DRAFTED: frozenset({T.APPROVED, T.WITHDRAWN}),
    T.APPROVED: frozenset({T.SEALED, T.WITHDRAWN}),
    T.SEALED: frozenset({T.SENT, T.REFUSED, T.WITHDRAWN, T.EXPIRED}),
    T.SENT: frozenset({T.RECEIVED, T.REFUSED, T.WITHDRAWN, T.EXPIRED}),
    T.RECEIVED: frozenset({T.ACCEPTED, T.REFUSED, T.WITHDRAWN}),
    T.ACCEPTED: frozenset({T.CLOSED}),
    T.CLOSED: frozenset(),
    T.REFUSED: frozenset(),
    # The other side may have accepted before it heard of our withdrawal, or long after we gave up: its act counts.
    T.WITHDRAWN: frozenset({T.ACCEPTED}),
    T.EXPIRED: frozenset({T.RECEIVED, T.ACCEPTED}),
}
_ARRIVAL_STEPS: Final[dict[ArrivalState, frozenset[ArrivalState]]] = {
    A.RECEIVED: frozenset({A.VERIFIED, A.REFUSED}),
    A.VERIFIED: frozenset({A.MATCHED, A.REFUSED, A.WITHDRAWN}),
    A.MATCHED: frozenset({A.MATCHED, A.ACCEPTED, A.REFUSED, A.WITHDRAWN}),
    A.ACCEPTED: frozenset(),
    A.REFUSED: frozenset(),
    A.WITHDRAWN: frozenset(),
}

TRANSFER_NAMES: Final[dict[str, str]] = {
    "drafted": "起案", "approved": "校長承認", "sealed": "封緘済み", "sent": "送信済み", "received": "相手が受信",
    "accepted": "相手が受入れ", "closed": "完了", "refused": "受取拒否", "withdrawn": "取下げ", "expired": "期限切れ",
}  # fmt: skip
ARRIVAL_NAMES: Final[dict[str, str]] = {
    "received": "受信", "verified": "検証済み", "matched": "照合済み", "accepted": "受入れ済み", "refused": "受取拒否",
    "withdrawn": "送信元が取下げ",
}  # fmt: skip
WITHDRAWABLE: Final = frozenset(state for state, steps in _TRANSFER_STEPS.items() if T.WITHDRAWN in steps)
ENDED: Final = frozenset({T.CLOSED, T.REFUSED, T.WITHDRAWN, T.EXPIRED})


def step(before: TransferState, after: TransferState) -> TransferState:
    """Raises: Conflict, when there is no such step."""
    if after not in _TRANSFER_STEPS[before]:
        now, then = TRANSFER_NAMES[before], TRANSFER_NAMES[after]
        raise Conflict(f"この転出は現在「{now}」のため、「{then}」にできません。", {"state": before}, reason="STATE")
    return after


def arrival_step(before: ArrivalState, after: ArrivalState) -> ArrivalState:
    """Raises: Conflict, when there is no such step."""
    if after not in _ARRIVAL_STEPS[before]:
        now, then = ARRIVAL_NAMES[before], ARRIVAL_NAMES[after]
        raise Conflict(f"この転入は現在「{now}」のため、「{then}」にできません。", {"state": before}, reason="STATE")
    return after


def check_left_on(left_on: date, today: date) -> None:
    """The last day at this school: within a school year around today. Raises: Invalid."""
    if not today - timedelta(days=365) <= left_on <= today + timedelta(days=365):
        message = "最後の登校日は、今日から1年以内の日付にしてください。"
        raise Invalid(message, [Violation("left_on", message)])


def check_accepted_on(accepted_on: date, left_on: date, today: date) -> None:
    """No child is active in two schools on one day. Raises: Invalid."""
    if accepted_on <= left_on:
        message = f"受入れ日は、前の学校を去った日({left_on:%Y年%-m月%-d日})より後にしてください。"
        raise Invalid(message, [Violation("accepted_on", message)])
    if accepted_on > today + timedelta(days=180):
        message = "受入れ日は、今日から半年以内の日付にしてください。"
        raise Invalid(message, [Violation("accepted_on", message)])


def check_new_to_us(known: bool) -> None:
    """A child whose identifier stands in our register is that child, back again. Raises: Invalid."""
    if known:
        message = "同じ識別子の児童生徒が名簿にいます。その児童生徒として照合してください。"
        raise Invalid(message, [Violation("", message)], reason="KNOWN_CHILD")
