"""Where the handlers of customers are: under /api/v1 for everybody, under /internal/api/v1 for services."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Depends

from rest.bulk import create_customers
from rest.bulk_shapes import BulkOutcome, StartedImport
from rest.caller import only_services
from rest.customer import (
    create_customer,
    delete_customer,
    get_customer,
    get_customer_anywhere,
    list_customers,
    update_customer,
    upsert_customer,
)
from rest.customer_shapes import CreatedCustomer
from rest.documented import answers
from rest.route import BulkRoute, RestRoute

PUBLIC, INTERNAL = "/api/v1", "/internal/api/v1"
_ALL = "/sellers/{seller_id}/customers"
_ONE = f"{_ALL}/{{customer_id}}"

Handler = Callable[..., Any]


def public_router() -> APIRouter:
    """Return the routes for everybody with a token."""
    router = APIRouter(prefix=PUBLIC, route_class=RestRoute, tags=["customers"])
    _add_shared(router, "Customer", "customer")
    router.add_api_route(
        f"{_ALL}/bulk",
        create_customers,
        methods=["POST"],
        summary="Create many customers",
        operation_id="createCustomers",
        response_model=BulkOutcome,
        responses=answers(200, 202, 404, 422, body=True, models={202: StartedImport}),
        route_class_override=BulkRoute,
    )
    router.add_api_route(
        "/customers/{customer_id}",
        get_customer_anywhere,
        methods=["GET"],
        summary="Get a customer by its id alone",
        operation_id="getCustomerAnywhere",
        responses=answers(200, 304, 404, etag=True),
    )
    return router


def internal_router() -> APIRouter:
    """Return the routes for services: the same, and one that creates or changes."""
    router = APIRouter(
        prefix=INTERNAL, route_class=RestRoute, tags=["internal customers"], dependencies=[Depends(only_services)]
    )
    _add_shared(router, "InternalCustomer", "customer (internal)")
    router.add_api_route(
        f"{_ALL}/upsert",
        upsert_customer,
        methods=["POST"],
        summary="Create or update a customer (internal)",
        operation_id="upsertInternalCustomer",
        status_code=201,
        responses=answers(200, 201, 404, 409, 422, body=True, etag=True, location=True, models={200: CreatedCustomer}),
    )
    return router


def _add_shared(router: APIRouter, name: str, what: str) -> None:
    """Add what is under both paths; *name* and *what* tell the two apart in the description."""
    routes: list[tuple[str, str, Handler, str, str, dict[str, Any]]] = [
        (
            "POST",
            _ALL,
            create_customer,
            f"create{name}",
            f"Create a {what}",
            {"status_code": 201, "responses": answers(201, 404, 409, 422, body=True, etag=True, location=True)},
        ),
        ("GET", _ALL, list_customers, f"list{name}s", f"List {what}", {"responses": answers(200, link=True)}),
        (
            "PUT",
            _ONE,
            update_customer,
            f"update{name}",
            f"Update a {what}",
            {"responses": answers(200, 404, 409, 412, 422, body=True, etag=True)},
        ),
        ("GET", _ONE, get_customer, f"get{name}", f"Get a {what}", {"responses": answers(200, 304, 404, etag=True)}),
        (
            "DELETE",
            _ONE,
            delete_customer,
            f"delete{name}",
            f"Delete a {what}",
            {"status_code": 204, "responses": answers(204, 404, 412)},
        ),
    ]
    for method, path, handler, operation, summary, more in routes:
        router.add_api_route(path, handler, methods=[method], summary=summary, operation_id=operation, **more)
