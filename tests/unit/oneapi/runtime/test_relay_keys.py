"""Relay keys and management tokens."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oneapi.runtime.relay_keys import KeyHasher, hint, mint, mint_management, well_formed, well_formed_management


def test_keys_have_one_form() -> None:
    assert re.fullmatch(r"sk-[0-9A-Za-z]{46}", mint())
    assert re.fullmatch(r"oat-[0-9A-Za-z]{46}", mint_management())
    assert len({mint() for _ in range(100)}) == 100
    assert well_formed(mint())
    assert well_formed_management(mint_management())
    assert not well_formed(mint_management())
    assert not well_formed_management(mint())
    # The checksum covers the prefix too.
    assert not well_formed_management("oat-" + mint()[3:])


@given(st.integers(3, 48), st.sampled_from("0aZ-_ é"))
def test_a_changed_character_is_noticed(place: int, character: str) -> None:
    key = mint()
    changed = key[:place] + character + key[place + 1 :]
    assert well_formed(changed) == (changed == key)


@pytest.mark.parametrize("text", ["", "sk-", "sk-" + "a" * 46, "x" * 49, "sk-" + "é" * 46])
def test_what_is_no_key(text: str) -> None:
    assert not well_formed(text)


def test_hashes() -> None:
    hasher, key = KeyHasher("secret"), mint()
    assert re.fullmatch("[0-9a-f]{64}", hasher.hash(key))
    assert hasher.hash(key) == KeyHasher("secret").hash(key)
    assert hasher.hash(key) != KeyHasher("another").hash(key)
    assert hasher.hash(key) != hasher.hash(mint())
    assert hasher.hash("\udcff") != hasher.hash("")


def test_every_text_is_hashed_with_each_pepper() -> None:
    both = KeyHasher("new", ["old"])
    for text in (mint(), "", "no key at all", "\udcff"):
        assert both.hashes(text) == (KeyHasher("new").hash(text), KeyHasher("old").hash(text))
        assert both.hash(text) == both.hashes(text)[0]
    assert both.versions == (KeyHasher("new").version, KeyHasher("old").version)
    assert both.version == KeyHasher("new").version
    assert re.fullmatch("[0-9a-f]{8}", both.version)


def test_a_proof_is_of_the_current_secret_key() -> None:
    both = KeyHasher("new", ["old"])
    proof = both.proof("a", "b")
    assert KeyHasher("new").proves("a", "b", proof)
    assert not KeyHasher("new").proves("b", "a", proof)
    assert not KeyHasher("old", ["new"]).proves("a", "b", proof)
    assert not both.proves("a", "b", b"")


def test_a_hint_shows_little() -> None:
    key = mint()
    assert hint(key) == f"sk-…{key[-4:]}"
    assert hint(mint_management()).startswith("oat-…")
