"""The ASGI application: GraphQL, its WebSocket, REST, tokens for programs, the console, and health."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

from fastapi import APIRouter, FastAPI
from fastapi.telemetry import TelemetryConfig
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from app.admission import Admission, Admitted
from app.bearer import BearerReader
from app.console import console_routes
from app.container import Container, open_container
from app.endpoint import Endpoint
from app.facade import mount_facade, open_facade
from app.graphql.documents import Documents
from app.graphql.event_stream import EventStreams
from app.graphql.http import GraphQLEndpoint, open_to_browsers, open_to_pages
from app.graphql.ide import ide_routes
from app.graphql.open_streams import OpenStreams
from app.graphql.rules import OperationRules
from app.graphql.schema import build_schema
from app.graphql.socket import GraphQLSocket
from app.graphql.socket_guard import SocketGuard
from app.graphql.stored_documents import stored_documents
from app.keys import KeyFile, token_issuer, token_verifier
from app.lanes import SellerLanes
from app.observability import start_tracing
from app.operator_sign_in import open_operator_sign_in
from app.overload import refuse_operation, refuse_request
from app.pusher_auth import open_pusher_auth
from app.settings import Settings
from app.topics import event_topics
from app.verifiers import open_verifiers
from app.watched import Watched
from core.clock import Clock
from core.errors import Unavailable
from infra.mongo import missing_indexes
from repositories.migration import Migrations
from rest.event_contract import event_contract_router
from rest.health import Check, health_router
from rest.session import refresh_tokens
from rest.token import token_router
from rest.well_known import Authority, well_known_router

# FastAPI's own writes whole query strings into traces, and those of GraphQL and of filters hold personal data.
_NO_TELEMETRY: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}


def create_app(settings: Settings) -> FastAPI:
    """Return the application. It opens its connections when the server starts it, and closes them when it stops.

    Raises:
        InvalidSettings: a stored document could never be served.
    """
    schema = build_schema(_rules(settings))
    stored = stored_documents(settings.graphql.stored_documents, schema)
    documents = Documents(stored, only_stored=settings.graphql.only_stored_documents)
    open_streams = OpenStreams(settings.graphql.connections_per_caller)
    tracing = start_tracing(settings.monitoring, process="serve")
    span = None if tracing is None else tracing.of_request
    admission, lanes = _admission(settings), SellerLanes()
    # Set by the server when it begins to stop; the end of the lifespan comes after the streams that wait for it.
    stopping = asyncio.Event()

    @asynccontextmanager
    async def lifespan(app: _Application) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            if tracing is not None:
                stack.callback(tracing.close)
            listeners = () if tracing is None else (tracing.of_mongodb,)
            container = await stack.enter_async_context(open_container(settings, listeners))
            clock = container.rules.clock
            own = token_verifier(settings, clock, container.keys)
            verifiers = await stack.enter_async_context(open_verifiers(settings, own, clock))
            bearer = BearerReader(
                verifiers,
                container.revocations,
                container.activity,
                container.rules.policies.learn if settings.tenant_service is not None else None,
                lanes,
            )
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
            app.router.routes.insert(0, Route("/graphql", endpoint=Endpoint(browsers)))
            app.graphql = Watched(_admitted(browsers, admission, lanes, settings.server.allowed_origins), span)
            app.router.routes[:0] = ide_routes(settings.environment, container.store.origin)
            app.include_router(socket)
            for router in _routers(settings, container, stopping):
                app.include_router(router)
            app.include_router(await stack.enter_async_context(open_pusher_auth(settings, bearer)))
            app.state.facade = open_facade(settings, container, bearer, schema.quotas)
            sign_in = open_operator_sign_in(settings, container.rules.sealer, container.services.sessions)
            app.router.routes.extend(await stack.enter_async_context(sign_in))
            app.router.routes.extend(console_routes(settings, container.store.origin))
            app.state.container = container
            yield

    # A redirect to the address without its slash would take the host from the request, whoever wrote it.
    app = _Application(
        title="Customer Service",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry=_NO_TELEMETRY,
    )
    app.add_middleware(Admitted, admission=admission, refusing=refuse_request, lane_of=lanes.of)
    app.add_middleware(Watched, span=span)
    app.state.stopping = stopping
    mount_facade(app)
    return app


def _routers(settings: Settings, container: Container, stopping: asyncio.Event) -> list[APIRouter]:
    """Return what is served beside GraphQL and the facade of REST."""
    clock, keys = container.rules.clock, container.keys
    return [
        health_router(_readiness(container, stopping)),
        well_known_router(_authority(settings, keys, clock)),
        event_contract_router(event_topics(settings.kafka.topics)),
        token_router(
            container.clients,
            token_issuer(settings, clock, keys).issue,
            lifetime=settings.security.access_token_lifetime,
            admit=container.sign_in_limits.admit_client,
            refresh=refresh_tokens,
        ),
    ]


class _Application(FastAPI):
    """FastAPI, but for operations of GraphQL, which reach their endpoint by the shortest way.

    Router, error pages and limits of the framework would take another 60 microseconds, and do nothing: the endpoint has its
    own. Whatever else comes to the same address (pages, preflights, queries by GET) goes through the router.
    """

    graphql: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one request, connection or lifespan."""
        if self.graphql is not None and scope.get("path") == "/graphql" and scope.get("method") == "POST":
            # As the router would note it, for those who count by endpoint.
            scope["endpoint"] = self.graphql
            await self.graphql(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def _admission(settings: Settings) -> Admission:
    server = settings.server
    return Admission(most=server.max_concurrent_requests, queued=server.max_queued_requests)


def _admitted(browsers: ASGIApp, admission: Admission, lanes: SellerLanes, allowed_origins: Sequence[str]) -> ASGIApp:
    """Return the endpoint of GraphQL as it is served: pages from elsewhere may read a refusal as they may an answer."""
    return Admitted(browsers, admission, open_to_pages(refuse_operation, allowed_origins), lanes.of)


def _rules(settings: Settings) -> OperationRules:
    return OperationRules(
        open_introspection=settings.environment == "development",
        deadline=timedelta(seconds=settings.graphql.deadline),
        seller_points=settings.graphql.seller_points,
        seller_points_per_second=settings.graphql.seller_points_per_second,
    )


def _authority(settings: Settings, keys: KeyFile, clock: Clock) -> Authority:
    return Authority(settings.security.issuer, settings.server.public_url, lambda: keys.current().public(clock.now()))


def _readiness(container: Container, stopping: asyncio.Event) -> Check:
    complete: list[bool] = []

    async def ready() -> str | None:
        if stopping.is_set():
            return "the process stops"
        if not await container.mongo.answers():
            return "MongoDB does not answer"
        if not complete:
            try:
                missing = await missing_indexes()
                pending = await Migrations(container.rules.clock).pending()
            except Unavailable:
                return "MongoDB does not answer"
            if missing:
                return f"indexes: {', '.join(missing)}; run: customer-service database indexes"
            if pending:
                return f"migrations: {', '.join(pending)}; run: customer-service database migrate"
            complete.append(True)
        return None

    return ready
