"""The ASGI application: GraphQL, its WebSocket, and health."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from app.bearer import BearerReader
from app.container import Container, open_container
from app.graphql import build_schema
from app.graphql_http import GraphQLEndpoint
from app.graphql_socket import GraphQLSocket
from app.keys import token_verifier
from app.settings import Settings
from app.verifiers import Verifiers
from core.errors import Unavailable
from infra.mongo import missing_indexes
from rest.health import Check, health_router


def create_app(settings: Settings) -> FastAPI:
    """Return the application. It opens its connections when the server starts it, and closes them when it stops."""
    schema = build_schema()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_container(settings) as container:
            bearer = BearerReader(Verifiers(token_verifier(settings, container.rules.clock)), container.revocations)
            endpoint = GraphQLEndpoint(schema, container.services, bearer)
            socket = GraphQLSocket(schema, container.services, bearer, allowed_origins=settings.server.allowed_origins)
            app.router.routes.insert(0, Route("/graphql", endpoint=_Endpoint(endpoint), methods=["POST"]))
            app.include_router(socket)
            app.include_router(health_router(_readiness(container)))
            app.state.container = container
            yield

    return FastAPI(title="Customer Service", lifespan=lifespan, docs_url=None, redoc_url=None)


class _Endpoint:
    """Marks an ASGI application as one for Starlette's router, which takes plain functions for request handlers."""

    def __init__(self, application: GraphQLEndpoint) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._application(scope, receive, send)


def _readiness(container: Container) -> Check:
    complete: list[bool] = []

    async def ready() -> str | None:
        if not await container.mongo.answers():
            return "MongoDB does not answer"
        if not complete:
            try:
                missing = await missing_indexes()
            except Unavailable:
                return "MongoDB does not answer"
            if missing:
                return f"indexes: {', '.join(missing)}; run: customer-service database indexes"
            complete.append(True)
        return None

    return ready
