"""How Alembic reaches the database: the runner hands over an open connection; models come from `bodycam.models`."""

from alembic import context

from bodycam.models import Base

with_connection = context.config.attributes["connection"]
context.configure(
    connection=with_connection,
    target_metadata=Base.metadata,
    render_as_batch=True,  # SQLite can't alter a table in place
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
