"""REST, plugged together."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI

from app.bearer import BearerReader
from app.container import Container
from app.graphql.quotas import Quotas, bucket_of
from app.settings import Settings
from auth.principal import Principal
from core.device import Device
from rest.facade import Facade
from rest.openapi import description
from rest.router import mount
from schema.context import Context


def mount_facade(app: FastAPI) -> None:
    """Add the routes of REST to *app*, and their description at /openapi.json."""
    mount(app)
    app.openapi = _described  # type: ignore[method-assign]  # FastAPI's own way to say what is served there


def open_facade(settings: Settings, container: Container, bearer: BearerReader, quotas: Quotas) -> Facade:
    """Return what the routes of REST stand on. Callers spend from the same *quotas* as in GraphQL."""

    def spend(principal: Principal | None, device: Device, points: int) -> None:
        context = Context(container.services, request_id="", principal=principal, device=device)
        quotas.spend(bucket_of(context), points)

    return Facade(
        services=container.services,
        identify=bearer.credential,
        spend=spend,
        deadline=settings.graphql.deadline,
        read_timeout=settings.server.read_timeout,
    )


def _described() -> dict[str, Any]:
    found: Mapping[str, Any] = description()
    return dict(found)
