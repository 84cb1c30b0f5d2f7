"""What partners write: line items, results and the like, held apart from 評点 and 評定 until a teacher takes them."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from servicekit.audit import board_subject
from servicekit.db import Transaction
from servicekit.ids import uuid7

from dataexchange.domain.partners import Grant
from dataexchange.domain.rest import written
from dataexchange.domain.rest.answers import Declined, Minor
from dataexchange.domain.rest.routes import Operation
from dataexchange.domain.roster_objects.making import Made, ref
from dataexchange.store import roster_objects as store
from dataexchange.store.roster_objects import Known

SERVICE = "gradebook"
_HANGS_ON = {"result": "lineItem", "assessmentResult": "assessmentLineItem", "assessmentLineItem": ""}


async def put(tx: Transaction, grant: Grant, operation: Operation, id_: str, given: Any) -> bool:
    """Enter or replace one object. Returns whether it is new. Raises: Declined."""
    written.a_guid(id_)
    body = given.get(operation.kind, given) if isinstance(given, Mapping) else given
    if isinstance(body, Mapping) and body.get("sourcedId", id_) != id_:
        raise Declined(Minor.INVALID_DATA, "sourcedId differs from the id in the path")
    content = written.content(operation.kind, (await _with_schools(tx, operation.kind, [body]))[0])
    before = await store.known(tx, [(operation.kind, id_)])
    if before and not _within(before[operation.kind, id_], grant):
        raise Declined(Minor.FORBIDDEN, "the object belongs to a school that this client is not granted")
    made = await _made(tx, grant, operation.kind, [(id_, content)])
    await _save(tx, grant, made)
    return not before


async def post(
    tx: Transaction, grant: Grant, operation: Operation, ids: Mapping[str, str], given: Any
) -> list[tuple[str, str]]:
    """Enter objects under ids of ours: (supplied, allocated). The path says some members for each. Raises: Declined."""
    await _parents(tx, grant, operation, ids)
    plural = "lineItems" if operation.kind == "lineItem" else "results"
    found = given.get(plural, given.get(operation.kind)) if isinstance(given, Mapping) else given
    items = found if isinstance(found, list) else [found]
    if not 0 < len(items) <= written.MOST_AT_ONCE:
        raise Declined(Minor.INVALID_DATA, f"{plural} is a list of 1 to {written.MOST_AT_ONCE}")
    if not all(isinstance(item, Mapping) for item in items):
        raise Declined(Minor.INVALID_DATA, f"{operation.kind} is an object")
    items = list(await _with_schools(tx, operation.kind, [{**item, **_said_by(ids)} for item in items]))
    pairs = [(written.a_guid(item.get("sourcedId")), str(uuid7())) for item in items]
    contents = [
        (allocated, written.content(operation.kind, item)) for (_, allocated), item in zip(pairs, items, strict=True)
    ]
    await _save(tx, grant, await _made(tx, grant, operation.kind, contents))
    return pairs


async def delete(tx: Transaction, grant: Grant, operation: Operation, id_: str) -> None:
    """The object stays as `tobedeleted`. Raises: Declined."""
    before = await store.known(tx, [(operation.kind, id_)])
    one = before.get((operation.kind, id_))
    if one is None or not one.active or not _within(one, grant):
        raise Declined(Minor.UNKNOWN_OBJECT, "no such object")
    await store.retire_ids(tx, SERVICE, (operation.kind,), [id_])
    what = {"partner": str(grant.partner_id), "kind": operation.kind}
    tx.audit("partner.deleted", id_, after=what, subject_id=_about(tx, one.refs))


async def _with_schools(tx: Transaction, kind: str, items: Sequence[Any]) -> Sequence[Any]:
    """A line item without its school (many partners leave it out) has that of its class."""
    without = {
        number: ("class", id_)
        for number, item in enumerate(items)
        if kind == "lineItem" and isinstance(item, Mapping) and not item.get("school")
        if isinstance(id_ := item["class"].get("sourcedId") if isinstance(item.get("class"), Mapping)
                      else item.get("class"), str) and "\x00" not in id_
    }  # fmt: skip
    if not without:
        return items
    classes = await store.known(tx, list(dict.fromkeys(without.values())))
    found = list(items)
    for number, key in without.items():
        school = next((one for one in classes[key].refs if one.startswith("school:")), "") if key in classes else ""
        found[number] = {**found[number], "school": school.removeprefix("school:")}
    return found


def _said_by(ids: Mapping[str, str]) -> dict[str, Any]:
    """Members that the path already says."""
    said = {
        "classSourcedId": ("class", "class"), "schoolSourcedId": ("school", "org"),
        "lineItemSourcedId": ("lineItem", "lineItem"),
    }  # fmt: skip
    return {said[name][0]: ref(said[name][1], id_) for name, id_ in ids.items() if name in said}


async def _parents(tx: Transaction, grant: Grant, operation: Operation, ids: Mapping[str, str]) -> None:
    wanted = [(kind, ids[parameter]) for kind, parameter, _ in operation.parents]
    found = await store.known(tx, wanted)
    for key in wanted:
        if key not in found or not _within(found[key], grant):
            raise Declined(Minor.UNKNOWN_OBJECT, f"no such {key[0]}")


async def _made(tx: Transaction, grant: Grant, kind: str, contents: Sequence[tuple[str, dict[str, Any]]]) -> list[Made]:
    """With what they hang on: the class and through it the school, the pupil, the line item. Raises: Declined."""
    parent_kind = _HANGS_ON.get(kind, "")
    named = [
        (key, each[member]["sourcedId"])
        for _, each in contents
        for member, key in (("class", "class"), ("student", "user"), ("school", "org"), (parent_kind, parent_kind))
        if member in each
    ]
    found = await store.known(tx, list(dict.fromkeys(named)))
    for key in named:
        if key not in found or not _within(found[key], grant):
            raise Declined(Minor.INVALID_DATA, f"{key[0]} {key[1]} is not known here")
    made = []
    for id_, each in contents:
        parent = found.get((parent_kind, each[parent_kind]["sourcedId"])) if parent_kind in each else None
        class_id = each["class"]["sourcedId"] if "class" in each else parent.class_id if parent else None
        its_class = found.get(("class", class_id)) if class_id else None
        refs = {one for known in (its_class, parent) if known for one in known.refs if one.startswith("school:")}
        if parent_kind and parent:
            refs.add(f"{parent_kind}:{each[parent_kind]['sourcedId']}")
        person = each["student"]["sourcedId"] if "student" in each else None
        if not refs and person:
            refs = {one for one in found["user", person].refs if one.startswith("school:")}
        if not any(one.startswith("school:") for one in refs):
            refs.add("board")
        made.append(Made(kind, id_, each, frozenset(refs), None, class_id, person))
    return made


async def _save(tx: Transaction, grant: Grant, made: Sequence[Made]) -> None:
    await store.put(tx, SERVICE, made, by=str(grant.partner_id))
    for one in made:
        what = {"partner": str(grant.partner_id), "kind": one.kind}
        tx.audit("partner.wrote", one.id, after=what, subject_id=_about(tx, one.refs))


def _about(tx: Transaction, refs: frozenset[str]) -> UUID:
    """The school that the object hangs on; without one the board."""
    schools = sorted(one.removeprefix("school:") for one in refs if one.startswith("school:"))
    return UUID(schools[0]) if schools else board_subject(tx.tenant)


def _within(known: Known, grant: Grant) -> bool:
    return grant.refs is None or not known.refs.isdisjoint(grant.refs)
