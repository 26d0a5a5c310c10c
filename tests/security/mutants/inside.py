"""Mechanisms behind the door, taken out one by one."""

from tests.security.mutants.hole import Change, Hole

ADDRESSES = "oneapi/runtime/egress/addresses.py"
PRINCIPALS = "services/admin/identity/principals.py"


EVERY_V6 = Change(ADDRESSES, 'IPv6Network("2000::/3")', 'IPv6Network("::/0")')
"""What is not in the table is refused all the same where it isn't in the global space: a second lock."""


def _hole(name: str, file: str, old: str, new: str, *rows: str) -> Hole:
    return Hole(name, (Change(file, old, new),), rows)


HOLES = [
    _hole(
        "what a provider keeps is anybody's",
        "services/edge/inference/handler.py",
        "            if exchange.account.id != OPERATOR_ACCOUNT_ID:\n",
        "            if not exchange.account.id:\n",
        "T-14",
    ),
    _hole(
        "what is stored is everybody's",
        "services/edge/state/store.py",
        '    return f"{account_id}.{key}"\n',
        '    return f"everybody.{key}"\n',
        "T-15",
    ),
    _hole(
        "conversations bring in what no request may say",
        "services/edge/stored_conversations.py",
        "    check_links(given, allow_private=allow_private)\n",
        "",
        "T-16",
    ),
    _hole(
        "what clients carry is any account's",
        "services/edge/inference/carriage.py",
        '    return hmac.digest(secret, account_id.encode(), "sha256")\n',
        '    return hmac.digest(secret, b"", "sha256")\n',
        *("T-18", "T-19"),
    ),
    _hole(
        "lists and ids of every account are shown",
        PRINCIPALS,
        "    return statement if scope is None else statement.where(account == scope)\n",
        "    return statement\n",
        *("T-01", "T-02", "T-13"),
    ),
    _hole(
        "reports are of any account",
        "services/admin/resources/receipts/routes.py",
        '    return asked or principal.account_scope or ""\n',
        '    return asked or ""\n',
        "T-13",
    ),
    _hole(
        "a receipt is anybody's",
        "services/admin/resources/receipts/routes.py",
        'account_id=call.principal.account_scope or "")\n    found',
        'account_id="")\n    found',
        "T-01",
    ),
    _hole(
        "a receipt is any key's",
        "services/edge/cold.py",
        "account_id=caller.account.id, key_id=caller.key.id",
        'account_id="", key_id=""',
        "T-03",
    ),
    _hole(
        "what is another's is forbidden, not missing",
        "services/admin/resources/keys/routes.py",
        "    row = await queries.get(change.session, call.principal, key_id)\n    if row is None:\n"
        "        raise problems.not_found()\n    return change, row\n",
        "    row = await queries.get(change.session, call.principal, key_id)\n    if row is None:\n"
        '        raise problems.forbidden("It is not yours.")\n    return change, row\n',
        "T-01",
    ),
    _hole(
        "an Idempotency-Key is everybody's",
        "services/admin/web/call.py",
        "    return Claimed(principal.id, key,",
        '    return Claimed("everybody", key,',
        "T-08",
    ),
    _hole(
        "a user of another account may own a key",
        "services/admin/resources/keys/queries.py",
        "User.id == user_id, User.account_id == account_id",
        "User.id == user_id",
        "T-02",
    ),
    _hole(
        "a disabled account's tokens go on",
        "services/admin/identity/sessions.py",
        "    if account is None or not account.enabled:\n        return None\n    return Principal(id=token.id",
        "    if account is None:\n        return None\n    return Principal(id=token.id",
        "T-10",
    ),
    _hole(
        "loopback is a public address",
        ADDRESSES,
        '    "127.0.0.0/8": "loopback",\n',
        "",
        *("R-05", "R-07"),
    ),
    Hole(
        "IPv4 inside IPv6 is public",
        (Change(ADDRESSES, '    "::ffff:0:0/96": "an IPv4 address inside IPv6",\n', ""), EVERY_V6),
        ("R-06",),
    ),
    Hole(
        "NAT64 is public",
        (Change(ADDRESSES, '    "64:ff9b::/96": "a NAT64 tunnel",\n', ""), EVERY_V6),
        ("R-06", "R-07"),
    ),
    _hole(
        "link-local is public",
        ADDRESSES,
        '    "169.254.0.0/16": "link-local, where cloud metadata services are",\n',
        "",
        *("R-04", "R-06"),
    ),
    _hole(
        "numbers as addresses are names",
        ADDRESSES,
        "    if _NUMBER_LABEL.fullmatch(labels[-1]):\n",
        "    if host.count('.') == 3 and _NUMBER_LABEL.fullmatch(labels[-1]):\n",
        *("R-05", "R-06"),
    ),
    _hole(
        "a URL may hold a user",
        ADDRESSES,
        '    if parsed.user is not None or parsed.password is not None or "@" in authority:\n',
        "    if False:\n",
        *("R-02", "R-06"),
    ),
    _hole(
        "every character belongs in a URL",
        ADDRESSES,
        "    if not _URL_CHARACTERS.fullmatch(url.lower()):\n",
        "    if False:\n",
        "R-03",
    ),
    _hole(
        "what a name leads to is not looked at",
        "services/admin/upstreams/rules.py",
        "        await resolve_checked(address.host, address.port, allow_private)\n",
        "        pass\n",
        "R-07",
    ),
    # Two locks: few headers are read at all, and each format lets its own of these through.
    Hole(
        "the client's headers go upstream",
        (
            Change(
                "services/edge/arrival.py",
                'RELAYED_HEADERS = (b"openai-beta", b"anthropic-version", b"anthropic-beta")\n',
                'RELAYED_HEADERS = (b"openai-beta", b"anthropic-version", b"anthropic-beta", b"openai-organization")\n',
            ),
            Change(
                "services/edge/upstream/caller.py",
                "in relayed if pair[0] in names)",
                "in relayed if names is not None)",
            ),
        ),
        ("R-09",),
    ),
    _hole(
        "headers that frame a request can be configured",
        "services/admin/upstreams/rules.py",
        "        if lowered in OURS or lowered.startswith(OUR_PREFIXES):\n",
        "        if False:\n",
        *("I-12", "M-06"),
    ),
    _hole(
        "a credential may hold a line break",
        "services/admin/upstreams/rules.py",
        "    if len(secret) > MAX_SECRET or not _VISIBLE.fullmatch(secret):\n",
        "    if len(secret) > MAX_SECRET:\n",
        *("I-12", "M-06"),
    ),
    _hole(
        "what upstreams say is shown as it is",
        "oneapi/runtime/egress/words.py",
        '    if _NEVER_SHOWN.search(text):\n        return ""\n',
        "    return text\n",
        *("T-11", "R-17"),
    ),
    _hole(
        "a request may say where it goes",
        "oneapi/dialects/request.py",
        "    if not _NEVER_THE_CLIENTS.isdisjoint(value):\n",
        "    if False:\n",
        "R-01",
    ),
    _hole(
        "pictures may be anywhere",
        "services/edge/inference/links.py",
        "            check_link(url, allow_private)\n",
        "            pass\n",
        "R-12",
    ),
    _hole(
        "a key may call every tool",
        "services/mcp/endpoint.py",
        "        if not grants(caller.key, name):\n",
        "        if False:\n",
        "M-09",
    ),
    _hole(
        "a key is shown every tool",
        "services/mcp/endpoint.py",
        "for name, offer in toolset.offers.items() if grants(key, name)]",
        "for name, offer in toolset.offers.items()]",
        "M-04",
    ),
    _hole(
        "names of tools are compared loosely",
        "services/mcp/policy/key_tools.py",
        "    return key.tools is None or tool in key.tools\n",
        "    return key.tools is None or tool.strip().lower() in key.tools\n",
        "M-09",
    ),
    _hole(
        "denied tools are offered",
        "oneapi/catalog/server_lists.py",
        "        return False\n",
        "        return True\n",
        "M-08",
    ),
    _hole(
        "pages of other sites may call tools",
        "services/mcp/door.py",
        "        if origin is not None and origin.lower() not in self._origins:\n",
        "        if False:\n",
        "M-14",
    ),
    _hole(
        "ids of any kind are taken",
        "oneapi/runtime/json_rpc.py",
        '    if "id" in message and not _is_id(message["id"]):\n',
        "    if False:\n",
        "M-10",
    ),
    _hole(
        "a log line is text",
        "oneapi/runtime/logs.py",
        "        return msgspec.json.encode(line).decode()\n",
        '        return msgspec.json.encode(line).decode().replace("\\\\n", "\\n")\n',
        "I-08",
    ),
    _hole(
        "any type of body is JSON",
        "services/admin/web/json_body.py",
        '    if media_type != "application/json":\n',
        "    if False:\n",
        "I-14",
    ),
    _hole(
        "unknown fields are ignored",
        "services/admin/web/fields.py",
        '    """A body: unknown fields are refused, and nothing is converted."""\n\n'
        '    model_config = ConfigDict(extra="forbid", strict=True)\n',
        '    """A body: unknown fields are refused, and nothing is converted."""\n\n'
        '    model_config = ConfigDict(extra="ignore", strict=True)\n',
        *("X-01", "X-13", "R-18"),
    ),
    _hole(
        "a role may grant one above itself",
        "services/admin/resources/ranks.py",
        "    if not principal.outranks_or_equals(role):\n",
        "    if False:\n",
        "X-02",
    ),
    _hole(
        "members may manage",
        PRINCIPALS,
        "                return self.role is not Role.MEMBER\n",
        "                return True\n",
        *("X-02", "X-03", "X-04"),
    ),
    _hole(
        "every administrator operates",
        PRINCIPALS,
        "        return self.account_id == OPERATOR_ACCOUNT_ID and self.role is not Role.MEMBER\n",
        "        return self.role is not Role.MEMBER\n",
        *("T-01", "X-03", "X-09"),
    ),
    # Two locks: one request at a time in a process, and another look in the transaction, for other processes.
    Hole(
        "an Idempotency-Key is not claimed",
        (
            Change(
                "services/admin/web/call.py",
                "        if place in self.parts.running_keys:\n            raise _in_progress()\n",
                "",
            ),
            Change(
                "services/admin/web/call.py",
                "        answer = await self._find(session, claimed)\n        if answer is not None:\n"
                "            raise _Found(answer)\n",
                "        pass\n",
            ),
        ),
        ("X-06",),
    ),
    _hole(
        "a cookie is enough for a change",
        "services/admin/identity/authentication.py",
        "        if presented.method not in SAFE_METHODS and not self._from_our_pages(presented):\n",
        "        if False:\n",
        "X-07",
    ),
    _hole(
        "sessions outlive a change of password or role",
        "services/admin/resources/users/routes.py",
        "    if ends_sessions:\n",
        "    if False:\n",
        *("X-08", "T-10"),
    ),
    _hole(
        "the operator's account can be disabled",
        "services/admin/resources/accounts/routes.py",
        "    if row.id == OPERATOR_ACCOUNT_ID and (body.enabled is False or body.unlimited is False):\n",
        "    if False:\n",
        "X-14",
    ),
]
