"""What Alembic runs before the steps.

Enters: the connection that ``migrating`` hands over, inside its transaction. Leaves: the steps, run. It does
not know the address of the database.
"""

from alembic import context

from leafsight.state.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,  # SQLite cannot alter most things in place
)
with context.begin_transaction():
    context.run_migrations()
