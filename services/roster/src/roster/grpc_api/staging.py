"""Rows of a checked roster file as columns of the staging tables: whole columns at a time where rows are many."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date
from functools import lru_cache
from itertools import compress
from typing import Any
from uuid import UUID, uuid5

from jpschool.characters import proposed_display
from komu.roster.v1 import roster_pb2
from servicekit.errors import Invalid, Violation

from roster.domain.names import Name, search_text, sort_key
from roster.domain.roster_change import source_uuid
from roster.events import CLASS_KINDS
from roster.grpc_api.from_proto import DUTY_KIND_NAMES, PERSON_KIND_NAMES, POST_NAMES, SEX_NAMES

CLASS_KIND_NAMES = {number: word for word, number in CLASS_KINDS.items()}
# 学校種 begins the 学校コード: B1 小学校, C1 中学校; C2 義務教育学校 counts with 小学校 for now.
_SCHOOL_KINDS = {"C1": "lower_secondary", "D2": "lower_secondary"}
_UUIDS = re.compile("(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})*")
Rows = dict[str, list[tuple[Any, ...]]]
Part = dict[str, Sequence[Sequence[Any]]]
"""Staging table → columns."""


@lru_cache(maxsize=4096)
def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def _uuids(texts: Sequence[str]) -> Sequence[str]:
    """The same in lower case with hyphens. Raises ValueError."""
    if _UUIDS.fullmatch("".join(texts)) and set(map(len, texts)) <= {36}:
        return texts
    return [str(UUID(one)) for one in texts]


@lru_cache(maxsize=65536)
def _keys(
    family: str, given: str, middle: str, kana_family: str, kana_given: str, kana_middle: str
) -> tuple[str, str]:
    """What orders and finds a person. A board has far fewer different names than people."""
    display, kana = Name(family, given, middle), Name(kana_family, kana_given, kana_middle)
    return sort_key(kana, display), search_text((display, kana))


def _add_person(people: roster_pb2.StagePeople, row: roster_pb2.StagePerson) -> None:
    people.source_ids.append(row.source_id)
    people.person_ids.append(row.person_id)
    people.kinds.append(row.kind)
    display, kana = row.names.display, row.names.kana
    people.families.append(display.family)
    people.givens.append(display.given)
    people.middles.append(display.middle)
    people.kana_families.append(kana.family)
    people.kana_givens.append(kana.given)
    people.kana_middles.append(kana.middle)
    people.org_source_ids.append(row.org_source_id)
    people.school_grades.append(row.school_grade)
    people.home_class_source_ids.append(row.home_class_source_id)


def _add_member(members: roster_pb2.StageMembers, row: roster_pb2.StageMember) -> None:
    members.class_source_ids.append(row.class_source_id)
    members.person_source_ids.append(row.person_source_id)
    members.numbers.append(row.number)
    members.starts_on.append(row.period.starts_on)
    members.ends_on.append(row.period.ends_on)


class _SourceIds(dict[str, str]):
    """sourcedId → identifier in the register."""

    def __init__(self, tenant: str) -> None:
        super().__init__()
        self._tenant = tenant

    def __missing__(self, source_id: str) -> str:
        found = self[source_id] = str(source_uuid(self._tenant, source_id))
        return found


class Stager:
    """Turns the messages of one stream into columns of staging tables; remembers which source id is which person."""

    def __init__(self, tenant: str, import_id: UUID, school_year: int) -> None:
        self._key = (tenant, str(import_id))
        self._first_day = date(school_year, 4, 1)
        self._people: dict[str, str] = {}
        self._seen: set[Any] = set()
        self._ids = _SourceIds(tenant)
        self._makers: dict[str, Callable[[Any, Rows], None]] = {
            "org": self._org,
            "class": self._class,
            "appointment": self._appointment,
            "duty": self._duty,
            "supplement": self._supplement,
        }

    def take(self, request: roster_pb2.StageRosterRequest) -> Part:
        """Columns by staging table. Raises Invalid for what no checked file contains."""
        part = request.WhichOneof("part")
        try:
            match part:
                case "rows":
                    return self._rows(request.rows)
                case "people":
                    return self._persons(request.people)
                case "members":
                    return self._members(request.members)
        except (ValueError, KeyError) as wrong:
            sentence = f"名簿の行を読めません（{part}）: {wrong}"
            raise Invalid(sentence, [Violation(f"{part}", sentence)]) from wrong
        raise Invalid("見出しが二度あります。", [Violation("header", "見出しが二度あります。")])

    def _rows(self, messages: roster_pb2.StageRows) -> Part:
        people, members, others = roster_pb2.StagePeople(), roster_pb2.StageMembers(), []
        for message in messages.rows:
            match message.WhichOneof("row"):
                case None:
                    raise ValueError("空の行があります")
                case "person":
                    _add_person(people, message.person)
                case "member":
                    _add_member(members, message.member)
                case kind:
                    others.append((kind, message))
        part = self._persons(people) | self._members(members)
        rows: Rows = {}
        for kind, message in others:
            self._makers[kind](getattr(message, kind), rows)
        return part | {table: list(zip(*found, strict=True)) for table, found in rows.items()}

    def _persons(self, part: roster_pb2.StagePeople) -> Part:
        ids, sources = _uuids(list(part.person_ids)), list(part.source_ids)
        self._people.update(zip(sources, ids, strict=True))
        names = [
            list(column)
            for column in (
                part.families, part.givens, part.middles, part.kana_families, part.kana_givens, part.kana_middles,
            )
        ]  # fmt: skip
        places = [
            [self._ids[source_id] if source_id else None for source_id in column]
            for column in (part.org_source_ids, part.home_class_source_ids)
        ]
        kinds = [PERSON_KIND_NAMES[kind] for kind in part.kinds]
        keys = list(map(_keys, *names))
        return self._part(
            "stage_people",
            ids,
            ids, sources, kinds, *names, places[0], list(part.school_grades), places[1],
            [order for order, _ in keys], [search for _, search in keys],
        )  # fmt: skip

    def _members(self, part: roster_pb2.StageMembers) -> Part:
        classes = [self._ids[source_id] for source_id in part.class_source_ids]
        sources = list(part.person_source_ids)
        people = [self._people.get(source_id) for source_id in sources]
        first, last = list(part.starts_on), list(part.ends_on)
        starts = {day: str(_day(day) or self._first_day) for day in set(first)}
        ends = {day: day if _day(day) else None for day in set(last)}
        starts_on = [starts[day] for day in first]
        who = [known or source_id for known, source_id in zip(people, sources, strict=True)]
        return self._part(
            "stage_members",
            list(zip(classes, who, starts_on, strict=True)),
            classes, people, sources, list(map(str, part.numbers)), starts_on, [ends[day] for day in last],
        )  # fmt: skip

    def _part(self, table: str, keys: Sequence[Any], *columns: Sequence[Any]) -> Part:
        """The columns with the import's own before them, without records whose key came before."""
        if set(map(len, columns)) != {len(keys)}:
            raise ValueError("列の長さが揃っていません")
        new = set(keys)
        if len(new) == len(keys) and new.isdisjoint(self._seen):
            self._seen |= new
        else:
            fresh = [self._once(key) for key in keys]
            columns = tuple(list(compress(column, fresh)) for column in columns)
        rows = len(columns[0])
        return {table: (*([each] * rows for each in self._key), *columns)} if rows else {}

    def _once(self, key: Any) -> bool:
        """Whether the record comes for the first time; a checked file has no doubles, a careless caller might."""
        if key in self._seen:
            return False
        self._seen.add(key)
        return True

    def _org(self, row: roster_pb2.StageOrg, rows: Rows) -> None:
        kind = "board" if row.is_board else _SCHOOL_KINDS.get(row.code[:2], "elementary")
        identifier = self._ids[row.source_id or row.code]
        if self._once(("o", identifier)):
            rows.setdefault("stage_orgs", []).append(
                (*self._key, identifier, row.source_id, row.name, row.code, kind, row.address)
            )

    def _class(self, row: roster_pb2.StageClass, rows: Rows) -> None:
        identifier = self._ids[row.source_id]
        if self._once(("c", identifier)):
            rows.setdefault("stage_classes", []).append(
                (
                    *self._key, identifier, row.source_id, self._ids[row.org_source_id], row.school_year,
                    row.school_grade, row.name, CLASS_KIND_NAMES[row.kind], row.subject,
                )
            )  # fmt: skip

    def _appointment(self, row: roster_pb2.StageAppointment, rows: Rows) -> None:
        org_id = self._ids[row.org_source_id]
        starts_on = _day(row.period.starts_on) or self._first_day
        if self._once(("a", org_id, row.person_source_id, row.post)):
            rows.setdefault("stage_appointments", []).append(
                (
                    *self._key, org_id, self._people.get(row.person_source_id), row.person_source_id, org_id,
                    POST_NAMES[row.post], starts_on, _day(row.period.ends_on),
                )
            )  # fmt: skip

    def _duty(self, row: roster_pb2.StageDuty, rows: Rows) -> None:
        class_id = self._ids[row.class_source_id]
        starts_on = _day(row.period.starts_on) or self._first_day
        if self._once(("d", class_id, row.person_source_id, row.kind, row.subject)):
            rows.setdefault("stage_duties", []).append(
                (
                    *self._key, class_id, self._people.get(row.person_source_id), row.person_source_id, class_id,
                    DUTY_KIND_NAMES[row.kind], row.subject, starts_on, _day(row.period.ends_on),
                )
            )  # fmt: skip

    def _supplement(self, row: roster_pb2.StageSupplement, rows: Rows) -> None:
        person_id = UUID(row.person_id)
        if not self._once(("s", person_id)):
            return
        official = row.official if row.HasField("official") and row.official.family + row.official.given else None
        alias = row.alias if row.HasField("alias") and row.alias.family + row.alias.given else None
        forms = [Name(item.family, item.given, item.middle) for item in (official, alias) if item is not None]
        rows.setdefault("stage_supplements", []).append(
            (
                *self._key, person_id,
                *((official.family, official.given, official.middle) if official else (None, None, None)),
                *((alias.family, alias.given, alias.middle) if alias else (None, None, None)),
                SEX_NAMES.get(row.sex, ""), _day(row.birth_on), row.address.postal_code, row.address.text,
                _day(row.address.period.starts_on), _day(row.admitted_on), row.prior_history, row.protected_address,
                search_text(forms) if forms else "",
            )
        )  # fmt: skip
        for rank, item in enumerate(row.guardians, start=1):
            formal = item.names.official if item.names.HasField("official") else None
            shown = item.names.display
            identifier = UUID(item.id) if item.id else uuid5(person_id, f"guardian-{item.rank or rank}")
            rows.setdefault("stage_guardians", []).append(
                (
                    *self._key, person_id, identifier, item.rank or rank, item.relationship,
                    proposed_display(shown.family), proposed_display(shown.given), proposed_display(shown.middle),
                    item.names.kana.family, item.names.kana.given, item.names.kana.middle,
                    *((formal.family, formal.given, formal.middle) if formal else (None, None, None)),
                    item.phone, item.address,
                )
            )  # fmt: skip
