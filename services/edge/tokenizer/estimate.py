"""Estimates the tokens of one request. Runs in the tokenizer's process.

It decides how much of a long prompt is really tokenized. It must not know who asks, nor how the process is kept.
"""

from collections.abc import Iterable

import toktok

from oneapi.dialects import request
from oneapi.dialects.canonical.prompt import prompt
from oneapi.dialects.conversion import read_request
from oneapi.dialects.errors import GatewayError
from oneapi.providers.profiles.lookup import tokens_of
from services.edge.tokenizer.wire import Asked, Estimated, Problem

VOCABULARY = "o200k_base"
MOST_BYTES = 4 * 1024 * 1024
"""So much text is tokenized; what is beyond it counts as it does. Text that no words divide takes most of a second per
megabyte."""


def estimated(asked: Asked) -> Estimated:
    """The estimate, or what is wrong with the body."""
    try:
        # Where a format has the model in its address, the body lacks it.
        read = read_request(asked.dialect, {**request.decode(asked.body), "model": asked.model}, b"").request
    except GatewayError as error:
        return Estimated(problem=Problem(error.code, error.message, error.param))
    percent, about_tools = tokens_of(asked.model)
    found = prompt(read)
    return Estimated(-(-count(found.texts) * percent // 100) + found.tokens + (about_tools if read.tools else 0))


def count(texts: Iterable[str]) -> int:
    """The tokens of these texts."""
    tokens = read = unread = 0
    for text in texts:
        data = text.encode("utf-8", "replace")
        kept = data[: MOST_BYTES - read]
        read += len(kept)
        unread += len(data) - len(kept)
        if kept:
            tokens += toktok.batch_count([kept.decode("utf-8", "ignore")], VOCABULARY, threads=1)[0]
    return tokens + (tokens * unread // read if read else 0)
