from alembic import context
from servicekit.migrate import run_env

run_env(context.config.attributes["service"])
