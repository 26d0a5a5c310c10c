from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class UsageBatch(_message.Message):
    __slots__ = ("edge_id", "spool_epoch", "first_offset", "end_offset", "events", "syncs")
    EDGE_ID_FIELD_NUMBER: _ClassVar[int]
    SPOOL_EPOCH_FIELD_NUMBER: _ClassVar[int]
    FIRST_OFFSET_FIELD_NUMBER: _ClassVar[int]
    END_OFFSET_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    SYNCS_FIELD_NUMBER: _ClassVar[int]
    edge_id: str
    spool_epoch: str
    first_offset: int
    end_offset: int
    events: _containers.RepeatedCompositeFieldContainer[UsageSettled]
    syncs: _containers.RepeatedCompositeFieldContainer[SpoolSync]
    def __init__(self, edge_id: _Optional[str] = ..., spool_epoch: _Optional[str] = ..., first_offset: _Optional[int] = ..., end_offset: _Optional[int] = ..., events: _Optional[_Iterable[_Union[UsageSettled, _Mapping]]] = ..., syncs: _Optional[_Iterable[_Union[SpoolSync, _Mapping]]] = ...) -> None: ...

class UsageSettled(_message.Message):
    __slots__ = ("event_id", "request_id", "account_id", "user_id", "key_id", "client_request_id", "endpoint", "model", "channel_id", "attempts", "usage", "evidence", "price", "amount_nano", "house_nano", "reserved_nano", "scopes", "outcome", "reserved_at_ms", "ended_at_ms", "edge_id", "traceparent", "trace_id", "loss", "streamed", "status", "first_byte_ms", "duration_ms", "version")
    class UsageEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    CLIENT_REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_ID_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_NANO_FIELD_NUMBER: _ClassVar[int]
    HOUSE_NANO_FIELD_NUMBER: _ClassVar[int]
    RESERVED_NANO_FIELD_NUMBER: _ClassVar[int]
    SCOPES_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    RESERVED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    ENDED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    EDGE_ID_FIELD_NUMBER: _ClassVar[int]
    TRACEPARENT_FIELD_NUMBER: _ClassVar[int]
    TRACE_ID_FIELD_NUMBER: _ClassVar[int]
    LOSS_FIELD_NUMBER: _ClassVar[int]
    STREAMED_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    FIRST_BYTE_MS_FIELD_NUMBER: _ClassVar[int]
    DURATION_MS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    request_id: str
    account_id: str
    user_id: str
    key_id: str
    client_request_id: str
    endpoint: str
    model: str
    channel_id: str
    attempts: _containers.RepeatedCompositeFieldContainer[Attempt]
    usage: _containers.ScalarMap[str, int]
    evidence: str
    price: AppliedPrice
    amount_nano: int
    house_nano: int
    reserved_nano: int
    scopes: _containers.RepeatedScalarFieldContainer[str]
    outcome: str
    reserved_at_ms: int
    ended_at_ms: int
    edge_id: str
    traceparent: str
    trace_id: str
    loss: _containers.RepeatedScalarFieldContainer[str]
    streamed: bool
    status: int
    first_byte_ms: int
    duration_ms: int
    version: int
    def __init__(self, event_id: _Optional[str] = ..., request_id: _Optional[str] = ..., account_id: _Optional[str] = ..., user_id: _Optional[str] = ..., key_id: _Optional[str] = ..., client_request_id: _Optional[str] = ..., endpoint: _Optional[str] = ..., model: _Optional[str] = ..., channel_id: _Optional[str] = ..., attempts: _Optional[_Iterable[_Union[Attempt, _Mapping]]] = ..., usage: _Optional[_Mapping[str, int]] = ..., evidence: _Optional[str] = ..., price: _Optional[_Union[AppliedPrice, _Mapping]] = ..., amount_nano: _Optional[int] = ..., house_nano: _Optional[int] = ..., reserved_nano: _Optional[int] = ..., scopes: _Optional[_Iterable[str]] = ..., outcome: _Optional[str] = ..., reserved_at_ms: _Optional[int] = ..., ended_at_ms: _Optional[int] = ..., edge_id: _Optional[str] = ..., traceparent: _Optional[str] = ..., trace_id: _Optional[str] = ..., loss: _Optional[_Iterable[str]] = ..., streamed: _Optional[bool] = ..., status: _Optional[int] = ..., first_byte_ms: _Optional[int] = ..., duration_ms: _Optional[int] = ..., version: _Optional[int] = ...) -> None: ...

class Attempt(_message.Message):
    __slots__ = ("channel_id", "upstream_model", "status", "outcome", "ms")
    CHANNEL_ID_FIELD_NUMBER: _ClassVar[int]
    UPSTREAM_MODEL_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    MS_FIELD_NUMBER: _ClassVar[int]
    channel_id: str
    upstream_model: str
    status: int
    outcome: str
    ms: int
    def __init__(self, channel_id: _Optional[str] = ..., upstream_model: _Optional[str] = ..., status: _Optional[int] = ..., outcome: _Optional[str] = ..., ms: _Optional[int] = ...) -> None: ...

class AppliedPrice(_message.Message):
    __slots__ = ("id", "pico_per_unit")
    class PicoPerUnitEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    ID_FIELD_NUMBER: _ClassVar[int]
    PICO_PER_UNIT_FIELD_NUMBER: _ClassVar[int]
    id: str
    pico_per_unit: _containers.ScalarMap[str, int]
    def __init__(self, id: _Optional[str] = ..., pico_per_unit: _Optional[_Mapping[str, int]] = ...) -> None: ...

class SpoolSync(_message.Message):
    __slots__ = ("account_id", "rebuild_id", "edge_id", "open")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    REBUILD_ID_FIELD_NUMBER: _ClassVar[int]
    EDGE_ID_FIELD_NUMBER: _ClassVar[int]
    OPEN_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    rebuild_id: str
    edge_id: str
    open: _containers.RepeatedCompositeFieldContainer[OpenReservation]
    def __init__(self, account_id: _Optional[str] = ..., rebuild_id: _Optional[str] = ..., edge_id: _Optional[str] = ..., open: _Optional[_Iterable[_Union[OpenReservation, _Mapping]]] = ...) -> None: ...

class OpenReservation(_message.Message):
    __slots__ = ("request_id", "amount_nano", "scopes", "lease_end_ms", "key_id", "user_id", "model", "reserved_at_ms")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_NANO_FIELD_NUMBER: _ClassVar[int]
    SCOPES_FIELD_NUMBER: _ClassVar[int]
    LEASE_END_MS_FIELD_NUMBER: _ClassVar[int]
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    RESERVED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    amount_nano: int
    scopes: _containers.RepeatedScalarFieldContainer[str]
    lease_end_ms: int
    key_id: str
    user_id: str
    model: str
    reserved_at_ms: int
    def __init__(self, request_id: _Optional[str] = ..., amount_nano: _Optional[int] = ..., scopes: _Optional[_Iterable[str]] = ..., lease_end_ms: _Optional[int] = ..., key_id: _Optional[str] = ..., user_id: _Optional[str] = ..., model: _Optional[str] = ..., reserved_at_ms: _Optional[int] = ...) -> None: ...

class CreditGranted(_message.Message):
    __slots__ = ("event_id", "credit_id", "account_id", "amount_nano", "reason", "granted_at_ms", "granted_by")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    CREDIT_ID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_NANO_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    GRANTED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    GRANTED_BY_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    credit_id: str
    account_id: str
    amount_nano: int
    reason: str
    granted_at_ms: int
    granted_by: str
    def __init__(self, event_id: _Optional[str] = ..., credit_id: _Optional[str] = ..., account_id: _Optional[str] = ..., amount_nano: _Optional[int] = ..., reason: _Optional[str] = ..., granted_at_ms: _Optional[int] = ..., granted_by: _Optional[str] = ...) -> None: ...

class CatalogChanged(_message.Message):
    __slots__ = ("kind", "id", "revision", "deleted", "payload", "traceparent", "changed_at_ms")
    KIND_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    DELETED_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    TRACEPARENT_FIELD_NUMBER: _ClassVar[int]
    CHANGED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    kind: str
    id: str
    revision: int
    deleted: bool
    payload: bytes
    traceparent: str
    changed_at_ms: int
    def __init__(self, kind: _Optional[str] = ..., id: _Optional[str] = ..., revision: _Optional[int] = ..., deleted: _Optional[bool] = ..., payload: _Optional[bytes] = ..., traceparent: _Optional[str] = ..., changed_at_ms: _Optional[int] = ...) -> None: ...

class KeyRehash(_message.Message):
    __slots__ = ("old_hash", "new_hash", "proof")
    OLD_HASH_FIELD_NUMBER: _ClassVar[int]
    NEW_HASH_FIELD_NUMBER: _ClassVar[int]
    PROOF_FIELD_NUMBER: _ClassVar[int]
    old_hash: str
    new_hash: str
    proof: bytes
    def __init__(self, old_hash: _Optional[str] = ..., new_hash: _Optional[str] = ..., proof: _Optional[bytes] = ...) -> None: ...
