"""Writes `docs/conversion.md` from formats, losses and abilities: `python -m tests.documents.conversion`."""

from pathlib import Path
from typing import Any

from oneapi.dialects.canonical.losses import IGNORED, LOSSES, MAX_TOLD, REFUSED
from oneapi.dialects.canonical.prompt import PAGE_TOKENS, PICTURE_TOKENS
from oneapi.dialects.codec import UpstreamCodec
from oneapi.dialects.upstreams import UPSTREAMS
from oneapi.providers.profiles.abilities import ABILITIES
from oneapi.providers.profiles.ability import Ability
from oneapi.providers.registry import PROVIDERS
from services.edge.inference.carried import MAX_HEADER_BYTES
from services.edge.state.conversations import MAX_ADDED, MAX_ITEMS
from services.edge.state.past import MAX_REFERENCES, MAX_TURNS
from services.edge.tokenizer.estimate import MOST_BYTES

PAGE = Path(__file__).parents[2] / "docs/conversion.md"

HEAD = """# Conversions

This page is made from the code by `make docs`.

A client speaks one of the formats below and gets any model, whichever of them the model's channel speaks, streamed or
not. A channel that speaks the client's own format gets the request as it came; only the model's name, the usage switch
and a token cap are edited. Everything else is converted through one model, and what could not be carried is named.

Priorities and weights of channels count as ever: which format a channel speaks doesn't move it. `POST /api/explain`
tells for each channel what would be spoken there.

| format | client's path | stop sequences | JSON without a schema | custom tools | namespaces of tools |
|---|---|---|---|---|---|
"""

RULES = f"""
What is carried: instructions, messages and their order; text, pictures, documents and sound; reasoning and what a
provider wants back of it; tools, their calls and results; how tools are chosen; output by a schema; caps, stop
sequences and sampling; efforts and budgets of thinking; marks of caches; annotations; refusals; reasons of ends; usage
in disjoint buckets. Where the upstream's format lacks one of these that can be done here, it is: more stop sequences
than it takes, output by a schema, names of tools that it doesn't allow.

Google's format has the model, and whether to stream, in the address: `/v1beta/models/{{model}}:generateContent` and
`:streamGenerateContent`, and the same below `/v1/models/`. The last colon ends the model's name, which may hold slashes
and colons and is percent-decoded once. With `alt=sse` a stream comes as events, without it as one JSON list; an error
in the middle is the last event or element. The key may be in the query, as `key`, on these paths alone. `model` and
`stream` in such a body count for nothing.

A stream that breaks ends with the client's format's error, never like one that succeeded. Where an upstream's format
doesn't say where a stream ends, and its connection breaks behind an answer that has its reason to end and its usage,
that answer is whole. A stop sequence that is watched for here ends the call of the upstream, and what was delivered is
counted.

While an upstream thinks in silence its stream says that it is alive (`ONEAPI_KEEP_ALIVE_SECONDS`): a `ping` in
Messages, an empty line in Google's format, else a comment, and always between two events. No other channel takes over
from then on.

## Losses

A response whose conversion lost something has the header `x-oneapi-loss`: names from this list, with a detail in
parentheses where that is short and plain, in at most {MAX_HEADER_BYTES:,} bytes. The receipt's `loss` has them too, up
to {MAX_TOLD}, and those of a stream that came up after its beginning. With the request header `x-oneapi-strict: 1` a
request of which something would be lost is sent to channels that get all of it, and when there are none it is refused
with 400 `conversion_loss` before anything is reserved or spent. A key with `strict` asks for that in all of its
requests, unless one has `x-oneapi-strict: 0`. What is lost of an answer is known when it has come, and is told only.

| loss | what it means |
|---|---|
"""

REFUSALS = """
## Refusals

Where the answer would mean something else without a setting, the request is refused with 400 `unsupported_parameter`,
unless another channel of the model can take it.

| field | why |
|---|---|
"""

STATE_DAYS = 30

REST = f"""
Fields that say nothing an answer could show are left out in silence:
{", ".join(f"`{name}`" for name in sorted(IGNORED))}.
So are null, and values that ask for what happens anyway. Any other field that isn't known here is the loss
`unknown_field`.

## Reasoning of earlier turns

What a provider wants back unread travels through the client in its own format's field: signatures and encrypted
reasoning as they are where the field has a known spelling for them, anything else as a token that begins with `oa1-`.
A token opens only for the account that it was given to, and goes back only to the channel and model that it came from.
It survives a change of the secret key for as long as the previous key is configured. In a request to a channel of the
client's own format tokens are left out, which is the loss `reasoning_history`, but for those of a stored response that
this very channel and model wrote.

## Stored responses and conversations

The gateway keeps the state of the Responses API itself; providers are told `store: false` and see none of its ids.

- A response is stored unless the request says `store: false`, before its client sees the end. Every key of its account
  can read and forget it (`GET`, `DELETE`), list what it answered (`/input_items`) and go on from it
  (`previous_response_id`, items of the type `item_reference`). Any channel may answer then, whatever it speaks, and any
  edge may serve it: what was said before stands in the input, and is paid for and counted as input. `instructions` are
  not carried over.
- A `conversation` (`/v1/conversations` and their `/items`) gets the request's and the answer's items when the response
  ends, also with `store: false`. It can't be used together with `previous_response_id`. One that was taken away while
  its response was made gets nothing, and the response is given.
- What is stored lives as long as `ONEAPI_STATE_DAYS` says, {STATE_DAYS} days by default; what is gone on from begins
  that time anew. Forgetting a conversation forgets its items.
- A past holds {MAX_TURNS} turns, {MAX_REFERENCES} references and, with the request, as much as a request's body may
  (20 MiB): beyond that it is 400 `context_length_exceeded`. A conversation takes {MAX_ADDED} items at a time, and
  {MAX_ITEMS:,} in all; whoever adds more than 32 MiB at once, or 32 KiB a second from then on, gets 429
  `storage_rate_limited`.
- What isn't stored, or isn't this account's, is 404: `conversation_not_found`, `item_not_found`, `response_not_found`;
  as a `previous_response_id` it is 400 `previous_response_not_found`, as at OpenAI.
- An answer that could not be stored says `store: false` and has the loss `store`. An answer that its conversation could
  not be told ends with an error, 503 `state_unavailable` or 409 `conversation_changed`, and is paid for.
- `POST /v1/responses/compact` makes a conversation shorter with any model, which writes a summary: an ordinary request,
  billed once under the endpoint `compact`. The client gets its user's messages and an item `compaction`, which stands
  for the summary in a later input, at whichever channel; another account's, or a changed one, is 400
  `invalid_encrypted_content`. An answer that is no whole summary is 502 `compaction_failed`, and is paid for.
- `background` is refused, and so is `stream` where a stored response is read; `/cancel` is 400, as only answers in the
  background can be cancelled. Stored prompts, files and containers are a provider's: only the operator's own keys may
  name them.

## Bodies at another format's address

A body that is unmistakably of another of these formats than its address is answered as if it had come to that one's:
`input` without `messages` is Responses'; `max_tokens` with `system`, `stop_sequences` or tools with `input_schema` is
Messages'; settings, roles and tools that only Chat Completions has are Chat's. Errors are in the body's format, too.
Any other body is what its address says.

## Counting tokens

`POST /v1/messages/count_tokens` and `POST /v1/responses/input_tokens` take the bodies of their formats and tell how
many tokens a model would read, for every model. Where the provider of the channel that the request would go to first
has a call that counts ({{counters}}), it is asked, in the channel's
format. Else, and when that call fails, the edge estimates: by OpenAI's vocabulary `o200k_base` and what is known of how
other families' tokens compare, with {PICTURE_TOKENS:,} tokens for a picture and {PAGE_TOKENS:,} for a page of a PDF. An
estimate has the response header `x-oneapi-estimate: 1`. What is beyond {MOST_BYTES // 2**20} MiB of text counts like
the text before it.

Nothing is reserved or charged, but a count is a request as far as the key's requests per minute, its concurrency and an
account without credit are concerned. What the provider refuses to count is refused.

## What models can do

A conversion takes for granted what current models of a format's own vendor can do, but for these. A row counts for the
upstream's name of the model, and of two that say the same the later one. The rows are from the vendors' documents and
from what other clients of theirs report.

| providers | formats | models | can | why |
|---|---|---|---|---|
"""

PATHS = {
    "openai_chat": "/v1/chat/completions",
    "openai_responses": "/v1/responses",
    "anthropic_messages": "/v1/messages",
    "gemini_generate": "/v1beta/models/{model}:generateContent",
}
_BEHIND_A_NAME = "(?:^|[/:.])(?:"


def page() -> str:
    """The whole page."""
    formats = "".join(_format(codec) for codec in UPSTREAMS.values())
    losses = "".join(f"| `{name}` | {text} |\n" for name, text in sorted(LOSSES.items()))
    refused = "".join(f"| `{name}` | {text} |\n" for name, text in sorted(REFUSED.items()))
    counters = ", ".join(f"`{name}`" for name, spec in sorted(PROVIDERS.items()) if spec.count_paths)
    rest = REST.format(counters=counters)
    return HEAD + formats + RULES + losses + REFUSALS + refused + rest + "".join(map(_ability, ABILITIES))


def _format(codec: UpstreamCodec) -> str:
    stops = "any" if codec.stop_limit > 100 else str(codec.stop_limit)
    answers = (codec.json_object, codec.custom_tools, codec.namespaces)
    shown = " | ".join("yes" if answer else "no" for answer in answers)
    path = f"`{PATHS[codec.name]}`" if codec.name in PATHS else "of channels only"
    return f"| `{codec.name}` | {path} | {stops} | {shown} |\n"


def _ability(row: Ability) -> str:
    pattern = row.models.pattern
    if pattern.startswith(_BEHIND_A_NAME):
        pattern = pattern[len(_BEHIND_A_NAME) : -1]
    pattern = pattern.replace("|", "\\|")
    can = ", ".join(f"{name}: {_value(value)}" for name, value in row.can.items())
    return f"| {_names(row.providers)} | {_names(row.dialects)} | `{pattern}` | {can} | {row.reason} |\n"


def _names(names: frozenset[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names)) or "any"


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return " ".join(value) if isinstance(value, tuple) else str(value)


if __name__ == "__main__":
    PAGE.write_text(page())
