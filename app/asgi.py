"""The ASGI application: GraphQL, its WebSocket, tokens for programs, the console, and health."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

from fastapi import FastAPI
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from app.bearer import BearerReader
from app.console import console_routes
from app.container import Container, open_container
from app.graphql.documents import Documents
from app.graphql.event_stream import EventStreams
from app.graphql.http import GraphQLEndpoint, open_to_browsers
from app.graphql.ide import ide_routes
from app.graphql.open_streams import OpenStreams
from app.graphql.rules import OperationRules
from app.graphql.schema import build_schema
from app.graphql.socket import GraphQLSocket
from app.graphql.socket_guard import SocketGuard
from app.graphql.stored_documents import stored_documents
from app.keys import KeyFile, token_issuer, token_verifier
from app.operator_sign_in import open_operator_sign_in
from app.settings import Settings
from app.verifiers import open_verifiers
from core.clock import Clock
from core.errors import Unavailable
from infra.mongo import missing_indexes
from rest.health import Check, health_router
from rest.token import token_router
from rest.well_known import Authority, well_known_router


def create_app(settings: Settings) -> FastAPI:
    """Return the application. It opens its connections when the server starts it, and closes them when it stops.

    Raises:
        InvalidSettings: a stored document could never be served.
    """
    schema = build_schema(_rules(settings))
    stored = stored_documents(settings.graphql.stored_documents, schema)
    documents = Documents(stored, only_stored=settings.graphql.only_stored_documents)
    open_streams = OpenStreams(settings.graphql.connections_per_caller)
    # Set by the server when it begins to stop; the end of the lifespan comes after the streams that wait for it.
    stopping = asyncio.Event()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            container = await stack.enter_async_context(open_container(settings))
            clock = container.rules.clock
            keys = container.keys
            own = token_verifier(settings, clock, keys)
            verifiers = await stack.enter_async_context(open_verifiers(settings, own, clock))
            bearer = BearerReader(verifiers, container.revocations, container.activity)
            guard = SocketGuard(container.revocations, clock)
            endpoint = GraphQLEndpoint(
                schema,
                container.services,
                bearer,
                documents,
                guard=guard,
                streams=EventStreams(guard, stopping),
                open_streams=open_streams,
                read_timeout=settings.server.read_timeout,
            )
            socket = GraphQLSocket(
                schema,
                container.services,
                bearer,
                documents,
                guard=guard,
                open_streams=open_streams,
                allowed_origins=settings.server.allowed_origins,
            )
            browsers = open_to_browsers(endpoint, settings.server.allowed_origins)
            app.router.routes.insert(0, Route("/graphql", endpoint=_Endpoint(browsers)))
            app.router.routes[:0] = ide_routes(settings.environment)
            app.include_router(socket)
            app.include_router(health_router(_readiness(container)))
            app.include_router(well_known_router(_authority(settings, keys, clock)))
            issue = token_issuer(settings, clock, keys).issue
            admit = container.sign_in_limits.admit_client
            lifetime = settings.security.access_token_lifetime
            app.include_router(token_router(container.clients, issue, lifetime=lifetime, admit=admit))
            sign_in = open_operator_sign_in(settings, container.rules.sealer, container.services.sessions)
            app.router.routes.extend(await stack.enter_async_context(sign_in))
            app.router.routes.extend(console_routes(settings, container.store.origin))
            app.state.container = container
            yield

    # A redirect to the address without its slash would take the host from the request, whoever wrote it.
    app = FastAPI(title="Customer Service", lifespan=lifespan, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.state.stopping = stopping
    return app


class _Endpoint:
    """Marks an ASGI application as one for Starlette's router, which takes plain functions for request handlers."""

    def __init__(self, application: ASGIApp) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._application(scope, receive, send)


def _rules(settings: Settings) -> OperationRules:
    return OperationRules(
        open_introspection=settings.environment == "development",
        deadline=timedelta(seconds=settings.graphql.deadline),
        seller_points=settings.graphql.seller_points,
        seller_points_per_second=settings.graphql.seller_points_per_second,
    )


def _authority(settings: Settings, keys: KeyFile, clock: Clock) -> Authority:
    return Authority(settings.security.issuer, settings.server.public_url, lambda: keys.current().public(clock.now()))


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
