"""AWS Signature Version 4, in a header.

Source: AWS IAM User Guide, "Create a signed AWS API request". The path is signed as it is sent, each of its segments
encoded once more, as every service but S3 wants it. Time comes as an argument. It must not know any service.
"""

import hashlib
import hmac
from collections.abc import Iterable
from datetime import UTC, datetime
from urllib.parse import quote, unquote

import msgspec

ALGORITHM = "AWS4-HMAC-SHA256"
_END = "aws4_request"


class Credential(msgspec.Struct, frozen=True):
    """An access key. `token` is a session's, empty for a key that lasts."""

    key_id: str
    secret: str
    token: str = ""


class Scope(msgspec.Struct, frozen=True):
    region: str
    service: str


def timestamp(now_s: float) -> str:
    """The time as `X-Amz-Date` has it."""
    return datetime.fromtimestamp(now_s, UTC).strftime("%Y%m%dT%H%M%SZ")


def authorization(
    credential: Credential,
    scope: Scope,
    at: str,
    *,
    method: str,
    target: str,
    headers: Iterable[tuple[str, str]],
    body: bytes,
) -> str:
    """The value of `Authorization` for these headers, which must be sent as they are here, and no others are signed.

    `at` is a `timestamp`, also among the headers; `target` is path and query as they are sent.
    """
    lines, names = canonical_headers(headers)
    path, _, query = target.partition("?")
    digest = hashlib.sha256(body).hexdigest()
    request = "\n".join([method, quote(path, safe="/-_.~"), canonical_query(query), lines, names, digest])
    place = f"{at[:8]}/{scope.region}/{scope.service}/{_END}"
    text = "\n".join([ALGORITHM, at, place, hashlib.sha256(request.encode()).hexdigest()])
    key = f"AWS4{credential.secret}".encode()
    for part in (at[:8], scope.region, scope.service, _END):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    return f"{ALGORITHM} Credential={credential.key_id}/{place}, SignedHeaders={names}, Signature={signature}"


def canonical_headers(headers: Iterable[tuple[str, str]]) -> tuple[str, str]:
    """Lines of names in lower case and values without spare spaces, and the list of the names, both in order."""
    values: dict[str, list[str]] = {}
    for name, value in headers:
        values.setdefault(name.lower(), []).append(" ".join(value.split()))
    names = sorted(values)
    return "".join(f"{name}:{','.join(values[name])}\n" for name in names), ";".join(names)


def canonical_query(query: str) -> str:
    """The parameters in the order of their encoded names and values."""
    pairs = [part.partition("=")[::2] for part in query.split("&") if part]
    return "&".join(
        f"{name}={value}" for name, value in sorted((_encoded(name), _encoded(value)) for name, value in pairs)
    )


def _encoded(text: str) -> str:
    return quote(unquote(text), safe="-_.~")
