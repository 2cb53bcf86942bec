"""Which error is answered with which status."""

import pytest

from core.errors import (
    BadInput,
    Conflict,
    ErrorCode,
    Forbidden,
    NotFound,
    Problem,
    QueryTooComplex,
    RateLimited,
    Refused,
    ServiceError,
    TimedOut,
    TooMany,
    Unauthenticated,
    Unavailable,
)
from rest.problem import misread, refusal_of


def refused(*codes: ErrorCode) -> Refused:
    return Refused([Problem(code, "Why.", ("field",)) for code in codes])


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Unauthenticated("Why."), 401, "UNAUTHENTICATED"),
        (Forbidden("Why."), 403, "FORBIDDEN"),
        (NotFound("Why."), 404, "NOT_FOUND"),
        (BadInput("Why."), 400, "BAD_USER_INPUT"),
        (RateLimited(7), 429, "RATE_LIMITED"),
        (TimedOut("Why."), 504, "TIMEOUT"),
        (Unavailable("Why."), 503, "UNAVAILABLE"),
        (QueryTooComplex("Why."), 400, "QUERY_TOO_COMPLEX"),
        (Conflict(3), 409, "CONFLICT"),
        (TooMany("Why.", 7, "destination"), 429, "TOO_MANY_ATTEMPTS"),
        (refused(ErrorCode.TAKEN), 409, "TAKEN"),
        (refused(ErrorCode.STATE), 409, "STATE"),
        (refused(ErrorCode.TAKEN, ErrorCode.INVALID_EMAIL), 422, "TAKEN"),
        (refused(ErrorCode.NOT_FOUND), 404, "NOT_FOUND"),
        (refused(ErrorCode.FORBIDDEN, ErrorCode.FORBIDDEN), 403, "FORBIDDEN"),
        (refused(ErrorCode.TOO_MANY_ATTEMPTS), 422, "TOO_MANY_ATTEMPTS"),
        (refused(ErrorCode.IDEMPOTENCY_KEY_REUSED), 422, "IDEMPOTENCY_KEY_REUSED"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_each_error_has_a_status(error: ServiceError, status: int, code: str) -> None:
    refusal = refusal_of(error)

    assert (status, code) == (refusal.status, refusal.code)


def test_a_condition_that_fails_is_412() -> None:
    refusal = refusal_of(Conflict(3), conditional=True)

    assert (412, '"3"') == (refusal.status, refusal.headers["etag"])
    assert "If-Match" in refusal.detail
    assert [refusal.detail] == [problem.message for problem in refusal.errors]


def test_who_has_to_wait_is_told_how_long() -> None:
    waits = [refusal_of(error).headers["retry-after"] for error in (RateLimited(7), TooMany("Why.", 8), Unavailable("Why."))]

    assert ["7", "8", "5"] == waits


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (("body", "addresses", 0, "line1"), ("addresses", "0", "line1")),
        (("body", "customersInFile", "filePath"), ("filePath",)),
        (("path", "seller_id"), ("sellerId",)),
        (("header", "Idempotency-Key"), ("idempotencyKey",)),
        (("query", "createdAtFrom"), ("createdAtFrom",)),
        (("body",), ()),
    ],
)
def test_paths_are_those_of_the_caller(place: tuple[str | int, ...], expected: tuple[str, ...]) -> None:
    (problem,) = misread([{"type": "missing", "loc": place, "msg": "Field required"}])

    assert (ErrorCode.REQUIRED, "This is required.", expected) == (problem.code, problem.message, problem.field)
