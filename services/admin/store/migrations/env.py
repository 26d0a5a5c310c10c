"""What Alembic runs: the steps, on the connection and in the transaction that `upgrade` made."""

from alembic import context

from services.admin.store.schema import Table

context.configure(connection=context.config.attributes["connection"], target_metadata=Table.metadata)
context.run_migrations()
