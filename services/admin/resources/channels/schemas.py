"""The shapes of channels in the API. Credentials and header values go in and never come out."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints

from services.admin.clock import instant_text
from services.admin.store.schema import Channel
from services.admin.upstreams import providers
from services.admin.upstreams.rules import check_headers, check_secret
from services.admin.web.fields import (
    MAX_NAME,
    Distinct,
    Group,
    InstantText,
    ModelId,
    Name,
    Shown,
    Strict,
    clean_text,
    masked,
    unchanged,
)

MAX_MODELS = 5000
DialectName = Literal[
    "openai_chat", "openai_responses", "anthropic_messages", "gemini_generate", "bedrock_converse", "cohere_chat"
]
EndpointName = Literal["chat", "embeddings", "images", "audio", "video", "rerank", "ocr", "moderation", "realtime"]


def _provider(name: str) -> str:
    if not providers.known(name):
        raise ValueError("must be a known provider: " + ", ".join(providers.names()))
    return name


def _config(config: dict[str, str]) -> dict[str, str]:
    if len(config) > 32 or any(len(name) > 64 or len(value) > 1024 for name, value in config.items()):
        raise ValueError("must be at most 32 entries of at most 1024 characters")
    for text in (*config, *config.values()):
        clean_text(text)
    return config


def _mapping(mapping: dict[str, str]) -> dict[str, str]:
    if len(mapping) > MAX_MODELS:
        raise ValueError(f"must be at most {MAX_MODELS} entries")
    return mapping


ProviderName = Annotated[str, AfterValidator(_provider)]
Secret = Annotated[str, AfterValidator(check_secret)]
Headers = Annotated[dict[str, str], AfterValidator(check_headers)]
BaseUrl = Annotated[str, StringConstraints(max_length=2048)]
Models = Annotated[list[ModelId], Distinct, Field(min_length=1, max_length=MAX_MODELS)]
Dialects = Annotated[list[DialectName], Distinct]
Endpoints = Annotated[list[EndpointName], Distinct]
Groups = Annotated[list[Group], Distinct, Field(min_length=1, max_length=100)]
Mapping = Annotated[dict[ModelId, ModelId], AfterValidator(_mapping)]
Config = Annotated[dict[str, str], AfterValidator(_config)]
Priority = Annotated[int, Field(ge=-1_000_000, le=1_000_000)]
Weight = Annotated[int, Field(ge=0, le=1_000_000)]
PublicName = Annotated[str, StringConstraints(max_length=MAX_NAME), AfterValidator(clean_text)]
HiddenModels = Annotated[list[ModelId], Distinct, Field(max_length=MAX_MODELS)]
Seconds = Annotated[float, Field(gt=0, le=3600, allow_inf_nan=False)]


class LimitsGiven(Strict):
    """Null takes the gateway's default. Times are in seconds."""

    concurrency: int | None = Field(None, ge=1, le=1_000_000)
    max_output_tokens: int | None = Field(None, ge=1, le=100_000_000)
    connect_timeout_s: Seconds | None = None
    first_byte_timeout_s: Seconds | None = None
    idle_timeout_s: Seconds | None = None
    total_timeout_s: Seconds | None = None


class ChannelCreate(Strict):
    name: Name
    provider: ProviderName
    models: Models = Field(description="Ids that clients use.")
    base_url: BaseUrl = Field("", description="What the vendor's own SDK takes; the provider's default when empty.")
    api_key: Secret | None = None
    dialects: Dialects = Field(default_factory=list, description="Best first; the provider's when empty.")
    endpoints: Endpoints = Field(default_factory=list, description="The provider's when empty.")
    model_mapping: Mapping = Field(default_factory=dict, description="Client id to upstream id.")
    groups: Groups = Field(default_factory=lambda: ["default"], description='Account groups; "*" is every one.')
    priority: Priority = Field(0, description="Higher first.")
    weight: Weight = 1
    headers: Headers = Field(
        default_factory=dict,
        description="Sent with every request. Names that frame or route the request are refused; `authorization` "
        "and `x-api-key` are allowed, and replace what the provider makes of `api_key`.",
    )
    limits: LimitsGiven = Field(default_factory=lambda: LimitsGiven.model_validate({}))
    enabled: bool = True
    config: Config = Field(default_factory=dict)
    public_name: PublicName = Field(
        "",
        description="What public documents call the channel; its name when empty; numbered when others have it.",
    )
    hidden_models: HiddenModels = Field(
        default_factory=list,
        description='Models that clients can use and that no public document shows; "*" hides them all.',
    )


class ChannelPatch(Strict):
    name: Name = unchanged()
    provider: ProviderName = unchanged()
    models: Models = unchanged()
    base_url: BaseUrl = unchanged()
    api_key: Secret | None = unchanged()
    dialects: Dialects = unchanged()
    endpoints: Endpoints = unchanged()
    model_mapping: Mapping = unchanged()
    groups: Groups = unchanged()
    priority: Priority = unchanged()
    weight: Weight = unchanged()
    headers: Headers = unchanged()
    limits: LimitsGiven = unchanged()
    enabled: bool = unchanged()
    config: Config = unchanged()
    public_name: PublicName = unchanged()
    hidden_models: HiddenModels = unchanged()


class LimitsShown(Shown):
    concurrency: int | None = None
    max_output_tokens: int | None = None
    connect_timeout_s: float | None = None
    first_byte_timeout_s: float | None = None
    idle_timeout_s: float | None = None
    total_timeout_s: float | None = None


class ChannelShown(Shown):
    """`api_key` and `headers` are masks: the last four characters of a long key, and names without values."""

    id: str
    name: str
    provider: str
    models: list[str]
    base_url: str
    api_key: str | None
    dialects: list[str]
    endpoints: list[str]
    model_mapping: dict[str, str]
    groups: list[str]
    priority: int
    weight: int
    headers: dict[str, str]
    limits: LimitsShown
    enabled: bool
    config: dict[str, str]
    public_name: str
    hidden_models: list[str]
    created_at: InstantText
    updated_at: InstantText

    @classmethod
    def of(cls, row: Channel) -> "ChannelShown":
        defaults = providers.defaults(row.provider)
        return cls(
            id=row.id,
            name=row.name,
            provider=row.provider,
            models=row.models,
            base_url=row.base_url or defaults.base_url,
            api_key=row.api_key_last4 or None,
            dialects=row.dialects or list(defaults.dialects),
            endpoints=row.endpoints or list(defaults.endpoints),
            model_mapping=row.model_mapping,
            groups=row.groups,
            priority=row.priority,
            weight=row.weight,
            headers=masked(row.headers_sealed),
            limits=LimitsShown(**row.limits),
            enabled=row.enabled,
            config=row.config,
            public_name=row.public_name,
            hidden_models=row.hidden_models,
            created_at=instant_text(row.created_at_ms),
            updated_at=instant_text(row.updated_at_ms),
        )


class ProbeShown(Shown):
    """What the upstream said to a small request. `ok` means that it would serve."""

    ok: bool
    status: int | None = Field(description="The upstream's HTTP status, null when none came.")
    detail: str
    ms: int
    models_found: int | None = Field(description="How many models it lists, null when it doesn't say.")
    models_missing: list[str] = Field(description="Models of the channel that it doesn't list.")


def plain_columns(given: dict[str, Any]) -> dict[str, Any]:
    """Fields of a body as columns, without those that are sealed."""
    columns = {name: value for name, value in given.items() if name not in {"api_key", "headers"}}
    if "limits" in columns:
        columns["limits"] = columns["limits"].model_dump(exclude_none=True)
    return columns
