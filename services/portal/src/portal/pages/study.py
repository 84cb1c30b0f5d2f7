"""学習のようす: what the children of a class understood, out of what learning tools and MEXCBT report. No 評定."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from komu.learning.v1 import curriculum_codes_pb2, study_pb2
from komu.roster.v1 import roster_pb2

from portal import text
from portal.nav import NavItem
from portal.rpc import Rpc, if_allowed, rpc
from portal.session import SignedIn, signed_in
from portal.view import redirect, view

router = APIRouter(prefix="/study")
NAV = [NavItem("学習のようす", "/study", roles={"teacher", "vice_principal", "principal"}, order=25)]

User = Annotated[SignedIn, Depends(signed_in)]
Calls = Annotated[Rpc, Depends(rpc)]
Word = Annotated[str, Query(max_length=300)]

BANDS = {
    "reached": ("◎", "よくできている", "8割以上"),
    "almost": ("○", "もう少し", "5割以上8割未満"),
    "not_yet": ("△", "つまずいている", "5割未満"),
    "nothing": ("−", "まだ答えていない", ""),
}
"""Sign, word and share of each band, from the first look to the last."""
NO_UNIT = "（単元の記載なし）"


@router.get("")
async def classes(request: Request, user: User, rpc: Calls) -> Response:
    """The classes the person works with; straight on where there is one."""
    me = await rpc.roster.WhoAmI(roster_pb2.WhoAmIRequest())
    found = list(me.classes)
    if user.holds("principal", "vice_principal"):
        lists = await asyncio.gather(
            *(rpc.roster.ListClasses(roster_pb2.ListClassesRequest(school_id=school.id)) for school in me.schools)
        )
        found = [getattr(entry, "class") for answer in lists for entry in answer.classes]
    if len(found) == 1:
        return redirect(request, f"/study/classes/{found[0].id}")
    found.sort(key=lambda one: (one.kind, one.school_grade[:1] != "P", one.school_grade, one.name))
    return view(request, "study/classes.html", {"classes": found}, title="学習のようす")


@router.get("/classes/{class_id}")
async def units(request: Request, class_id: str, user: User, rpc: Calls, q: Word = "") -> Response:
    """Every 単元 at a glance; `q` looks for one."""
    found = await rpc.learning.ListClassUnits(study_pb2.ListClassUnitsRequest(class_id=class_id))
    words = q.split()
    shown = [one for one in found.units if all(word in f"{one.unit}{one.subject}" for word in words)]
    facts = {"found": found, "units": shown, "class_id": class_id, "q": q, "bands": BANDS, "no_unit": NO_UNIT}
    title = f"学習のようす（{found.class_name}）"
    return view(request, "study/units.html", facts, title=title, fragment="list")


@router.get("/classes/{class_id}/unit")
async def unit(request: Request, class_id: str, user: User, rpc: Calls, unit: Word = "") -> Response:
    """One 単元: who understood, by question and by 観点."""
    asked = study_pb2.GetClassUnitRequest(class_id=class_id, unit=unit)
    found, roster = await asyncio.gather(
        rpc.learning.GetClassUnit(asked),
        if_allowed(rpc.roster.GetClassRoster(roster_pb2.GetClassRosterRequest(class_id=class_id))),
    )
    codes = list(found.codes)[:20]
    named = await if_allowed(
        rpc.learning.GetCurriculumCodes(curriculum_codes_pb2.GetCurriculumCodesRequest(codes=codes))
    )
    facts = {
        "found": found,
        "class_id": class_id,
        "names": _names(roster),
        "by_band": {band: [one for one in found.children if one.band == band] for band in BANDS},
        "passages": named.passages if named else [],
        "bands": BANDS,
        "unit": found.unit or NO_UNIT,
    }
    return view(request, "study/unit.html", facts, title=f"{found.unit or NO_UNIT}（{found.class_name}）")


@router.get("/pupils/{pupil_id}")
async def pupil(request: Request, pupil_id: str, user: User, rpc: Calls) -> Response:
    """What one child did, when, and how well."""
    results, names = await asyncio.gather(
        rpc.learning.ListPupilResults(study_pb2.ListPupilResultsRequest(pupil_id=pupil_id)),
        if_allowed(rpc.roster.GetPeopleNames(roster_pb2.GetPeopleNamesRequest(person_ids=[pupil_id]))),
    )
    name = text.full_name(names.people[0].names.display) if names and names.people else "児童生徒"
    facts = {"results": results.results, "name": name, "pupil_id": pupil_id, "no_unit": NO_UNIT}
    return view(request, "study/pupil.html", facts, title=f"{name}の学習のようす")


def _names(roster: Any) -> dict[str, str]:
    """Children of the class by id; without them the page shows numbers."""
    if roster is None:
        return {}
    return {entry.pupil.id: text.full_name(entry.pupil.names.display) for entry in roster.entries}
