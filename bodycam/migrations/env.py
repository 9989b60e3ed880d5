"""How Alembic reaches the database: the runner hands over an open connection; models come from `bodycam.models`."""

from typing import Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext

from bodycam.db import UtcDateTime
from bodycam.models import Base


def render(kind: str, item: object, autogen: AutogenContext) -> str | Literal[False]:  # noqa: ARG001  Alembic's signature
    """Write our time type as what it is in the database: a migration must not depend on today's code."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, UtcDateTime) else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,  # SQLite can't alter a table in place
    compare_type=True,
    render_item=render,
)
with context.begin_transaction():
    context.run_migrations()
