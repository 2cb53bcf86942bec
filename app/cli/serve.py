"""``customer-service serve``: the API."""

import gc
import socket
import sys

import uvicorn

from app.asgi import create_app
from app.http_patience import Patience
from app.observability import configure_logging, serve_metrics
from app.sections import host_and_port
from app.settings import load_settings

GRACE_SECONDS = 20
"""How long requests under way may take once the process was told to stop."""

MAX_FRAME_BYTES = 65_536


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


def serve() -> None:
    """Serve GraphQL, subscriptions and REST; metrics on a port of their own."""
    settings = load_settings()
    configure_logging()
    host, port = host_and_port(settings.server.port)
    serve_metrics(settings.monitoring)
    config = uvicorn.Config(
        create_app(settings),
        host=host,
        port=port,
        loop="uvloop",
        http=Patience(  # type: ignore[arg-type]  # uvicorn only calls what it takes for a class
            read=settings.server.read_timeout, write=settings.server.write_timeout
        ),
        ws="websockets-sansio",
        access_log=False,
        log_config=None,
        server_header=False,
        # Without a list, uvicorn would believe every X-Forwarded-For that comes over the loopback.
        proxy_headers=bool(settings.server.trusted_proxies),
        forwarded_allow_ips=settings.server.trusted_proxies,
        timeout_keep_alive=int(settings.server.idle_timeout),
        timeout_graceful_shutdown=GRACE_SECONDS,
        ws_max_size=MAX_FRAME_BYTES,
        ws_per_message_deflate=False,
        # A dead connection is noticed within 40 seconds.
        ws_ping_interval=20,
        ws_ping_timeout=20,
    )
    server = StoppableServer(config)
    server.run()
    if not server.started:
        sys.exit(1)
