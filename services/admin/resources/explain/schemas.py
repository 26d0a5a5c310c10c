"""The shapes of a question to the router and of its answer."""

from typing import Annotated

from pydantic import Field, StringConstraints

from services.admin.web.fields import Group, Identity, ModelId, Shown, Strict

Word = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,40}$")]


class ExplainAsked(Strict):
    """Which request to explain. `key_id` stands for the group and channels of a key; `account_id` for a group."""

    model: ModelId
    endpoint: Word = "chat"
    dialects: list[Word] = Field(
        default_factory=list,
        max_length=10,
        description="The client's own, then those that it may be converted to; when empty, those of the endpoint.",
    )
    key_id: Identity | None = None
    account_id: Identity | None = None
    group: Group | None = None
    channels: list[Identity] = Field(default_factory=list, max_length=1000, description="Any when empty.")
    affinity: Annotated[str, StringConstraints(max_length=200)] = ""


class ConsideredShown(Shown):
    channel_id: str
    channel_name: str
    upstream_model: str
    dialect: str | None = Field(description="What would be spoken there; null when not chosen.")
    chosen: bool
    place: int | None = Field(description="1 is the primary; null when not chosen.")
    reason: str


class ExplanationShown(Shown):
    considered: list[ConsideredShown]
    refusal: str | None
    catalog_revision: int
