"""Models with their prices, and tools, as tables that a phone can show.

It decides how many are shown: a page stays small however many there are, and says where all of them stand. Names and
descriptions are others' text. It must not know the page around them.
"""

from collections.abc import Sequence

from oneapi.catalog.public.prices import charged
from oneapi.catalog.public.view import PublicOffer, PublicPrice, PublicTool
from services.admin.public.pages.html import Html, html, lines, tag
from services.admin.public.text import line

SHOWN_OFFERS, SHOWN_TOOLS = 50, 20
LONGEST_NAME, LONGEST_DESCRIPTION = 120, 160
SHOWN_MORE = 6
COLUMNS = ("input", "cached_input", "output")


def offers_table(offers: Sequence[PublicOffer], shown: int = SHOWN_OFFERS) -> Html:
    """A row for each model on each channel."""
    if not offers:
        return tag("p", "No model is public yet.")
    head = tag(
        "tr",
        tag("th", "Model", scope="col"),
        *(tag("th", name, scope="col", class_="number") for name in ("Input", "Cached input", "Output")),
    )
    return lines(
        tag(
            "table",
            tag("caption", "US dollars for a million tokens, as of now."),
            tag("thead", head),
            tag("tbody", lines(*map(_offer, offers[:shown]))),
        ),
        _rest(len(offers) - shown, "/pricing.md"),
    )


def tools_table(tools: Sequence[PublicTool], shown: int = SHOWN_TOOLS) -> Html:
    """A row for each tool."""
    if not tools:
        return tag("p", "No tool server is connected yet.")
    head = tag("tr", tag("th", "Tool", scope="col"), tag("th", "A call", scope="col", class_="number"))
    return lines(
        tag(
            "table",
            tag("caption", "US dollars for a call; the descriptions are those of the tool servers."),
            tag("thead", head),
            tag("tbody", lines(*map(_tool, tools[:shown]))),
        ),
        _rest(len(tools) - shown, "/api/tools/display"),
    )


def _offer(offer: PublicOffer) -> Html:
    where = " · ".join([line(offer.channel, LONGEST_NAME), *offer.endpoints])
    also = "" if offer.price is None else _also(offer.price)
    model = html(
        tag("span", line(offer.model, LONGEST_NAME), class_="name"),
        tag("small", where),
        tag("small", also) if also else "",
    )
    priced = () if offer.price is None else COLUMNS
    prices = [tag("td", charged(offer.price.now, name), class_="number") for name in priced if offer.price]
    if not prices:
        prices = [tag("td", "no price", colspan="3", class_="number")]
    return tag("tr", tag("th", model, scope="row"), *prices)


def _also(price: PublicPrice) -> str:
    """What else is priced, and when it is otherwise."""
    words = [
        *(f"{name} {usd}" for name, usd in price.now.per_million if name not in COLUMNS),
        *(f"{usd} for each {_unit(name)}" for name, usd in price.now.per_unit),
    ][:SHOWN_MORE]
    words += [f"other prices above {tier.above_input_tokens:,} input tokens" for tier in price.tiers[:1]]
    words += ["other prices at certain hours"] if price.windows else []
    return " · ".join(words)


def _unit(name: str) -> str:
    return name.removeprefix("per_").replace("_", " ")


def _tool(tool: PublicTool) -> Html:
    described = line(tool.description, LONGEST_DESCRIPTION)
    name = html(
        tag("span", line(tool.name, LONGEST_NAME), class_="name"),
        tag("small", line(tool.server, LONGEST_NAME)),
        tag("small", described) if described else "",
    )
    free = tool.usd_per_call == "0"
    return tag("tr", tag("th", name, scope="row"), tag("td", "free" if free else tool.usd_per_call, class_="number"))


def _rest(count: int, path: str) -> Html:
    return tag("p", f"And {count:,} more: ", tag("a", path, href=path)) if count > 0 else Html()
