"""Puts the edge's parts together.

It decides who gets whom, and nothing else.
"""

import dataclasses

import grpc.aio

from oneapi.catalog.feed import CatalogFeed
from oneapi.catalog.keyring import Keyring
from oneapi.runtime import rpc
from oneapi.runtime.door.failures import FailureLimiter
from oneapi.runtime.door.limits import DoorLimits
from oneapi.runtime.egress.dial import Dialer
from oneapi.runtime.health import Readiness
from oneapi.runtime.sealing import Sealer
from oneapi.runtime.telemetry import HeadSampler
from proto.billing.v1 import billing_pb2_grpc
from services.edge.authentication import Authenticator
from services.edge.cold import make_app
from services.edge.entrance import Entrance
from services.edge.forward.proxy import ADMIN_SILENCE_S, Forwarder
from services.edge.inference.admission import Admission
from services.edge.inference.attempts import Attempts
from services.edge.inference.carriage import Carriage
from services.edge.inference.counting import Counting
from services.edge.inference.handler import Inference
from services.edge.inference.keep_alive import Silences
from services.edge.inference.relay import Relay
from services.edge.inference.remembering import Memory
from services.edge.load import Load
from services.edge.money.path import MoneyPath
from services.edge.public_models import PublicModels
from services.edge.router.client import RouterClient
from services.edge.sandbox.handler import Sandbox
from services.edge.settings import Settings
from services.edge.state.keeper import Keeper
from services.edge.tokenizer.client import Tokenizer
from services.edge.upstream.caller import Callers, HttpCaller
from services.edge.upstream.http1_pool import Pool
from services.edge.upstream.sandbox import SandboxCaller
from services.edge.upstream.target import Targets


@dataclasses.dataclass(frozen=True)
class Parts:
    """What the process holds, to start and to close."""

    entrance: Entrance
    inference: Inference
    router: RouterClient
    targets: Targets
    mcp: Forwarder
    admin: Forwarder
    http: HttpCaller
    tokenizer: Tokenizer
    channels: tuple[grpc.aio.Channel, ...]

    async def close(self) -> None:
        """Ends every connection that the parts opened."""
        await self.router.stop()
        self.http.close()
        await self.tokenizer.close()
        await self.mcp.close()
        await self.admin.close()
        for channel in self.channels:
            await channel.close(None)


def assemble(
    settings: Settings,
    limits: DoorLimits,
    load: Load,
    feed: CatalogFeed,
    keyring: Keyring,
    money: MoneyPath,
    keeper: Keeper,
    sampler: HeadSampler,
    readiness: Readiness,
) -> Parts:
    """The parts of one process. Must run in its event loop."""
    router_channel = rpc.channel(settings.router_addresses, settings.secret_key)
    billing_channel = rpc.channel(settings.billing_addresses, settings.secret_key)
    router = RouterClient(router_channel, settings.secret_key, settings.router_grace_s)
    allow_private = settings.allow_private_upstreams
    targets = Targets(Sealer(settings.secret_key, settings.previous_secret_keys), allow_private=allow_private)
    http = HttpCaller(Pool(Dialer(allow_private=allow_private)), targets)
    cap = settings.default_max_output_tokens
    carriage = Carriage(settings.secret_key, settings.previous_secret_keys, cap)
    authenticator = Authenticator(keyring, feed, FailureLimiter())
    callers = Callers(http, SandboxCaller())
    tokenizer = Tokenizer()
    inference = Inference(
        authenticator=authenticator,
        admission=Admission(money, router, carriage, cap),
        relay=Relay(Attempts(targets, callers, router, carriage, cap, Silences(settings.keep_alive_s))),
        counting=Counting(targets, callers, carriage, tokenizer),
        memory=Memory(keeper, carriage),
        sampler=sampler,
        load=load,
        body_limit=limits.body_bytes,
        allow_private=allow_private,
    )
    mcp = Forwarder(settings.mcp_url, silence_s=None, body_limit=limits.body_bytes)
    admin = Forwarder(settings.admin_url, silence_s=ADMIN_SILENCE_S, body_limit=limits.body_bytes)
    entrance = Entrance(
        load=load,
        trusted=settings.trusted_proxies,
        inference=inference,
        sandbox=Sandbox(limits.body_bytes),
        cold=make_app(
            authenticator,
            billing_pb2_grpc.BillingStub(billing_channel),
            readiness,
            keeper,
            PublicModels(lambda: feed.view if feed.ready else None),
            body_limit=limits.body_bytes,
            allow_private=allow_private,
        ),
        mcp=mcp,
        admin=admin,
    )
    channels = (router_channel, billing_channel)
    return Parts(entrance, inference, router, targets, mcp, admin, http, tokenizer, channels)
