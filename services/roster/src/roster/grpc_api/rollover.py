"""RolloverService: 年度更新の準備."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from komu.common.v1 import common_pb2
from komu.roster.v1 import rollover_pb2 as pb
from komu.roster.v1 import rollover_pb2_grpc, roster_pb2
from servicekit import jobs
from servicekit.errors import Invalid, Violation
from servicekit.grpc import Call, rpc
from servicekit.ids import uuid7

from roster.domain.names import Name, search_text, sort_key
from roster.domain.rollover.balance import Balance
from roster.domain.rollover.plan import Entrant, Move, Pair, PlannedClass, PlannedPupil, Rollover
from roster.events import CLASS_KINDS, iso
from roster.grpc_api.from_proto import SEX_NAMES, a_day, an_id, maybe_id
from roster.grpc_api.to_proto import SEXES, text_id
from roster.usecases import rollovers, rollovers_board, rollovers_publish
from roster.usecases.rollovers_board import Board, Places, PupilChange

STATES = {
    "planning": pb.ROLLOVER_STATE_PLANNING,
    "publishing": pb.ROLLOVER_STATE_PUBLISHING,
    "published": pb.ROLLOVER_STATE_PUBLISHED,
    "undone": pb.ROLLOVER_STATE_UNDONE,
}
OUTCOMES = {
    "promoted": pb.ROLLOVER_OUTCOME_PROMOTED,
    "retained": pb.ROLLOVER_OUTCOME_RETAINED,
    "graduates": pb.ROLLOVER_OUTCOME_GRADUATES,
    "enters": pb.ROLLOVER_OUTCOME_ENTERS,
    "leaves": pb.ROLLOVER_OUTCOME_LEAVES,
    "unknown": pb.ROLLOVER_OUTCOME_UNKNOWN,
}
PAIRS = {"apart": pb.ROLLOVER_PAIR_KIND_APART, "together": pb.ROLLOVER_PAIR_KIND_TOGETHER}
_OUTCOME_NAMES = {number: word for word, number in OUTCOMES.items()}
_PAIR_NAMES = {number: word for word, number in PAIRS.items()}
_MOST_NAME = 50


class RolloverServicer(rollover_pb2_grpc.RolloverServiceServicer):
    """Answers over gRPC; every method names the right it needs."""

    @rpc(right="rollover.read")
    async def ListRollovers(self, request: pb.ListRolloversRequest, call: Call) -> pb.ListRolloversReply:
        found, year = await call.read(rollovers.list_rollovers, an_id(request.school_id, "school_id"))
        return pb.ListRolloversReply(rollovers=map(_rollover, found), coming_year=year)

    @rpc(right="rollover.plan")
    async def OpenRollover(self, request: pb.OpenRolloverRequest, call: Call) -> pb.Rollover:
        school_id = an_id(request.school_id, "school_id")
        return _rollover(await call.run(rollovers.open_rollover, school_id, request.school_year))

    @rpc(right="rollover.plan")
    async def DiscardRollover(self, request: pb.RolloverRequest, call: Call) -> pb.DiscardRolloverReply:
        await call.run(rollovers.discard, _id(request))
        return pb.DiscardRolloverReply()

    @rpc(right="rollover.read")
    async def GetRollover(self, request: pb.RolloverRequest, call: Call) -> pb.GetRolloverReply:
        found = await call.read(rollovers.look, _id(request))
        return pb.GetRolloverReply(
            rollover=_rollover(found.rollover),
            classes=[_class(each, found.sizes, found.teachers) for each in found.classes],
            gaps=[
                pb.RolloverGap(kind=gap.kind, sentence=gap.sentence, names=gap.names, blocking=gap.blocking)
                for gap in found.gaps
            ],
            job=jobs.to_proto(found.job) if found.job else None, counts=found.counts,
            without_class=found.without_class, school_name=found.school.name,
            own_school_grades=found.own_school_grades, whole_school=found.whole_school, may_publish=found.may_publish,
            school_grades=found.school_grades,
        )  # fmt: skip

    @rpc(right="rollover.plan")
    async def RefreshRollover(self, request: pb.RolloverRequest, call: Call) -> pb.RefreshRolloverReply:
        came, went = await call.run(rollovers.refresh, _id(request))
        return pb.RefreshRolloverReply(came=came, went=went)

    @rpc(right="rollover.plan", information_class=2)
    async def GetRolloverBoard(self, request: pb.GetRolloverBoardRequest, call: Call) -> pb.RolloverBoard:
        return _board(await call.read(rollovers_board.look, _id(request), request.school_grade))

    @rpc(right="rollover.plan")
    async def GetRolloverMoves(self, request: pb.GetRolloverMovesRequest, call: Call) -> pb.RolloverMoves:
        return _places(
            await call.read(rollovers_board.moves_since, _id(request), request.school_grade, request.after_revision)
        )

    @rpc(right="rollover.plan")
    async def MoveRolloverPupils(self, request: pb.MoveRolloverPupilsRequest, call: Call) -> pb.RolloverMoves:
        moves = [
            Move(an_id(each.pupil_id, "pupil_id"), maybe_id(each.class_id, "class_id"), each.version)
            for each in request.moves
        ]
        return _places(await call.run(rollovers_board.move, _id(request), request.school_grade, moves))

    @rpc(right="rollover.plan")
    async def ProposeRolloverClasses(self, request: pb.ProposeRolloverClassesRequest, call: Call) -> pb.RolloverMoves:
        return _places(await call.run(rollovers_board.propose, _id(request), request.school_grade, request.carry))

    @rpc(right="rollover.plan")
    async def SetRolloverClasses(self, request: pb.SetRolloverClassesRequest, call: Call) -> pb.Rollover:
        return _rollover(await call.run(rollovers.set_classes, _id(request), request.school_grade, list(request.names)))

    @rpc(right="rollover.plan")
    async def SetRolloverTeacher(self, request: pb.SetRolloverTeacherRequest, call: Call) -> pb.Rollover:
        return _rollover(
            await call.run(
                rollovers.set_teacher, _id(request), an_id(request.class_id, "class_id"),
                maybe_id(request.staff_id, "staff_id"), request.version,
            )
        )  # fmt: skip

    @rpc(right="rollover.plan", information_class=2)
    async def SetRolloverPupil(self, request: pb.SetRolloverPupilRequest, call: Call) -> pb.PlannedPupil:
        change = PupilChange(
            an_id(request.pupil_id, "pupil_id"), request.version, _OUTCOME_NAMES.get(request.outcome, ""),
            request.care, request.band, request.number,
        )  # fmt: skip
        return _pupil(await call.run(rollovers_board.set_pupil, _id(request), change))

    @rpc(right="rollover.plan", information_class=2)
    async def SetRolloverPair(self, request: pb.SetRolloverPairRequest, call: Call) -> pb.Rollover:
        pair = Pair(
            an_id(request.first_id, "first_id"), an_id(request.second_id, "second_id"),
            _PAIR_NAMES.get(request.kind, ""),
        )  # fmt: skip
        return _rollover(await call.run(rollovers_board.set_pair, _id(request), pair))

    @rpc(right="rollover.plan")
    async def NumberRollover(self, request: pb.NumberRolloverRequest, call: Call) -> pb.Rollover:
        return _rollover(await call.run(rollovers.number, _id(request), request.order))

    @rpc(right="rollover.plan")
    async def SetRolloverGraduation(self, request: pb.SetRolloverGraduationRequest, call: Call) -> pb.Rollover:
        return _rollover(
            await call.run(
                rollovers.set_graduation, _id(request), request.certificate_from, request.order,
                a_day(request.graduated_on, "graduated_on"),
            )
        )  # fmt: skip

    @rpc(right="rollover.plan")
    async def AddRolloverEntrants(
        self, request: pb.AddRolloverEntrantsRequest, call: Call
    ) -> pb.AddRolloverEntrantsReply:
        entrants = [_entrant(each, line) for line, each in enumerate(request.entrants, 1)]
        added, known = await call.run(rollovers_board.add_entrants, _id(request), entrants)
        return pb.AddRolloverEntrantsReply(added=added, known=known)

    @rpc(right="rollover.plan")
    async def RemoveRolloverEntrant(self, request: pb.RemoveRolloverEntrantRequest, call: Call) -> pb.Rollover:
        pupil_id = an_id(request.pupil_id, "pupil_id")
        return _rollover(await call.run(rollovers_board.remove_entrant, _id(request), pupil_id))

    @rpc(right="rollover.plan")
    async def GetRolloverDiff(self, request: pb.RolloverRequest, call: Call) -> pb.GetRolloverDiffReply:
        found, parts = await call.read(rollovers.look_at_diff, _id(request))
        return pb.GetRolloverDiffReply(
            rollover=_rollover(found),
            parts=[
                pb.RolloverDiffPart(
                    kind=part.kind,
                    lines=[
                        pb.RolloverDiffLine(who=line.who, before=line.before, after=line.after) for line in part.lines
                    ],
                )
                for part in parts
            ],
        )

    @rpc(right="rollover.publish")
    async def PublishRollover(self, request: pb.RolloverRequest, call: Call) -> common_pb2.Job:
        job: common_pb2.Job = jobs.to_proto(await call.run(rollovers_publish.start, _id(request)))
        return job

    @rpc(right="rollover.publish")
    async def UndoRollover(self, request: pb.RolloverRequest, call: Call) -> pb.Rollover:
        return _rollover(await call.run(rollovers_publish.undo, _id(request)))


def _id(request: object) -> UUID:
    return an_id(getattr(request, "rollover_id", ""), "rollover_id")


def _entrant(message: pb.RolloverEntrant, line: int) -> Entrant:
    """Raises Invalid naming the line."""
    name = Name(message.family.strip(), message.given.strip())
    kana = Name(message.kana_family.strip(), message.kana_given.strip())
    parts = (name.family, name.given, kana.family, kana.given)
    if not all(parts) or any(len(part) > _MOST_NAME for part in parts):
        message_ = f"{line}人目：姓・名・セイ・メイを、それぞれ{_MOST_NAME}字以内で入力してください。"
        raise Invalid(message_, [Violation("entrants", message_)])
    return Entrant(
        uuid7(), name, kana, SEX_NAMES.get(message.sex, ""), a_day(message.birth_on, "entrants"),
        sort_key(kana, name), search_text((name, kana)),
    )  # fmt: skip


def _rollover(value: Rollover) -> pb.Rollover:
    message = pb.Rollover(
        id=str(value.id), school_id=str(value.school_id), school_year=value.school_year, state=STATES[value.state],
        revision=value.revision, number_order=value.number_order, certificate_from=value.certificate_from,
        certificate_order=value.certificate_order, graduated_on=iso(value.graduated_on),
        attendance_on=iso(value.attendance_on), job_id=text_id(value.job_id),
    )  # fmt: skip
    if value.published_at is not None:
        message.published_at.FromDatetime(value.published_at)
    return message


def _class(value: PlannedClass, sizes: Mapping[UUID, Balance], teachers: Mapping[UUID, str]) -> pb.PlannedClass:
    sums = sizes.get(value.id, Balance())
    return pb.PlannedClass(
        id=str(value.id), school_grade=value.school_grade, name=value.name, kind=CLASS_KINDS[value.kind],
        homeroom_staff_id=text_id(value.homeroom_staff_id), version=value.version, size=sums.size, boys=sums.boys,
        girls=sums.girls,
        homeroom_name=teachers.get(value.homeroom_staff_id, "") if value.homeroom_staff_id else "",
    )  # fmt: skip


def _pupil(value: PlannedPupil) -> pb.PlannedPupil:
    return pb.PlannedPupil(
        id=str(value.id), name=value.name, kana=value.kana, sex=SEXES.get(value.sex, roster_pb2.SEX_UNSPECIFIED),
        outcome=OUTCOMES[value.outcome], school_grade=value.school_grade, class_id=text_id(value.class_id),
        number=value.number, certificate=value.certificate or 0, from_class=value.from_class,
        from_number=value.from_number, care=value.care, band=value.band, version=value.version,
        from_school_grade=value.from_school_grade,
    )  # fmt: skip


def _board(value: Board) -> pb.RolloverBoard:
    return pb.RolloverBoard(
        rollover=_rollover(value.rollover), classes=[_class(each, {}, {}) for each in value.classes],
        pupils=map(_pupil, value.pupils),
        pairs=[
            pb.RolloverPair(first_id=str(each.first_id), second_id=str(each.second_id), kind=PAIRS[each.kind])
            for each in value.pairs
        ],
    )  # fmt: skip


def _places(value: Places) -> pb.RolloverMoves:
    return pb.RolloverMoves(
        revision=value.revision,
        places=[
            pb.RolloverPlace(
                pupil_id=str(each.id), class_id=text_id(each.class_id), version=each.version,
                moved_by=text_id(each.moved_by), lost=each.id in value.lost,
                moved_by_name=value.movers.get(each.moved_by, "") if each.moved_by else "",
            )
            for each in value.pupils
        ],
    )  # fmt: skip
