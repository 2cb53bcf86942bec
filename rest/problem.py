"""What is answered to a request that is refused: problem details after RFC 9457, with the codes and paths of GraphQL."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any

from pydantic import Field
from pydantic_core import ErrorDetails
from starlette.responses import Response

from core.errors import (
    BadInput,
    Conflict,
    ErrorCode,
    FileWithheld,
    Forbidden,
    NotFound,
    Problem,
    RateLimited,
    Refused,
    ServiceError,
    TimedOut,
    TooMany,
    Unauthenticated,
    Unavailable,
)
from rest.http_bearer import NoCredentials, UnusableCredentials, challenge
from rest.shape import Shape

PROBLEM_JSON = "application/problem+json"
RETRY_SECONDS = 5
"""How long clients are asked to wait when nobody knows when it will be better."""

FAULT = "Something went wrong on our side. It has been recorded; mention the errorId when you report it."
INTERNAL = "INTERNAL"

_STATUS: Mapping[type[ServiceError], HTTPStatus] = {
    Unauthenticated: HTTPStatus.UNAUTHORIZED,
    Forbidden: HTTPStatus.FORBIDDEN,
    FileWithheld: HTTPStatus.CONFLICT,
    NotFound: HTTPStatus.NOT_FOUND,
    BadInput: HTTPStatus.BAD_REQUEST,
    RateLimited: HTTPStatus.TOO_MANY_REQUESTS,
    TimedOut: HTTPStatus.GATEWAY_TIMEOUT,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}
_CLASHES = frozenset({ErrorCode.TAKEN, ErrorCode.STATE, ErrorCode.LEGAL_HOLD})
"""Nothing is wrong with what was sent; it does not go together with what is there."""

_NOT_THERE = frozenset({ErrorCode.NOT_FOUND, ErrorCode.MERGED})

_CHANGED = (
    "This was changed in the meantime: the current version is {}. Read it again, reapply your change and send the new ETag as "
    "If-Match."
)

_TAGS = frozenset({"customersInCall", "customersInFile"})
"""Pydantic names the member of a union in its paths; clients know nothing of it."""


class FieldProblem(Shape):
    """One reason why a request changed nothing: what GraphQL calls a `UserError`."""

    code: ErrorCode = Field(description="Why, for programs.")
    message: str = Field(description="Why, and what to do about it, for people.")
    field: list[str] | None = Field(
        None,
        description='Path into the body or the parameters, such as `["addresses", "0", "postalCode"]`; absent when it is about '
        "the whole request.",
    )
    current_version: int | None = Field(None, description="With CONFLICT: the version it has now.")
    merged_into: str | None = Field(
        None, description="With MERGED: the customer that goes on in the place of the one you meant."
    )

    @classmethod
    def of(cls, problem: Problem) -> "FieldProblem":
        """Return a problem as clients see it."""
        return cls(
            code=problem.code,
            message=problem.message,
            field=list(problem.field) or None,
            current_version=problem.current_version,
            merged_into=problem.merged_into,
        )


class ProblemDetails(Shape):
    """Why a request was refused: RFC 9457, with all reasons at once in `errors`."""

    type: str = Field(description="The kind of problem: `/problems/` and the code, in small letters.")
    title: str = Field(description="The kind of problem, for people.")
    status: int = Field(description="The status of the answer.")
    detail: str = Field(description="What is wrong here, and what to do about it, for people.")
    code: str = Field(description="What is wrong, for programs: of several `errors` the code of the first.")
    request_id: str = Field(description="The id of the request, also in the header `X-Request-Id`.")
    errors: list[FieldProblem] = Field(
        default=[], description="Every reason with its path, when the request could be understood."
    )
    error_id: str | None = Field(None, description="With INTERNAL: what to mention when reporting it.")


@dataclass(slots=True)
class Refusal(Exception):
    """A request that is refused: with which status, why, and with which headers."""

    status: HTTPStatus
    detail: str
    code: str = BadInput.code
    errors: Sequence[Problem] = ()
    headers: dict[str, str] = field(default_factory=dict)

    def answer(self, request_id: str, *, error_id: str | None = None) -> Response:
        """Return what the caller gets."""
        details = ProblemDetails(
            type=f"/problems/{self.code.lower().replace('_', '-')}",
            title=self.code.replace("_", " ").capitalize(),
            status=self.status,
            detail=self.detail,
            code=self.code,
            request_id=request_id,
            errors=[FieldProblem.of(problem) for problem in self.errors],
            error_id=error_id,
        )
        body = details.model_dump_json(by_alias=True, exclude_none=True)
        return Response(body, self.status, self.headers, media_type=PROBLEM_JSON)


def refusal_of(error: ServiceError, *, conditional: bool = False) -> Refusal:
    """Return how an error is answered. *conditional* says that the request named the version it is about (If-Match)."""
    if isinstance(error, Refused):
        return _of_problems(error, conditional=conditional)
    if isinstance(error, UnusableCredentials):
        return Refusal(HTTPStatus.BAD_REQUEST, str(error), headers=challenge("invalid_request", str(error)))
    status = next((status for kind, status in _STATUS.items() if isinstance(error, kind)), HTTPStatus.BAD_REQUEST)
    return Refusal(status, str(error), error.code, headers=_headers_of(error))


def misread(errors: Sequence[ErrorDetails | Mapping[str, Any]]) -> list[Problem]:
    """Return what Pydantic found wrong with a request as problems: with the caller's paths, and none of its values."""
    return [Problem(_code_of(str(one["type"])), _message_of(one), _path_of(one["loc"])) for one in errors]


def not_understood(problems: Sequence[Problem]) -> Refusal:
    """Return the refusal of a request that does not have the shape it should have."""
    detail = "The request does not have the shape that the description of the API gives it; see errors."
    return Refusal(HTTPStatus.BAD_REQUEST, detail, errors=problems)


def _of_problems(error: Refused, *, conditional: bool) -> Refusal:
    problems, detail = error.problems, str(error)
    codes = {problem.code for problem in problems}
    headers = {}
    if isinstance(error, Conflict):
        # The service's own words are about an argument that is a header here.
        detail = _CHANGED.format(problems[0].current_version)
        problems = tuple(replace(problem, message=detail) for problem in problems)
        status = HTTPStatus.PRECONDITION_FAILED if conditional else HTTPStatus.CONFLICT
        headers["etag"] = f'"{problems[0].current_version}"'
    elif isinstance(error, TooMany):
        status = HTTPStatus.TOO_MANY_REQUESTS
        headers["retry-after"] = str(error.retry_after)
    elif codes <= _NOT_THERE:
        status = HTTPStatus.NOT_FOUND
    elif ErrorCode.FORBIDDEN in codes:
        status = HTTPStatus.FORBIDDEN
    elif codes <= _CLASHES:
        status = HTTPStatus.CONFLICT
    else:
        status = HTTPStatus.UNPROCESSABLE_ENTITY
    return Refusal(status, detail, problems[0].code, problems, headers)


def _headers_of(error: ServiceError) -> dict[str, str]:
    if isinstance(error, NoCredentials):
        return challenge()
    if isinstance(error, Unauthenticated):
        return challenge("invalid_token", str(error))
    if isinstance(error, RateLimited):
        return {"retry-after": str(error.retry_after)}
    if isinstance(error, Unavailable):
        return {"retry-after": str(RETRY_SECONDS)}
    return {}


def _code_of(type_: str) -> ErrorCode:
    if type_ == "missing":
        return ErrorCode.REQUIRED
    if type_ == "string_too_long":
        return ErrorCode.TOO_LONG
    return ErrorCode.TOO_MANY if type_ == "too_long" else ErrorCode.INVALID


def _message_of(error: ErrorDetails | Mapping[str, Any]) -> str:
    if error["type"] == "missing":
        return "This is required."
    if error["type"] == "extra_forbidden":
        return "There is no member of this name. Look at the description of the API for how it is spelled."
    return f"{str(error['msg']).removeprefix('Value error, ')}."


def _path_of(place: Sequence[str | int]) -> tuple[str, ...]:
    """Return a place in the request as a caller writes it, without where in the request it stands."""
    return tuple(_spelled(str(step)) for step in place[1:] if step not in _TAGS)


def _spelled(step: str) -> str:
    """Return a header's or path parameter's name in the spelling of everything else: ``idempotencyKey``, ``sellerId``."""
    first, *others = step.replace("-", "_").split("_")
    return f"{first[:1].lower()}{first[1:]}{''.join(word.capitalize() for word in others)}"
