"""The ASGI application: GraphQL, its WebSocket, tokens for programs, and health."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import FastAPI
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from app.bearer import BearerReader
from app.container import Container, open_container
from app.graphql.http import GraphQLEndpoint
from app.graphql.schema import build_schema
from app.graphql.socket import GraphQLSocket
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
    """Return the application. It opens its connections when the server starts it, and closes them when it stops."""
    schema = build_schema()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            container = await stack.enter_async_context(open_container(settings))
            clock = container.rules.clock
            keys = container.keys
            own = token_verifier(settings, clock, keys)
            verifiers = await stack.enter_async_context(open_verifiers(settings, own, clock))
            bearer = BearerReader(verifiers, container.revocations, container.activity)
            endpoint = GraphQLEndpoint(schema, container.services, bearer)
            socket = GraphQLSocket(
                schema,
                container.services,
                bearer,
                revocations=container.revocations,
                clock=clock,
                allowed_origins=settings.server.allowed_origins,
            )
            app.router.routes.insert(0, Route("/graphql", endpoint=_Endpoint(endpoint), methods=["POST"]))
            app.include_router(socket)
            app.include_router(health_router(_readiness(container)))
            app.include_router(well_known_router(_authority(settings, keys, clock)))
            issue = token_issuer(settings, clock, keys).issue
            admit = container.sign_in_limits.admit_client
            lifetime = settings.security.access_token_lifetime
            app.include_router(token_router(container.clients, issue, lifetime=lifetime, admit=admit))
            sign_in = open_operator_sign_in(settings, container.rules.sealer, container.services.sessions)
            app.router.routes.extend(await stack.enter_async_context(sign_in))
            app.state.container = container
            yield

    return FastAPI(title="Customer Service", lifespan=lifespan, docs_url=None, redoc_url=None)


class _Endpoint:
    """Marks an ASGI application as one for Starlette's router, which takes plain functions for request handlers."""

    def __init__(self, application: GraphQLEndpoint) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._application(scope, receive, send)


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
