import json

from services.admin.public.display.tools import tools_display
from tests.unit.services.admin.public.views import public, tool


def test_tools_stand_below_their_servers() -> None:
    given = public(tools=(tool(), tool(name="other", title="", usd_per_call="0"), tool(server_id="mcp_2", server="t")))
    answer = json.loads(tools_display(given))
    assert (answer["success"], answer["message"]) == (True, "")
    assert [(each["server"]["uuid"], len(each["tools"])) for each in answer["data"]] == [("mcp_1", 2), ("mcp_2", 1)]
    assert answer["data"][0]["server"] == {
        "uuid": "mcp_1", "name": "search", "status": 1, "protocol": "streamable_http",
    }  # fmt: skip
    first, second = answer["data"][0]["tools"]
    assert first["input_schema"] == '{"type":"object"}'
    assert first["default_pricing"] == {"usd_per_call": 0.01, "quota_per_call": 5_000}
    assert (first["server_uuid"], first["created_at"], first["display_name"]) == ("mcp_1", 7, "Find")
    assert second["display_name"] == "other"
    assert first["uuid"] != second["uuid"]


def test_no_tools() -> None:
    assert json.loads(tools_display(public()))["data"] == []
