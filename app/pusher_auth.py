"""The endpoint with which pages subscribe to Pusher's private channels, where it is configured."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, Request
from starlette.routing import Route

from app.bearer import BearerReader
from app.endpoint import Endpoint
from app.graphql.http import open_to_pages
from app.pusher import open_channels, pusher_is_on
from app.settings import Settings
from auth.principal import Principal
from rest.http_bearer import authorization_of
from rest.pusher import AUTH_PATH, pusher_router
from services.push_channels import require_channel


@asynccontextmanager
async def open_pusher_auth(settings: Settings, bearer: BearerReader) -> AsyncIterator[APIRouter]:
    """Hand out the routes with which pages subscribe, those of `server.allowedOrigins` too: none where Pusher is off.

    Raises:
        InvalidSettings: it cannot be used as it is configured.
    """
    routes = APIRouter()
    if not pusher_is_on(settings):
        yield routes
        return

    async def authenticate(request: Request) -> Principal | None:
        credential = await bearer.credential(authorization_of(request))
        return None if credential is None else credential.principal

    async with open_channels(settings) as channels:
        described = pusher_router(authenticate, require_channel, channels.sign)
        for_pages = Endpoint(open_to_pages(described, settings.server.allowed_origins))
        routes.routes.append(Route(AUTH_PATH, endpoint=for_pages, include_in_schema=False))
        routes.include_router(described)
        yield routes
