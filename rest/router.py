"""All routes of the facade, and what is answered where there is none."""

from http import HTTPStatus

from fastapi import APIRouter, FastAPI
from fastapi.exception_handlers import http_exception_handler
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from core.errors import NotFound
from core.request_id import request_id_of
from rest import address, internal_lookups, internal_seller, session
from rest.customer_routes import INTERNAL, PUBLIC, internal_router, public_router
from rest.problem import Refusal

_PREFIXES = (f"{PUBLIC}/", f"{INTERNAL}/")


def mount(app: FastAPI) -> None:
    """Add the facade to *app*, whose state has to hold a `rest.facade.Facade` once it serves."""
    for router in routers():
        app.include_router(router)
    app.add_exception_handler(HTTPException, _not_here)


def routers() -> list[APIRouter]:
    """Return the routes of the facade, but for the token endpoint, which has a specification of its own."""
    return [public_router(), address.router, session.router, internal_router(), internal_lookups.router, internal_seller.router]


async def _not_here(request: Request, error: Exception) -> Response:
    """Answer a path or a method that does not exist, below the facade's own paths as a problem."""
    if not isinstance(error, HTTPException):  # pragma: no cover - Starlette calls this for nothing else
        raise error
    if not request.scope["path"].startswith(_PREFIXES):
        return await http_exception_handler(request, error)
    status = HTTPStatus(error.status_code)
    known = {
        HTTPStatus.NOT_FOUND: (
            NotFound.code,
            "There is nothing at this address; /openapi.json tells which there are.",
        ),
        HTTPStatus.METHOD_NOT_ALLOWED: ("BAD_USER_INPUT", "This address does not take that method; see Allow."),
    }
    code, detail = known.get(status, ("BAD_USER_INPUT", f"{error.detail}."))
    request_id = request_id_of(request.headers.get("x-request-id"))
    answer = Refusal(status, detail, code, headers=dict(error.headers or {})).answer(request_id)
    answer.headers["x-request-id"] = request_id
    return answer
