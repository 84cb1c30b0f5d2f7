"""The register: boards, schools, people, classes, enrolment, duties; staging for imports.

Revision ID: 0001
"""

from alembic import op
from servicekit.migrate import create_plumbing, tenant_table

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Text that orders people compares by code point: gojuon_key is made for that.
_TABLES = {
    "boards": """
        tenant_id text NOT NULL, id uuid NOT NULL, code text NOT NULL, name text NOT NULL,
        source_id text NOT NULL, PRIMARY KEY (tenant_id)""",
    "schools": """
        tenant_id text NOT NULL, id uuid NOT NULL, code text NOT NULL, name text NOT NULL, kind text NOT NULL,
        address text NOT NULL DEFAULT '', source_id text NOT NULL, closed_on date, version bigint NOT NULL DEFAULT 1,
        PRIMARY KEY (tenant_id, id)""",
    "persons": """
        tenant_id text NOT NULL, id uuid NOT NULL, kind text NOT NULL,
        display_family text NOT NULL, display_given text NOT NULL, display_middle text NOT NULL DEFAULT '',
        kana_family text NOT NULL, kana_given text NOT NULL, kana_middle text NOT NULL DEFAULT '',
        official_family text, official_given text, official_middle text,
        alias_family text, alias_given text, alias_middle text,
        named_on date NOT NULL, official_on date, alias_on date,
        sex text NOT NULL DEFAULT '', birth_on date, protected_address boolean NOT NULL DEFAULT false,
        prior_history text NOT NULL DEFAULT '', next_school text NOT NULL DEFAULT '',
        next_school_address text NOT NULL DEFAULT '',
        sort_key text COLLATE "C" NOT NULL, search_text text COLLATE "C" NOT NULL,
        source_id text NOT NULL DEFAULT '', gone_on date, version bigint NOT NULL DEFAULT 1,
        PRIMARY KEY (tenant_id, id)""",
    # What people were called before: persons holds today's names and since when.
    "former_names": """
        tenant_id text NOT NULL, person_id uuid NOT NULL, kind text NOT NULL, starts_on date NOT NULL,
        ends_on date NOT NULL, family text NOT NULL, given text NOT NULL, middle text NOT NULL DEFAULT '',
        PRIMARY KEY (tenant_id, person_id, kind, starts_on)""",
    "addresses": """
        tenant_id text NOT NULL, person_id uuid NOT NULL, starts_on date NOT NULL, ends_on date,
        postal_code text NOT NULL DEFAULT '', text text NOT NULL,
        PRIMARY KEY (tenant_id, person_id, starts_on)""",
    "guardians": """
        tenant_id text NOT NULL, pupil_id uuid NOT NULL, id uuid NOT NULL, rank smallint NOT NULL,
        relationship text NOT NULL DEFAULT '',
        display_family text NOT NULL, display_given text NOT NULL, display_middle text NOT NULL DEFAULT '',
        kana_family text NOT NULL, kana_given text NOT NULL, kana_middle text NOT NULL DEFAULT '',
        official_family text, official_given text, official_middle text,
        phone text NOT NULL DEFAULT '', address text NOT NULL DEFAULT '', starts_on date NOT NULL, ends_on date,
        PRIMARY KEY (tenant_id, pupil_id, id, starts_on)""",
    "classes": """
        tenant_id text NOT NULL, id uuid NOT NULL, school_id uuid NOT NULL, school_year smallint NOT NULL,
        school_grade text NOT NULL, name text NOT NULL, kind text NOT NULL, subject text NOT NULL DEFAULT '',
        source_id text NOT NULL DEFAULT '', withdrawn_on date, version bigint NOT NULL DEFAULT 1,
        PRIMARY KEY (tenant_id, id)""",
    "class_members": """
        tenant_id text NOT NULL, class_id uuid NOT NULL, pupil_id uuid NOT NULL, number smallint NOT NULL,
        starts_on date NOT NULL, ends_on date,
        PRIMARY KEY (tenant_id, class_id, pupil_id, starts_on),
        CHECK (ends_on IS NULL OR ends_on >= starts_on - 1)""",
    "enrolments": """
        tenant_id text NOT NULL, id uuid NOT NULL, pupil_id uuid NOT NULL, school_id uuid NOT NULL,
        starts_on date NOT NULL, ends_on date, state text NOT NULL, entered_by text NOT NULL,
        left_by text NOT NULL DEFAULT '', school_grade text NOT NULL, transfer_id uuid,
        version bigint NOT NULL DEFAULT 1,
        PRIMARY KEY (tenant_id, id), CHECK (ends_on IS NULL OR ends_on >= starts_on)""",
    "enrolment_events": """
        tenant_id text NOT NULL, id uuid NOT NULL, enrolment_id uuid NOT NULL, pupil_id uuid NOT NULL,
        kind text NOT NULL, school_id uuid NOT NULL, effective_on date, left_on date,
        school_grade text NOT NULL DEFAULT '', counterpart_name text NOT NULL DEFAULT '',
        counterpart_address text NOT NULL DEFAULT '', reason text NOT NULL DEFAULT '',
        recorded_at timestamptz NOT NULL, recorded_by uuid, struck_at timestamptz, struck_by uuid,
        strike_reason text NOT NULL DEFAULT '', transfer_id uuid,
        PRIMARY KEY (tenant_id, id)""",
    # What happened at schools of other boards, as it came with the child: history, never mixed with ours.
    "former_enrolments": """
        tenant_id text NOT NULL, pupil_id uuid NOT NULL, transfer_id uuid NOT NULL, position smallint NOT NULL,
        school_code text NOT NULL, school_name text NOT NULL, school_address text NOT NULL, events jsonb NOT NULL,
        PRIMARY KEY (tenant_id, pupil_id, transfer_id, position)""",
    "appointments": """
        tenant_id text NOT NULL, id uuid NOT NULL, staff_id uuid NOT NULL, school_id uuid, post text NOT NULL,
        starts_on date NOT NULL, ends_on date,
        PRIMARY KEY (tenant_id, id)""",
    "duties": """
        tenant_id text NOT NULL, id uuid NOT NULL, kind text NOT NULL, staff_id uuid NOT NULL, school_id uuid NOT NULL,
        class_id uuid, subject text NOT NULL DEFAULT '', school_grade text NOT NULL DEFAULT '',
        starts_on date NOT NULL, ends_on date,
        PRIMARY KEY (tenant_id, id)""",
    "imports": """
        tenant_id text NOT NULL, id uuid NOT NULL, source text NOT NULL, bulk boolean NOT NULL,
        supplement boolean NOT NULL, school_year smallint NOT NULL, state text NOT NULL, rows bigint NOT NULL,
        staged_at timestamptz NOT NULL, staged_by uuid, job_id uuid, applied_at timestamptz, change jsonb,
        PRIMARY KEY (tenant_id, id)""",
}

# Rows between upload and apply. Unlogged: after a crash the file is simply staged again.
_STAGING = {
    "stage_orgs": """
        tenant_id text NOT NULL, import_id uuid NOT NULL, id uuid NOT NULL, source_id text NOT NULL,
        name text NOT NULL, code text NOT NULL, kind text NOT NULL, address text NOT NULL""",
    "stage_classes": """
        tenant_id text NOT NULL, import_id uuid NOT NULL, id uuid NOT NULL, source_id text NOT NULL,
        school_id uuid NOT NULL, school_year smallint NOT NULL, school_grade text NOT NULL, name text NOT NULL,
        kind text NOT NULL, subject text NOT NULL""",
    "stage_people": """
        tenant_id text NOT NULL, import_id uuid NOT NULL, id uuid NOT NULL, source_id text NOT NULL, kind text NOT NULL,
        display_family text NOT NULL, display_given text NOT NULL, display_middle text NOT NULL,
        kana_family text NOT NULL, kana_given text NOT NULL, kana_middle text NOT NULL,
        school_id uuid, school_grade text NOT NULL, home_class_id uuid,
        sort_key text COLLATE "C" NOT NULL, search_text text COLLATE "C" NOT NULL""",
    "stage_members": """
        tenant_id text NOT NULL, import_id uuid NOT NULL, class_id uuid NOT NULL, person_id uuid,
        person_source_id text NOT NULL, number smallint NOT NULL, starts_on date NOT NULL, ends_on date""",
    "stage_appointments": """
        tenant_id text NOT NULL, import_id uuid NOT NULL, id uuid NOT NULL, person_id uuid,
        person_source_id text NOT NULL, org_id uuid NOT NULL, post text NOT NULL, starts_on date NOT NULL,
        ends_on date""",
    "stage_duties": """
        tenant_id text NOT NULL, import_id uuid NOT NULL, id uuid NOT NULL, person_id uuid,
        person_source_id text NOT NULL, class_id uuid NOT NULL, kind text NOT NULL, subject text NOT NULL,
        starts_on date NOT NULL, ends_on date""",
    "stage_supplements": """
        tenant_id text NOT NULL, import_id uuid NOT NULL, person_id uuid NOT NULL,
        official_family text, official_given text, official_middle text,
        alias_family text, alias_given text, alias_middle text,
        sex text NOT NULL, birth_on date, postal_code text NOT NULL, address text NOT NULL, address_on date,
        admitted_on date, prior_history text NOT NULL, protected_address boolean NOT NULL,
        search_text text COLLATE "C" NOT NULL""",
    "stage_guardians": """
        tenant_id text NOT NULL, import_id uuid NOT NULL, pupil_id uuid NOT NULL, id uuid NOT NULL,
        rank smallint NOT NULL, relationship text NOT NULL,
        display_family text NOT NULL, display_given text NOT NULL, display_middle text NOT NULL,
        kana_family text NOT NULL, kana_given text NOT NULL, kana_middle text NOT NULL,
        official_family text, official_given text, official_middle text,
        phone text NOT NULL, address text NOT NULL""",
}

_INDEXES = """
    CREATE UNIQUE INDEX schools_by_code ON schools (tenant_id, code) WHERE closed_on IS NULL;
    CREATE INDEX persons_in_order ON persons (tenant_id, kind, sort_key, id);
    CREATE INDEX classes_of_school ON classes (tenant_id, school_id, school_year);
    CREATE INDEX class_members_of_pupil ON class_members (tenant_id, pupil_id);
    CREATE UNIQUE INDEX enrolments_one_open ON enrolments (tenant_id, pupil_id) WHERE ends_on IS NULL;
    CREATE INDEX enrolments_of_pupil ON enrolments (tenant_id, pupil_id);
    CREATE UNIQUE INDEX enrolments_by_transfer ON enrolments (tenant_id, transfer_id) WHERE transfer_id IS NOT NULL;
    CREATE INDEX enrolment_events_of_pupil ON enrolment_events (tenant_id, pupil_id);
    CREATE INDEX appointments_of_staff ON appointments (tenant_id, staff_id);
    CREATE INDEX appointments_of_school ON appointments (tenant_id, school_id);
    CREATE INDEX duties_of_staff ON duties (tenant_id, staff_id);
    CREATE INDEX duties_of_class ON duties (tenant_id, class_id);
"""


def upgrade() -> None:
    create_plumbing(op)
    for name, columns in _TABLES.items():
        op.execute(f"CREATE TABLE {name} ({columns})")
        tenant_table(op, name)
    for name, columns in _STAGING.items():
        op.execute(f"CREATE UNLOGGED TABLE {name} ({columns})")
        tenant_table(op, name)
    for statement in filter(None, map(str.strip, _INDEXES.split(";"))):
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("Komu goes forward: a mistake is corrected by the next migration.")
