"""A channel made ready to be called: its secrets opened, its URL checked, its headers and time-outs built once.

It decides when a channel can't be called at all, and must not know how a call goes.
"""

import logging

import msgspec
from multidict import CIMultiDict

from oneapi.catalog.types import Channel
from oneapi.providers.registry import PROVIDERS, ProviderSpec
from oneapi.providers.spec import Signer
from oneapi.runtime.egress.addresses import EgressRefused, check_url
from oneapi.runtime.sealing import Sealer, SealError
from services.edge import refusals
from services.edge.upstream.failures import Kind, UpstreamFailure
from services.edge.upstream.http1_request import Prepared, prepare

logger = logging.getLogger(__name__)

USER_AGENT = "one-api"
CONTENT_TYPE = "application/json"
AUTHORIZATION = "authorization"
CONNECT_S = 3.0
STREAM_FIRST_BYTE_S = 60.0
WHOLE_FIRST_BYTE_S = 600.0
IDLE_S = 120.0
TOTAL_S = 900.0

_NOT_FROM_CONFIGURATION = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "accept-encoding", "content-type", "te", "upgrade"}
)


class Target(msgspec.Struct):
    """One channel, ready. `headers` are by dialect; `prepared` fills up as dialects and models are used.

    `sign` makes headers of each request as it goes out, None where nothing is signed.
    """

    channel: Channel
    spec: ProviderSpec
    headers: dict[str, CIMultiDict[str]]
    connect_s: float
    stream_first_byte_s: float
    whole_first_byte_s: float
    idle_s: float
    prepared: dict[tuple[str, str, bool, bool], Prepared]
    sign: Signer | None = None


class Targets:
    """The targets of this process, each made at its channel's first use and again when the channel has changed."""

    def __init__(self, sealer: Sealer, *, allow_private: bool) -> None:
        self._sealer = sealer
        self._allow_private = allow_private
        self._kept: dict[str, Target] = {}

    def find(self, channel: Channel) -> Target:
        """The target of this channel. Raises UpstreamFailure when it can't be called."""
        target = self._kept.get(channel.id)
        if target is None or target.channel is not channel:
            target = self._kept[channel.id] = self._make(channel)
        return target

    def forget(self, channel_id: str) -> None:
        """The channel has changed or is gone."""
        self._kept.pop(channel_id, None)

    def prepared(
        self, target: Target, dialect: str, upstream_model: str, *, stream: bool, counts: bool = False
    ) -> Prepared:
        """A call where this dialect is spoken there, or its requests' tokens are counted.

        Raises UpstreamFailure when that place must not be called.
        """
        found = target.prepared.get((dialect, upstream_model, stream, counts))
        if found is not None:
            return found
        base_url = target.channel.base_url or target.spec.default_base_url
        try:
            url = target.spec.url(base_url, dialect, upstream_model, stream=stream, counts=counts)
            found = prepare(check_url(url, self._allow_private), url, target.headers[dialect].items())
        except (EgressRefused, ValueError) as refused:
            fields = {"channel_id": target.channel.id, "why": str(refused)}
            logger.warning("a channel can't be called", extra={"fields": fields})
            raise unusable("unusable URL or headers") from None
        target.prepared[dialect, upstream_model, stream, counts] = found
        return found

    def _make(self, channel: Channel) -> Target:
        spec = PROVIDERS.get(channel.provider)
        if spec is None:
            raise unusable("unknown provider")
        try:
            api_key, own = self._secrets(channel)
        except SealError as failure:
            fields = {"channel_id": channel.id, "why": str(failure)}
            logger.warning("a channel's secrets can't be opened", extra={"fields": fields})
            raise unusable("sealed secrets") from None
        try:
            sign = None if AUTHORIZATION in own else spec.signer(api_key, channel.base_url, channel.config)
        except ValueError as problem:
            fields = {"channel_id": channel.id, "why": str(problem)}
            logger.warning("a channel's requests can't be signed", extra={"fields": fields})
            raise unusable("unusable credential") from None
        limits = channel.limits
        # The whole call's time is the request's own affair: it may have tried elsewhere before.
        return Target(
            channel=channel,
            spec=spec,
            headers=_headers(spec, api_key, own),
            connect_s=limits.connect_timeout_s or CONNECT_S,
            stream_first_byte_s=limits.first_byte_timeout_s or STREAM_FIRST_BYTE_S,
            whole_first_byte_s=limits.first_byte_timeout_s or WHOLE_FIRST_BYTE_S,
            idle_s=limits.idle_timeout_s or IDLE_S,
            prepared={},
            sign=sign,
        )

    def _secrets(self, channel: Channel) -> tuple[str, dict[str, str]]:
        """The channel's key, and its own headers. Raises SealError."""
        place = f"channel/{channel.id}"
        sealed_key = channel.api_key_sealed
        api_key = self._sealer.open(sealed_key, bound_to=f"{place}/api_key") if sealed_key else ""
        own = {
            name.lower(): self._sealer.open(sealed, bound_to=f"{place}/headers/{name}")
            for name, sealed in channel.headers_sealed.items()
            if name.lower() not in _NOT_FROM_CONFIGURATION
        }
        return api_key, own


def _headers(spec: ProviderSpec, api_key: str, own: dict[str, str]) -> dict[str, CIMultiDict[str]]:
    """What every call of a channel says, by dialect. The operator's own headers win over the provider's."""
    by_dialect: dict[str, CIMultiDict[str]] = {}
    for dialect in spec.spoken:
        headers = by_dialect[dialect] = CIMultiDict(spec.headers(api_key, dialect))
        for name, value in own.items():
            headers[name] = value
        headers.update({"Content-Type": CONTENT_TYPE, "Accept-Encoding": "identity"})
        headers.setdefault("User-Agent", USER_AGENT)
    return by_dialect


def total_s(channel: Channel) -> float:
    """How long a request may take that this channel serves."""
    return channel.limits.total_timeout_s or TOTAL_S


def unusable(why: str) -> UpstreamFailure:
    """The channel can't be called as it is configured."""
    return UpstreamFailure(Kind.UNAUTHORIZED, refusals.upstream_failed(), why)
