"""Asks an upstream for its models, to see whether a channel would work.

Decides what counts as working, through checked addresses, without redirects, in a few seconds. What the upstream says
is never passed on: only its status and the ids of models that were expected. It must not know HTTP of ours.
"""

import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass

import httpx2
import msgspec
from yarl import URL

from oneapi.catalog.types import Channel
from oneapi.runtime.egress.addresses import EgressRefused, check_url
from oneapi.runtime.egress.client import AnswerTooLarge, ServerTransport, make_client
from oneapi.runtime.egress.dial import Dialer
from services.admin.upstreams import providers

LIMIT_S = 10.0
CONNECT_LIMIT_S = 5.0
MAX_ANSWER = 4 * 1024 * 1024
MAX_MISSING = 100
_PREFIX = "models/"


@dataclass(frozen=True, slots=True)
class Result:
    """What came of it. `models` are the ids that the upstream lists, None when it listed none."""

    ok: bool
    detail: str
    ms: int
    status: int | None = None
    models: frozenset[str] | None = None
    missing: tuple[str, ...] = ()


class UnsignedRequest(ValueError):
    """The channel doesn't say enough to sign a request; the text says what is missing."""


class _Listed(msgspec.Struct):
    id: str


class _Listing(msgspec.Struct):
    data: list[_Listed]


class _Named(msgspec.Struct):
    name: str


class _GooglesListing(msgspec.Struct):
    """Google's shape: its names say that they are models'."""

    models: list[_Named]


async def probe(channel: Channel, api_key: str, headers: Mapping[str, str], dialer: Dialer) -> Result:
    """One request, at most 10 s. Never raises for what the upstream does."""
    began = time.monotonic()

    def failed(detail: str) -> Result:
        return Result(False, detail, round((time.monotonic() - began) * 1000))

    if not providers.needs_network(channel.provider):
        return Result(True, "This provider is built in; it needs no upstream.", 0)
    try:
        status, body = await _ask(channel, api_key, headers, dialer)
    except EgressRefused as refused:
        return failed(f"The address is refused: {refused.reason}.")
    except (TimeoutError, httpx2.TimeoutException):
        return failed("The upstream did not answer in time.")
    except ssl.SSLCertVerificationError:
        return failed("The upstream's certificate is not valid for its name.")
    except ssl.SSLError:
        return failed("The upstream shows no certificate over TLS 1.2 or newer.")
    except OSError:
        return failed("The upstream can't be reached.")
    except AnswerTooLarge:
        return failed("The upstream's answer is too large.")
    except httpx2.TransportError:
        return failed("The upstream's answer can't be understood.")
    except UnsignedRequest as problem:
        return failed(f"The request can't be signed: {problem}.")
    except ValueError:
        return failed("The channel's headers can't be sent.")
    return judge(channel, status, body, round((time.monotonic() - began) * 1000))


async def _ask(channel: Channel, api_key: str, own: Mapping[str, str], dialer: Dialer) -> tuple[int, bytes]:
    address = check_url(providers.models_url(channel.provider, channel.base_url), dialer.allow_private)
    headers = {**providers.credentials(channel.provider, api_key), **_signature(channel, api_key, address.url), **own}
    transport = ServerTransport(address, dialer, max_bytes=MAX_ANSWER, limit_s=LIMIT_S, connect_s=CONNECT_LIMIT_S)
    async with make_client(transport, headers=headers, silence_s=LIMIT_S) as client:
        answer = await client.get(str(address.url))
        return answer.status_code, answer.content


def _signature(channel: Channel, api_key: str, url: URL) -> dict[str, str]:
    try:
        return providers.signature(channel, api_key, url)
    except ValueError as problem:
        raise UnsignedRequest(str(problem)) from None


def _models(body: bytes) -> frozenset[str]:
    """What an upstream lists as OpenAI and Anthropic do. Raises MsgspecError, UnicodeDecodeError, RecursionError."""
    return frozenset(model.id for model in msgspec.json.decode(body, type=_Listing).data)


def _googles_models(body: bytes) -> frozenset[str]:
    """The same as Google does."""
    listed = msgspec.json.decode(body, type=_GooglesListing).models
    return frozenset(model.name.removeprefix(_PREFIX) for model in listed)


def judge(channel: Channel, status: int, body: bytes, ms: int) -> Result:
    """What an answer means."""
    googles = providers.lists_as_google(channel.provider)
    if status in {401, 403} or (googles and status == 400):
        # Google has 400 for a key that it doesn't know, and a list has nothing else that could be wrong.
        return Result(False, "The upstream refuses the credential.", ms, status)
    if status in {404, 405, 501}:
        return Result(True, "The upstream answers, but lists no models; the credential was not checked.", ms, status)
    if 300 <= status < 400:
        return Result(False, "The upstream answers with a redirect, which is never followed.", ms, status)
    if status == 429:
        return Result(True, "The upstream answers, and limits the rate now.", ms, status)
    if status >= 400:
        return Result(False, "The upstream answers with an error.", ms, status)
    try:
        models = _googles_models(body) if googles else _models(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return Result(True, "The upstream answers, but not with a list of models.", ms, status)
    wanted = dict.fromkeys(channel.model_mapping.get(model, model) for model in channel.models)
    if googles:
        wanted = dict.fromkeys(model.removeprefix(_PREFIX) for model in wanted)
    missing = tuple(model for model in wanted if model not in models)[:MAX_MISSING]
    detail = "The upstream answers, and does not list some of the models." if missing else "The upstream answers."
    return Result(True, detail, ms, status, models, missing)
