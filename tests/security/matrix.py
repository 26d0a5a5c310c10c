"""Who may call which operation of the management API, written down by hand: the code's own marks prove nothing.

Members read their account. Its administrators run its users, keys and tokens as well. All else is for administrators
of the operator's account.
"""

ANYBODY = frozenset({"POST /api/session"})
MEMBERS = ANYBODY | {
    "GET /api/accounts",
    "GET /api/accounts/{account_id}",
    "GET /api/accounts/{account_id}/credits",
    "GET /api/users",
    "GET /api/users/{user_id}",
    "GET /api/keys",
    "GET /api/keys/{key_id}",
    "GET /api/prices",
    "GET /api/prices/{model}",
    "GET /api/receipts/{request_id}",
    "GET /api/logs",
    "GET /api/usage",
    "GET /api/balance",
    "GET /api/session",
    "DELETE /api/session",
}
ADMINISTRATORS = MEMBERS | {
    "POST /api/users",
    "PATCH /api/users/{user_id}",
    "DELETE /api/users/{user_id}",
    "POST /api/keys",
    "PATCH /api/keys/{key_id}",
    "DELETE /api/keys/{key_id}",
    "POST /api/keys/{key_id}/rotate",
    "GET /api/tokens",
    "POST /api/tokens",
    "GET /api/tokens/{token_id}",
    "PATCH /api/tokens/{token_id}",
    "DELETE /api/tokens/{token_id}",
    "POST /api/tokens/{token_id}/rotate",
    "GET /api/audit",
}
OPERATORS = ADMINISTRATORS | {
    "POST /api/accounts",
    "PATCH /api/accounts/{account_id}",
    "DELETE /api/accounts/{account_id}",
    "POST /api/accounts/{account_id}/credits",
    "GET /api/channels",
    "POST /api/channels",
    "GET /api/channels/{channel_id}",
    "PATCH /api/channels/{channel_id}",
    "DELETE /api/channels/{channel_id}",
    "POST /api/channels/{channel_id}/test",
    "GET /api/mcp-servers",
    "POST /api/mcp-servers",
    "GET /api/mcp-servers/{server_id}",
    "PATCH /api/mcp-servers/{server_id}",
    "DELETE /api/mcp-servers/{server_id}",
    "PUT /api/prices/{model}",
    "PATCH /api/prices/{model}",
    "DELETE /api/prices/{model}",
    "GET /api/status",
    "POST /api/explain",
}


def allowed(caller: str) -> frozenset[str]:
    """The operations that a caller may use, named as in `tests.security.estate.insider`."""
    role, _, whose = caller.removeprefix("session of ").rpartition(" of ")
    if role == "member":
        return MEMBERS
    return OPERATORS if whose == "operator" else ADMINISTRATORS
