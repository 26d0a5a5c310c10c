import pytest
from argon2 import extract_parameters
from argon2.exceptions import VerifyMismatchError

from services.admin.identity import passwords as module
from services.admin.identity.passwords import Passwords


async def test_a_password_matches_itself_only() -> None:
    passwords = Passwords()
    stored = await passwords.hash("correct horse")
    assert stored.startswith("$argon2id$")
    assert await passwords.matches("correct horse", stored)
    assert not await passwords.matches("wrong", stored)
    assert not await passwords.matches("correct horse", None)
    assert not await passwords.matches("x", "not a hash")


async def test_a_login_that_does_not_exist_costs_as_much() -> None:
    stored = await Passwords().hash("correct horse")
    assert extract_parameters(module._NOBODYS_HASH) == extract_parameters(stored)
    # Told after all the work; what can't be read is another error, at once.
    with pytest.raises(VerifyMismatchError):
        module._HASHER.verify(module._NOBODYS_HASH, "correct horse")


async def test_a_login_that_does_not_exist_has_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_NOBODYS_HASH", module._HASHER.hash("known"))
    assert not await Passwords().matches("known", None)
