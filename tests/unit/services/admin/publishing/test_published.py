from typing import Any

from oneapi.pricing.rates import version_at
from services.admin.publishing import published
from services.admin.store.schema import Channel, Key, PriceVersion


def version(number: int, effective_from_ms: int, revision: int | None = None) -> PriceVersion:
    return PriceVersion(
        id=f"v{number}",
        model="m",
        channel_id="",
        effective_from_ms=effective_from_ms,
        rates={"input": number},
        tiers=[{"above_input_tokens": 10, "rates": {"input": 1}}],
        windows=[{"timezone": "UTC", "days": [0], "start": 0, "end": 60, "rates": {"input": 2}}],
        created_by="x",
        created_at_ms=0,
        revision=number if revision is None else revision,
    )


def ids(*versions: PriceVersion, now_ms: int) -> list[str]:
    return [one.id for one in published.in_force(versions, now_ms)]


def test_what_is_or_will_be_in_force() -> None:
    old, now, soon, later = version(1, 0), version(2, 100), version(3, 200), version(4, 300)
    assert ids(later, soon, now, old, now_ms=150) == ["v2", "v3", "v4"]
    assert ids(old, now, soon, later, now_ms=100) == ["v2", "v3", "v4"]
    assert ids(soon, later, now_ms=150) == ["v3", "v4"]
    assert ids(old, now, soon, later, now_ms=999) == ["v4"]
    assert ids(now_ms=1) == []


def test_a_price_that_has_just_ended_is_still_published_for_clocks_that_are_behind() -> None:
    hour = published.OUTDATED_MS
    versions = [version(1, 0), version(2, 100), version(3, 200)]
    price = published.price("m", "", versions, hour + 150)
    assert [one.id for one in price.versions] == ["v2", "v3"]
    behind = version_at(price.versions, 199)
    assert behind is not None
    assert behind.id == "v2"
    assert [one.id for one in published.price("m", "", versions, hour + 200).versions] == ["v3"]


def test_the_younger_of_two_from_one_instant_counts() -> None:
    assert ids(version(1, 100, 5), version(2, 100, 9), version(3, 100, 7), now_ms=50) == ["v2"]


def test_a_price_keeps_tiers_and_windows() -> None:
    price = published.price("m", "ch_1", [version(1, 0)], 5)
    assert (price.channel_id, price.versions[0].tiers[0].rates) == ("ch_1", {"input": 1})
    assert price.versions[0].windows[0].days == (0,)


def channel(**fields: Any) -> Channel:
    given: dict[str, Any] = {
        "id": "ch_1", "name": "c", "provider": "openai", "models": ["m"], "base_url": "", "api_key_sealed": "s",
        "dialects": [], "endpoints": [], "model_mapping": {}, "groups": ["default"], "priority": 0, "weight": 1,
        "headers_sealed": {}, "limits": {"concurrency": 3}, "enabled": True, "config": {},
        "public_name": "", "hidden_models": [],
    }  # fmt: skip
    return Channel(**given | fields)


def test_a_channel_gets_its_providers_defaults() -> None:
    found = published.channel(channel())
    assert found.base_url == "https://api.openai.com/v1"
    assert found.dialects
    assert "chat" in found.endpoints
    assert found.limits.concurrency == 3
    own = published.channel(channel(base_url="https://x.example", dialects=["openai_chat"], endpoints=["chat"]))
    assert (own.base_url, own.dialects, own.endpoints) == ("https://x.example", ("openai_chat",), ("chat",))
    only = published.channel(channel(provider="voyage"))
    assert (only.base_url, only.dialects, only.endpoints) == ("https://api.voyageai.com/v1", (), ("embeddings",))
    unknown = published.channel(channel(provider="gone"))
    assert (unknown.base_url, unknown.dialects) == ("", ())


def test_a_channel_says_what_is_public_of_it() -> None:
    found = published.channel(channel(public_name="Fast", hidden_models=["m"]))
    assert (found.public_name, found.hidden_models) == ("Fast", ("m",))


def test_a_key_says_everything_with_none() -> None:
    row = Key(
        id="key_1", name="k", account_id="a", user_id=None, models=None, tools=[], channels=["c"],
        budgets=[{"amount_nano": 5, "window": "day", "timezone": "UTC"}], limits={"rpm": 1}, expires_at_ms=None,
        allowed_ips=[], disconnect="cancel", strict=True, enabled=True,
    )  # fmt: skip
    found = published.key(row)
    assert (found.user_id, found.models, found.tools, found.channels) == ("", None, (), ("c",))
    assert found.budgets[0].amount_nano == 5
    assert found.strict
    assert (found.limits.rpm, found.limits.tpm) == (1, None)
