"""Tables of models and tools: what they show, how many, and of whatever names."""

from dataclasses import replace

import pytest

from oneapi.catalog.public.view import PublicTier, PublicWindow
from services.admin.public.pages.offers import SHOWN_OFFERS, SHOWN_TOOLS, offers_table, tools_table
from tests.unit.services.admin.public.pages import given
from tests.unit.services.admin.public.views import offer, price, rates, tool
from tests.well_formed import KNOWN


def test_prices_are_shown_in_their_columns() -> None:
    shown = offers_table([offer("m", price=price(input="1", cached_input="0.1", output="4"))])
    cells = ['<td class="number">1</td>', '<td class="number">0.1</td>', '<td class="number">4</td>']
    assert "".join(cells) in shown
    assert "main · chat" in shown


def test_what_has_no_price_says_so() -> None:
    assert "no price" in offers_table([offer("m", price=None)])
    assert '<td class="number">0</td>' in offers_table([offer("m", price=price(image="0.04"))])


def test_other_prices_are_named() -> None:
    various = replace(
        price(input="1", reasoning="9", image="0.04", per_call="0.01"),
        tiers=(PublicTier(above_input_tokens=200_000, rates=rates(input="2")),),
        windows=(PublicWindow(timezone="UTC", days=(0,), start="00:00", end="08:00", rates=rates(), open=False),),
    )
    shown = offers_table([offer("m", price=various)])
    assert "reasoning 9 · 0.04 for each image · 0.01 for each call" in shown
    assert "other prices above 200,000 input tokens · other prices at certain hours" in shown


def test_however_many_there_are_the_page_stays_small() -> None:
    offers = [offer(f"model-{number}" + "x" * 5_000) for number in range(5_000)]
    shown = offers_table(offers)
    assert len(shown) < 100_000
    assert f'And {5_000 - SHOWN_OFFERS:,} more: <a href="/pricing.md">/pricing.md</a>' in shown
    tools = [tool(f"tool-{number}", "long " * 5_000) for number in range(500)]
    assert len(tools_table(tools)) < 50_000
    assert f"And {500 - SHOWN_TOOLS} more" in tools_table(tools)


def test_no_more_are_announced_than_there_are() -> None:
    assert "more" not in offers_table([offer(str(number)) for number in range(SHOWN_OFFERS)])
    assert "No model is public" in offers_table([])
    assert "No tool server" in tools_table([])


@pytest.mark.parametrize("name", given.HOSTILE)
def test_names_are_never_markup(name: str) -> None:
    shown = str(offers_table([offer(name, channel=name)]) + tools_table([tool(name, name)]))
    shown.encode()
    opened = {part.split(">")[0].split(" ")[0].strip("/") for part in shown.split("<")[1:]}
    assert opened <= KNOWN
    assert "script" not in opened
    assert "\x00" not in shown


def test_a_tool_without_a_price_is_free() -> None:
    assert ">free<" in tools_table([tool("t", usd_per_call="0")])
    assert ">0.01<" in tools_table([tool("t")])
