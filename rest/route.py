"""What happens around every handler: who calls, in bounds of size and time, and whatever goes wrong becomes a problem."""

import asyncio
import re
import secrets
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from http import HTTPStatus
from typing import Any, ClassVar

import structlog
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from core.errors import ErrorCode, Problem, ServiceError, TimedOut
from core.request_facts import note
from core.request_id import request_id_of
from rest.bounded_body import JSON
from rest.caller import identify
from rest.facade import facade_of
from rest.problem import FAULT, INTERNAL, Refusal, misread, not_understood, refusal_of
from rest.request_body import MAX_BODY_BYTES, MAX_BULK_BYTES, with_body

_log = structlog.get_logger("rest")

Handler = Callable[[Request], Awaitable[Response]]

_COMMON = {"cache-control": "no-store", "vary": "Accept, Authorization"}
"""What is answered is personal data: nobody on the way keeps it."""

_ACCEPTED = {JSON: 2, "application/problem+json": 2, "application/*": 1, "*/*": 0}
_RANGE = re.compile(r"\s*([^\s;,]+)\s*((?:;[^,]*)?)")
_NO_QUALITY = re.compile(r";\s*q\s*=\s*0(\.0{0,3})?\s*(;|$)", re.IGNORECASE)
_SAFE = frozenset({"GET", "HEAD"})
_CLIENT_GONE = 499


class RestRoute(APIRoute):
    """A route of the facade."""

    most: ClassVar[int] = MAX_BODY_BYTES

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return FastAPI's own handler, with everything around it."""
        inner = super().get_route_handler()
        most = self.most if self.body_field is not None else None
        known = frozenset(_parameters(self.dependant))

        async def strictly(request: Request) -> Response:
            if unknown := [name for name in request.query_params if name not in known]:
                raise not_understood([_unknown_parameter(name) for name in unknown])
            return await inner(request)

        async def handle(request: Request) -> Response:
            return await answered(request, strictly, most=most)

        return handle


class BulkRoute(RestRoute):
    """A route that takes many things at once."""

    most = MAX_BULK_BYTES


async def answered(request: Request, handler: Handler, *, most: int | None = MAX_BODY_BYTES) -> Response:
    """Return what *handler* answers, or a problem. The body is read before, unless *most* (bytes) is None."""
    request_id = request_id_of(request.headers.get("x-request-id"))
    note(request_id=request_id)
    with structlog.contextvars.bound_contextvars(request_id=request_id):
        try:
            response = await _answered(request, handler, most)
        except ClientDisconnect:
            # Gone before the request was complete: nobody is left to answer.
            return Response(status_code=_CLIENT_GONE)
        except Refusal as refusal:
            note(code=refusal.code)
            _log.info("refused", code=refusal.code, status=refusal.status.value, operation=_name(request))
            response = refusal.answer(request_id)
        except Exception:  # noqa: BLE001 - the caller gets an answer whatever happens
            # Nothing is known to lead here. Whatever does is ours, so it is logged, once, and not shown.
            error_id = secrets.token_hex(8)
            note(code=INTERNAL)
            _log.exception("internal error", errorId=error_id, operation=_name(request))
            response = Refusal(HTTPStatus.INTERNAL_SERVER_ERROR, FAULT, INTERNAL).answer(request_id, error_id=error_id)
    for name, value in _COMMON.items():
        response.headers.setdefault(name, value)
    response.headers["x-request-id"] = request_id
    return response


async def _answered(request: Request, handler: Handler, most: int | None) -> Response:
    _require_json_accepted(request)
    try:
        facade = facade_of(request)
        request.state.principal = await identify(request)
        if most is not None:
            request = await with_body(request, most=most, seconds=facade.read_timeout)
        return await _in_time(handler(request), facade.deadline, changes=request.method not in _SAFE)
    except ServiceError as error:
        raise refusal_of(error, conditional="if-match" in request.headers) from error
    except RequestValidationError as error:
        raise not_understood(misread(error.errors())) from error
    except HTTPException as error:
        raise Refusal(HTTPStatus(error.status_code), f"{error.detail}.") from error


async def _in_time(answer: Awaitable[Response], seconds: float, *, changes: bool) -> Response:
    patience = asyncio.timeout(seconds)
    try:
        async with patience:
            return await answer
    except TimeoutError:
        if not patience.expired():
            raise
    perhaps = "It may have been completed: read before you repeat it." if changes else "Ask for less at once, or try again."
    message = f"This took longer than {seconds:g} seconds. {perhaps}"
    raise TimedOut(message)


def _require_json_accepted(request: Request) -> None:
    """Refuse callers that want anything but JSON; the most exact of the ranges that fit decides (RFC 9110, 12.5.1)."""
    accept = ", ".join(request.headers.getlist("accept"))
    if not accept.strip():
        return
    wanted: dict[int, bool] = {}
    for name, parameters in _RANGE.findall(accept):
        exactness = _ACCEPTED.get(name.lower())
        if exactness is not None:
            wanted[exactness] = wanted.get(exactness, False) or _NO_QUALITY.search(parameters) is None
    if not wanted or not wanted[max(wanted)]:
        raise Refusal(HTTPStatus.NOT_ACCEPTABLE, f"Accept {JSON}: nothing else is answered here.")


def _parameters(dependant: Dependant) -> Iterator[str]:
    yield from (one.alias for one in dependant.query_params)
    for deeper in dependant.dependencies:
        yield from _parameters(deeper)


def _unknown_parameter(name: str) -> Problem:
    # A condition that nobody reads would leave its caller with everything instead of what it asked for.
    return Problem(ErrorCode.INVALID, "There is no parameter of this name.", (name,))


def _name(request: Request) -> str:
    """Return what the description of the API calls the operation, for the log; paths hold ids."""
    return str(getattr(request.scope.get("route"), "operation_id", None))
