import pytest

from oneapi.runtime import redis_functions


def test_every_key_of_an_account_is_in_one_slot() -> None:
    keys = [
        redis_functions.balance_key("a"),
        redis_functions.leases_key("a"),
        redis_functions.reservation_key("a", "r1"),
        redis_functions.rate_key("a", "k", "rpm"),
        redis_functions.concurrency_key("a", "k"),
    ]
    assert keys == ["b:{a}", "z:{a}", "r:{a}:r1", "g:{a}:k:rpm", "c:{a}:k"]


def test_the_library_says_its_version_and_its_name() -> None:
    text = redis_functions.source()
    assert text.startswith("#!lua name=oneapi\n")
    assert redis_functions.version(text) >= 1
    with pytest.raises(ValueError):
        redis_functions.version("return 1")


async def test_an_error_that_is_not_about_the_library_passes_through() -> None:
    class Broken:
        async def execute_command(self, *args: object, **options: object) -> object:
            raise RuntimeError("NOPERM")

    with pytest.raises(RuntimeError):
        await redis_functions.ensure(Broken())
    with pytest.raises(RuntimeError):
        await redis_functions.MoneyFunctions(Broken()).balances("a")
