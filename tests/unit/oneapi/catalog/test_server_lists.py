import pytest

from oneapi.catalog.server_lists import offers
from tests.unit.services.mcp.arrangements import make_server


@pytest.mark.parametrize(
    ("allow", "deny", "tool", "offered"),
    [
        ((), (), "any", True),
        (("read",), (), "read", True),
        (("read",), (), "write", False),
        (("read_*",), (), "read_file", True),
        (("*",), ("delete_*",), "delete_all", False),
        (("delete_all",), ("delete_*",), "delete_all", False),
        ((), ("read",), "READ", True),
        ((), ("a?c",), "abc", True),
        (("a[bc]",), (), "ab", False),
        (("a[bc]",), (), "a[bc]", True),
    ],
)
def test_deny_wins_and_an_empty_allow_allows(
    allow: tuple[str, ...], deny: tuple[str, ...], tool: str, offered: bool
) -> None:
    assert offers(make_server("s", allow=allow, deny=deny), tool) is offered
