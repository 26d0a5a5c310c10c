import pytest

from services.edge.paths import Owner, is_googles, owner_of


@pytest.mark.parametrize(
    ("path", "owner"),
    [
        (b"/v1/models", Owner.EDGE),
        (b"/v1/models/meta-llama%2FLlama-3", Owner.EDGE),
        (b"/v1/models/..%2f..%2fadmin", Owner.EDGE),
        (b"/v1/receipts/1", Owner.EDGE),
        (b"/v1", Owner.EDGE),
        (b"/v2/rerank", Owner.EDGE),
        (b"/v1beta/models/x:generateContent", Owner.EDGE),
        (b"/v1beta/models/vendor%2Fx", Owner.EDGE),
        (b"/v1beta/models/..%2f..%2fadmin", Owner.EDGE),
        (b"/v1beta/%2e%2e/api/keys", Owner.NOBODY),
        (b"/sandbox/v1/messages", Owner.EDGE),
        (b"/openrouter/v1/models", Owner.EDGE),
        (b"/dashboard/billing/usage", Owner.EDGE),
        (b"/api/paas/v4/layout_parsing", Owner.EDGE),
        (b"/api/token/1", Owner.EDGE),
        (b"/healthz", Owner.EDGE),
        (b"/readyz", Owner.EDGE),
        (b"/mcp", Owner.MCP),
        (b"/mcp/", Owner.ADMIN),
        (b"/mcpx", Owner.ADMIN),
        (b"/", Owner.ADMIN),
        (b"/api/channels", Owner.ADMIN),
        (b"/api/tokens", Owner.ADMIN),
        (b"/api/prices/meta-llama%2FLlama-3", Owner.ADMIN),
        (b"/api/prices/a%2F..%2Fb", Owner.NOBODY),
        (b"/api/prices/a%2F%2Fb", Owner.NOBODY),
        (b"/docs%2Fx", Owner.NOBODY),
        (b"/.well-known/mcp", Owner.ADMIN),
        (b"/llms.txt", Owner.ADMIN),
        (b"/v1x", Owner.ADMIN),
        (b"/metrics", Owner.NOBODY),
        (b"//admin", Owner.NOBODY),
        (b"/v1/../admin", Owner.NOBODY),
        (b"/v1/..%2fadmin", Owner.NOBODY),
        (b"/api/%2e%2e/v1", Owner.NOBODY),
        (b"/api/.", Owner.NOBODY),
        (b"/api/x%00", Owner.NOBODY),
        (b"/api;x=1", Owner.NOBODY),
        (b"/api\\x", Owner.NOBODY),
        (b"/api/%252e", Owner.NOBODY),
        (b"/api/%c0%ae", Owner.NOBODY),
        (b"/api/%zz", Owner.NOBODY),
        (b"/%61pi/keys", Owner.NOBODY),
        (b"/api/%4Beys", Owner.NOBODY),
        (b"/api/%6beys", Owner.NOBODY),
        (b"/%76%31/models", Owner.NOBODY),
        (b"/api/prices/model%3Afree%40x", Owner.ADMIN),
        (b"*", Owner.NOBODY),
        (b"", Owner.NOBODY),
    ],
)
def test_owner(path: bytes, owner: Owner) -> None:
    assert owner_of(path) is owner


def test_which_paths_are_googles() -> None:
    for path in (b"/v1beta", b"/v1beta/anything", b"/v1/models/m:generateContent", b"/v1beta/models/m:x"):
        assert is_googles(path)
    for path in (b"/v1betas", b"/v1/models/m:embedContent", b"/v1/models/m", b"/v1/chat/completions"):
        assert not is_googles(path)
