"""Errors of the contract ↔ gRPC status with rich details (google.rpc.ErrorInfo, BadRequest)."""

from __future__ import annotations

from typing import Any

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc import error_details_pb2, status_pb2  # type: ignore[import-untyped]

from servicekit.errors import (
    Conflict,
    Invalid,
    KomuError,
    Refused,
    StepUpRequired,
    Unauthenticated,
    Unavailable,
    Unseen,
    Violation,
)
from servicekit.json import dumps_text

DOMAIN = "komu"
DETAILS_KEY = "grpc-status-details-bin"
_MOST_VIOLATIONS = 100

_CODES: dict[type[KomuError], grpc.StatusCode] = {
    Refused: grpc.StatusCode.PERMISSION_DENIED,
    Unseen: grpc.StatusCode.NOT_FOUND,
    Conflict: grpc.StatusCode.ABORTED,
    Invalid: grpc.StatusCode.INVALID_ARGUMENT,
    StepUpRequired: grpc.StatusCode.UNAUTHENTICATED,
    Unauthenticated: grpc.StatusCode.UNAUTHENTICATED,
    Unavailable: grpc.StatusCode.UNAVAILABLE,
}


def code_of(error: KomuError) -> grpc.StatusCode:
    for kind in type(error).__mro__:
        if kind in _CODES:
            return _CODES[kind]
    return grpc.StatusCode.FAILED_PRECONDITION


def _text(value: Any) -> str:
    return value if isinstance(value, str) else dumps_text(value)


def details_of(error: KomuError) -> bytes:
    """The serialized google.rpc.Status of `error`."""
    info = error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN)
    if isinstance(error, Conflict):
        for key, value in error.details.items():
            info.metadata[key] = _text(value)
    elif isinstance(error, Refused) and error.roles:
        info.metadata["roles"] = " ".join(sorted(error.roles))
    elif isinstance(error, StepUpRequired):
        info.metadata["level"] = str(error.level)
        info.metadata["max_age_s"] = str(error.max_age_s)
    status = status_pb2.Status(code=code_of(error).value[0], message=error.message)
    status.details.add().Pack(info)
    if isinstance(error, Invalid) and error.violations:
        bad = error_details_pb2.BadRequest()
        for violation in error.violations[:_MOST_VIOLATIONS]:
            bad.field_violations.add(field=violation.field, description=violation.message)
        status.details.add().Pack(bad)
    serialized: bytes = status.SerializeToString()
    return serialized


def _unpack(details: list[AnyMessage], message: Any) -> Any:
    for detail in details:
        if detail.Is(message.DESCRIPTOR):
            detail.Unpack(message)
            return message
    return None


def error_of(error: grpc.RpcError) -> KomuError:
    """The contract's error inside an RpcError; what has none becomes Unavailable, Refused … by its code."""
    answered: Any = error
    code: grpc.StatusCode = answered.code()
    raw = next((value for key, value in answered.trailing_metadata() or () if key == DETAILS_KEY), None)
    status = status_pb2.Status.FromString(raw) if raw is not None else status_pb2.Status()
    info = _unpack(list(status.details), error_details_pb2.ErrorInfo()) or error_details_pb2.ErrorInfo()
    message = status.message or "処理できませんでした。"
    reason = info.reason or code.name
    if info.reason == StepUpRequired.reason:
        return StepUpRequired(int(info.metadata["level"]), int(info.metadata["max_age_s"]))
    match code:
        case grpc.StatusCode.PERMISSION_DENIED:
            return Refused(message, reason=reason, roles=info.metadata["roles"].split())
        case grpc.StatusCode.NOT_FOUND:
            return Unseen(status.message or "見つかりません。", reason=reason)
        case grpc.StatusCode.ABORTED:
            return Conflict(message, dict(info.metadata), reason=reason)
        case grpc.StatusCode.INVALID_ARGUMENT:
            bad = _unpack(list(status.details), error_details_pb2.BadRequest()) or error_details_pb2.BadRequest()
            return Invalid(
                message, [Violation(v.field, v.description) for v in bad.field_violations], reason=reason
            )
        case grpc.StatusCode.UNAUTHENTICATED:
            return Unauthenticated(status.message or "サインインが必要です。", reason=reason)
        case grpc.StatusCode.UNAVAILABLE | grpc.StatusCode.DEADLINE_EXCEEDED | grpc.StatusCode.RESOURCE_EXHAUSTED:
            return Unavailable(reason=reason)
        case _:
            return KomuError(message, reason=reason)

