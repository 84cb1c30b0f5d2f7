"""Alembic's entry: the kit does the rest."""

from servicekit.migrate import run_env

run_env("learning")
