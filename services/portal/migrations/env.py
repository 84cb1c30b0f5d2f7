"""Alembic environment of the portal's own tables."""

from servicekit.migrate import run_env

run_env("portal")
