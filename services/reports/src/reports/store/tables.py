"""The tables of reports; the SQL of their making is in migrations."""

import sqlalchemy as sa

metadata = sa.MetaData()

documents = sa.Table(
    "documents",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("form", sa.Text),
    sa.Column("form_version", sa.Text),
    sa.Column("form_label", sa.Text),
    sa.Column("information_class", sa.SmallInteger),
    sa.Column("school_id", sa.Uuid),
    sa.Column("class_id", sa.Uuid),
    sa.Column("school_grade", sa.Text),
    sa.Column("school_year", sa.SmallInteger),
    sa.Column("term", sa.Text),
    sa.Column("purpose", sa.Text),
    sa.Column("counterpart_name", sa.Text),
    sa.Column("pages", sa.Integer),
    sa.Column("pdf", sa.LargeBinary),
    sa.Column("size", sa.BigInteger),
    sa.Column("sha256", sa.LargeBinary),
    sa.Column("data", sa.LargeBinary),
    sa.Column("data_sha256", sa.LargeBinary),
    sa.Column("notes", sa.ARRAY(sa.Text)),
    sa.Column("issued_at", sa.DateTime(timezone=True)),
    sa.Column("issued_by", sa.Uuid),
    sa.Column("retention_years", sa.SmallInteger),
    sa.Column("retention_basis", sa.Text),
    sa.Column("retained_until", sa.Date),
    sa.Column("idempotency_key", sa.Text),
)

document_subjects = sa.Table(
    "document_subjects",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("document_id", sa.Uuid, primary_key=True),
    sa.Column("pupil_id", sa.Uuid, primary_key=True),
    sa.Column("position", sa.SmallInteger),
    sa.Column("left_on", sa.Date),
)

print_orders = sa.Table(
    "print_orders",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("form", sa.Text),
    sa.Column("school_id", sa.Uuid),
    sa.Column("class_id", sa.Uuid),
    sa.Column("school_grade", sa.Text),
    sa.Column("school_year", sa.SmallInteger),
    sa.Column("term", sa.Text),
    sa.Column("purpose", sa.Text),
    sa.Column("counterpart_name", sa.Text),
    sa.Column("school_name", sa.Text),
    sa.Column("pupil_ids", sa.ARRAY(sa.Uuid)),
    sa.Column("labels", sa.ARRAY(sa.Text)),
    sa.Column("data", sa.LargeBinary),
    sa.Column("ordered_at", sa.DateTime(timezone=True)),
    sa.Column("ordered_by", sa.Uuid),
    sa.Column("idempotency_key", sa.Text),
)
