import pytest

from services.mcp.policy.key_tools import grants
from tests.unit.services.mcp.arrangements import make_key


def test_a_key_without_a_list_may_use_everything() -> None:
    assert grants(make_key(), "anything")
    assert not grants(make_key(tools=()), "anything")


@pytest.mark.parametrize("name", ["Search", "search ", " search", "\uff53earch", "sear\u200bch", "search\x00", ""])
def test_only_the_exact_name_is_granted(name: str) -> None:
    key = make_key(tools=("search",))
    assert grants(key, "search")
    assert not grants(key, name)
