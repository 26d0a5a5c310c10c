import json

from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import IntegrityError, OperationalError
from starlette.exceptions import HTTPException

from services.admin.store.database import NotPrepared
from services.admin.web import problems


def test_a_problem_has_the_form_of_rfc_9457() -> None:
    answer = problems.respond(problems.invalid("limits.rpm", "must be more"), "req_1")
    assert answer.headers["content-type"] == "application/problem+json"
    assert json.loads(bytes(answer.body)) == {
        "type": "urn:oneapi:problem:invalid_field",
        "title": "Unprocessable Entity",
        "status": 422,
        "code": "invalid_field",
        "detail": "limits.rpm: must be more.",
        "request_id": "req_1",
        "errors": [{"field": "limits.rpm", "message": "must be more"}],
    }


def test_refused_fields_are_named_without_their_values() -> None:
    error = RequestValidationError(
        [
            {"type": "extra_forbidden", "loc": ("body", "x" * 100), "msg": "Extra", "input": "secret"},
            {"type": "value_error", "loc": ("body", "budget", 0, "amount_usd"), "msg": "Value error, no", "input": "s"},
        ]
    )
    problem = problems.of_validation(error)
    assert problem.errors == [("x" * 64, "is not a known field"), ("budget.0.amount_usd", "no")]
    assert problem.code == "invalid_request"


def test_what_the_framework_raises() -> None:
    assert problems.of_http(HTTPException(404)).code == "not_found"
    wrong_method = problems.of_http(HTTPException(405, headers={"Allow": "GET"}))
    assert (wrong_method.code, wrong_method.headers) == ("method_not_allowed", {"Allow": "GET"})


def test_an_absent_database_is_503_and_a_broken_statement_is_not() -> None:
    for error in (OperationalError("s", {}, Exception()), NotPrepared(), ConnectionRefusedError()):
        unavailable = problems.of_database(error)
        assert unavailable is not None
        assert unavailable.status_code == 503
    assert problems.of_database(IntegrityError("s", {}, Exception())) is None
    assert problems.of_unexpected(ZeroDivisionError("secret")).detail.find("secret") == -1
