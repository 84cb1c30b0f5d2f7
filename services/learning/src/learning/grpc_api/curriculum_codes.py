"""CurriculumCodeService: 学習指導要領コード. Public knowledge: who is signed in at a school or board may ask."""

from __future__ import annotations

from komu.learning.v1 import curriculum_codes_pb2 as pb
from komu.learning.v1 import curriculum_codes_pb2_grpc
from servicekit.errors import Invalid
from servicekit.grpc import Call, rpc

from learning.usecases import curriculum_codes
from learning.usecases.curriculum_codes import Found, Question

_MOST_ASKED = 200


class CurriculumCodeServicer(curriculum_codes_pb2_grpc.CurriculumCodeServiceServicer):
    """Inbound calls about 学習指導要領コード."""

    @rpc(right="learning.codes", information_class=4)
    async def SearchCurriculumCodes(
        self, request: pb.SearchCurriculumCodesRequest, call: Call
    ) -> pb.SearchCurriculumCodesReply:
        question = Question(
            request.words, request.school_kind, request.subject, request.school_grade, request.after_code
        )
        found, more, subjects = curriculum_codes.search(question)
        return pb.SearchCurriculumCodesReply(passages=[_passage(one) for one in found], more=more, subjects=subjects)

    @rpc(right="learning.codes", information_class=4)
    async def GetCurriculumCodes(self, request: pb.GetCurriculumCodesRequest, call: Call) -> pb.GetCurriculumCodesReply:
        if len(request.codes) > _MOST_ASKED:
            raise Invalid(f"一度に調べられるコードは{_MOST_ASKED}件までです。")
        return pb.GetCurriculumCodesReply(passages=[_passage(one) for one in curriculum_codes.named(request.codes)])


def _passage(found: Found) -> pb.CurriculumPassage:
    one = found.passage
    return pb.CurriculumPassage(
        code=one.code,
        subject=one.subject,
        text=one.text,
        school_kind=one.school_kind,
        years=one.years,
        in_force_from=one.in_force_from.isoformat() if one.in_force_from else "",
        above=[pb.CurriculumHeading(code=heading.code, text=heading.text) for heading in found.above],
    )
