from services.admin.identity.passwords import Passwords


async def test_a_password_matches_itself_only() -> None:
    passwords = Passwords()
    stored = await passwords.hash("correct horse")
    assert stored.startswith("$argon2id$")
    assert await passwords.matches("correct horse", stored)
    assert not await passwords.matches("wrong", stored)
    assert not await passwords.matches("the password of nobody", None)
    assert not await passwords.matches("x", "not a hash")
