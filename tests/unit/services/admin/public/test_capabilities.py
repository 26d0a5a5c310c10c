from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS, MODERN_PROTOCOL_VERSIONS

from oneapi.dialects.registry import DIALECTS
from services.admin.public import capabilities


def test_both_mcp_endpoints_speak_the_versions_that_cards_name() -> None:
    assert set(capabilities.MCP_VERSIONS) == {*HANDSHAKE_PROTOCOL_VERSIONS, *MODERN_PROTOCOL_VERSIONS}


def test_every_format_has_a_name_and_an_address() -> None:
    assert len(capabilities.WIRE_FORMATS) == len(DIALECTS)
    assert all(path.startswith("/v1") for _, path in capabilities.WIRE_FORMATS)
