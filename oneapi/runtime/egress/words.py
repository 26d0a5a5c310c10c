"""What of an upstream's own words may leave the gateway: in an answer, a log or a trace.

It decides what is taken out (keys, addresses, hosts, paths, accounts, markup, what can't be printed), what is not shown
at all (pages and stack traces), and how much is left. It must not know which upstream wrote it, or where.
"""

import re

from oneapi.runtime.redaction import REDACTED, redact

MAX_MESSAGE = 500
MAX_READ = 4_000
ADDRESS = "[address]"
PATH = "[path]"
ACCOUNT = "[account]"

_NEVER_SHOWN = re.compile(
    r"<\s*(?:!doctype|html|head|body)\b"
    r"|Traceback \(most recent call last\)|File \"[^\"]*\", line \d|goroutine \d+ \[|^panic:"
    r"|\bat [\w$.<>]+ ?\([^()\s]+:\d+(?::\d+)?\)|\n\s+at \S|\bException in thread\b|#\d+ [^\s(]+\.php\(\d+\)",
    re.IGNORECASE | re.MULTILINE,
)
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?")
_TAG = re.compile(r"<(?:!--.*?(?:-->|$)|/?[a-z][^<>]*>)", re.IGNORECASE)
_DOMAINS = (
    "com|net|org|io|ai|dev|app|cloud|tech|info|biz|gov|edu|mil|int|xyz|test|example|invalid|"
    "internal|local|localdomain|lan|corp|intranet|private|home|svc|consul|arpa|onion|"
    "at|au|br|ca|ch|cn|co|cz|de|dk|es|eu|fi|fr|gg|hk|ie|il|jp|kr|kz|mx|nl|no|nz|pl|pt|ru|se|sg|tr|tw|ua|uk|us|za"
)
_ENDINGS = "py|pyc|js|mjs|ts|go|rs|java|rb|php|cc|cpp|json|yaml|yml|toml|env|pem|crt|conf|cfg|ini|log|sock|db|sh|so"

_TAKEN_OUT: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\b(?:set-cookie|cookie|authorization|proxy-authorization)\s*[:=].*", re.IGNORECASE), REDACTED),
    (re.compile(r"\b\w*(?:SECRET|TOKEN|PASSWORD|API_?KEY|ACCESS_KEY)\w*\s*=\s*\S+"), REDACTED),
    (re.compile(r"\b(?:sk|rk|pk)-[\w*•.\-]{4,}"), REDACTED),
    (re.compile(r"\b[0-9a-f]{32,}\b", re.IGNORECASE), REDACTED),
    (re.compile(r"\b[a-z][a-z0-9+.\-]{1,20}:/\S*|\b(?:javascript|data|mailto|urn):\S+", re.IGNORECASE), ADDRESS),
    (re.compile(r"\barn:[\w\-]*:\S+", re.IGNORECASE), ACCOUNT),
    (re.compile(r"\bprojects/[\w\-]+(?:/[\w.\-]+)*"), ACCOUNT),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", re.IGNORECASE), ACCOUNT),
    (re.compile(r"\b(?:org|proj|user|acct|team|wrkspc|workspace|tenant)[\-_][A-Za-z0-9]{12,}\b"), ACCOUNT),
    (re.compile(r"(?<![\w.])\d{12}(?![\w.])"), ACCOUNT),
    (re.compile(r"[\w.+\-]{1,64}@[\w.\-]+"), ADDRESS),
    (re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?(?:/\S*)?"), ADDRESS),
    (
        re.compile(
            r"\[?(?<![\w:])(?:(?:[0-9a-f]{0,4}:){3,7}[0-9a-f]{0,4}|::[0-9a-f]{1,4}|[0-9a-f]{1,4}::[0-9a-f]{0,4})"
            r"(?:%\w+)?(?![\w:])\]?(?::\d+)?",
            re.IGNORECASE,
        ),
        ADDRESS,
    ),
    (
        re.compile(
            rf"(?<![\w.\-])(?:[a-z0-9_\-]{{1,63}}\.){{1,10}}(?:{_DOMAINS})(?![\w\-])\.?(?::\d+)?(?:/\S*)?",
            re.IGNORECASE,
        ),
        ADDRESS,
    ),
    (
        re.compile(r"(?<![\w.\-])(?:localhost\b(?::\d+)?|[a-z][a-z0-9\-]{0,62}:\d{4,5}\b)(?:/\S*)?", re.IGNORECASE),
        ADDRESS,
    ),
    (re.compile(r"(?<![\w])[A-Za-z]:\\[^\s\"']+|\\\\[\w.\-]+\\[^\s\"']+"), PATH),
    # Paths of an API are no file's: messages say which one to use instead.
    (re.compile(r"(?<![\w/])(?:~|\.{1,2})?(?!/v\d)(?:/[\w.@%+\-]+){2,}/?"), PATH),
    (re.compile(rf"(?<![\w/])(?:[\w.\-]+/){{1,20}}[\w\-]+\.(?:{_ENDINGS})\b(?::\d+)?"), PATH),
)
_LONG_WORD = re.compile(r"[A-Za-z0-9_\-+/=]{40,}")


def clean_message(message: str) -> str:
    """One short line of what may be shown; empty when that is nothing."""
    text = message[:MAX_READ]
    if _NEVER_SHOWN.search(text):
        return ""
    text = " ".join(_ESCAPES.sub("", text).split())
    # Before anything is looked for: what can't be seen could hide it.
    text = "".join(c for c in text if c.isprintable())
    text = redact(_TAG.sub(" ", text))
    for pattern, mark in _TAKEN_OUT:
        text = pattern.sub(mark, text)
    text = " ".join(_LONG_WORD.sub(_unless_a_word, text).split())
    if len(text) > MAX_MESSAGE or len(message) > MAX_READ:
        return text[: MAX_MESSAGE - 1] + "…"
    return text


def _unless_a_word(found: re.Match[str]) -> str:
    word = found[0]
    return REDACTED if any(c.isdigit() for c in word) and any(c.isalpha() for c in word) else word
