"""クラス替えのボード: the cards of one 学年, and what its script sends as people move them."""

import json
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from komu.roster.v1 import rollover_pb2 as pb
from komu.roster.v1 import roster_pb2
from pydantic import BaseModel, Field

from portal.pages.rollover import EDITABLE, STATES
from portal.rpc import Rpc, rpc
from portal.session import SignedIn, signed_in
from portal.view import view

router = APIRouter(prefix="/rollover")

User = Annotated[SignedIn, Depends(signed_in)]
Calls = Annotated[Rpc, Depends(rpc)]

_SEXES = {roster_pb2.SEX_MALE: "男", roster_pb2.SEX_FEMALE: "女", roster_pb2.SEX_OTHER: "他"}
_PAIRS = {pb.ROLLOVER_PAIR_KIND_APART: "apart", pb.ROLLOVER_PAIR_KIND_TOGETHER: "together"}
_PAIR_KINDS = {word: number for number, word in _PAIRS.items()} | {"": pb.ROLLOVER_PAIR_KIND_UNSPECIFIED}
_OUTCOMES = {
    "promoted": pb.ROLLOVER_OUTCOME_PROMOTED,
    "graduates": pb.ROLLOVER_OUTCOME_GRADUATES,
    "retained": pb.ROLLOVER_OUTCOME_RETAINED,
    "": pb.ROLLOVER_OUTCOME_UNSPECIFIED,
}
_LARGEST = 2**31 - 1


class Move(BaseModel):
    """A card to a column; empty: out of its class."""

    pupil: str = Field(max_length=40)
    to: str = Field(max_length=40)
    version: int = Field(ge=0, le=_LARGEST)


class Moves(BaseModel):
    """What one gesture moved."""

    moves: list[Move] = Field(max_length=200)


class Proposal(BaseModel):
    """`carry`: 持ち上がり."""

    carry: bool = False


class Detail(BaseModel):
    """What a planner says about one child."""

    version: int = Field(ge=0, le=_LARGEST)
    outcome: str = Field(default="", max_length=20)
    care: str = Field(default="", max_length=400)
    band: int = Field(default=0, ge=0, le=99)
    number: int = Field(default=0, ge=0, le=999)


class Wish(BaseModel):
    """Two children apart, together, or neither."""

    first: str = Field(max_length=40)
    second: str = Field(max_length=40)
    kind: str = Field(default="", max_length=10)


@router.get("/{rollover_id}/board/{school_grade}")
async def board(request: Request, rollover_id: str, school_grade: str, user: User, rpc: Calls) -> Response:
    """Columns are classes, cards are children."""
    asked = pb.GetRolloverBoardRequest(rollover_id=rollover_id, school_grade=school_grade)
    found = await rpc.roster.GetRolloverBoard(asked)
    columns = [("", "学級なし"), *((one.id, one.name) for one in found.classes)]
    facts = {
        "plan": found.rollover,
        "state": STATES[found.rollover.state],
        "editable": found.rollover.state in EDITABLE,
        "school_grade": school_grade,
        "columns": [(key, name, [one for one in found.pupils if one.class_id == key]) for key, name in columns],
        "even": {one.id for one in found.classes if one.kind == roster_pb2.CLASS_KIND_HOMEROOM},
        "order": {one.id: place for place, one in enumerate(found.pupils)},
        "sexes": _SEXES,
        "retained": pb.ROLLOVER_OUTCOME_RETAINED,
        "enters": pb.ROLLOVER_OUTCOME_ENTERS,
        "pairs": json.dumps(
            [{"first": one.first_id, "second": one.second_id, "kind": _PAIRS[one.kind]} for one in found.pairs]
        ),
    }
    return view(request, "rollover/board.html", facts, title="クラス替え")


@router.get("/{rollover_id}/board/{school_grade}/moves")
async def moves(
    rollover_id: str, school_grade: str, user: User, rpc: Calls,
    after: Annotated[int, Query(ge=0, le=_LARGEST)] = 0,
) -> Mapping[str, Any]:  # fmt: skip
    """What others did since."""
    asked = pb.GetRolloverMovesRequest(rollover_id=rollover_id, school_grade=school_grade, after_revision=after)
    return _places(await rpc.roster.GetRolloverMoves(asked), user)


@router.post("/{rollover_id}/board/{school_grade}/moves")
async def move(rollover_id: str, school_grade: str, body: Moves, user: User, rpc: Calls) -> Mapping[str, Any]:
    """Each card has its own answer."""
    asked = pb.MoveRolloverPupilsRequest(
        rollover_id=rollover_id, school_grade=school_grade,
        moves=[pb.RolloverMove(pupil_id=one.pupil, class_id=one.to, version=one.version) for one in body.moves],
    )  # fmt: skip
    return _places(await rpc.roster.MoveRolloverPupils(asked), user)


@router.post("/{rollover_id}/board/{school_grade}/propose")
async def propose(rollover_id: str, school_grade: str, body: Proposal, user: User, rpc: Calls) -> Mapping[str, Any]:
    """Places for the children without a class."""
    asked = pb.ProposeRolloverClassesRequest(rollover_id=rollover_id, school_grade=school_grade, carry=body.carry)
    return _places(await rpc.roster.ProposeRolloverClasses(asked), user)


@router.post("/{rollover_id}/pupils/{pupil_id}")
async def set_pupil(rollover_id: str, pupil_id: str, body: Detail, user: User, rpc: Calls) -> Mapping[str, Any]:
    """配慮, 段階, number, 原級留置."""
    saved = await rpc.roster.SetRolloverPupil(
        pb.SetRolloverPupilRequest(
            rollover_id=rollover_id, pupil_id=pupil_id, version=body.version,
            outcome=_OUTCOMES.get(body.outcome, pb.ROLLOVER_OUTCOME_UNSPECIFIED), care=body.care, band=body.band,
            number=body.number,
        )
    )  # fmt: skip
    return {
        "version": saved.version, "care": saved.care, "band": saved.band, "number": saved.number,
        "school_grade": saved.school_grade,
    }  # fmt: skip


@router.post("/{rollover_id}/pairs")
async def set_pair(rollover_id: str, body: Wish, user: User, rpc: Calls) -> Mapping[str, Any]:
    """Apart, together, or neither."""
    await rpc.roster.SetRolloverPair(
        pb.SetRolloverPairRequest(
            rollover_id=rollover_id, first_id=body.first, second_id=body.second,
            kind=_PAIR_KINDS.get(body.kind, pb.ROLLOVER_PAIR_KIND_UNSPECIFIED),
        )
    )  # fmt: skip
    return {"first": body.first, "second": body.second, "kind": body.kind}


def _places(found: Any, user: SignedIn) -> Mapping[str, Any]:
    return {
        "revision": found.revision,
        "places": [
            {
                "pupil": one.pupil_id,
                "to": one.class_id,
                "version": one.version,
                "who": one.moved_by_name if one.moved_by != str(user.person_id) else "",
                "lost": one.lost,
            }
            for one in found.places
        ],
    }
