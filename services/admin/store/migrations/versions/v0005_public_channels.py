"""A channel says what public documents call it, and which of its models they leave out."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Adds the columns. Channels that there are go by their own names and hide nothing."""
    op.add_column("channels", sa.Column("public_name", sa.String(), nullable=False, server_default=""))
    op.add_column(
        "channels", sa.Column("hidden_models", sa.JSON(none_as_null=True), nullable=False, server_default="[]")
    )
