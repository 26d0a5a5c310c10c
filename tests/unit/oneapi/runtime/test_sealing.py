"""Sealed secrets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oneapi.runtime.sealing import Sealer, SealError

SEALER = Sealer("the secret key")
PLACE = "channel/ch_1/api_key"


@given(st.text())
def test_a_secret_comes_back(secret: str) -> None:
    sealed = SEALER.seal(secret, bound_to=PLACE)
    assert SEALER.open(sealed, bound_to=PLACE) == secret
    assert Sealer("the secret key").open(sealed, bound_to=PLACE) == secret


def test_the_same_secret_never_looks_the_same() -> None:
    first, second = SEALER.seal("a", bound_to=PLACE), SEALER.seal("a", bound_to=PLACE)
    assert first != second
    assert first.startswith("v1.")


def test_it_opens_at_its_own_place_only() -> None:
    sealed = SEALER.seal("hush", bound_to=PLACE)
    with pytest.raises(SealError, match="another place"):
        SEALER.open(sealed, bound_to="channel/ch_2/api_key")


def test_another_secret_key_is_named_as_the_reason() -> None:
    with pytest.raises(SealError, match="another ONEAPI_SECRET_KEY"):
        Sealer("another").open(SEALER.seal("hush", bound_to=PLACE), bound_to=PLACE)


def test_a_previous_secret_key_still_opens_and_the_current_one_seals() -> None:
    sealed = SEALER.seal("hush", bound_to=PLACE)
    both = Sealer("new", ["newer", "the secret key"])
    assert both.open(sealed, bound_to=PLACE) == "hush"
    assert both.depends_on_previous(sealed)
    made = both.seal("hush", bound_to=PLACE)
    assert not both.depends_on_previous(made)
    assert Sealer("new").open(made, bound_to=PLACE) == "hush"
    assert not both.depends_on_previous("")
    assert not Sealer("new").depends_on_previous(sealed)
    # The same one named twice changes nothing.
    assert not Sealer("new", ["new"]).depends_on_previous(made)


def test_only_the_wrapping_is_made_anew() -> None:
    sealed = SEALER.seal("hush", bound_to=PLACE)
    both = Sealer("new", ["the secret key"])
    rewrapped = both.rewrap(sealed, bound_to=PLACE)
    assert not both.depends_on_previous(rewrapped)
    assert Sealer("new").open(rewrapped, bound_to=PLACE) == "hush"
    assert rewrapped.split(".")[3] == sealed.split(".")[3]
    assert rewrapped.split(".")[2] != sealed.split(".")[2]
    with pytest.raises(SealError, match="another place"):
        both.rewrap(sealed, bound_to="channel/ch_2/api_key")
    with pytest.raises(SealError, match="another ONEAPI_SECRET_KEY"):
        Sealer("new").rewrap(sealed, bound_to=PLACE)


def test_any_change_is_noticed() -> None:
    sealed = SEALER.seal("hush", bound_to=PLACE)
    for place, character in enumerate(sealed):
        changed = sealed[:place] + ("A" if character != "A" else "B") + sealed[place + 1 :]
        try:
            # The last character of a part may hold bits that mean nothing.
            assert SEALER.open(changed, bound_to=PLACE) == "hush"
            assert sealed[place + 1 : place + 2] in ("", ".")
        except SealError:
            pass


@pytest.mark.parametrize("text", ["", "v1", "v1.a.b.c", "v2.a.b.c", "v1...", "hush", "v1.00000000.AAAA.AAAA"])
def test_what_was_never_sealed(text: str) -> None:
    with pytest.raises(SealError):
        SEALER.open(text, bound_to=PLACE)


def test_a_malformed_text_of_the_right_key() -> None:
    version, key_id, *_ = SEALER.seal("a", bound_to=PLACE).split(".")
    for rest in ("é.é", "AAAA.AAAA", ".", "!!!!.!!!!"):
        with pytest.raises(SealError):
            SEALER.open(f"{version}.{key_id}.{rest}", bound_to=PLACE)


def test_other_text_for_the_same_bytes_is_refused() -> None:
    sealer = Sealer("s" * 32)
    sealed = sealer.seal("k", bound_to="channel/1/api_key")
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    # 29 bytes of ciphertext: the last letter has two bits that count for nothing.
    twin = sealed[:-1] + letters[letters.index(sealed[-1]) ^ 1]
    assert sealer.open(sealed, bound_to="channel/1/api_key") == "k"
    for changed in (twin, sealed.replace("-", "+").replace("_", "/") + "=", sealed + "\n"):
        with pytest.raises(SealError):
            sealer.open(changed, bound_to="channel/1/api_key")


def test_records_are_bound_to_their_place_and_survive_a_new_secret() -> None:
    old = Sealer("old")
    sealed = old.seal_record(b"\x00.bytes.\xff", bound_to="responses/a.b")
    for sealer in (old, Sealer("new", ("old",))):
        assert sealer.open_record(sealed, bound_to="responses/a.b") == b"\x00.bytes.\xff"
    for sealer, text, place in (
        (old, sealed, "responses/other.b"),
        (Sealer("new"), sealed, "responses/a.b"),
        (old, sealed[:-1], "responses/a.b"),
        (old, sealed[:-1] + bytes([sealed[-1] ^ 1]), "responses/a.b"),
        (old, b"", "responses/a.b"),
        (old, b"\xff.\xff.\xff.", "responses/a.b"),
        (old, b"v1.a.b", "responses/a.b"),
    ):
        with pytest.raises(SealError):
            sealer.open_record(text, bound_to=place)
