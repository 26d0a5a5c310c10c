"""A key says whether its requests are refused when something of them would be lost on their way."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Adds the column. Keys that there are go on as before."""
    op.add_column("keys", sa.Column("strict", sa.Boolean(), nullable=False, server_default=sa.false()))
