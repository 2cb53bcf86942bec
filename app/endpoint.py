"""A whole ASGI application at one address of Starlette's router."""

from starlette.types import ASGIApp, Receive, Scope, Send


class Endpoint:
    """Marks an ASGI application as one for Starlette's router, which takes plain functions for request handlers."""

    def __init__(self, application: ASGIApp) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand one request on."""
        await self._application(scope, receive, send)
