"""Mechanisms that keep secrets, taken out one by one."""

from tests.security.mutants.hole import Change, Hole, hole

HOLES = [
    hole(
        "a page of documentation for everybody",
        "services/admin/application.py",
        "redoc_url=None, openapi_url=None",
        'redoc_url="/redoc"',
        "S-01",
    ),
    hole("errors may be kept", "services/edge/answers.py", '[(b"cache-control", b"no-store"), ', "[", "S-02"),
    hole(
        "an exception's words are told",
        "services/admin/web/problems.py",
        'return Problem(500, "internal_error", "Something failed here; it is in the log under the request id.")',
        'return Problem(500, "internal_error", str(error))',
        "S-03",
    ),
    hole(
        "logs keep secrets",
        "oneapi/runtime/redaction.py",
        "    for pattern, replacement in _PATTERNS:\n        text = pattern.sub(replacement, text)\n",
        "",
        "S-03",
        "S-10",
    ),
    hole(
        "what is sealed is told",
        "services/admin/resources/channels/schemas.py",
        "api_key=row.api_key_last4 or None",
        "api_key=row.api_key_sealed or None",
        "S-05",
    ),
    Hole(
        "sealed secrets belong anywhere",
        (
            Change(
                "oneapi/runtime/sealing.py", "encrypt(nonce, plaintext, bound_to)", "encrypt(nonce, plaintext, None)"
            ),
            Change("oneapi/runtime/sealing.py", "data[_NONCE_BYTES:], bound_to)", "data[_NONCE_BYTES:], None)"),
        ),
        ("S-06",),
    ),
    hole(
        "passwords are kept as they are",
        "services/admin/identity/passwords.py",
        "return await self._run(lambda: _HASHER.hash(password))",
        "return password",
        "S-05",
        "S-07",
        "S-08",
    ),
    hole(
        "refused fields are repeated",
        "services/admin/web/problems.py",
        'else str(item["msg"])\n',
        "else f\"{item['msg']}: {item.get('input')}\"\n",
        "S-07",
    ),
    hole(
        "models that are none are in traces",
        "services/edge/inference/handler.py",
        '    if hasattr(exchange, "offer"):',
        '    if hasattr(exchange, "facts"):',
        "S-07",
    ),
    hole(
        "paths are in traces as they came",
        "services/admin/web/observing.py",
        'redact(scope["path"])',
        'scope["path"]',
        "S-07",
    ),
    hole(
        "tools that are none are in traces",
        "services/mcp/endpoint.py",
        "            semconv.REQUEST_ID: caller.request_id,\n",
        "            semconv.REQUEST_ID: caller.request_id,\n            semconv.GEN_AI_TOOL_NAME: params.name,\n",
        "S-07",
    ),
    hole(
        "the administrator's token is everybody's",
        "oneapi/stack/service_plans.py",
        '        if service == "admin":\n',
        "        if True:\n",
        "S-09",
    ),
    hole(
        "files are for everybody",
        "oneapi/stack/plan.py",
        "    path.touch(mode=0o600)\n",
        "    path.touch(mode=0o644)\n",
        "S-11",
    ),
]
