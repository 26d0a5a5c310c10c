"""The whole management API by its OpenAPI document: requests that it allows, and such as it doesn't.

No answer is a failure of the gateway's, and each is one that the document describes: its status, its content type, its
headers and its schema. Half of the time a path names something that exists.
"""

import contextlib
import random
import re
from typing import Any

import httpx2
import hypothesis
import schemathesis
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi import checks

from tests.fuzz.report import Report

LIMIT_S = 30.0
_CREDENTIALS = {"authorization", "cookie"}
CHECKS: list[Any] = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]


class _Existing:
    """Ids that were seen in answers, by the collection that they are of."""

    def __init__(self, choose: random.Random) -> None:
        self._choose = choose
        self._ids: dict[str, list[str]] = {}

    def learn(self, path: str, answer: Any) -> None:
        rows = answer.get("data") if isinstance(answer, dict) else None
        collection = path.split("/")[2] if path.count("/") >= 2 else ""
        for row in rows if isinstance(rows, list) else [answer]:
            name = (row.get("id") or row.get("model")) if isinstance(row, dict) else None
            if isinstance(name, str) and re.fullmatch(r"[\w.\-]+", name):
                known = self._ids.setdefault(collection, [])
                known.append(name)
                del known[:-50]

    def put_in(self, case: Any) -> None:
        parts = case.path.split("/")
        known = self._ids.get(parts[2], []) if len(parts) > 2 else []
        if known and self._choose.random() < 0.5:
            for name in case.path_parameters or {}:
                case.path_parameters[name] = self._choose.choice(known)


def _sent(case: Any, base_url: str, token: str) -> dict[str, Any]:
    given: dict[str, Any] = case.as_transport_kwargs(base_url=base_url)
    # Not the credentials that the document makes up: two of them are one too many.
    headers = {
        name: value for name, value in dict(given.get("headers") or {}).items() if name.lower() not in _CREDENTIALS
    }
    given["headers"] = {**headers, "authorization": f"Bearer {token}"}
    given.pop("cookies", None)
    return given


def _problem(case: Any, answer: httpx2.Response) -> str:
    if answer.status_code >= 500:
        return f"status {answer.status_code}: {answer.text[:300]}"
    try:
        case.validate_response(answer, checks=CHECKS)
    except (schemathesis.errors.SchemathesisError, AssertionError, BaseExceptionGroup) as wrong:
        details = getattr(wrong, "exceptions", [wrong])
        return "; ".join(str(detail) for detail in details)[:600]
    return ""


def _managed(document: dict[str, Any]) -> dict[str, Any]:
    """The document with the management API alone."""
    paths = {
        path: operations
        for path, operations in document["paths"].items()
        if path.startswith("/api/") and not any("documents" in one["tags"] for one in operations.values())
    }
    return {**document, "paths": paths}


def run(base_url: str, token: str, cases: int, seed: int, report: Report) -> None:
    """The same number of cases for each operation, half of them such as the document forbids."""
    client = httpx2.Client(timeout=LIMIT_S)
    schema = schemathesis.openapi.from_dict(_managed(client.get(f"{base_url}/openapi.json").json()))
    found: Any = schema.get_all_operations()
    operations = [operation.ok() for operation in found]
    existing = _Existing(random.Random(f"api {seed}"))
    # Deleting comes last, or there would be nothing left to look at.
    operations.sort(key=lambda operation: operation.method.lower() == "delete")
    rounds = [(operation, mode) for operation in operations for mode in GenerationMode]
    for number, (operation, mode) in enumerate(rounds):
        wanted = cases * (number + 1) // len(rounds) - cases * number // len(rounds)
        if wanted:
            _round(operation, mode, wanted, client, (base_url, token, seed), existing, report)


def _round(
    operation: Any,
    mode: GenerationMode,
    cases: int,
    client: httpx2.Client,
    where: tuple[str, str, int],
    existing: _Existing,
    report: Report,
) -> None:
    base_url, token, seed = where
    left = cases

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=cases,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(st.data())
    def one(data: st.DataObject) -> None:
        nonlocal left
        case = data.draw(operation.as_strategy(generation_mode=mode))
        if left <= 0:
            return
        left -= 1
        existing.put_in(case)
        answer: httpx2.Response | None = None
        try:
            sent = _sent(case, base_url, token)
            answer = client.request(sent.pop("method"), sent.pop("url"), **_for_httpx(sent))
        except (httpx2.TransportError, httpx2.InvalidURL, UnicodeEncodeError, ValueError) as failure:
            if isinstance(failure, httpx2.TransportError) and not isinstance(failure, httpx2.LocalProtocolError):
                report.keep("api", case.as_curl_command().encode("utf-8", "replace"), repr(failure))
            report.saw("api", 0)
            return
        report.saw("api", answer.status_code)
        if answer.status_code < 300 and "json" in answer.headers.get("content-type", ""):
            with contextlib.suppress(ValueError):  # an answer without a body: the checks look at it
                existing.learn(operation.path, answer.json())
        why = _problem(case, answer)
        if why:
            report.keep("api", case.as_curl_command().encode("utf-8", "replace"), f"{operation.label}: {why}")

    # An operation without anything to break has no forbidden requests.
    with contextlib.suppress(Unsatisfiable):
        one()


def _for_httpx(sent: dict[str, Any]) -> dict[str, Any]:
    """Arguments as this client names them."""
    given = {name: value for name, value in sent.items() if name in {"headers", "params", "json", "cookies", "files"}}
    if (data := sent.get("data")) is not None:
        given["content" if isinstance(data, bytes | str) else "data"] = data
    return given
