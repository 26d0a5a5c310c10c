"""Derived keys."""

import pytest

from oneapi.runtime.key_derivation import KEY_BYTES, derive_key


def test_each_purpose_and_each_secret_has_its_own() -> None:
    keys = {derive_key(secret, purpose) for secret in ("a", "b") for purpose in ("x", "y")}
    assert len(keys) == 4
    assert {len(key) for key in keys} == {KEY_BYTES}
    assert derive_key("a", "x") in keys


def test_they_stay_the_same_for_ever() -> None:
    assert derive_key("a", "x").hex() == "22ef4543700aac31c10e8da5ed3284e23b66da2d0c2bca0be4d172ecb9d35ff9"


def test_no_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="empty"):
        derive_key("", "x")
