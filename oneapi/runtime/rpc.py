"""Makes gRPC channels and servers for calls between our own processes.

It decides how callers prove that they belong to the installation (a token derived from the secret key, checked once
per call), how trace context travels, and that the library never retries. It must not know any service's methods.
"""

import hmac
import ipaddress
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import grpc
import grpc.aio
from opentelemetry import context as otel_context

from oneapi.runtime.key_derivation import derive_key
from oneapi.runtime.telemetry import context_from, current_traceparent, sampled

TOKEN_HEADER = "x-oneapi-internal"  # noqa: S105 - a header's name
TRACE_HEADER = "traceparent"
MAX_MESSAGE_BYTES = 16 * 1024 * 1024

_CHANNEL_OPTIONS: tuple[tuple[str, Any], ...] = (
    ("grpc.service_config", '{"loadBalancingConfig":[{"round_robin":{}}]}'),
    ("grpc.enable_retries", 0),
    ("grpc.enable_http_proxy", 0),
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 3_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
)
_SERVER_OPTIONS: tuple[tuple[str, Any], ...] = (
    # Two servers on one port would share its calls by chance.
    ("grpc.so_reuseport", 0),
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 5_000),
    ("grpc.http2.max_ping_strikes", 0),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
)


def internal_token(secret: str) -> str:
    """The token by which our processes know each other: 64 hexadecimal characters derived from the secret key."""
    token = _tokens.get(secret)
    if token is None:
        token = _tokens[secret] = derive_key(secret, "internal rpc token").hex()
    return token


_tokens: dict[str, str] = {}


def call_metadata(secret: str) -> tuple[tuple[str, str], ...]:
    """Metadata for one call: the token, and the current trace context when it is sampled."""
    traceparent = current_traceparent()
    if traceparent:
        return ((TOKEN_HEADER, internal_token(secret)), (TRACE_HEADER, traceparent))
    return ((TOKEN_HEADER, internal_token(secret)),)


def target(addresses: Sequence[str]) -> str:
    """The gRPC target of `host:port` addresses. One name is resolved to all its addresses; several must be IPs.

    Raises ValueError.
    """
    if len(addresses) == 1 and not _is_ip(addresses[0]):
        return f"dns:///{addresses[0]}"
    versions = {ipaddress.ip_address(_host(address)).version for address in addresses if _is_ip(address)}
    if len(versions) != 1 or not all(_is_ip(address) for address in addresses):
        raise ValueError("several gRPC addresses must all be IPv4 or all IPv6; use one DNS name for more")
    return ("ipv4:" if versions == {4} else "ipv6:") + ",".join(addresses)


def _host(address: str) -> str:
    return address.rpartition(":")[0].strip("[]")


def _is_ip(address: str) -> bool:
    try:
        ipaddress.ip_address(_host(address))
    except ValueError:
        return False
    return True


class _AddsMetadata(grpc.aio.UnaryUnaryClientInterceptor, grpc.aio.UnaryStreamClientInterceptor):
    """Signs calls whose caller gave no metadata of ours."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def _signed(self, details: Any) -> Any:
        metadata = grpc.aio.Metadata(*(details.metadata or ()))
        if metadata.get(TOKEN_HEADER) is None:
            for name, value in call_metadata(self._secret):
                metadata.add(name, value)
        return details._replace(metadata=metadata)

    async def intercept_unary_unary(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        return await continuation(self._signed(client_call_details), request)

    async def intercept_unary_stream(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        return await continuation(self._signed(client_call_details), request)


def channel(addresses: Sequence[str], secret: str) -> grpc.aio.Channel:
    """A channel spread over all addresses in turn. Raises ValueError for addresses that can't be combined.

    Unary calls are signed by themselves. Streams are left alone, because an interceptor would cost each message:
    their caller passes `metadata=call_metadata(secret)`.
    """
    return grpc.aio.insecure_channel(target(addresses), options=_CHANNEL_OPTIONS, interceptors=[_AddsMetadata(secret)])


class _Gate(grpc.aio.ServerInterceptor):
    """Refuses calls without the token, and enters the caller's trace."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._tokens = tuple(internal_token(secret).encode() for secret in secrets)

    async def intercept_service(
        self,
        continuation: "Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[Any, Any] | None]]",
        handler_call_details: grpc.HandlerCallDetails,
    ) -> "grpc.RpcMethodHandler[Any, Any] | None":
        token, traceparent = b"", ""
        for name, value in handler_call_details.invocation_metadata or ():
            if name == TOKEN_HEADER:
                token = value.encode() if isinstance(value, str) else value
            elif name == TRACE_HEADER and isinstance(value, str):
                traceparent = value
        if not any(hmac.compare_digest(token, ours) for ours in self._tokens):
            return _refuse
        if sampled(traceparent):
            # The handler runs in this same task, which is the call's own: nothing to detach from.
            otel_context.attach(context_from(traceparent))
        return await continuation(handler_call_details)


async def _abort(requests: object, context: "grpc.aio.ServicerContext[Any, Any]") -> None:
    await context.abort(grpc.StatusCode.UNAUTHENTICATED, "this service answers only its own installation")


# A handler of streams refuses any kind of call, and does not wait for a message first.
_refuse: "grpc.RpcMethodHandler[Any, Any]" = grpc.stream_stream_rpc_method_handler(_abort)


def server(secret: str, previous: Sequence[str] = (), *, options: Sequence[tuple[str, Any]] = ()) -> grpc.aio.Server:
    """A server without a port yet: the caller adds servicers and `add_insecure_port`, then starts it.

    Callers may know a `previous` secret only: while the secret changes, not all processes have the same one.
    """
    return grpc.aio.server(interceptors=[_Gate((secret, *previous))], options=[*_SERVER_OPTIONS, *options])
