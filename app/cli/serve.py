"""``customer-service serve``: the API."""

import gc
import socket
import sys

import uvicorn
from starlette.types import ASGIApp

from app.asgi import create_app
from app.cli.teaching import shown_by
from app.http_patience import Patience
from app.observability import configure_logging, serve_metrics
from app.sections import ServerSettings, host_and_port
from app.settings import load_settings

GRACE_SECONDS = 20
"""How long requests under way may take once the process was told to stop."""

MAX_FRAME_BYTES = 65_536

PING_SECONDS = 20.0
"""How often a socket's client is asked whether it is there, and how long it may take: within twice this its end is noticed."""


class StoppableServer(uvicorn.Server):
    """Tells the application that it stops before it waits for answers under way: event streams would never end."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start. What is there by then stays, and Python need not look through it for garbage again and again."""
        await super().startup(sockets)
        gc.collect()
        gc.freeze()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop."""
        self.config.app.state.stopping.set()  # type: ignore[union-attr]  # it is ours
        await super().shutdown(sockets)
        # Uvicorn would raise the signal again, and whoever sent it read that we were killed: we did what we were told.
        self._captured_signals.clear()


@shown_by("serve   # with CUSTOMER_SERVICE_SERVER__PORT=:8085 before it: on another port")
def serve() -> None:
    """Serve GraphQL, subscriptions and REST; metrics on a port of their own."""
    settings = load_settings()
    configure_logging()
    serve_metrics(settings.monitoring)
    server = StoppableServer(server_config(create_app(settings), settings.server))
    server.run()
    if not server.started:
        sys.exit(1)


def server_config(application: ASGIApp, settings: ServerSettings) -> uvicorn.Config:
    """Return how the server is run."""
    host, port = host_and_port(settings.port)
    return uvicorn.Config(
        application,
        host=host,
        port=port,
        loop="uvloop",
        # uvicorn only calls what it takes for a class.
        http=Patience(read=settings.read_timeout, write=settings.write_timeout),  # type: ignore[arg-type]
        ws="websockets-sansio",
        access_log=False,
        log_config=None,
        server_header=False,
        # Without a list, uvicorn would believe every X-Forwarded-For that comes over the loopback.
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies,
        timeout_keep_alive=int(settings.idle_timeout),
        timeout_graceful_shutdown=GRACE_SECONDS,
        ws_max_size=MAX_FRAME_BYTES,
        ws_per_message_deflate=False,
        ws_ping_interval=PING_SECONDS,
        ws_ping_timeout=PING_SECONDS,
    )
