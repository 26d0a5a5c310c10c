"""Random catalogs, full of what must never be public and of names that would break a table.

Everything that is secret has `SECRET` in it.
"""

from dataclasses import dataclass

from hypothesis import strategies as st

from oneapi.catalog.listings import ListedTool, ServerTools
from oneapi.catalog.public.build import public_view
from oneapi.catalog.public.tools import public_tools
from oneapi.catalog.public.view import PublicView
from oneapi.catalog.types import (
    TOKEN_BUCKETS,
    UNITS,
    Channel,
    ChannelLimits,
    McpServer,
    Price,
    PriceTier,
    PriceVersion,
    PriceWindow,
)
from oneapi.catalog.view import CatalogView

SECRET = "NEVER-PUBLIC"
HOSTILE = ("", " | ", "<script>alert(1)</script>", "](x)", "`", "\\", "&lt;", "[a](b)", "www.x.y", "é😀", "_*_", "$&'")
_UNPRINTABLE = ("\n| a |\n", "\x00", "\u202e", "\r\n# b", "\u2028")


@dataclass(frozen=True)
class Sample:
    """A catalog, the lists of its tools, and a time."""

    catalog: CatalogView
    listings: tuple[ServerTools, ...]
    at_ms: int

    @property
    def view(self) -> PublicView:
        """What is public of it."""
        return public_view(self.catalog, public_tools(self.catalog.mcp_servers, self.listings), self.at_ms)


_RATES = st.dictionaries(
    st.sampled_from(TOKEN_BUCKETS + UNITS), st.integers(0, 10**9) | st.just(10**12), min_size=1, max_size=5
)
_TIERS = st.lists(
    st.builds(PriceTier, above_input_tokens=st.integers(1, 10**6), rates=_RATES),
    max_size=2,
    unique_by=lambda tier: tier.above_input_tokens,
).map(tuple)
_WINDOWS = st.lists(
    st.builds(
        PriceWindow,
        timezone=st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kolkata"]),
        days=st.sets(st.integers(0, 6), min_size=1).map(lambda days: tuple(sorted(days))),
        start=st.integers(0, 1439),
        end=st.integers(0, 1440),
        rates=_RATES,
    ),
    max_size=2,
).map(tuple)
_VERSIONS = st.lists(
    st.builds(
        PriceVersion,
        id=st.just("p"),
        effective_from_ms=st.integers(0, 2 * 10**12),
        rates=_RATES,
        tiers=_TIERS,
        windows=_WINDOWS,
    ),
    min_size=1,
    max_size=2,
).map(tuple)
_MODELS = [f"m{number}{HOSTILE[number]}x" for number in range(6)]
_HIDDEN = [f"{SECRET}-{number}" for number in range(2)]


@st.composite
def _channel(draw: st.DrawFn, number: int) -> Channel:
    models = draw(st.lists(st.sampled_from(_MODELS + _HIDDEN), min_size=1, max_size=4, unique=True))
    shown = draw(st.sampled_from(["", "Fast", *(f"c{hostile}{number}" for hostile in HOSTILE)]))
    name = f"{SECRET} channel" if shown else draw(st.sampled_from(["plain", f"{number}|{HOSTILE[number]}"]))
    everything = draw(st.booleans()) and draw(st.booleans())
    return Channel(
        id=f"ch_{number}",
        name=name,
        provider=draw(st.sampled_from(["openai", "anthropic", "sandbox", "groq"])),
        models=tuple(models),
        base_url=f"https://{SECRET}.example/v1",
        api_key_sealed=SECRET,
        dialects=("openai_chat",),
        endpoints=draw(st.sampled_from([("chat",), ("chat", "embeddings"), ("embeddings",)])),
        model_mapping={model: f"{SECRET}/{model}" for model in models},
        groups=draw(st.sampled_from([("default",), ("*",), ("gold", "default")])),
        headers_sealed={SECRET: SECRET},
        limits=ChannelLimits(max_output_tokens=draw(st.none() | st.integers(1, 10**6))),
        enabled=draw(st.sampled_from([True, True, False])),
        config={SECRET: SECRET},
        priority=draw(st.integers(0, 2)),
        public_name=shown,
        hidden_models=("*", SECRET) if everything else (*_HIDDEN, *draw(st.sets(st.sampled_from(_MODELS), max_size=1))),
    )


@st.composite
def _server(draw: st.DrawFn, number: int) -> tuple[McpServer, ServerTools]:
    names = [f"t{n}{hostile}z" for n, hostile in enumerate(HOSTILE + _UNPRINTABLE)]
    tools = draw(st.lists(st.sampled_from(names), max_size=5, unique=True))
    prices = draw(st.dictionaries(st.sampled_from(names), st.integers(0, 10**12), max_size=5))
    server = McpServer(
        id=f"mcp_{number}",
        name=draw(st.sampled_from(["s", *HOSTILE])),
        url=f"https://{SECRET}.example/mcp",
        auth_sealed=SECRET,
        headers_sealed={SECRET: SECRET},
        deny=(f"{SECRET}*",),
        priority=draw(st.integers(0, 1)),
        prices=prices | {f"{SECRET}-tool": 1},
        enabled=draw(st.booleans()),
    )
    listed = tuple(ListedTool(name=name, description=name) for name in (*tools, f"{SECRET}-tool"))
    return server, ServerTools(server_id=server.id, listed_at_ms=number, tools=listed)


@st.composite
def samples(draw: st.DrawFn) -> Sample:
    """A whole catalog at some time."""
    channels = [draw(_channel(number)) for number in range(draw(st.integers(1, 4)))]
    servers = [draw(_server(number)) for number in range(draw(st.integers(0, 2)))]
    places = st.tuples(st.sampled_from(_MODELS + _HIDDEN), st.sampled_from(["", *(channel.id for channel in channels)]))
    prices = {
        (model, channel_id): Price(model=model, channel_id=channel_id, versions=draw(_VERSIONS))
        for model, channel_id in draw(st.sets(places, max_size=6))
    }
    return Sample(
        catalog=CatalogView(
            channels={channel.id: channel for channel in channels},
            prices=prices,
            mcp_servers={server.id: server for server, _ in servers},
        ),
        listings=tuple(listing for _, listing in servers),
        at_ms=draw(st.integers(0, 2 * 10**12)),
    )
