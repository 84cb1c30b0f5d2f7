"""成績: the sheets of a class, the mark grid, the history of a cell."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Depends, Query, Request, Response
from jpschool.school_grade import SchoolGrade
from komu.grades.v1 import grades_pb2 as pb
from komu.roster.v1 import roster_pb2
from pydantic import BaseModel, Field
from servicekit.clock import today_jst
from starlette.datastructures import UploadFile

from portal import text
from portal.nav import NavItem
from portal.rpc import Rpc, if_allowed, rpc
from portal.session import SignedIn, signed_in
from portal.typed import version_of
from portal.view import redirect, view

router = APIRouter(prefix="/grades")
NAV = [NavItem("成績", "/grades", roles={"teacher", "vice_principal", "principal"}, order=20)]

User = Annotated[SignedIn, Depends(signed_in)]
Calls = Annotated[Rpc, Depends(rpc)]
_LEADERS = ("principal", "vice_principal")
_OUTCOMES = {
    pb.CellResult.OUTCOME_SAVED: "saved",
    pb.CellResult.OUTCOME_INVALID: "invalid",
    pb.CellResult.OUTCOME_CONFLICT: "conflict",
    pb.CellResult.OUTCOME_LOCKED: "locked",
}


@dataclass(frozen=True, slots=True)
class Pupil:
    """A line of the grid."""

    id: str
    number: int
    name: str
    left: bool
    school_grade: str = ""
    """「小3」, only where the pupils of the class are of several 学年."""
    not_applicable: frozenset[str] = frozenset()
    """Columns this pupil's 学年 does not have."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A cell of the page: what stands there, or what was typed and not saved with the reason."""

    value: str
    version: int
    message: str = ""

    @property
    def mark(self) -> str:
        """Version and fingerprint of the value, so that a plain form can tell what was changed on it."""
        return f"{self.version}:{_fingerprint(self.value)}"


class Edit(BaseModel):
    """One cell as the script sends it."""

    pupil_id: str = Field(max_length=40)
    column: str = Field(max_length=60)
    value: str = Field(max_length=4000)
    version: int = Field(ge=0, le=2**31 - 1)


class Edits(BaseModel):
    """One save of the script."""

    idempotency_key: str = Field(min_length=1, max_length=100)
    edits: list[Edit] = Field(max_length=2000)


@router.get("")
async def classes(request: Request, user: User, rpc: Calls) -> Response:
    """The classes whose marks the person may open; straight on where there is one."""
    me = await rpc.roster.WhoAmI(roster_pb2.WhoAmIRequest())
    found = list(me.classes)
    if user.holds(*_LEADERS):
        lists = await asyncio.gather(
            *(rpc.roster.ListClasses(roster_pb2.ListClassesRequest(school_id=school.id)) for school in me.schools)
        )
        found = [getattr(entry, "class") for answer in lists for entry in answer.classes]
    # 講座 have no sheet of their own: their marks are entered in the pupils' class.
    found = [one for one in found if one.kind != roster_pb2.CLASS_KIND_COURSE]
    if len(found) == 1:
        return redirect(request, f"/grades/{found[0].id}")
    special = roster_pb2.CLASS_KIND_SPECIAL_NEEDS
    found.sort(
        key=lambda one: (
            one.kind == special or not one.school_grade,
            one.school_grade[:1] != "P",
            one.school_grade,
            one.name,
        )
    )
    return view(request, "grades/classes.html", {"classes": found}, title="成績")


@router.get("/{class_id}")
async def sheets(request: Request, class_id: str, user: User, rpc: Calls) -> Response:
    """Every sheet of a class and how far it is in each term."""
    listed, roster = await asyncio.gather(
        rpc.grades.ListSheets(pb.ListSheetsRequest(class_id=class_id)), _roster(rpc, class_id)
    )
    school_class = getattr(roster, "class")
    facts = {
        "class": school_class,
        "sheets": listed.sheets,
        "terms": listed.terms,
        "now": _current(listed.terms),
        "closed": pb.TERM_STATE_CLOSED,
        "many": user.holds(*_LEADERS),
    }
    return view(request, "grades/sheets.html", facts, title=f"{school_class.name}の成績")


@router.get("/{class_id}/{subject}/{term}")
async def sheet(request: Request, class_id: str, subject: str, term: str, user: User, rpc: Calls) -> Response:
    """The mark grid of one class, subject and term."""
    found, roster, listed = await asyncio.gather(
        rpc.grades.GetSheet(pb.GetSheetRequest(class_id=class_id, subject=subject, term=term)),
        _roster(rpc, class_id),
        if_allowed(rpc.grades.ListSheets(pb.ListSheetsRequest(class_id=class_id))),
    )
    return _grid(request, user, found, roster, listed)


@router.post("/{class_id}/{subject}/{term}")
async def save(request: Request, class_id: str, subject: str, term: str, user: User, rpc: Calls) -> Response:
    """The same grid as a plain form: what differs from what was shown is saved."""
    form = await request.form(max_fields=20_000)
    sent = {key: value for key, value in form.items() if not isinstance(value, UploadFile)}
    edits = _edits(sent)
    if not edits:
        return redirect(request, request.url.path, notice="変わったところはありません。")
    answer = await rpc.grades.SaveCells(
        pb.SaveCellsRequest(
            class_id=class_id, subject=subject, term=term, edits=edits, idempotency_key=sent.get("save", "")
        )
    )
    refused = [
        (edit, result)
        for edit, result in zip(edits, answer.results, strict=True)
        if result.outcome != pb.CellResult.OUTCOME_SAVED
    ]
    if not refused:
        return redirect(request, request.url.path, notice=f"{len(edits)}か所を保存しました。")
    found, roster, listed = await asyncio.gather(
        rpc.grades.GetSheet(pb.GetSheetRequest(class_id=class_id, subject=subject, term=term)),
        _roster(rpc, class_id),
        if_allowed(rpc.grades.ListSheets(pb.ListSheetsRequest(class_id=class_id))),
    )
    typed = {
        (edit.pupil_id, edit.column): Shown(edit.value, result.current.version, _why(result))
        for edit, result in refused
    }
    return _grid(request, user, found, roster, listed, typed=typed, status=422)


@router.post("/{class_id}/{subject}/{term}/cells")
async def save_cells(
    class_id: str, subject: str, term: str, body: Edits, user: User, rpc: Calls
) -> Mapping[str, Sequence[Mapping[str, Any]]]:
    """What the script sends as people type. Each edit has its own answer, in order."""
    answer = await rpc.grades.SaveCells(
        pb.SaveCellsRequest(
            class_id=class_id,
            subject=subject,
            term=term,
            idempotency_key=body.idempotency_key,
            edits=[
                pb.CellEdit(pupil_id=e.pupil_id, column=e.column, value=e.value, expected_version=e.version)
                for e in body.edits
            ],
        )
    )
    others = {
        r.current.updated_by
        for r in answer.results
        if r.outcome == pb.CellResult.OUTCOME_CONFLICT and r.current.updated_by
    }
    names = await _names(rpc, others)
    return {
        "results": [
            {
                "outcome": _OUTCOMES.get(result.outcome, "invalid"),
                "value": result.current.value,
                "version": result.current.version,
                "who": names.get(result.current.updated_by, ""),
                "at": text.moment(result.current.updated_at) if result.current.HasField("updated_at") else "",
                "message": result.message,
            }
            for result in answer.results
        ]
    }


@router.get("/{class_id}/{subject}/{term}/history")
async def history(
    request: Request,
    class_id: str,
    subject: str,
    term: str,
    user: User,
    rpc: Calls,
    pupil: Annotated[str, Query(max_length=40)],
    column: Annotated[str, Query(max_length=60)],
) -> Response:
    """Who changed one cell, when, from what to what."""
    changes, found, roster = await asyncio.gather(
        rpc.grades.GetCellHistory(
            pb.GetCellHistoryRequest(class_id=class_id, subject=subject, term=term, pupil_id=pupil, column=column)
        ),
        rpc.grades.GetSheet(pb.GetSheetRequest(class_id=class_id, subject=subject, term=term)),
        _roster(rpc, class_id),
    )
    names = await _names(rpc, {change.actor_id for change in changes.changes})
    facts = {
        "changes": changes.changes,
        "names": names,
        "pupil": next((one.name for one in _pupils(found, roster) if one.id == pupil), ""),
        "column": next((one.label for one in found.columns if one.key == column), ""),
        "sheet": found,
        "back": f"/grades/{class_id}/{subject}/{term}",
    }
    return view(request, "grades/history.html", facts, title="入力の履歴")


def _grid(
    request: Request,
    user: SignedIn,
    found: Any,
    roster: Any,
    listed: Any,
    *,
    typed: Mapping[tuple[str, str], Shown] | None = None,
    status: int = 200,
) -> Response:
    school_class = getattr(roster, "class")
    cells = {(cell.pupil_id, cell.column): Shown(cell.value, cell.version) for cell in found.cells}
    year = found.term.key == "year"
    facts = {
        "class": school_class,
        "sheet": found,
        "pupils": _pupils(found, roster),
        "cells": cells | dict(typed or {}),
        "empty": Shown("", 0),
        "problems": _problems(found, roster, typed or {}),
        "sheets": listed.sheets if listed else [],
        "terms": listed.terms if listed else [found.term],
        "person": str(user.person_id),
        "save_key": str(uuid4()),
        "form": "guidance_record_2" if year else "report_card",
        "form_label": "指導要録 様式2" if year else "通知表",
    }
    title = f"{school_class.name} {found.subject.label} {found.term.label}"
    return view(request, "grades/sheet.html", facts, title=title, status=status)


def _pupils(found: Any, roster: Any) -> Sequence[Pupil]:
    known = {entry.pupil.id: entry for entry in roster.entries}
    own = {pupil.pupil_id: pupil for pupil in found.pupils}
    pupils = []
    for pupil_id in found.pupil_ids:
        told = own.get(pupil_id)
        label = SchoolGrade(told.school_grade).short_label if told and told.school_grade else ""
        without = frozenset(told.not_applicable) if told else frozenset()
        entry = known.get(pupil_id)
        if entry is None:
            pupils.append(Pupil(pupil_id, 0, "（名簿にない児童生徒）", True, label, without))
            continue
        last = entry.periods[-1].ends_on if entry.periods else ""
        left = bool(last) and last < today_jst().isoformat()
        name = text.full_name(entry.pupil.names.display)
        pupils.append(Pupil(pupil_id, entry.pupil.number, name, left, label, without))
    return pupils


@dataclass(frozen=True, slots=True)
class Problem:
    """One cell of a plain form that was not saved; `field` is where it stands."""

    field: str
    message: str


def _problems(found: Any, roster: Any, typed: Mapping[tuple[str, str], Shown]) -> Sequence[Problem]:
    names = {pupil.id: pupil.name for pupil in _pupils(found, roster)}
    labels = {column.key: column.label for column in found.columns}
    return [
        Problem(f"c:{pupil}:{column}", f"{names.get(pupil, '')} {labels.get(column, '')}：{shown.message}")
        for (pupil, column), shown in typed.items()
    ]


def _edits(sent: Mapping[str, Any]) -> list[pb.CellEdit]:
    """Fields `c:<pupil>:<column>` with `v:…` saying on which version and value they stood."""
    edits = []
    for name, value in sent.items():
        kind, _, place = name.partition(":")
        pupil, _, column = place.partition(":")
        version, _, fingerprint = str(sent.get(f"v:{place}", "0:")).partition(":")
        typed = str(value).replace("\r\n", "\n")
        if kind != "c" or _fingerprint(typed) == fingerprint:
            continue
        edits.append(pb.CellEdit(pupil_id=pupil, column=column, value=typed, expected_version=version_of(version)))
    return edits


def _fingerprint(value: str) -> str:
    return sha256(value.encode()).hexdigest()[:12]


def _why(result: Any) -> str:
    if result.outcome == pb.CellResult.OUTCOME_CONFLICT:
        theirs = result.current.value or "（空欄）"
        return f"ほかの人が先に「{theirs}」にしました。自分の値でよければ、もう一度保存してください。"
    return str(result.message)


def _current(terms: Sequence[Any]) -> str:
    """The term today lies in; of the year's end there is no today."""
    today = today_jst().isoformat()
    return next((t.key for t in terms if t.key != "year" and t.starts_on <= today <= t.ends_on), "")


async def _roster(rpc: Rpc, class_id: str) -> Any:
    return await rpc.roster.GetClassRoster(roster_pb2.GetClassRosterRequest(class_id=class_id, whole_year=True))


async def _names(rpc: Rpc, person_ids: set[str]) -> Mapping[str, str]:
    """Names of members of staff; without roster the page still says what it knows."""
    if not person_ids:
        return {}
    asked = rpc.roster.GetPeopleNames(roster_pb2.GetPeopleNamesRequest(person_ids=sorted(person_ids)))
    answer = await if_allowed(asked)
    return {one.person_id: text.full_name(one.names.display) for one in answer.people} if answer else {}
