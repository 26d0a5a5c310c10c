"""Reads parts of a content into parts of the one model.

Source: Google's Gemini API reference, "Content" and "Part". A call may have no id: then it gets one here, and a result
without one belongs to the first open call of its name. Code that ran at Google and its tools' calls are opaque.
"""

from typing import Any
from urllib.parse import urlsplit

from oneapi.dialects.canonical.arguments import as_text
from oneapi.dialects.canonical.parts import (
    Audio,
    Base64,
    Document,
    Image,
    Link,
    Opaque,
    Part,
    Reasoning,
    Source,
    State,
    Stored,
    Text,
    ToolCall,
    ToolResult,
)
from oneapi.dialects.canonical.reading import Fields, all_objects, string
from oneapi.dialects.canonical.seal import Seal
from oneapi.dialects.gemini_generate.signatures import NAME, ON_CALL, ON_END, ON_TEXT, read_signature
from oneapi.dialects.gemini_generate.spelling import camel, field, standard_base64
from oneapi.dialects.stored_files import is_stored

OUTPUT, ERROR = "output", "error"
_OUTPUTS = frozenset({OUTPUT, "result"})
_VIDEO_HOSTS = frozenset({"youtube.com", "www.youtube.com", "m.youtube.com", "youtu.be"})
_SEARCH = "GOOGLE_SEARCH_WEB"
_SOUNDS = {"mpeg": "mp3", "x-wav": "wav", "wave": "wav"}
_RESULT = frozenset({"id", "name", "response", "parts"})
TYPES = {
    "gif": "image/gif",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "pdf": "application/pdf",
    "png": "image/png",
    "txt": "text/plain",
    "webp": "image/webp",
}


class Pairs:
    """Which result belongs to which call, in one conversation."""

    __slots__ = ("_made", "_open")

    def __init__(self) -> None:
        self._made = 0
        self._open: list[tuple[str, str]] = []

    def call(self, name: str, call_id: str) -> str:
        """The call's id, made here if it has none."""
        if not call_id:
            call_id = f"call_gemini_{self._made}"
            self._made += 1
        self._open.append((name, call_id))
        return call_id

    def result(self, name: str, call_id: str) -> str:
        """The id of the call that this result belongs to."""
        for place, (open_name, open_id) in enumerate(self._open):
            if open_id == call_id or (not call_id and open_name == name):
                del self._open[place]
                return open_id
        for place, (open_name, open_id) in enumerate(self._open):
            if open_name == name and open_id.startswith("call_gemini_"):
                del self._open[place]
                return open_id
        return call_id


def decode_parts(raw: object, pairs: Pairs | None, seal: Seal | None) -> list[Part]:
    """Raises GatewayError 400. For a provider's own answer `pairs` and `seal` are None: calls keep what id they have.

    Neighbouring thoughts are one.
    """
    out: list[Part] = []
    for item in all_objects(raw, "parts"):
        fields = Fields(camel(item))
        signature = fields.text("thoughtSignature")
        part = _decode(fields, pairs)
        if isinstance(part, Opaque):
            out.append(part)
            continue
        last = out[-1] if out else None
        if isinstance(part, Reasoning) and isinstance(last, Reasoning) and last.state is None:
            last.texts = ["".join([*last.texts, *part.texts])]
            part = last
        elif isinstance(part, Reasoning):
            out.append(part)
        state = read_signature(signature or "", _place(part), seal)
        if state is not None:
            _sign(out, state)
        if part is not None and not isinstance(part, Reasoning) and not (isinstance(part, Text) and not part.text):
            out.append(part)
    return out


def _place(part: Part | None) -> str:
    if isinstance(part, ToolCall):
        return ON_CALL
    return ON_END if isinstance(part, Text) and not part.text else ON_TEXT


def _sign(parts: list[Part], state: State) -> None:
    """The state of the reasoning that ends here, or of one without any text."""
    last = parts[-1] if parts else None
    if isinstance(last, Reasoning) and last.state is None:
        last.state = state
    else:
        parts.append(Reasoning(state=state))


def _decode(fields: Fields, pairs: Pairs | None) -> Part | None:
    raw = dict(fields.rest)
    thought = fields.flag("thought")
    text = fields.text("text")
    if text is not None:
        return Reasoning(texts=[text] if text else []) if thought else Text(text=text, rest=fields.rest)
    call, result = fields.object("functionCall"), fields.object("functionResponse")
    if call is not None and string(call.get("name")):
        return _call(call, pairs, fields.rest)
    if result is not None:
        return _result(camel(result), pairs, fields.rest)
    found = _media(fields) if pairs is not None and not thought else None
    if found is not None:
        return found
    kind = next(iter(raw), "")
    if not kind:
        return None
    called = camel(raw.get("toolCall"))
    search: str | None = None
    if called.get("toolType") == _SEARCH:
        queries = field(called.get("args"), "queries")
        search = next((query for query in queries if isinstance(query, str)), "") if isinstance(queries, list) else ""
    shown = pairs is None and kind == "inlineData" and not thought  # An answer's picture: nobody else has one.
    return Opaque(dialect=NAME, kind=kind, value=raw, search=search or None, silent=bool(thought), needed=shown)


def _call(raw: dict[str, Any], pairs: Pairs | None, rest: dict[str, Any]) -> ToolCall:
    name, call_id, given = string(raw.get("name")), string(raw.get("id")), raw.get("args")
    return ToolCall(
        id=pairs.call(name, call_id) if pairs is not None else call_id,
        name=name,
        arguments=as_text(given if isinstance(given, dict) else {}),
        rest=rest,
    )


def _result(raw: dict[str, Any], pairs: Pairs | None, rest: dict[str, Any]) -> ToolResult:
    name, call_id = string(raw.get("name")), string(raw.get("id"))
    response = raw.get("response")
    given = response if isinstance(response, dict) else {}
    failed = given.keys() == {ERROR}
    alone = failed or (len(given) == 1 and not given.keys().isdisjoint(_OUTPUTS))
    told: Any = next(iter(given.values())) if alone else given
    parts: list[Part] = [Text(text=as_text(told))] if told or told in (0, False) else []
    for item in all_objects(raw.get("parts"), "parts"):
        found = _media(Fields(camel(item)))
        parts += [found] if found is not None else []
    call_id = pairs.result(name, call_id) if pairs is not None else call_id
    beyond = {field: value for field, value in raw.items() if field not in _RESULT}
    return ToolResult(call_id=call_id, parts=parts, is_error=failed, rest=rest | beyond)


def _media(fields: Fields) -> Part | None:
    inline, file = fields.object("inlineData"), fields.object("fileData")
    given = camel(inline if inline is not None else file)
    kind, title = string(given.get("mimeType")).lower(), string(given.get("displayName"))
    if isinstance(given.get("data"), str):
        data = standard_base64(given["data"])
        if kind.startswith("audio/"):
            form = kind.removeprefix("audio/")
            return Audio(data=data, format=_SOUNDS.get(form, form), rest=fields.rest)
        return _shown(kind, Base64(kind or "application/octet-stream", data), title, fields.rest)
    uri = given.get("fileUri")
    if not isinstance(uri, str):
        return None
    host = _host(uri)
    if host in _VIDEO_HOSTS:
        kind = "video/*"
    kind = kind or TYPES.get(uri.rpartition(".")[2].lower(), "")
    stored = is_stored(uri) or not uri.lower().startswith(("http://", "https://"))
    return _shown(kind, Stored(uri) if stored else Link(uri), title, fields.rest)


def _host(uri: str) -> str:
    try:
        return urlsplit(uri).hostname or ""
    except ValueError:
        return ""


def _shown(kind: str, source: Source, title: str, rest: dict[str, Any]) -> Part:
    if kind.startswith("image/"):
        return Image(source=source, rest=rest)
    if kind.startswith(("video/", "audio/")):
        # No other format has moving pictures, nor sound at an address.
        return Opaque(dialect=NAME, kind=kind.partition("/")[0], needed=True)
    return Document(source=source, title=title, rest=rest)
