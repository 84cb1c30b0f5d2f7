"""ClassService: 出席番号 given anew."""

from __future__ import annotations

from uuid import UUID

from komu.roster.v1 import classes_pb2, classes_pb2_grpc
from servicekit.errors import Invalid, Violation
from servicekit.grpc import Call, rpc

from roster import events
from roster.domain.numbering import BOYS_FIRST, GIRLS_FIRST, MOST, TOGETHER, Numbering
from roster.grpc_api import to_proto
from roster.grpc_api.from_proto import an_id
from roster.usecases import numbering


class ClassServicer(classes_pb2_grpc.ClassServiceServicer):
    """Answers over gRPC; every method names the right it needs."""

    @rpc(right="class.place")
    async def PreviewNumbers(self, request: classes_pb2.NumberClassRequest, call: Call) -> classes_pb2.NumberClassReply:
        return _numbered(await call.read(numbering.preview, *_command(request)))

    @rpc(right="class.place")
    async def NumberClass(self, request: classes_pb2.NumberClassRequest, call: Call) -> classes_pb2.NumberClassReply:
        return _numbered(await call.run(numbering.number_class, *_command(request)))


def _command(request: classes_pb2.NumberClassRequest) -> tuple[UUID, Numbering, int]:
    order = request.order or TOGETHER
    if order not in (TOGETHER, BOYS_FIRST, GIRLS_FIRST):
        message = "並べ方を選んでください。"
        raise Invalid(message, [Violation("order", message)])
    if request.second_from > MOST:
        message = f"出席番号は1から{MOST}までの数字にしてください。"
        raise Invalid(message, [Violation("second_from", message)])
    return (
        an_id(request.class_id, "class_id"), Numbering(order, request.second_from, request.keep_gaps), request.version,
    )  # fmt: skip


def _numbered(value: numbering.Numbered) -> classes_pb2.NumberClassReply:
    homeroom, lines = value
    return classes_pb2.NumberClassReply(
        **{"class": events.school_class(homeroom)},
        numbers=[
            classes_pb2.NumberChange(pupil=to_proto.pupil(pupil), before=before, after=after)
            for pupil, before, after in lines
        ],
    )
