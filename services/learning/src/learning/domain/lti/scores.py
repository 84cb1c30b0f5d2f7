"""Line items and scores (LTI Assignment and Grade Services 2.0): what a tool may set up and tell.

A score is a proposal beside the marks: 指導要録 is the school's to write (学校教育法施行規則 24条), not a tool's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from learning.domain.lti.refusals import LtiRefusal, invalid_request

LONGEST_LABEL: Final = 200
LONGEST_ID: Final = 256
LONGEST_COMMENT: Final = 2000
LARGEST_SCORE: Final = 1e9
ACTIVITY: Final = ("Initialized", "Started", "InProgress", "Submitted", "Completed")
GRADING: Final = ("FullyGraded", "Pending", "PendingManual", "Failed", "NotReady")
"""AGS 2.0, 3.4.7 and 3.4.8."""


@dataclass(frozen=True, slots=True)
class LineItem:
    """A column of one tool in one class. `resource_id` and `tag` are the tool's own words."""

    id: UUID
    deployment_id: UUID
    class_id: UUID
    link_id: UUID | None
    label: str
    score_maximum: float
    resource_id: str = ""
    tag: str = ""
    starts_at: datetime | None = None
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """What a tool tells of one child. `given` None: nothing is known yet, or what was known is taken back."""

    pupil_id: UUID
    given: float | None
    maximum: float | None
    activity: str
    grading: str
    comment: str
    scored_at: datetime


@dataclass(frozen=True, slots=True)
class Columns:
    """What a tool may say of a line item (AGS 2.0, 3.2.4)."""

    label: str
    score_maximum: float
    resource_id: str
    tag: str
    starts_at: datetime | None
    ends_at: datetime | None
    link_id: UUID | None


def read_line_item(body: object) -> Columns:
    """Raises: LtiRefusal."""
    given = _object(body)
    label = _text(given, "label", LONGEST_LABEL)
    if not label:
        raise invalid_request("label が必要です。")
    maximum = _number(given, "scoreMaximum")
    if maximum is None or maximum <= 0:
        raise invalid_request("scoreMaximum は 0 より大きい数でなければなりません。")
    starts_at, ends_at = _instant(given, "startDateTime"), _instant(given, "endDateTime")
    if starts_at and ends_at and starts_at > ends_at:
        raise invalid_request("startDateTime が endDateTime より後です。")
    link = _text(given, "resourceLinkId", LONGEST_ID)
    return Columns(
        label, maximum, _text(given, "resourceId", LONGEST_ID), _text(given, "tag", LONGEST_ID), starts_at, ends_at,
        _uuid(link, "resourceLinkId") if link else None,
    )  # fmt: skip


def read_score(body: object) -> Score:
    """Raises: LtiRefusal."""
    given = _object(body)
    scored_at = _instant(given, "timestamp")
    if scored_at is None:
        raise invalid_request("timestamp が必要です(時差つきの ISO 8601)。")
    activity, grading = _text(given, "activityProgress", 40), _text(given, "gradingProgress", 40)
    if activity not in ACTIVITY:
        raise invalid_request(f"activityProgress は {', '.join(ACTIVITY)} のどれかです。")
    if grading not in GRADING:
        raise invalid_request(f"gradingProgress は {', '.join(GRADING)} のどれかです。")
    points, maximum = _number(given, "scoreGiven"), _number(given, "scoreMaximum")
    if points is not None and points < 0:
        raise invalid_request("scoreGiven は 0 以上の数でなければなりません。")
    if points is not None and maximum is None:
        raise invalid_request("scoreGiven には scoreMaximum が必要です。")
    if maximum is not None and maximum <= 0:
        raise invalid_request("scoreMaximum は 0 より大きい数でなければなりません。")
    pupil_id = _uuid(_text(given, "userId", LONGEST_ID), "userId")
    comment = _text(given, "comment", LONGEST_COMMENT)
    return Score(pupil_id, points, maximum, activity, grading, comment, scored_at)


def check_newer(score: Score, before: datetime | None, now: datetime) -> None:
    """A score replaces only an older one (AGS 2.0, 3.4.2). Raises: LtiRefusal."""
    if before is not None and score.scored_at <= before:
        raise LtiRefusal("conflict", "同じか、より新しい timestamp の得点がすでに届いています。", 409)
    if score.scored_at.timestamp() > now.timestamp() + 300:
        raise invalid_request("timestamp が未来です。")


def _object(body: object) -> Mapping[str, Any]:
    if not isinstance(body, dict):
        raise invalid_request("JSON のオブジェクトではありません。")
    return body


def _text(given: Mapping[str, Any], name: str, longest: int) -> str:
    value = given.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > longest:
        raise invalid_request(f"{name} は{longest}字以内の文字列です。")
    return value.strip()


def _number(given: Mapping[str, Any], name: str) -> float | None:
    value = given.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or abs(value) > LARGEST_SCORE:
        raise invalid_request(f"{name} は数でなければなりません。")
    if not math.isfinite(value):
        raise invalid_request(f"{name} は数でなければなりません。")
    return float(value)


def _instant(given: Mapping[str, Any], name: str) -> datetime | None:
    text = _text(given, name, 60)
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
        aware = at.tzinfo is not None and 1900 < at.year < 2200
    except ValueError:
        aware = False
    if not aware:
        raise invalid_request(f"{name} は時差つきの ISO 8601 の日時です。")
    return at


def _uuid(text: str, name: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise invalid_request(f"{name} が、こちらから渡した識別子ではありません。") from None
