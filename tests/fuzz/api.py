"""Every operation of the OpenAPI document, of all services: requests that it allows, and such as it doesn't.

No answer is a failure of the gateway's, and each is one that the document describes: its status, its content type, its
headers and its schema. Half of the time a path names something that exists, and models are mostly the built-in one.
"""

import contextlib
import random
import re
from collections import Counter
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
MODEL = "sandbox"
_CREDENTIALS = {"authorization", "cookie", "x-api-key", "api-key", "x-goog-api-key"}
CHECKS: list[Any] = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]


class _Existing:
    """Names that were seen in answers, by the collection that they are of."""

    def __init__(self, choose: random.Random) -> None:
        self._choose = choose
        self._names: dict[str, list[str]] = {"models": [MODEL]}

    def learn(self, path: str, answer: httpx2.Response) -> None:
        if "x-oneapi-cost-usd" in answer.headers:
            self._add("receipts", answer.headers["x-request-id"])
        if "json" not in answer.headers.get("content-type", ""):
            return
        try:
            said = answer.json()
        except ValueError:
            return  # an answer without a body: the checks look at it
        rows = said.get("data") if isinstance(said, dict) else None
        for row in rows if isinstance(rows, list) else [said]:
            name = (row.get("id") or row.get("model")) if isinstance(row, dict) else None
            if isinstance(name, str) and re.fullmatch(r"[\w.\-]+", name):
                self._add("items" if path.endswith("items") else _collection(path), name)

    def put_in(self, case: Any) -> None:
        for parameter in case.path_parameters or {}:
            known = self._names.get("items" if parameter == "item_id" else _collection(case.path), [])
            if known and self._choose.random() < 0.5:
                case.path_parameters[parameter] = self._choose.choice(known)
        if isinstance(case.body, dict) and isinstance(case.body.get("model"), str) and self._choose.random() < 0.8:
            case.body["model"] = MODEL

    def _add(self, collection: str, name: str) -> None:
        known = self._names.setdefault(collection, [])
        known.append(name)
        del known[:-50]


class _Caller:
    """Who sends a case: each operation gets the credential that it takes."""

    def __init__(self, base_url: str, token: str, key: str) -> None:
        self._base_url = base_url
        self._token, self._key = token, key

    def sent(self, case: Any, security: list[dict[str, Any]]) -> dict[str, Any]:
        """The case as arguments of a request."""
        given: dict[str, Any] = case.as_transport_kwargs(base_url=self._base_url)
        # Not the credentials that the document makes up: two of them are one too many.
        headers = {
            name: value for name, value in dict(given.get("headers") or {}).items() if name.lower() not in _CREDENTIALS
        }
        if security:
            takes_key = any(name.startswith("relayKey") for way in security for name in way)
            headers["authorization"] = f"Bearer {self._key if takes_key else self._token}"
        given["headers"] = headers
        given.pop("cookies", None)
        return given


def _collection(path: str) -> str:
    """`keys` of `/api/keys/{key_id}`."""
    return path.split("/")[2] if path.count("/") >= 2 else ""


def _problem(case: Any, answer: httpx2.Response) -> str:
    if answer.status_code >= 500:
        return f"status {answer.status_code}: {answer.text[:300]}"
    try:
        case.validate_response(answer, checks=CHECKS)
    except (schemathesis.errors.SchemathesisError, AssertionError, BaseExceptionGroup) as wrong:
        details = getattr(wrong, "exceptions", [wrong])
        return "; ".join(str(detail) for detail in details)[:600]
    return ""


def run(base_url: str, token: str, key: str, cases: int, seed: int, report: Report) -> None:
    """The same number of cases for each operation, half of them such as the document forbids."""
    client = httpx2.Client(timeout=LIMIT_S)
    schema = schemathesis.openapi.from_dict(client.get(f"{base_url}/openapi.json").json())
    found: Any = schema.get_all_operations()
    operations = [operation.ok() for operation in found]
    fuzz = _Fuzz(client, _Caller(base_url, token, key), _Existing(random.Random(f"api {seed}")), seed, report)
    # Deleting comes last, or there would be nothing left to look at; keys change when they aren't needed any more.
    operations.sort(key=lambda operation: (operation.path.startswith("/api/"), operation.method.lower() == "delete"))
    rounds = [(operation, mode) for operation in operations for mode in GenerationMode]
    for number, (operation, mode) in enumerate(rounds):
        wanted = cases * (number + 1) // len(rounds) - cases * number // len(rounds)
        if wanted:
            fuzz.round(operation, mode, wanted)


class _Fuzz:
    """One run."""

    def __init__(self, client: httpx2.Client, caller: _Caller, existing: _Existing, seed: int, report: Report) -> None:
        self._client = client
        self._caller = caller
        self._existing = existing
        self._choose = random.Random(f"examples {seed}")
        self._seed = seed
        self._report = report

    def round(self, operation: Any, mode: GenerationMode, cases: int) -> None:
        """These many cases of one operation."""
        left = cases
        self._report.operations.setdefault(operation.label, Counter())

        @hypothesis.seed(self._seed)
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
            if left > 0:
                left -= 1
                self._ask(operation, case)

        # An operation without anything to break has no forbidden requests.
        with contextlib.suppress(Unsatisfiable):
            one()

    def _follow_example(self, operation: Any, case: Any) -> None:
        """Every other body is the document's own, as readers copy it: made-up ones are seldom good conversations."""
        example = _example(operation)
        if example is not None and self._choose.random() < 0.5:
            case.body = {**example, **({"model": MODEL} if "model" in example else {})}

    def _ask(self, operation: Any, case: Any) -> None:
        self._existing.put_in(case)
        if case.meta.generation.mode is GenerationMode.POSITIVE:
            self._follow_example(operation, case)
        curl = case.as_curl_command().encode("utf-8", "replace")
        try:
            sent = self._caller.sent(case, operation.definition.raw.get("security", []))
            answer = self._client.request(sent.pop("method"), sent.pop("url"), **_for_httpx(sent))
        except (httpx2.TransportError, httpx2.InvalidURL, UnicodeEncodeError, ValueError) as failure:
            if isinstance(failure, httpx2.TransportError) and not isinstance(failure, httpx2.LocalProtocolError):
                self._report.keep("api", curl, repr(failure))
            self._report.saw("api", 0)
            return
        self._report.saw("api", answer.status_code)
        self._report.operations[operation.label][answer.status_code] += 1
        if answer.status_code < 300:
            self._existing.learn(operation.path, answer)
        why = _problem(case, answer)
        if why:
            self._report.keep("api", curl, f"{operation.label}: {why}")


def _example(operation: Any) -> dict[str, Any] | None:
    """The body that the document shows."""
    content = operation.definition.raw.get("requestBody", {}).get("content", {})
    example: dict[str, Any] | None = content.get("application/json", {}).get("example")
    return example


def _for_httpx(sent: dict[str, Any]) -> dict[str, Any]:
    """Arguments as this client names them."""
    given = {name: value for name, value in sent.items() if name in {"headers", "params", "json", "cookies", "files"}}
    if (data := sent.get("data")) is not None:
        given["content" if isinstance(data, bytes | str) else "data"] = data
    return given
