"""Hashes say which pepper they were made with, and keys and tokens keep the secret before for a while."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Adds the columns. What is there says nothing of its pepper: the migration doesn't know the secret key."""
    for table in ("keys", "tokens", "sessions"):
        op.add_column(table, sa.Column("hash_version", sa.String(), nullable=False, server_default=""))
    for table in ("keys", "tokens"):
        op.add_column(table, sa.Column("previous_hash", sa.String(), nullable=True))
        op.add_column(table, sa.Column("previous_hash_version", sa.String(), nullable=True))
        op.add_column(table, sa.Column("previous_hint", sa.String(), nullable=True))
        op.add_column(table, sa.Column("previous_ends_at_ms", sa.BigInteger(), nullable=True))
        op.create_index(f"ix_{table}_previous_hash", table, ["previous_hash"], unique=True)
        op.create_index(f"ix_{table}_previous_ends_at_ms", table, ["previous_ends_at_ms"], unique=False)
