"""Reduces text to the words by which it is found.

It decides what a word is, which words say nothing, and which mean the same. Pure; it must not know what is searched.
"""

import re

MAX_WORDS = 32
LONGEST_WORD = 64

_NAME = re.compile(r"\w(?:[\w.:/@+-]*\w)?")
_PIECES = re.compile(r"[^\W_]+")
_SILENTLY = """
a an and any are as at be by can could do does for from have how i in is it its me my of on or please that the there
this to us use using want was we what when where which who why will with you your
"""
_SILENT = frozenset(_SILENTLY.split())
_SAME = {
    same: word
    for word, others in {
        "price": "prices pricing priced cost costs cheap cheapest expensive much rate fee fees usd dollar dollars pay",
        "model": "models llm llms",
        "tool": "tools function functions",
        "authentication": "auth authenticate authorization authorize bearer credential credentials login key keys",
        "sandbox": "free mock test try trial",
        "embeddings": "embedding embed vector vectors",
        "images": "image picture pictures",
        "audio": "speech voice sound transcription transcribe",
        "document": "documents documentation docs doc manual guide",
        "call": "calls calling request requests invoke send",
        "stream": "streaming streamed sse",
        "claude": "anthropic messages",
        "openai": "gpt chatgpt",
        "status": "health healthy available availability uptime",
    }.items()
    for same in others.split()
}


def words(text: str, limit: int | None = None) -> tuple[str, ...]:
    """Its words in their order, each once: whole names such as `gpt-4o-mini`, and the pieces of them."""
    found: dict[str, None] = {}
    for name in _NAME.findall(text.lower()):
        for word in (name, *_PIECES.findall(name)):
            if len(word) <= LONGEST_WORD and word not in _SILENT:
                found.setdefault(_SAME.get(word, word))
        if limit is not None and len(found) >= limit:
            break
    return tuple(found)[:limit]
