"""The query of the list of models: each condition as text, several values by commas or by repeating the name."""

from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, Field, StringConstraints

from services.admin.public.display.filters import KINDS, Filters
from services.admin.web.fields import Query

MAX_VALUES = 50


def _parts(value: object) -> object:
    if not isinstance(value, list):
        return value
    return [part.strip() for text in value for part in str(text).split(",") if part.strip()]


Values = Annotated[
    list[Annotated[str, StringConstraints(max_length=200)]], BeforeValidator(_parts), Field(max_length=MAX_VALUES)
]


class ModelsQuery(Query):
    """Every condition must hold. What isn't known of a model doesn't meet a condition."""

    keyword: str = Field("", max_length=200, description="In the model's id or the channel's name.")
    channel_type: Values = Field(default_factory=list, description="Providers' names or numbers; any of them.")
    input_modality: Values = Field(default_factory=list)
    output_modality: Values = Field(default_factory=list)
    feature: Values = Field(default_factory=list, description="All of them.")
    reasoning_effort: Values = Field(default_factory=list, description="Any of them.")
    min_context_length: int | None = Field(None, ge=0)
    max_input_price: Decimal | None = Field(None, ge=0, description="USD per million tokens.")
    has_image: bool | None = None
    has_video: bool | None = None
    has_audio: bool | None = None
    has_embedding: bool | None = None
    has_reasoning: bool | None = None
    has_tools: bool | None = None
    has_web_search: bool | None = None
    has_structured_outputs: bool | None = None

    def filters(self) -> Filters:
        """The conditions."""
        asked = ((kind, getattr(self, f"has_{kind}")) for kind in KINDS)
        return Filters(
            keyword=self.keyword.strip(),
            channel_types=tuple(self.channel_type),
            reasoning_efforts=tuple(self.reasoning_effort),
            input_modalities=tuple(self.input_modality),
            output_modalities=tuple(self.output_modality),
            features=tuple(self.feature),
            min_context_length=self.min_context_length,
            max_input_price=self.max_input_price,
            has=tuple((kind, has) for kind, has in asked if has is not None),
        )
