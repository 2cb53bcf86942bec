"""The description of the API: OpenAPI 3.1, the same at /openapi.json and in rest/openapi.json."""

from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from core.errors import Unavailable
from rest.documented import REFUSED, refusal
from rest.examples import ANSWERED, SENT
from rest.health import health_router
from rest.problem import PROBLEM_JSON, ProblemDetails
from rest.router import mount
from rest.session_shapes import RefreshInput, TokenPair
from rest.token import token_router
from rest.well_known import Authority, well_known_router
from services.service_client import KnownClient

VERSION = "1.0.0"
"""Of the REST interface; the paths carry its first number."""

_DESCRIPTION = """\
The REST interface of Customer Service: the same customers, rules and words as in GraphQL, for programs that want plain HTTP.

* Objects are JSON in camelCase, spelled as in the GraphQL schema. Moments are RFC 3339 in UTC, days ISO 8601.
* Whose data a call reaches is decided by its token. What belongs to another seller is answered like what does not exist.
* A request that is refused changes nothing, and is answered with problem details (RFC 9457) that hold all reasons at once.
* `ETag` and `If-Match` guard against lost updates, `Idempotency-Key` against doing twice what was asked twice.
* A call takes at most ten seconds and 100 KB, a bulk call 1 MB.
"""

_TAGS = [
    {"name": "customers", "description": "Customers of a seller, with their addresses and documents."},
    {"name": "addresses", "description": "Addresses of customers."},
    {"name": "auth", "description": "Sign-in of customers with one-time codes, and tokens for programs."},
    {"name": "internal customers", "description": "For services alone: the same customers, by a service's token."},
    {"name": "internal sellers", "description": "For services alone: what sellers have said for themselves."},
    {"name": "health", "description": "For balancers and orchestrators."},
]

_SCHEMES = {
    "accessToken": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "An access token of this service, or of an issuer that it trusts.",
    },
    "clientCredentials": {
        "type": "http",
        "scheme": "basic",
        "description": "The id and the secret of a program, for the token endpoint alone.",
    },
}


@cache
def description() -> Mapping[str, Any]:
    """Return the description of the API. Nobody may change it."""
    app = _undressed()
    found = get_openapi(
        title="Customer Service",
        version=VERSION,
        openapi_version="3.1.0",
        summary="The system of record for the customers of many sellers.",
        description=_DESCRIPTION,
        routes=app.routes,
        tags=_TAGS,
        servers=[{"url": "/", "description": "This service."}],
        license_info={"name": "Proprietary", "identifier": "LicenseRef-Proprietary"},
        separate_input_output_schemas=True,
    )
    components = found["components"]
    components["securitySchemes"] = _SCHEMES
    components["schemas"].update(_extra_schemas())
    for name in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(name, None)
    for name, example in {**SENT, **ANSWERED}.items():
        components["schemas"][name]["examples"] = [example]
    found["security"] = [{"accessToken": []}]
    components["responses"] = _shared_refusals()
    for path in found["paths"].values():
        for operation in path.values():
            _finish(operation, components["responses"])
    return found


def _shared_refusals() -> dict[str, Any]:
    """Return the refusals that all operations have in common, by a name for each."""
    return {HTTPStatus(status).phrase.replace(" ", "").replace("-", ""): refusal(status) for status in REFUSED}


def _finish(operation: dict[str, Any], shared: Mapping[str, Any]) -> None:
    """Name what operations share, and take out what FastAPI adds by itself: it would answer 422 to what is a 400 here."""
    told = operation["responses"]
    if "HTTPValidationError" in str(told.get("422", {})):
        del told["422"]
    names = {str(answer["content"][PROBLEM_JSON]["example"]["status"]): name for name, answer in shared.items()}
    for status, answer in told.items():
        if status in names and answer == shared[names[status]]:
            told[status] = {"$ref": f"#/components/responses/{names[status]}"}


def _extra_schemas() -> dict[str, Any]:
    """Return the schemas that answers and requests name without FastAPI's knowing."""
    found: dict[str, Any] = {}
    for shape, mode in ((ProblemDetails, "serialization"), (TokenPair, "serialization"), (RefreshInput, "validation")):
        schema = shape.model_json_schema(ref_template="#/components/schemas/{model}", mode=mode)  # type: ignore[arg-type]
        found.update(schema.pop("$defs", {}))
        found[shape.__name__] = schema
    return found


def _undressed() -> FastAPI:
    """Return an application that has all routes and nothing behind them."""
    app = FastAPI()
    mount(app)
    app.include_router(token_router(_Nobody(), _issue, lifetime=timedelta(), admit=_admit))
    app.include_router(health_router(_ready))
    app.include_router(well_known_router(Authority("customer-service", None, dict)))
    return app


class _Nobody:
    """Knows no program."""

    async def known(self, client_id: str) -> KnownClient:
        """Refuse."""
        raise Unavailable(client_id)


def _issue(**asked: object) -> str:
    raise Unavailable(str(asked))


async def _admit(client_id: str, network: str) -> Any:
    raise Unavailable(client_id + network)


async def _ready() -> str | None:
    return "everything"
