"""What a stored answer answers is kept inside its seal: a hash beside it lets one guess at the request."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Drops the column, and the answers whose seal doesn't hold it yet: the migration can't seal."""
    op.execute(sa.text("DELETE FROM replays"))
    op.drop_column("replays", "fingerprint")
