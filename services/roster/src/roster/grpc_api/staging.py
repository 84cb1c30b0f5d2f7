"""Rows of a checked roster file as tuples for the staging tables: one pass, nothing looked up per row."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import lru_cache
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
Rows = dict[str, list[tuple[Any, ...]]]


@lru_cache(maxsize=4096)
def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


class Stager:
    """Turns the messages of one stream into rows; remembers which source id is which person."""

    def __init__(self, tenant: str, import_id: UUID, school_year: int) -> None:
        self._key = (tenant, import_id)
        self._first_day = date(school_year, 4, 1)
        self._people: dict[str, UUID] = {}
        self._seen: set[tuple[Any, ...]] = set()
        self._ids: dict[str, UUID] = {}
        self._tenant = tenant
        self._makers: dict[str, Callable[[Any, Rows], None]] = {
            "org": self._org,
            "class": self._class,
            "person": self._person,
            "member": self._member,
            "appointment": self._appointment,
            "duty": self._duty,
            "supplement": self._supplement,
        }

    def rows(self, messages: roster_pb2.StageRows) -> Rows:
        """Rows by staging table. Raises Invalid for a row no checked file contains."""
        rows: Rows = {}
        for message in messages.rows:
            kind = message.WhichOneof("row")
            if kind is None:
                raise Invalid("空の行があります。", [Violation("rows", "空の行があります。")])
            try:
                self._makers[kind](getattr(message, kind), rows)
            except (ValueError, KeyError) as wrong:
                sentence = f"名簿の行を読めません（{kind}）: {wrong}"
                raise Invalid(sentence, [Violation(f"rows.{kind}", sentence)]) from wrong
        return rows

    def _source(self, source_id: str) -> UUID:
        known = self._ids.get(source_id)
        if known is None:
            known = self._ids[source_id] = source_uuid(self._tenant, source_id)
        return known

    def _once(self, *key: Any) -> bool:
        """Whether the record comes for the first time; a checked file has no doubles, a careless caller might."""
        if key in self._seen:
            return False
        self._seen.add(key)
        return True

    def _org(self, row: roster_pb2.StageOrg, rows: Rows) -> None:
        kind = "board" if row.is_board else _SCHOOL_KINDS.get(row.code[:2], "elementary")
        identifier = self._source(row.source_id or row.code)
        if self._once("o", identifier):
            rows.setdefault("stage_orgs", []).append(
                (*self._key, identifier, row.source_id, row.name, row.code, kind, row.address)
            )

    def _class(self, row: roster_pb2.StageClass, rows: Rows) -> None:
        identifier = self._source(row.source_id)
        if self._once("c", identifier):
            rows.setdefault("stage_classes", []).append(
                (
                    *self._key, identifier, row.source_id, self._source(row.org_source_id), row.school_year,
                    row.school_grade, row.name, CLASS_KIND_NAMES[row.kind], row.subject,
                )
            )  # fmt: skip

    def _person(self, row: roster_pb2.StagePerson, rows: Rows) -> None:
        identifier = UUID(row.person_id)
        self._people[row.source_id] = identifier
        if not self._once("p", identifier):
            return
        shown, read = row.names.display, row.names.kana
        display = Name(shown.family, shown.given, shown.middle)
        kana = Name(read.family, read.given, read.middle)
        rows.setdefault("stage_people", []).append(
            (
                *self._key, identifier, row.source_id, PERSON_KIND_NAMES[row.kind], display.family, display.given,
                display.middle, kana.family, kana.given, kana.middle,
                self._source(row.org_source_id) if row.org_source_id else None, row.school_grade,
                self._source(row.home_class_source_id) if row.home_class_source_id else None,
                sort_key(kana, display), search_text((display, kana)),
            )
        )  # fmt: skip

    def _member(self, row: roster_pb2.StageMember, rows: Rows) -> None:
        class_id = self._source(row.class_source_id)
        starts_on = _day(row.period.starts_on) or self._first_day
        if self._once("m", class_id, row.person_source_id, starts_on):
            rows.setdefault("stage_members", []).append(
                (
                    *self._key, class_id, self._people.get(row.person_source_id), row.person_source_id, row.number,
                    starts_on, _day(row.period.ends_on),
                )
            )  # fmt: skip

    def _appointment(self, row: roster_pb2.StageAppointment, rows: Rows) -> None:
        org_id = self._source(row.org_source_id)
        starts_on = _day(row.period.starts_on) or self._first_day
        if self._once("a", org_id, row.person_source_id, row.post):
            rows.setdefault("stage_appointments", []).append(
                (
                    *self._key, org_id, self._people.get(row.person_source_id), row.person_source_id, org_id,
                    POST_NAMES[row.post], starts_on, _day(row.period.ends_on),
                )
            )  # fmt: skip

    def _duty(self, row: roster_pb2.StageDuty, rows: Rows) -> None:
        class_id = self._source(row.class_source_id)
        starts_on = _day(row.period.starts_on) or self._first_day
        if self._once("d", class_id, row.person_source_id, row.kind, row.subject):
            rows.setdefault("stage_duties", []).append(
                (
                    *self._key, class_id, self._people.get(row.person_source_id), row.person_source_id, class_id,
                    DUTY_KIND_NAMES[row.kind], row.subject, starts_on, _day(row.period.ends_on),
                )
            )  # fmt: skip

    def _supplement(self, row: roster_pb2.StageSupplement, rows: Rows) -> None:
        person_id = UUID(row.person_id)
        if not self._once("s", person_id):
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
