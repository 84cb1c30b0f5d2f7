"""出席番号を付け直す: how, then what it would be, then it is done."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request, Response
from komu.roster.v1 import classes_pb2 as pb
from komu.roster.v1 import roster_pb2
from servicekit.errors import Conflict, Invalid, Violation

from portal.rpc import Rpc, rpc
from portal.session import SignedIn, signed_in
from portal.typed import version_of
from portal.view import redirect, view

router = APIRouter(prefix="/roster/classes/{class_id}/numbers")

User = Annotated[SignedIn, Depends(signed_in)]
Calls = Annotated[Rpc, Depends(rpc)]
Short = Annotated[str, Form(max_length=20)]
ORDERS = [
    ("together", "男女混合の五十音順"),
    ("boys_first", "男子が先の五十音順"),
    ("girls_first", "女子が先の五十音順"),
]


@router.get("")
async def form(request: Request, class_id: str, user: User, rpc: Calls) -> Response:
    """How the class is to be numbered."""
    return await _page(request, rpc, class_id, {"order": "together", "second_from": "", "keep_gaps": "1"})


async def _page(
    request: Request, rpc: Rpc, class_id: str, typed: dict[str, str], *, shown: Any = None,
    errors: Sequence[Violation] = (), status: int = 200,
) -> Response:  # fmt: skip
    found = await rpc.roster.GetClassRoster(roster_pb2.GetClassRosterRequest(class_id=class_id))
    room = getattr(found, "class")
    facts = {
        "class_": room,
        "typed": {"version": str(room.version)} | typed,
        "orders": ORDERS,
        "shown": shown,
        "changed": sum(one.before != one.after for one in shown.numbers) if shown else 0,
        "errors": errors,
    }
    return view(request, "roster/numbers.html", facts, title=f"{room.name}の出席番号", status=status)


@router.post("")
async def number(
    request: Request, class_id: str, user: User, rpc: Calls, order: Short = "", second_from: Short = "",
    keep_gaps: Short = "", version: Short = "", step: Short = "",
) -> Response:  # fmt: skip
    """`step`: preview, or do."""
    typed = {"order": order, "second_from": second_from, "keep_gaps": keep_gaps, "version": version}
    bare = second_from.strip()
    if bare and not (bare.isdecimal() and 1 <= int(bare) <= 99):
        wrong = [Violation("second_from", "1から99までの数字で入力してください。空欄なら続きの番号になります。")]
        return await _page(request, rpc, class_id, typed, errors=wrong, status=422)
    asked = pb.NumberClassRequest(
        class_id=class_id, order=order, second_from=int(bare or 0), keep_gaps=bool(keep_gaps),
        version=version_of(version),
    )  # fmt: skip
    try:
        if step != "do":
            shown = await rpc.roster.PreviewNumbers(asked)
            return await _page(request, rpc, class_id, typed, shown=shown)
        await rpc.roster.NumberClass(asked)
    except (Invalid, Conflict) as error:
        told = list(error.violations) if isinstance(error, Invalid) else []
        return await _page(
            request, rpc, class_id, typed, errors=told or [Violation("", error.message)],
            status=409 if isinstance(error, Conflict) else 422,
        )  # fmt: skip
    return redirect(request, f"/roster/classes/{class_id}", notice="出席番号を付け直しました。")
