"""What the gateway must know to call a vendor, as data.

It must not know how a call is made, nor what a dialect's body looks like.
"""

from collections.abc import Callable, Mapping
from urllib.parse import quote

import msgspec

OPENAI_PATHS: Mapping[str, str] = {
    "openai_chat": "/chat/completions",
    "openai_responses": "/responses",
    "openai_embeddings": "/embeddings",
}
GEMINI_PATHS: Mapping[str, str] = {"gemini_generate": "/v1beta/models/{model}:generateContent"}
GEMINI_STREAM_PATHS: Mapping[str, str] = {"gemini_generate": "/v1beta/models/{model}:streamGenerateContent?alt=sse"}
ANTHROPIC_PATHS: Mapping[str, str] = {"anthropic_messages": "/v1/messages"}
OPENAI_COUNTS: Mapping[str, str] = {"openai_responses": "/responses/input_tokens"}
GEMINI_COUNTS: Mapping[str, str] = {"gemini_generate": "/v1beta/models/{model}:countTokens"}
ANTHROPIC_COUNTS: Mapping[str, str] = {"anthropic_messages": "/v1/messages/count_tokens"}

Headers = list[tuple[str, str]]
Credentials = Callable[[str], Headers]


class Outgoing(msgspec.Struct, frozen=True):
    """A request as it is about to go out. `host`, and `target` (path and query of its line), are as they are sent."""

    method: str
    host: str
    target: str
    content_type: str
    body: bytes


Signer = Callable[[Outgoing, float], Headers]
"""The headers that sign a request at this time, in seconds."""
Signers = Callable[[str, str, Mapping[str, str]], Signer | None]
"""What signs with a credential, at a base URL, by a channel's `config`; None where the credential goes as it is."""


class ProviderSpec(msgspec.Struct, frozen=True):
    """One vendor. `base_url` is what the vendor's own SDK takes; `paths` are below it, by dialect.

    `dialects` are those for conversations, best first; `endpoints` is what it offers (chat, embeddings, …).
    `credentials_of` are those of dialects that want others. `max_output_field` is the name of Chat Completions' token
    cap there. `in_process` has no URL. `stream_paths` are those that differ for streams; a path may hold `{model}`.
    `count_paths` are those of calls that count a request's tokens.

    `beside` are the paths of dialects that are not below the base URL but where its `ending` stands, if it has that.
    `adds_ending` completes a base URL that lacks it. `base_url_form` shows what the base URL looks like where each
    customer has their own. `signers` makes what signs each request, for a vendor that wants that.
    """

    name: str
    default_base_url: str
    dialects: tuple[str, ...]
    endpoints: tuple[str, ...]
    paths: Mapping[str, str]
    credentials: Credentials
    credentials_of: Mapping[str, Credentials] = {}
    beside: Mapping[str, str] = {}
    ending: str = ""
    adds_ending: bool = False
    models_path: str = "/models"
    base_url_form: str = ""
    max_output_field: str = "max_tokens"
    in_process: bool = False
    stream_paths: Mapping[str, str] = {}
    count_paths: Mapping[str, str] = {}
    signers: Signers | None = None
    models_place: Callable[[str], str] | None = None
    """Where the models are listed, made of the base URL, for a vendor who lists them at another host."""

    @property
    def spoken(self) -> frozenset[str]:
        """Every dialect that has a place, conversations or not."""
        return frozenset(self.paths) | frozenset(self.beside)

    def url(
        self, base_url: str, dialect: str, upstream_model: str, *, stream: bool = False, counts: bool = False
    ) -> str:
        """Where a dialect is spoken, or with `counts` its requests' tokens are counted. ValueError when this vendor
        doesn't do it."""
        base_url = self._complete(base_url)
        if dialect in self.beside and not counts:
            return base_url.removesuffix(self.ending) + self.beside[dialect]
        if counts:
            path = self.count_paths.get(dialect)
        else:
            path = (self.stream_paths if stream else self.paths).get(dialect) or self.paths.get(dialect)
        if path is None:
            raise ValueError(f"{self.name} does not speak {dialect}, or doesn't count in it")
        name = quote(upstream_model.removeprefix("models/"), safe="")
        return base_url + path.replace("{model}", name)

    def models_url(self, base_url: str) -> str:
        """Where the models are listed."""
        base_url = self._complete(base_url)
        return self.models_place(base_url) if self.models_place is not None else base_url + self.models_path

    def _complete(self, base_url: str) -> str:
        base_url = base_url.rstrip("/")
        return base_url if not self.adds_ending or base_url.endswith(self.ending) else base_url + self.ending

    def headers(self, api_key: str, dialect: str = "") -> Headers:
        """The headers that carry the credential; none without a key. Without a dialect, those of most of them."""
        return self.credentials_of.get(dialect, self.credentials)(api_key) if api_key else []

    def signer(self, api_key: str, base_url: str, config: Mapping[str, str]) -> Signer | None:
        """What signs each request; None where nothing does. ValueError when the channel doesn't say enough for it."""
        return self.signers(api_key, base_url, config) if self.signers is not None and api_key else None


def bearer(api_key: str) -> Headers:
    """OpenAI's way."""
    return [("Authorization", f"Bearer {api_key}")]


def x_api_key(api_key: str) -> Headers:
    """Anthropic's way."""
    return [("x-api-key", api_key), ("anthropic-version", "2023-06-01")]


def bearer_and_x_api_key(api_key: str) -> Headers:
    """For those who copied Anthropic's format: some of them read only one of the two headers."""
    return bearer(api_key) + x_api_key(api_key)


def api_key_header(api_key: str) -> Headers:
    """Azure's way."""
    return [("api-key", api_key)]


def x_goog_api_key(api_key: str) -> Headers:
    """Google's way."""
    return [("x-goog-api-key", api_key)]


def no_credentials(api_key: str) -> Headers:
    """For what runs in process."""
    del api_key
    return []
