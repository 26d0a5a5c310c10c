from oneapi.catalog.public.view import PublicPrice, PublicTier, PublicWindow
from services.admin.public.documents.pricing import pricing
from tests.unit.services.admin.public.views import offer, public, rates, tables, tool


def test_the_first_table_has_a_line_for_each_offer() -> None:
    text = pricing(public(offer(model="a"), offer(model="b", price=None)))
    assert tables(text) == [
        [
            ["channel", "model", "input", "cached input", "output"],
            ["main", "a", "2", "2", "8"],
            ["main", "b", "-", "-", "-"],
        ]
    ]
    assert "`rev`" in text
    assert "https://gw.example/sandbox" in text


def test_other_prices_have_tables_of_their_own() -> None:
    window = PublicWindow(
        timezone="UTC", days=(0, 6), start="22:00", end="06:00", rates=rates(output="4", image="1"), open=True
    )
    price = PublicPrice(
        now=rates(input="2", cache_write_5m="3", output="4", image="1"),
        base=rates(input="2", cache_write_5m="3", output="8"),
        tiers=(PublicTier(above_input_tokens=200_000, rates=rates(input="4")),),
        windows=(window,),
    )
    found = {tuple(table[0]): table[1:] for table in tables(pricing(public(offer(price=price), tools=(tool(),))))}
    assert found["channel", "model", "input", "cached input", "output"] == [["main", "m", "2", "2", "4"]]
    assert found["channel", "model", "what", "USD", "for"] == [
        ["main", "m", "cache_write_5m", "3", "1M tokens"],
        ["main", "m", "image", "1", "one"],
    ]
    assert found["channel", "model", "above input tokens", "what", "USD", "for"] == [
        ["main", "m", "200000", "input", "4", "1M tokens"]
    ]
    hours = found["channel", "model", "time zone", "days", "from", "to", "open now", "what", "USD", "for"]
    assert hours == [
        ["main", "m", "UTC", "Mon Sun", "22:00", "06:00", "yes", "output", "4", "1M tokens"],
        ["main", "m", "UTC", "Mon Sun", "22:00", "06:00", "yes", "image", "1", "one"],
    ]
    assert found["server", "tool", "USD per call"] == [["search", "find", "0.01"]]
