"""Asks an upstream for its models, to see whether a channel would work.

Decides what counts as working, through checked addresses, without redirects, in a few seconds. What the upstream says
is never passed on: only its status and the ids of models that were expected. It must not know HTTP of ours.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp
import msgspec

from oneapi.catalog.types import Channel
from oneapi.runtime.egress_addresses import CheckedResolver, EgressRefused, check_url
from services.admin.upstreams import providers

LIMIT_S = 10.0
CONNECT_LIMIT_S = 5.0
MAX_ANSWER = 4 * 1024 * 1024
MAX_MISSING = 100


@dataclass(frozen=True, slots=True)
class Result:
    """What came of it. `models` are the ids that the upstream lists, None when it listed none."""

    ok: bool
    detail: str
    ms: int
    status: int | None = None
    models: frozenset[str] | None = None
    missing: tuple[str, ...] = ()


class _Listed(msgspec.Struct):
    id: str


class _Listing(msgspec.Struct):
    data: list[_Listed]


async def probe(channel: Channel, api_key: str, headers: Mapping[str, str], allow_private: bool) -> Result:
    """One request, at most 10 s. Never raises for what the upstream does."""
    began = time.monotonic()

    def failed(detail: str) -> Result:
        return Result(False, detail, round((time.monotonic() - began) * 1000))

    if not providers.needs_network(channel.provider):
        return Result(True, "This provider is built in; it needs no upstream.", 0)
    try:
        address = check_url(providers.models_url(channel.provider, channel.base_url), allow_private)
        sent = {**providers.credentials(channel.provider, api_key), **headers}
        connector = aiohttp.TCPConnector(resolver=CheckedResolver(allow_private), use_dns_cache=False, force_close=True)
        timeout = aiohttp.ClientTimeout(total=LIMIT_S, sock_connect=CONNECT_LIMIT_S)
        async with (
            aiohttp.ClientSession(
                connector=connector,
                timeout=timeout,
                trust_env=False,
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
            ) as session,
            session.get(
                address.url, headers={**sent, "accept-encoding": "identity"}, allow_redirects=False
            ) as response,
        ):
            body = await _limited(response)
            status = response.status
    except EgressRefused as refused:
        return failed(f"The address is refused: {refused.reason}.")
    except TimeoutError:
        return failed("The upstream did not answer in time.")
    except aiohttp.ClientConnectorCertificateError:
        return failed("The upstream's certificate is not valid for its name.")
    except aiohttp.ClientConnectorError as error:
        refused_by = error.os_error
        if isinstance(refused_by, EgressRefused):
            return failed(f"The address is refused: {refused_by.reason}.")
        return failed("The upstream can't be reached.")
    except (aiohttp.ClientError, OSError, ValueError):
        return failed("The upstream's answer can't be understood.")
    ms = round((time.monotonic() - began) * 1000)
    return judge(channel, status, body, ms)


def judge(channel: Channel, status: int, body: bytes | None, ms: int) -> Result:
    """What an answer means. `body` is None when it was too large."""
    if status in {401, 403}:
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
        listing = msgspec.json.decode(body or b"", type=_Listing)
    except msgspec.MsgspecError:
        return Result(True, "The upstream answers, but not with a list of models.", ms, status)
    models = frozenset(model.id for model in listing.data)
    wanted = dict.fromkeys(channel.model_mapping.get(model, model) for model in channel.models)
    missing = tuple(model for model in wanted if model not in models)[:MAX_MISSING]
    detail = "The upstream answers, and does not list some of the models." if missing else "The upstream answers."
    return Result(True, detail, ms, status, models, missing)


async def _limited(response: aiohttp.ClientResponse) -> bytes | None:
    chunks: list[bytes] = []
    size = 0
    async for chunk in response.content.iter_chunked(65_536):
        size += len(chunk)
        if size > MAX_ANSWER:
            return None
        chunks.append(chunk)
    return b"".join(chunks)
