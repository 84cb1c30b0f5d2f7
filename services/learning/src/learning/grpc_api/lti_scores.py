"""LtiScoreService: what tools told of the children of a class."""

from __future__ import annotations

from uuid import UUID

from komu.learning.v1 import lti_pb2 as pb
from komu.learning.v1 import lti_pb2_grpc
from servicekit.errors import Invalid
from servicekit.grpc import Call, rpc

from learning.grpc_api.translate import instant, uuid_of
from learning.store.lti.scores import Told
from learning.usecases.lti import proposals


class LtiScoreServicer(lti_pb2_grpc.LtiScoreServiceServicer):
    """Inbound calls about scores."""

    @rpc(right="learning.lti_scores")
    async def ListToolScores(self, request: pb.ListToolScoresRequest, call: Call) -> pb.ListToolScoresReply:
        limit = min(request.limit or proposals.AT_ONCE, proposals.AT_ONCE)
        class_id = uuid_of(request.class_id, "class_id")
        found = await call.read(proposals.look_at_scores, class_id, _key(request.after_key), limit)
        shown = found.told[:limit]
        last = shown[-1] if len(found.told) > limit else None
        return pb.ListToolScoresReply(
            scores=[_score(one, found.tools.get(one.item.deployment_id, "")) for one in shown],
            next_key=f"{last.item.id}.{last.score.pupil_id}" if last else "",
            **{"class": pb.LtiClass(id=str(class_id), name=found.school_class.name, school_name=found.school.name)},
        )

    @rpc(right="learning.lti_scores")
    async def SetToolScoresAside(self, request: pb.SetToolScoresAsideRequest, call: Call) -> pb.SetToolScoresAsideReply:
        which = [(uuid_of(one.line_item_id, "scores"), uuid_of(one.pupil_id, "scores")) for one in request.scores]
        class_id = uuid_of(request.class_id, "class_id")
        changed = await call.run(proposals.set_aside, class_id, which, back=request.back)
        return pb.SetToolScoresAsideReply(changed=changed)


def _key(text: str) -> tuple[UUID, UUID] | None:
    """Raises: Invalid."""
    if not text:
        return None
    item, dot, pupil = text.partition(".")
    if not dot:
        raise Invalid("続きの位置が正しくありません。はじめから開き直してください。")
    return uuid_of(item, "after_key"), uuid_of(pupil, "after_key")


def _score(told: Told, tool_name: str) -> pb.ToolScore:
    score = told.score
    return pb.ToolScore(
        line_item_id=str(told.item.id),
        label=told.item.label,
        tool_name=tool_name,
        pupil_id=str(score.pupil_id),
        score=score.given,
        score_maximum=score.maximum,
        activity=score.activity,
        grading=score.grading,
        comment=score.comment,
        scored_at=instant(score.scored_at),
        set_aside=told.set_aside_at is not None,
    )
