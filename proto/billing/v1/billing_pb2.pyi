from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetReceiptRequest(_message.Message):
    __slots__ = ("request_id", "account_id", "key_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    account_id: str
    key_id: str
    def __init__(self, request_id: _Optional[str] = ..., account_id: _Optional[str] = ..., key_id: _Optional[str] = ...) -> None: ...

class Receipt(_message.Message):
    __slots__ = ("request_id", "json")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    JSON_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    json: bytes
    def __init__(self, request_id: _Optional[str] = ..., json: _Optional[bytes] = ...) -> None: ...

class ListReceiptsRequest(_message.Message):
    __slots__ = ("account_id", "key_id", "user_id", "model", "channel_id", "outcome", "from_ms", "to_ms", "limit", "cursor")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_ID_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    FROM_MS_FIELD_NUMBER: _ClassVar[int]
    TO_MS_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    key_id: str
    user_id: str
    model: str
    channel_id: str
    outcome: str
    from_ms: int
    to_ms: int
    limit: int
    cursor: str
    def __init__(self, account_id: _Optional[str] = ..., key_id: _Optional[str] = ..., user_id: _Optional[str] = ..., model: _Optional[str] = ..., channel_id: _Optional[str] = ..., outcome: _Optional[str] = ..., from_ms: _Optional[int] = ..., to_ms: _Optional[int] = ..., limit: _Optional[int] = ..., cursor: _Optional[str] = ...) -> None: ...

class ListReceiptsReply(_message.Message):
    __slots__ = ("receipts", "next_cursor")
    RECEIPTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    receipts: _containers.RepeatedCompositeFieldContainer[Receipt]
    next_cursor: str
    def __init__(self, receipts: _Optional[_Iterable[_Union[Receipt, _Mapping]]] = ..., next_cursor: _Optional[str] = ...) -> None: ...

class GetUsageRequest(_message.Message):
    __slots__ = ("from_ms", "to_ms", "group_by", "account_id", "key_id", "user_id", "model", "channel_id")
    FROM_MS_FIELD_NUMBER: _ClassVar[int]
    TO_MS_FIELD_NUMBER: _ClassVar[int]
    GROUP_BY_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_ID_FIELD_NUMBER: _ClassVar[int]
    from_ms: int
    to_ms: int
    group_by: _containers.RepeatedScalarFieldContainer[str]
    account_id: str
    key_id: str
    user_id: str
    model: str
    channel_id: str
    def __init__(self, from_ms: _Optional[int] = ..., to_ms: _Optional[int] = ..., group_by: _Optional[_Iterable[str]] = ..., account_id: _Optional[str] = ..., key_id: _Optional[str] = ..., user_id: _Optional[str] = ..., model: _Optional[str] = ..., channel_id: _Optional[str] = ...) -> None: ...

class UsageRow(_message.Message):
    __slots__ = ("group", "requests", "errors", "cost_nano", "usage")
    class GroupEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class UsageEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    GROUP_FIELD_NUMBER: _ClassVar[int]
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    ERRORS_FIELD_NUMBER: _ClassVar[int]
    COST_NANO_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    group: _containers.ScalarMap[str, str]
    requests: int
    errors: int
    cost_nano: int
    usage: _containers.ScalarMap[str, int]
    def __init__(self, group: _Optional[_Mapping[str, str]] = ..., requests: _Optional[int] = ..., errors: _Optional[int] = ..., cost_nano: _Optional[int] = ..., usage: _Optional[_Mapping[str, int]] = ...) -> None: ...

class GetUsageReply(_message.Message):
    __slots__ = ("rows",)
    ROWS_FIELD_NUMBER: _ClassVar[int]
    rows: _containers.RepeatedCompositeFieldContainer[UsageRow]
    def __init__(self, rows: _Optional[_Iterable[_Union[UsageRow, _Mapping]]] = ...) -> None: ...

class GetBalanceRequest(_message.Message):
    __slots__ = ("account_id", "scopes")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    SCOPES_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    scopes: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, account_id: _Optional[str] = ..., scopes: _Optional[_Iterable[str]] = ...) -> None: ...

class ScopeBalance(_message.Message):
    __slots__ = ("scope", "posted_nano", "unposted_nano", "reserved_nano")
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    POSTED_NANO_FIELD_NUMBER: _ClassVar[int]
    UNPOSTED_NANO_FIELD_NUMBER: _ClassVar[int]
    RESERVED_NANO_FIELD_NUMBER: _ClassVar[int]
    scope: str
    posted_nano: int
    unposted_nano: int
    reserved_nano: int
    def __init__(self, scope: _Optional[str] = ..., posted_nano: _Optional[int] = ..., unposted_nano: _Optional[int] = ..., reserved_nano: _Optional[int] = ...) -> None: ...

class Balance(_message.Message):
    __slots__ = ("account_id", "credits_nano", "charged_nano", "unposted_nano", "reserved_nano", "scopes")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    CREDITS_NANO_FIELD_NUMBER: _ClassVar[int]
    CHARGED_NANO_FIELD_NUMBER: _ClassVar[int]
    UNPOSTED_NANO_FIELD_NUMBER: _ClassVar[int]
    RESERVED_NANO_FIELD_NUMBER: _ClassVar[int]
    SCOPES_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    credits_nano: int
    charged_nano: int
    unposted_nano: int
    reserved_nano: int
    scopes: _containers.RepeatedCompositeFieldContainer[ScopeBalance]
    def __init__(self, account_id: _Optional[str] = ..., credits_nano: _Optional[int] = ..., charged_nano: _Optional[int] = ..., unposted_nano: _Optional[int] = ..., reserved_nano: _Optional[int] = ..., scopes: _Optional[_Iterable[_Union[ScopeBalance, _Mapping]]] = ...) -> None: ...

class VerifyRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class VerifyResult(_message.Message):
    __slots__ = ("invariant", "holds", "detail")
    INVARIANT_FIELD_NUMBER: _ClassVar[int]
    HOLDS_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    invariant: str
    holds: bool
    detail: str
    def __init__(self, invariant: _Optional[str] = ..., holds: _Optional[bool] = ..., detail: _Optional[str] = ...) -> None: ...

class GetStatusRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Status(_message.Message):
    __slots__ = ("writer", "stream_pending", "dead_letters", "last_insert_ms", "ledger_rows")
    WRITER_FIELD_NUMBER: _ClassVar[int]
    STREAM_PENDING_FIELD_NUMBER: _ClassVar[int]
    DEAD_LETTERS_FIELD_NUMBER: _ClassVar[int]
    LAST_INSERT_MS_FIELD_NUMBER: _ClassVar[int]
    LEDGER_ROWS_FIELD_NUMBER: _ClassVar[int]
    writer: bool
    stream_pending: int
    dead_letters: int
    last_insert_ms: int
    ledger_rows: int
    def __init__(self, writer: _Optional[bool] = ..., stream_pending: _Optional[int] = ..., dead_letters: _Optional[int] = ..., last_insert_ms: _Optional[int] = ..., ledger_rows: _Optional[int] = ...) -> None: ...
