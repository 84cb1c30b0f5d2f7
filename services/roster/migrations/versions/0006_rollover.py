"""年度更新の準備: a rehearsal year beside the real one, and the ledger of 卒業証書.

Revision ID: 0006
"""

from alembic import op
from servicekit.migrate import tenant_table

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_TABLES = {
    # `revision` counts every change of a rehearsal: who asks with the last one seen gets what came after it.
    "rollovers": """
        tenant_id text NOT NULL, id uuid NOT NULL, school_id uuid NOT NULL, school_year smallint NOT NULL,
        state text NOT NULL, revision bigint NOT NULL DEFAULT 1, number_order text NOT NULL DEFAULT 'mixed',
        certificate_from integer NOT NULL DEFAULT 1, certificate_order text NOT NULL DEFAULT 'class',
        graduated_on date NOT NULL, created_at timestamptz NOT NULL, created_by uuid, job_id uuid,
        published_at timestamptz, published_by uuid, attendance_on date, undone_at timestamptz, undone_by uuid,
        PRIMARY KEY (tenant_id, id), UNIQUE (tenant_id, school_id, school_year)""",
    # `id` is the class's own from the day it is published.
    "rollover_classes": """
        tenant_id text NOT NULL, rollover_id uuid NOT NULL, id uuid NOT NULL, school_grade text NOT NULL,
        name text NOT NULL, kind text NOT NULL, position smallint NOT NULL, homeroom_staff_id uuid,
        version bigint NOT NULL DEFAULT 1, published_version bigint,
        PRIMARY KEY (tenant_id, rollover_id, id)""",
    # `class_id` and `number` of the coming year; family … birth_on of a child that is not in the register yet.
    "rollover_pupils": """
        tenant_id text NOT NULL, rollover_id uuid NOT NULL, pupil_id uuid NOT NULL, enrolment_id uuid,
        outcome text NOT NULL, from_school_grade text NOT NULL DEFAULT '', from_class_id uuid,
        from_number smallint NOT NULL DEFAULT 0, school_grade text NOT NULL DEFAULT '', class_id uuid,
        number smallint NOT NULL DEFAULT 0, certificate integer, care text NOT NULL DEFAULT '',
        band smallint NOT NULL DEFAULT 0, family text NOT NULL DEFAULT '', given text NOT NULL DEFAULT '',
        kana_family text NOT NULL DEFAULT '', kana_given text NOT NULL DEFAULT '', sex text NOT NULL DEFAULT '',
        birth_on date, sort_key text COLLATE "C" NOT NULL DEFAULT '', search_text text COLLATE "C" NOT NULL DEFAULT '',
        version bigint NOT NULL DEFAULT 1, revision bigint NOT NULL DEFAULT 1, moved_at timestamptz, moved_by uuid,
        published_version bigint, PRIMARY KEY (tenant_id, rollover_id, pupil_id)""",
    "rollover_pairs": """
        tenant_id text NOT NULL, rollover_id uuid NOT NULL, first_id uuid NOT NULL, second_id uuid NOT NULL,
        kind text NOT NULL, PRIMARY KEY (tenant_id, rollover_id, first_id, second_id), CHECK (first_id < second_id)""",
    # Memberships and duties of the past year whose last day a publication set, with the day before: for an undo.
    "rollover_ended": """
        tenant_id text NOT NULL, rollover_id uuid NOT NULL, kind text NOT NULL, id uuid NOT NULL,
        person_id uuid NOT NULL, starts_on date NOT NULL, ends_on date, ended_on date NOT NULL,
        PRIMARY KEY (tenant_id, rollover_id, kind, id, person_id, starts_on)""",
    # 卒業証書授与台帳: kept for good.
    "graduation_certificates": """
        tenant_id text NOT NULL, school_id uuid NOT NULL, number integer NOT NULL, pupil_id uuid NOT NULL,
        rollover_id uuid NOT NULL, graduated_on date NOT NULL, PRIMARY KEY (tenant_id, school_id, number)""",
}

_INDEXES = """
    CREATE INDEX rollover_classes_by_id ON rollover_classes (tenant_id, id);
    CREATE INDEX enrolments_open_of_school ON enrolments (tenant_id, school_id) WHERE ends_on IS NULL;
    CREATE INDEX graduation_certificates_of_rollover ON graduation_certificates (tenant_id, rollover_id);
"""


def upgrade() -> None:
    for name, columns in _TABLES.items():
        op.execute(f"CREATE TABLE {name} ({columns})")
        tenant_table(op, name)
    for statement in filter(None, map(str.strip, _INDEXES.split(";"))):
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("Komu goes forward: a mistake is corrected by the next migration.")
