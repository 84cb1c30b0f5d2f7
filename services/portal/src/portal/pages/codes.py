"""学習指導要領コード: passages of the 学習指導要領 found by words, code, kind of school, 教科 and 学年."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request, Response
from komu.learning.v1 import curriculum_codes_pb2 as pb

from portal.nav import NavItem
from portal.rpc import Rpc, rpc
from portal.session import SignedIn, signed_in
from portal.view import view

router = APIRouter(prefix="/codes")
NAV = [
    NavItem(
        "学習指導要領コード",
        "/codes",
        roles={"teacher", "principal", "vice_principal", "board_admin"},
        order=78,
    )
]
SCHOOL_KINDS = [("", "すべて"), ("2", "小学校"), ("3", "中学校"), ("4", "高等学校")]
SCHOOL_GRADES = [("", "すべて"), *((code, "") for code in ("P1", "P2", "P3", "P4", "P5", "P6", "J1", "J2", "J3"))]

Word = Annotated[str, Query(max_length=200)]
Short = Annotated[str, Query(max_length=20)]


@router.get("")
async def search(
    request: Request,
    user: Annotated[SignedIn, Depends(signed_in)],
    rpc: Annotated[Rpc, Depends(rpc)],
    q: Word = "",
    kind: Short = "",
    subject: Short = "",
    school_grade: Short = "",
    after: Short = "",
) -> Response:
    """The list renews itself while somebody types; without a word nothing is listed."""
    asked = pb.SearchCurriculumCodesRequest(
        words=q, school_kind=kind, subject=subject, school_grade=school_grade, after_code=after
    )
    found = await rpc.learning.SearchCurriculumCodes(asked)
    narrowed = bool(q.strip() or subject or school_grade)
    more = {"q": q, "kind": kind, "subject": subject, "school_grade": school_grade}
    facts = {
        "passages": found.passages if narrowed else [],
        "narrowed": narrowed,
        "subjects": [("", "すべて"), *((one, one) for one in found.subjects)],
        "kinds": SCHOOL_KINDS,
        "school_grades": SCHOOL_GRADES,
        "asked": more,
        "next_url": f"/codes?{urlencode(more | {'after': found.passages[-1].code})}"
        if narrowed and found.more
        else None,
    }
    return view(request, "codes/search.html", facts, title="学習指導要領コード", fragment="list")
