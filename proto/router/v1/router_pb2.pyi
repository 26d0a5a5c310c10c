from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class OutcomeKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OUTCOME_KIND_UNSPECIFIED: _ClassVar[OutcomeKind]
    OUTCOME_KIND_OK: _ClassVar[OutcomeKind]
    OUTCOME_KIND_CONNECT_FAILED: _ClassVar[OutcomeKind]
    OUTCOME_KIND_TIMEOUT: _ClassVar[OutcomeKind]
    OUTCOME_KIND_SERVER_ERROR: _ClassVar[OutcomeKind]
    OUTCOME_KIND_RATE_LIMITED: _ClassVar[OutcomeKind]
    OUTCOME_KIND_UNAUTHORIZED: _ClassVar[OutcomeKind]
    OUTCOME_KIND_CLIENT_ERROR: _ClassVar[OutcomeKind]
OUTCOME_KIND_UNSPECIFIED: OutcomeKind
OUTCOME_KIND_OK: OutcomeKind
OUTCOME_KIND_CONNECT_FAILED: OutcomeKind
OUTCOME_KIND_TIMEOUT: OutcomeKind
OUTCOME_KIND_SERVER_ERROR: OutcomeKind
OUTCOME_KIND_RATE_LIMITED: OutcomeKind
OUTCOME_KIND_UNAUTHORIZED: OutcomeKind
OUTCOME_KIND_CLIENT_ERROR: OutcomeKind

class PickRequest(_message.Message):
    __slots__ = ("pick_id", "model", "endpoint", "dialects", "group", "allowed_channels", "affinity", "traceparent")
    PICK_ID_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    DIALECTS_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    ALLOWED_CHANNELS_FIELD_NUMBER: _ClassVar[int]
    AFFINITY_FIELD_NUMBER: _ClassVar[int]
    TRACEPARENT_FIELD_NUMBER: _ClassVar[int]
    pick_id: int
    model: str
    endpoint: str
    dialects: _containers.RepeatedScalarFieldContainer[str]
    group: str
    allowed_channels: _containers.RepeatedScalarFieldContainer[str]
    affinity: str
    traceparent: str
    def __init__(self, pick_id: _Optional[int] = ..., model: _Optional[str] = ..., endpoint: _Optional[str] = ..., dialects: _Optional[_Iterable[str]] = ..., group: _Optional[str] = ..., allowed_channels: _Optional[_Iterable[str]] = ..., affinity: _Optional[str] = ..., traceparent: _Optional[str] = ...) -> None: ...

class Candidate(_message.Message):
    __slots__ = ("channel_id", "upstream_model", "dialect", "reason")
    CHANNEL_ID_FIELD_NUMBER: _ClassVar[int]
    UPSTREAM_MODEL_FIELD_NUMBER: _ClassVar[int]
    DIALECT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    channel_id: str
    upstream_model: str
    dialect: str
    reason: str
    def __init__(self, channel_id: _Optional[str] = ..., upstream_model: _Optional[str] = ..., dialect: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class Plan(_message.Message):
    __slots__ = ("pick_id", "candidates", "refusal", "retry_after_ms", "catalog_revision")
    PICK_ID_FIELD_NUMBER: _ClassVar[int]
    CANDIDATES_FIELD_NUMBER: _ClassVar[int]
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    RETRY_AFTER_MS_FIELD_NUMBER: _ClassVar[int]
    CATALOG_REVISION_FIELD_NUMBER: _ClassVar[int]
    pick_id: int
    candidates: _containers.RepeatedCompositeFieldContainer[Candidate]
    refusal: str
    retry_after_ms: int
    catalog_revision: int
    def __init__(self, pick_id: _Optional[int] = ..., candidates: _Optional[_Iterable[_Union[Candidate, _Mapping]]] = ..., refusal: _Optional[str] = ..., retry_after_ms: _Optional[int] = ..., catalog_revision: _Optional[int] = ...) -> None: ...

class RouteBatch(_message.Message):
    __slots__ = ("picks", "outcomes")
    PICKS_FIELD_NUMBER: _ClassVar[int]
    OUTCOMES_FIELD_NUMBER: _ClassVar[int]
    picks: _containers.RepeatedCompositeFieldContainer[PickRequest]
    outcomes: _containers.RepeatedCompositeFieldContainer[Outcome]
    def __init__(self, picks: _Optional[_Iterable[_Union[PickRequest, _Mapping]]] = ..., outcomes: _Optional[_Iterable[_Union[Outcome, _Mapping]]] = ...) -> None: ...

class PlanBatch(_message.Message):
    __slots__ = ("plans",)
    PLANS_FIELD_NUMBER: _ClassVar[int]
    plans: _containers.RepeatedCompositeFieldContainer[Plan]
    def __init__(self, plans: _Optional[_Iterable[_Union[Plan, _Mapping]]] = ...) -> None: ...

class Outcome(_message.Message):
    __slots__ = ("channel_id", "model", "kind", "first_byte_ms", "retry_after_ms")
    CHANNEL_ID_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    FIRST_BYTE_MS_FIELD_NUMBER: _ClassVar[int]
    RETRY_AFTER_MS_FIELD_NUMBER: _ClassVar[int]
    channel_id: str
    model: str
    kind: OutcomeKind
    first_byte_ms: int
    retry_after_ms: int
    def __init__(self, channel_id: _Optional[str] = ..., model: _Optional[str] = ..., kind: _Optional[_Union[OutcomeKind, str]] = ..., first_byte_ms: _Optional[int] = ..., retry_after_ms: _Optional[int] = ...) -> None: ...

class OutcomeBatch(_message.Message):
    __slots__ = ("origin", "outcomes")
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    OUTCOMES_FIELD_NUMBER: _ClassVar[int]
    origin: str
    outcomes: _containers.RepeatedCompositeFieldContainer[Outcome]
    def __init__(self, origin: _Optional[str] = ..., outcomes: _Optional[_Iterable[_Union[Outcome, _Mapping]]] = ...) -> None: ...

class ReportReply(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Considered(_message.Message):
    __slots__ = ("channel_id", "channel_name", "upstream_model", "chosen", "place", "reason", "dialect")
    CHANNEL_ID_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_NAME_FIELD_NUMBER: _ClassVar[int]
    UPSTREAM_MODEL_FIELD_NUMBER: _ClassVar[int]
    CHOSEN_FIELD_NUMBER: _ClassVar[int]
    PLACE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    DIALECT_FIELD_NUMBER: _ClassVar[int]
    channel_id: str
    channel_name: str
    upstream_model: str
    chosen: bool
    place: int
    reason: str
    dialect: str
    def __init__(self, channel_id: _Optional[str] = ..., channel_name: _Optional[str] = ..., upstream_model: _Optional[str] = ..., chosen: _Optional[bool] = ..., place: _Optional[int] = ..., reason: _Optional[str] = ..., dialect: _Optional[str] = ...) -> None: ...

class Explanation(_message.Message):
    __slots__ = ("considered", "refusal", "catalog_revision")
    CONSIDERED_FIELD_NUMBER: _ClassVar[int]
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    CATALOG_REVISION_FIELD_NUMBER: _ClassVar[int]
    considered: _containers.RepeatedCompositeFieldContainer[Considered]
    refusal: str
    catalog_revision: int
    def __init__(self, considered: _Optional[_Iterable[_Union[Considered, _Mapping]]] = ..., refusal: _Optional[str] = ..., catalog_revision: _Optional[int] = ...) -> None: ...
