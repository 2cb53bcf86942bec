"""Runs operations on a schema without the application: for what is decided before anything is asked of a database."""

from typing import Any, cast

from strawberry.types.execution import ExecutionResult

from app.graphql.execution import Schema
from app.graphql.rules import OperationRules
from app.graphql.schema import build_schema
from auth.principal import SCOPES, Principal
from core.device import Device
from core.vocabulary import PrincipalKind
from schema.context import Context
from services.registry import Services

OPEN = build_schema()
CLOSED = build_schema(OperationRules(open_introspection=False))

OPERATOR = Principal(PrincipalKind.OPERATOR, "ada", SCOPES[PrincipalKind.OPERATOR], "acme")
SERVICE = Principal(PrincipalKind.SERVICE, "oms", SCOPES[PrincipalKind.SERVICE])
CUSTOMER = Principal(PrincipalKind.CUSTOMER, "cus_1", SCOPES[PrincipalKind.CUSTOMER], "acme")


def context(principal: Principal | None = None, address: str = "192.0.2.1") -> Context:
    """Return the context of a call that finds no services."""
    return Context(cast("Services", None), request_id="r-1", principal=principal, device=Device(address))


async def run(
    document: str,
    variables: dict[str, Any] | None = None,
    *,
    schema: Schema = OPEN,
    principal: Principal | None = None,
    operation_name: str | None = None,
    address: str = "192.0.2.1",
) -> ExecutionResult:
    """Execute an operation and return its result."""
    return await schema.execute(
        document,
        variable_values=variables,
        context_value=context(principal, address),
        operation_name=operation_name,
    )


def errors(result: ExecutionResult) -> list[tuple[str, str]]:
    """Return code and message of each error."""
    return [((error.extensions or {})["code"], error.message) for error in result.errors or ()]


def codes(result: ExecutionResult) -> list[str]:
    """Return the code of each error."""
    return [code for code, _ in errors(result)]
