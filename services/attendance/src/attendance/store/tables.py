"""The tables as SQLAlchemy knows them; the migrations make them."""

from __future__ import annotations

from sqlalchemy import ARRAY, Boolean, Column, Date, DateTime, Integer, MetaData, SmallInteger, Table, Text, Uuid

metadata = MetaData()


def _table(name: str, *columns: Column[object]) -> Table:
    return Table(name, metadata, Column("tenant_id", Text, primary_key=True), *columns)


calendar_days = _table(
    "calendar_days",
    Column("school_id", Uuid, primary_key=True),
    Column("on_day", Date, primary_key=True),
    Column("school_year", SmallInteger, nullable=False),
    Column("lesson", Boolean, nullable=False),
    Column("note", Text, nullable=False),
    Column("school_grades", ARRAY(Text), nullable=False),
)
calendars = _table(
    "calendars",
    Column("school_id", Uuid, primary_key=True),
    Column("school_year", SmallInteger, primary_key=True),
    Column("version", Integer, nullable=False),
)
closures = _table(
    "closures",
    Column("id", Uuid, primary_key=True),
    Column("school_id", Uuid, nullable=False),
    Column("school_grade", Text, nullable=False),
    Column("class_id", Uuid),
    Column("starts_on", Date, nullable=False),
    Column("ends_on", Date, nullable=False),
    Column("reason", Text, nullable=False),
    Column("cancelled_at", DateTime(timezone=True)),
)
symbols = _table(
    "symbols",
    Column("school_year", SmallInteger, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("position", SmallInteger, nullable=False),
    Column("sign", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("late", Boolean, nullable=False),
    Column("early", Boolean, nullable=False),
    Column("shortcut", Text, nullable=False),
    Column("retired", Boolean, nullable=False),
)
reasons = _table(
    "reasons",
    Column("school_year", SmallInteger, primary_key=True),
    Column("position", SmallInteger, primary_key=True),
    Column("text", Text, nullable=False),
)
day_sheets = _table(
    "day_sheets",
    Column("class_id", Uuid, primary_key=True),
    Column("on_day", Date, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("taken_by", Uuid, nullable=False),
    Column("taken_at", DateTime(timezone=True), nullable=False),
)
marks = _table(
    "marks",
    Column("pupil_id", Uuid, primary_key=True),
    Column("on_day", Date, primary_key=True),
    Column("class_id", Uuid, nullable=False),
    Column("symbol", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("version", Integer, nullable=False),
)
mark_changes = _table(
    "mark_changes",
    Column("id", Uuid, primary_key=True),
    Column("pupil_id", Uuid, nullable=False),
    Column("on_day", Date, nullable=False),
    Column("class_id", Uuid, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("actor_id", Uuid, nullable=False),
    Column("before_symbol", Text, nullable=False),
    Column("before_reason", Text, nullable=False),
    Column("after_symbol", Text, nullable=False),
    Column("after_reason", Text, nullable=False),
    Column("why", Text, nullable=False),
)

# --- projections of other services' events; disposable, rebuilt from a snapshot -------------------------------------

school_copies = _table(
    "school_copies",
    Column("school_id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),
)
class_copies = _table(
    "class_copies",
    Column("class_id", Uuid, primary_key=True),
    Column("school_id", Uuid, nullable=False),
    Column("school_year", SmallInteger, nullable=False),
    Column("school_grade", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("version", Integer, nullable=False),
)
member_copies = _table(
    "member_copies",
    Column("class_id", Uuid, primary_key=True),
    Column("pupil_id", Uuid, primary_key=True),
    Column("starts_on", Date, primary_key=True),
    Column("ends_on", Date),
    Column("number", SmallInteger, nullable=False),
)
staff_copies = _table(
    "staff_copies",
    Column("staff_id", Uuid, primary_key=True),
    Column("version", Integer, nullable=False),
)
standing_copies = _table(
    "standing_copies",
    Column("staff_id", Uuid, primary_key=True),
    Column("position", SmallInteger, primary_key=True),
    Column("school_id", Uuid),
    Column("kind", Text, nullable=False),  # a post, or homeroom | assistant_homeroom | school_grade_head
    Column("class_id", Uuid),
    Column("school_grade", Text, nullable=False),
    Column("starts_on", Date, nullable=False),
    Column("ends_on", Date),
)
term_locks = _table(
    "term_locks",
    Column("school_id", Uuid, primary_key=True),
    Column("school_year", SmallInteger, primary_key=True),
    Column("term", Text, primary_key=True),
    Column("starts_on", Date, nullable=False),
    Column("ends_on", Date, nullable=False),
    Column("closed_at", DateTime(timezone=True), nullable=False),
)
