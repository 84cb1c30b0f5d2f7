"""StudyService: 学習のようす."""

from __future__ import annotations

from komu.learning.v1 import study_pb2 as pb
from komu.learning.v1 import study_pb2_grpc
from servicekit.grpc import Call, rpc

from learning.domain.study import Band, Result
from learning.domain.study_pictures import Line, Unit
from learning.grpc_api.translate import instant, uuid_of
from learning.usecases import study


class StudyServicer(study_pb2_grpc.StudyServiceServicer):
    """Inbound calls about what children learned."""

    @rpc(right="learning.study")
    async def ListClassUnits(self, request: pb.ListClassUnitsRequest, call: Call) -> pb.ListClassUnitsReply:
        school_class, children, units = await call.read(study.class_units, uuid_of(request.class_id, "class_id"))
        return pb.ListClassUnitsReply(
            class_name=school_class.name, children=children, units=[_unit(unit) for unit in units]
        )

    @rpc(right="learning.study")
    async def GetClassUnit(self, request: pb.GetClassUnitRequest, call: Call) -> pb.GetClassUnitReply:
        class_id = uuid_of(request.class_id, "class_id")
        school_class, picture = await call.read(study.class_unit, class_id, request.unit)
        return pb.GetClassUnitReply(
            class_name=school_class.name,
            unit=picture.unit,
            subject=picture.subject,
            codes=picture.codes,
            children=[
                pb.StudyChild(
                    pupil_id=str(child.pupil_id),
                    number=child.number,
                    questions=child.questions,
                    percent=_percent(child.mean),
                    band=child.band.value,
                )
                for child in picture.children
            ],
            questions=[_line(line) for line in picture.questions],
            purposes=[_line(line) for line in picture.purposes],
        )

    @rpc(right="learning.study")
    async def ListPupilResults(self, request: pb.ListPupilResultsRequest, call: Call) -> pb.ListPupilResultsReply:
        results = await call.read(study.pupil_results, uuid_of(request.pupil_id, "pupil_id"))
        return pb.ListPupilResultsReply(results=[_result(one) for one in results])


def _unit(unit: Unit) -> pb.StudyUnit:
    bands = {band.value: unit.bands.get(band, 0) for band in Band}
    return pb.StudyUnit(
        unit=unit.unit,
        subject=unit.subject,
        questions=unit.questions,
        bands=pb.StudyBands(**bands),
        percent=_percent(unit.mean),
        last_at=instant(unit.last_at),
    )


def _line(line: Line) -> pb.StudyLine:
    return pb.StudyLine(name=line.name, children=line.children, percent=_percent(line.mean))


def _result(one: Result) -> pb.StudyResult:
    return pb.StudyResult(
        name=one.name or one.activity,
        unit=one.unit,
        subject=one.subject,
        whole=one.whole,
        percent=_percent(one.scaled),
        duration_s=one.duration_s or 0,
        platform=one.platform,
        at=instant(one.at),
    )


def _percent(mean: float | None) -> int:
    return round((mean or 0) * 100)
