"""Makes of a client's request what a channel understands: as it is where both speak one format, else a conversion.

It decides what a conversion is told: names, secrets, bounds, what the model can do. It must not know any format, which
channel is right, or how one is called.
"""

import contextlib
import functools
import hmac
import time
from collections.abc import Sequence

import msgspec

from oneapi.catalog.types import Channel
from oneapi.dialects.canonical.profile import Profile
from oneapi.dialects.canonical.seal import Seal
from oneapi.dialects.conversion import ClientRequest, Conversion, Upstream, lossy, read_request
from oneapi.dialects.errors import GatewayError
from oneapi.dialects.foreign_state import holds_tokens, without_tokens
from oneapi.dialects.openai_responses.request import with_reasoning
from oneapi.providers.profiles.lookup import abilities
from oneapi.providers.registry import PROVIDERS
from oneapi.runtime.key_derivation import derive_key
from proto.router.v1 import router_pb2
from services.edge.inference import output_cap
from services.edge.inference.carried import Carried
from services.edge.inference.exchange import Exchange
from services.edge.money.estimate import BYTES_PER_TOKEN

PURPOSE = "state that clients carry"
_MAX_KEPT = 4_096


class Carriage:
    """The ways of all requests of this process to their channels."""

    def __init__(self, secret_key: str, previous: Sequence[str], default_max_output: int) -> None:
        self._secret = derive_key(secret_key, PURPOSE)
        self._previous = tuple(derive_key(each, PURPOSE) for each in previous)
        self._default_max_output = default_max_output

    def carry(
        self, exchange: Exchange, candidate: router_pb2.Candidate, channel: Channel, *, strict: bool = False
    ) -> Carried:
        """What the candidate gets. Raises GatewayError 400 for what it can't be asked, with `strict` for any loss."""
        if candidate.dialect != exchange.endpoint.dialect:
            return Carried(b"", self._convert(exchange, candidate, channel, strict=strict))
        carried = self._as_it_is(exchange, candidate, channel, strict=strict)
        if exchange.keeping is None:
            return carried
        if not profile(channel.provider, candidate.dialect, candidate.upstream_model).encrypted_reasoning:
            return carried
        return msgspec.structs.replace(carried, body=with_reasoning(carried.body, exchange.facts.raw))

    def _as_it_is(
        self, exchange: Exchange, candidate: router_pb2.Candidate, channel: Channel, *, strict: bool
    ) -> Carried:
        if not holds_tokens(exchange.body, candidate.dialect):
            return Carried(exchange.body)
        given = exchange.facts.raw
        can = profile(channel.provider, candidate.dialect, candidate.upstream_model)
        seal = self.seal(exchange.account.id, origin(channel, candidate.upstream_model))
        raw, losses = without_tokens(given, seal, calls_signed=can.thinking == "effort")
        if strict and losses:
            raise lossy(losses)
        return Carried(exchange.body if raw is given else msgspec.json.encode(raw), None, tuple(losses))

    def seal(self, account_id: str, of: str = "") -> Seal:
        """What opens and closes tokens of this account's; `of` names the upstream whose state is sealed."""
        secret = _of_account(self._secret, account_id)
        return Seal(secret, of, [_of_account(each, account_id) for each in self._previous])

    def whole(self, exchange: Exchange, plan: router_pb2.Plan) -> router_pb2.Plan:
        """The plan with those candidates that get all of the request. Raises GatewayError 400 when there are none."""
        channels = {channel.id: channel for channel in exchange.offer.channels}
        found: list[router_pb2.Candidate] = []
        refusal: GatewayError | None = None
        for candidate in plan.candidates:
            channel = channels.get(candidate.channel_id)
            if channel is None:
                continue
            try:
                self.carry(exchange, candidate, channel, strict=True)
            except GatewayError as error:
                refusal = refusal or error
            else:
                found.append(candidate)
        if refusal is not None and not found:
            raise refusal
        return router_pb2.Plan(candidates=found, catalog_revision=plan.catalog_revision)

    def _convert(
        self, exchange: Exchange, candidate: router_pb2.Candidate, channel: Channel, *, strict: bool
    ) -> Conversion:
        model = candidate.upstream_model
        return Conversion(
            self._asked(exchange),
            Upstream(
                candidate.dialect, model, origin(channel, model), profile(channel.provider, candidate.dialect, model)
            ),
            secret=_of_account(self._secret, exchange.account.id),
            seed=exchange.arrival.request_id.replace("-", ""),
            created=int(time.time()),
            prompt_tokens=-(-exchange.facts.prompt_bytes // BYTES_PER_TOKEN),
            max_output=output_cap.bound(exchange, channel, self._default_max_output),
            strict=strict,
        )

    def read_ahead(self, exchange: Exchange) -> None:
        """Reads the request before a conversion needs it. What can't be read is refused when one does."""
        with contextlib.suppress(GatewayError):
            self._asked(exchange)

    def _asked(self, exchange: Exchange) -> ClientRequest:
        """The request in the one model; read once."""
        asked = exchange.asked
        if asked is None:
            account_id = exchange.account.id
            asked = exchange.asked = read_request(
                exchange.endpoint.dialect,
                exchange.facts.raw,
                _of_account(self._secret, account_id),
                [_of_account(secret, account_id) for secret in self._previous],
            )
        return asked


def origin(channel: Channel, upstream_model: str) -> str:
    """The name of an upstream as far as its state is concerned."""
    return f"{channel.id}/{upstream_model}"


@functools.lru_cache(maxsize=_MAX_KEPT)
def profile(provider: str, dialect: str, model: str) -> Profile:
    """What this model can do there."""
    spec = PROVIDERS.get(provider)
    named = {"cap_field": spec.max_output_field} if spec is not None else {}
    return msgspec.convert({**named, **abilities(provider, dialect, model)}, Profile)


def _of_account(secret: bytes, account_id: str) -> bytes:
    """Each account has a secret of its own: what one was given to keep is nothing in another's hands."""
    return hmac.digest(secret, account_id.encode(), "sha256")
