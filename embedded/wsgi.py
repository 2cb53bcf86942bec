"""A small WSGI application as a process of the development stack."""

import os
import signal
from typing import TYPE_CHECKING

from werkzeug.serving import WSGIRequestHandler, make_server

from embedded.ports import LOOPBACK

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication


class QuietHandler(WSGIRequestHandler):
    """Logs no requests: their addresses may hold codes."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Write nothing."""


def serve(port: int, application: "WSGIApplication") -> None:
    """Serve on *port*, on this machine only, until SIGTERM."""
    server = make_server(LOOPBACK, port, application, threaded=True, request_handler=QuietHandler)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    server.serve_forever()
