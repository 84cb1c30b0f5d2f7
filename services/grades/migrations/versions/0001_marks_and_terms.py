"""Marks, terms, the board's decisions, and what the register of roster says (projection)."""

from alembic import op
from servicekit.migrate import create_plumbing, tenant_table

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# What roster tells, so that rights and members need no call. Disposable: `python -m grades rebuild-projections`.
PROJECTION = {
    "schools": """
        CREATE TABLE schools (
            tenant_id text NOT NULL,
            school_id uuid NOT NULL,
            name text NOT NULL,
            kind text NOT NULL CHECK (kind IN ('elementary', 'lower_secondary')),
            version bigint NOT NULL,
            PRIMARY KEY (tenant_id, school_id)
        )""",
    "classes": """
        CREATE TABLE classes (
            tenant_id text NOT NULL,
            class_id uuid NOT NULL,
            school_id uuid NOT NULL,
            school_year int NOT NULL,
            school_grade text NOT NULL,
            name text NOT NULL,
            kind text NOT NULL CHECK (kind IN ('homeroom', 'special_needs', 'course')),
            version bigint NOT NULL,
            PRIMARY KEY (tenant_id, class_id)
        )""",
    "class_members": """
        CREATE TABLE class_members (
            tenant_id text NOT NULL,
            class_id uuid NOT NULL,
            pupil_id uuid NOT NULL,
            starts_on date NOT NULL,
            ends_on date,
            number int NOT NULL,
            PRIMARY KEY (tenant_id, class_id, pupil_id, starts_on)
        )""",
    "staff": """
        CREATE TABLE staff (
            tenant_id text NOT NULL,
            staff_id uuid NOT NULL,
            version bigint NOT NULL,
            PRIMARY KEY (tenant_id, staff_id)
        )""",
    "appointments": """
        CREATE TABLE appointments (
            tenant_id text NOT NULL,
            staff_id uuid NOT NULL,
            school_id uuid,
            post text NOT NULL,
            starts_on date NOT NULL,
            ends_on date
        )""",
    "duties": """
        CREATE TABLE duties (
            tenant_id text NOT NULL,
            duty_id uuid NOT NULL,
            staff_id uuid NOT NULL,
            kind text NOT NULL,
            school_id uuid NOT NULL,
            class_id uuid,
            subject text NOT NULL DEFAULT '',
            school_grade text NOT NULL DEFAULT '',
            starts_on date NOT NULL,
            ends_on date,
            PRIMARY KEY (tenant_id, duty_id)
        )""",
}

BOARD = {
    # 学校教育法施行令 29条1項: 学期 are the founder's.
    "board_terms": """
        CREATE TABLE board_terms (
            tenant_id text NOT NULL,
            school_year int NOT NULL,
            term text NOT NULL CHECK (term IN ('1', '2', '3', 'year')),
            label text NOT NULL,
            starts_on date NOT NULL,
            ends_on date NOT NULL CHECK (ends_on >= starts_on),
            PRIMARY KEY (tenant_id, school_year, term)
        )""",
    "board_parts": """
        CREATE TABLE board_parts (
            tenant_id text NOT NULL,
            school_year int NOT NULL,
            part text NOT NULL,
            use text NOT NULL CHECK (use IN ('required', 'optional', 'unused')),
            PRIMARY KEY (tenant_id, school_year, part)
        )""",
    "board_limits": """
        CREATE TABLE board_limits (
            tenant_id text NOT NULL,
            school_year int NOT NULL,
            column_key text NOT NULL,
            guidance_record boolean NOT NULL,
            max_characters int NOT NULL CHECK (max_characters BETWEEN 1 AND 2000),
            PRIMARY KEY (tenant_id, school_year, column_key, guidance_record)
        )""",
}

MARKS = {
    # A row from the first class of a school year on; saving holds it FOR SHARE, closing writes it.
    "terms": """
        CREATE TABLE terms (
            tenant_id text NOT NULL,
            school_id uuid NOT NULL,
            school_year int NOT NULL,
            term text NOT NULL CHECK (term IN ('1', '2', '3', 'year')),
            state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'closed')),
            version bigint NOT NULL DEFAULT 0,
            changed_by uuid,
            changed_at timestamptz,
            PRIMARY KEY (tenant_id, school_id, school_year, term)
        )""",
    "term_changes": """
        CREATE TABLE term_changes (
            tenant_id text NOT NULL,
            school_id uuid NOT NULL,
            school_year int NOT NULL,
            term text NOT NULL,
            version bigint NOT NULL,
            state text NOT NULL,
            reason text NOT NULL,
            actor_id uuid NOT NULL,
            at timestamptz NOT NULL,
            PRIMARY KEY (tenant_id, school_id, school_year, term, version)
        )""",
    # One row per cell that was ever filled; a cleared cell stays, empty, so its version never starts again.
    "cells": """
        CREATE TABLE cells (
            tenant_id text NOT NULL,
            school_id uuid NOT NULL,
            school_year int NOT NULL,
            pupil_id uuid NOT NULL,
            term text NOT NULL,
            subject text NOT NULL,
            column_key text NOT NULL,
            value text NOT NULL,
            version bigint NOT NULL,
            updated_by uuid NOT NULL,
            updated_at timestamptz NOT NULL,
            PRIMARY KEY (tenant_id, school_id, school_year, pupil_id, term, subject, column_key)
        )""",
    "cell_changes": """
        CREATE TABLE cell_changes (
            tenant_id text NOT NULL,
            school_id uuid NOT NULL,
            school_year int NOT NULL,
            pupil_id uuid NOT NULL,
            term text NOT NULL,
            subject text NOT NULL,
            column_key text NOT NULL,
            version bigint NOT NULL,
            before text NOT NULL,
            after text NOT NULL,
            actor_id uuid NOT NULL,
            at timestamptz NOT NULL,
            PRIMARY KEY (tenant_id, school_id, school_year, pupil_id, term, subject, column_key, version)
        )""",
    # What became of a save, without values, so that a save sent again is answered and not done again.
    "saves": """
        CREATE TABLE saves (
            tenant_id text NOT NULL,
            idempotency_key text NOT NULL,
            actor_id uuid NOT NULL,
            digest text NOT NULL,
            outcomes jsonb NOT NULL DEFAULT '[]',
            at timestamptz NOT NULL,
            PRIMARY KEY (tenant_id, actor_id, idempotency_key)
        )""",
}

INDEXES = (
    "CREATE INDEX ON classes (tenant_id, school_id, school_year)",
    "CREATE INDEX ON class_members (tenant_id, pupil_id)",
    "CREATE INDEX ON appointments (tenant_id, staff_id)",
    "CREATE INDEX ON duties (tenant_id, staff_id)",
    "CREATE INDEX ON cells (tenant_id, pupil_id)",
    "CREATE INDEX ON saves (tenant_id, at)",
)


def upgrade() -> None:
    create_plumbing(op)
    for tables in (PROJECTION, BOARD, MARKS):
        for name, statement in tables.items():
            op.execute(statement)
            tenant_table(op, name)
    for statement in INDEXES:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("Forward only: marks are never thrown away by a migration.")
