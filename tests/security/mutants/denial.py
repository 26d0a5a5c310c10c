"""Bounds on what is slow, large or much, taken out one by one."""

from tests.security.mutants.hole import DOOR, Change, Hole, hole

HOLES = [
    hole(
        "a declared length is not looked at",
        f"{DOOR}/body.py",
        "    if declared > limit:\n",
        "    if False:\n",
        "D-04",
    ),
    hole(
        "a real length is not looked at",
        f"{DOOR}/body.py",
        "        if size > limit:\n",
        "        if False:\n",
        "D-04",
    ),
    hole("JSON of any depth", "oneapi/dialects/json_guard.py", "MAX_DEPTH = 64\n", "MAX_DEPTH = 64_000\n", "D-06"),
    hole(
        "JSON of any size",
        "oneapi/dialects/json_guard.py",
        "MAX_NODES = 200_000\n",
        "MAX_NODES = 200_000_000\n",
        "D-06",
    ),
    hole(
        "compressed bodies are read",
        "services/edge/inference/handler.py",
        "        if head.content_encoding:\n",
        "        if False:\n",
        "D-07",
    ),
    hole(
        "the sandbox is served as fast as it is asked",
        "services/edge/sandbox/limits.py",
        "        if wait_s > 0:\n",
        "        if False:\n",
        "D-24",
    ),
    hole(
        "the sandbox says all that a schema asks for",
        "oneapi/providers/sandbox/reply.py",
        "MAX_OUTPUT_TOKENS = 1_024\n",
        "MAX_OUTPUT_TOKENS = 2**30\n",
        "D-23",
    ),
    hole("heads have time", f"{DOOR}/limits.py", "header_s: float = 10.0", "header_s: float = 600.0", "D-02", "D-03"),
    hole("bodies have time", f"{DOOR}/limits.py", "body_idle_s: float = 5.0", "body_idle_s: float = 600.0", "D-03"),
    hole("slow bodies have time", f"{DOOR}/protocol.py", " or due:", ":", "D-03"),
    hole("bodies have all the time", f"{DOOR}/protocol.py", "elapsed_s >= limits.body_total_s or ", "", "D-03"),
    hole(
        "readers have time",
        f"{DOOR}/limits.py",
        "write_stall_s: float = 60.0",
        "write_stall_s: float = 6_000.0",
        "D-05",
    ),
    hole(
        "any number of requests ahead",
        f"{DOOR}/protocol.py",
        "elif len(self.pipeline) >= limits.pipelined:",
        "elif False:",
        "D-13",
    ),
    hole(
        "a refusal for money may be tried again",
        "services/edge/answers.py",
        '        headers.append((b"x-should-retry", b"false"))\n',
        "        pass\n",
        "D-12",
    ),
    hole(
        "a refusal for money is an event",
        "services/edge/money/path.py",
        "                self._open.deny(hold)\n",
        "                hold.finish(Ending(VOID))\n",
        "D-12",
    ),
    hole(
        "names of tools are labels",
        "services/mcp/endpoint.py",
        'CALLS.labels("", "unknown").inc()',
        'CALLS.labels(name, "unknown").inc()',
        "D-14",
    ),
    hole(
        "paths are labels",
        "services/admin/web/observing.py",
        "    return path if isinstance(path, str) and path else UNMATCHED\n",
        '    return path if isinstance(path, str) and path else str(scope["path"])\n',
        "D-14",
    ),
    # Two locks: the edge gives back at once, and billing when it has booked the request.
    Hole(
        "nothing is given back",
        (
            Change(
                "services/edge/money/admission.py",
                "        self._link.cast(reserve_call.settle(account_id, key_id, request_id, amount_nano, tokens))\n",
                "        del account_id, key_id, request_id, amount_nano, tokens\n",
            ),
            Change("services/billing/books.py", "request_ids=closing,\n", "request_ids=(),\n"),
        ),
        ("D-17",),
    ),
]
