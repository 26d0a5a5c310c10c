"""Writes `docs/providers.md` from the providers' rows: `python -m tests.documents.providers`."""

from pathlib import Path

from oneapi.providers.profiles.openai_chat import QUIRKS
from oneapi.providers.registry import PROVIDERS
from oneapi.providers.spec import ProviderSpec

PAGE = Path(__file__).parents[2] / "docs/providers.md"
KEY = "KEY"
MESSAGES = "anthropic_messages"

HEAD = """# Providers

What `provider` of a channel can be. This page is made from the code by `make docs`.

`base_url` of a channel is what the vendor's own SDK takes, and the one below when it is left out; where none is shown,
each customer has their own and it must be given. `dialects` and `endpoints` of a channel are those below unless it says
otherwise. Private addresses and http need `ONEAPI_ALLOW_PRIVATE_UPSTREAMS=1`. A vendor that isn't here can be called as
`openai-compatible` or `anthropic-compatible`. None of these has been called from here: the addresses are those that the
vendors and other clients of theirs document.

| provider | base URL | dialects | endpoints | credential |
|---|---|---|---|---|
"""

NOTES = """
Where a vendor offers Anthropic's format beside OpenAI's, `anthropic_messages` is at its own place, and its key goes as
`Authorization` and as `x-api-key`, since vendors differ in which of them they read:

| provider | messages |
|---|---|
"""

BEDROCK = """
## Amazon Bedrock

`api_key` of a channel is a Bedrock API key, which goes as a bearer, or an AWS access key, which is never sent and signs
each request by AWS Signature Version 4:

| `api_key` | what it is |
|---|---|
| `ACCESS_KEY_ID:SECRET_ACCESS_KEY` | an access key |
| `ACCESS_KEY_ID:SECRET_ACCESS_KEY:SESSION_TOKEN` | a session's, for as long as the session lasts |
| anything without a colon | a Bedrock API key |

The region is that of the base URL's host; `config` `{"region": "…"}` says it where the host doesn't. Models are called
by their ids, or by ARNs of inference profiles and the like. What a model can be asked is known by its name: map a
client's id to an ARN that has the model's name in it where you can.
"""

QUIRKS_HEAD = """
## What is changed in a request

Chat Completions pass through as they came, but for these. A field that *is refused when empty* is left out when it is
null, false, zero or empty, which loses nothing; one that asks for something goes on, and the provider answers.

| providers | models | renamed | refused when empty | left out | why |
|---|---|---|---|---|---|
"""


def page() -> str:
    """The whole page."""
    specs = sorted(PROVIDERS.values(), key=lambda spec: spec.name)
    rows = "".join(_row(spec) for spec in specs)
    messages = "".join(
        f"| {_code(spec.name)} | {_code(spec.url(_base_url(spec), MESSAGES, 'm'))} |\n"
        for spec in specs
        if MESSAGES in spec.credentials_of
    )
    return HEAD + rows + NOTES + messages + BEDROCK + QUIRKS_HEAD + "".join(_quirks())


def _row(spec: ProviderSpec) -> str:
    base_url = _code(spec.default_base_url) if spec.default_base_url else ""
    if spec.base_url_form:
        base_url = f"yours: {_code(spec.base_url_form)}"
    elif not base_url:
        base_url = "built in" if spec.in_process else "yours"
    credential = spec.headers(KEY)[0] if spec.headers(KEY) else None
    cells = (
        _code(spec.name),
        base_url,
        _codes(spec.dialects),
        _codes(spec.endpoints),
        _code(f"{credential[0]}: {credential[1]}") if credential else "none",
    )
    return f"| {' | '.join(cells)} |\n"


def _quirks() -> list[str]:
    return [
        f"| {_codes(sorted(quirk.providers))} "
        f"| {'all' if quirk.models.pattern == '.*' else _code(quirk.models.pattern.replace('|', chr(92) + '|'))} "
        f"| {', '.join(f'{_code(old)} → {_code(new)}' for old, new in quirk.renamed.items())} "
        f"| {_codes(sorted(quirk.refused))} | {_codes(sorted(quirk.dropped))} | {quirk.reason} |\n"
        for quirk in QUIRKS
    ]


def _base_url(spec: ProviderSpec) -> str:
    return spec.default_base_url or spec.base_url_form


def _code(text: str) -> str:
    return f"`{text}`"


def _codes(texts: tuple[str, ...] | list[str]) -> str:
    return ", ".join(_code(text) for text in texts)


if __name__ == "__main__":
    PAGE.write_text(page())
