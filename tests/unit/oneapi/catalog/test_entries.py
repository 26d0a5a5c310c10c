"""Entries of the catalog."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oneapi.catalog.entries import BadEntry, Entry, decode, encode, kv_key, parse_kv_key, price_id
from oneapi.catalog.types import KINDS, Account, Channel, Price, PriceVersion, RelayKey
from proto.events.v1.events_pb2 import CatalogChanged

CHANNEL = Channel(id="ch_1", name="one", provider="openai", models=("a", "b"), model_mapping={"a": "x"})


def test_an_entry_comes_back() -> None:
    data = encode("channel", "ch_1", 7, CHANNEL, "00-a", 123)
    assert decode(data) == Entry("channel", "ch_1", 7, False, CHANNEL, "00-a", 123)
    assert encode("channel", "ch_1", 7, CHANNEL, "00-a", 123) == data


def test_a_deletion_comes_back() -> None:
    assert decode(encode("key", "00ff", 8, None)) == Entry("key", "00ff", 8, True, None)


def test_an_older_reader_survives_new_fields() -> None:
    payload = b'{"id":"acc_1","name":"one","later":{"x":1}}'
    data = CatalogChanged(kind="account", id="acc_1", revision=1, payload=payload).SerializeToString()
    assert decode(data).value == Account(id="acc_1", name="one")


def test_the_wrong_type_is_refused_before_it_is_written() -> None:
    with pytest.raises(ValueError, match="account"):
        encode("account", "ch_1", 1, CHANNEL)
    with pytest.raises(ValueError, match="'planet'"):
        encode("planet", "x", 1, None)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        CatalogChanged(kind="planet", id="x").SerializeToString(),
        CatalogChanged(kind="account", payload=b"{}").SerializeToString(),
        CatalogChanged(kind="account", id="x", payload=b"{").SerializeToString(),
        CatalogChanged(kind="account", id="x", payload=b'{"id":1,"name":"a"}').SerializeToString(),
        CatalogChanged(kind="account", id="x", payload=b'{"id":"\xff","name":"a"}').SerializeToString(),
        CatalogChanged(kind="account", id="x", payload=b'{"x":' + b"[" * 100_000).SerializeToString(),
    ],
)
def test_bad_entries(data: bytes) -> None:
    with pytest.raises(BadEntry):
        decode(data)


def test_keys_of_the_bucket() -> None:
    assert kv_key("channel", "ch_1") == "channel.ch_1"
    assert kv_key("key", "00ff") == "00ff"
    assert parse_kv_key("00ff") == ("key", "00ff")
    for bad in ("", "a.b", "a b", "a*", "é", "a\n", "x" * 201):
        with pytest.raises(ValueError, match="id"):
            kv_key("channel", bad)
    with pytest.raises(ValueError, match="'planet'"):
        kv_key("planet", "x")
    for bad in ("planet.x", "price.é", "price.////8"):
        with pytest.raises(BadEntry):
            parse_kv_key(bad)


@given(st.text(min_size=1), st.sampled_from(["", "ch_1"]))
def test_any_model_has_a_price_key_of_its_own(model: str, channel_id: str) -> None:
    key = kv_key("price", price_id(model, channel_id))
    assert set(key) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")
    assert parse_kv_key(key) == ("price", price_id(model, channel_id))


def test_every_kind_has_a_type() -> None:
    price = Price(model="m", versions=(PriceVersion(id="p", effective_from_ms=0, rates={"input": 1}),))
    key = RelayKey(id="key_1", name="k", account_id="acc_1")
    samples = {"account": Account(id="acc_1", name="a"), "channel": CHANNEL, "price": price, "key": key}
    for kind, value in samples.items():
        assert isinstance(value, KINDS[kind])
        assert decode(encode(kind, "x", 1, value)).value == value
