"""/pricing.md: what everything costs, as it is charged now.

It decides which table a price stands in. The first one is what most people look for, and programs read it: a line for
each model on each channel.
"""

from collections.abc import Iterator

from oneapi.catalog.public.prices import charged
from oneapi.catalog.public.view import PublicOffer, PublicPrice, PublicRates
from services.admin.public.document import LIVE_S, MARKDOWN, document
from services.admin.public.markdown import table_of_texts
from services.admin.public.site import Public

FIRST = ("input", "cached_input", "output")
"""What the first table shows."""
NO_PRICE = "-"
_OTHERS_NOTE = """\
Kinds of tokens are in USD per 1M tokens and count nowhere else; units are in USD each. Tokens of caches, audio, images
and reasoning without a line here cost what input does, or output."""
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def pricing(public: Public) -> str:
    """All prices, in US dollars."""
    view = public.view
    first = table_of_texts(("channel", "model", "input", "cached input", "output"), _first(view.offers))
    parts = [_beginning(public), f"{first}\n"]
    for title, note, columns, rows in (
        (
            "Other tokens and units",
            _OTHERS_NOTE,
            ("channel", "model", "what", "USD", "for"),
            list(_others(view.offers)),
        ),
        (
            "Long inputs",
            "Instead of the price above, for the whole of a request whose input has more tokens than that.",
            ("channel", "model", "above input tokens", "what", "USD", "for"),
            list(_tiers(view.offers)),
        ),
        (
            "Hours",
            "Instead of the usual price, between these times. What is open now is in the tables above already.",
            ("channel", "model", "time zone", "days", "from", "to", "open now", "what", "USD", "for"),
            list(_windows(view.offers)),
        ),
        (
            "Tools",
            "Tools of `/mcp`, in USD for each call, as the operator sets them. Calls are not charged yet.",
            ("server", "tool", "USD per call"),
            [(tool.server, tool.name, tool.usd_per_call) for tool in view.tools],
        ),
    ):
        if rows:
            parts.append(f"\n## {title}\n\n{note}\n\n{table_of_texts(columns, rows)}\n")
    return "".join(parts)


def _beginning(public: Public) -> str:
    return f"""\
# Prices

In USD per 1M tokens, as charged at this moment. `{NO_PRICE}`: the model has no price, and can't be used with a
balance or a budget. Catalog revision `{public.view.revision}`; the same in JSON is
[/api/models/display]({public.site.url("/api/models/display")}).

The sandbox ({public.site.url("/sandbox")}) is free and needs no key. A request is charged for what the provider says
that it used; its receipt shows each line.

"""


def _first(offers: tuple[PublicOffer, ...]) -> Iterator[tuple[str, ...]]:
    for offer in offers:
        price = offer.price
        yield (
            offer.channel,
            offer.model,
            *(NO_PRICE if price is None else charged(price.now, bucket) for bucket in FIRST),
        )


def _others(offers: tuple[PublicOffer, ...]) -> Iterator[tuple[str, ...]]:
    for offer, price in _priced(offers):
        for what, usd, unit in _lines(price.now):
            if what not in FIRST:
                yield offer.channel, offer.model, what, usd, unit


def _tiers(offers: tuple[PublicOffer, ...]) -> Iterator[tuple[str, ...]]:
    for offer, price in _priced(offers):
        for tier in price.tiers:
            for line in _lines(tier.rates):
                yield (offer.channel, offer.model, str(tier.above_input_tokens), *line)


def _windows(offers: tuple[PublicOffer, ...]) -> Iterator[tuple[str, ...]]:
    for offer, price in _priced(offers):
        for window in price.windows:
            days = "every day" if len(window.days) == len(_DAYS) else " ".join(_DAYS[day] for day in window.days)
            when = (window.timezone, days, window.start, window.end, "yes" if window.open else "no")
            for line in _lines(window.rates):
                yield (offer.channel, offer.model, *when, *line)


def _priced(offers: tuple[PublicOffer, ...]) -> Iterator[tuple[PublicOffer, PublicPrice]]:
    for offer in offers:
        if offer.price is not None:
            yield offer, offer.price


def _lines(rates: PublicRates) -> Iterator[tuple[str, str, str]]:
    """What is priced, the price, and for how much of it."""
    for bucket, usd in rates.per_million:
        yield bucket, usd, "1M tokens"
    for unit, usd in rates.per_unit:
        yield unit, usd, "one"


DOCUMENTS = (
    document(
        "/pricing.md",
        MARKDOWN,
        pricing,
        "Prices",
        "what each model and tool costs now",
        LIVE_S,
        group="Documentation",
    ),
)
