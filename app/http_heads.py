"""What uvicorn leaves open: how large the head of a request may be, how long it may take, and upgrades nobody serves."""

import re
from asyncio import TimerHandle, Transport
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

MAX_HEAD_BYTES = 65_536
"""Request line and headers together; a token has at most 8 KB."""

HEAD_SECONDS = 15.0
"""From the first byte of a request to the end of its head."""

# Clients that would rather speak HTTP/2 over plain text (Java's, curl --http2) ask for it in their first request. RFC 9110
# (7.8) has a server ignore that; the parser would take it for the end of HTTP, and drop the body.
_H2C = re.compile(rb"^upgrade[ \t]*:[ \t]*h2c[ \t]*\r\n", re.IGNORECASE | re.MULTILINE)


class HeadTooLarge(Exception):
    """The head of a request has more than `MAX_HEAD_BYTES`."""


class BoundedHeads(HttpToolsProtocol):
    """uvicorn's protocol for HTTP/1.1, with limits on what comes before the body: 431 and 408, and the connection is closed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._in_head = True
        self._begun = False
        self._head_bytes = 0
        self._head_size = 0
        self._deadline: TimerHandle | None = None
        self._refusal = HTTPStatus.BAD_REQUEST

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        """Begin to wait for a first request, no longer than for a later one."""
        super().connection_made(transport)
        self._wait(float(self.timeout_keep_alive))

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._wait(None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, if this is not too much."""
        if self._in_head:
            # Counted before it is known whether the head ends here: a body in the same piece is found out in a moment.
            self._head_bytes += len(data)
            if b"h2c" in data:
                head, end, rest = data.partition(b"\r\n\r\n")
                data = _H2C.sub(b"", head + end[:2]) + end[2:] + rest
        super().data_received(data)
        if self._in_head and self._head_bytes and self._begun and self._deadline is None:
            # Only now: most heads come in one piece, and are over before a timer would be set.
            self._wait(HEAD_SECONDS)
        if self._in_head and self._head_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection over: sockets have limits of their own."""
        self._wait(None)
        super().handle_websocket_upgrade()

    def on_message_begin(self) -> None:
        """Note the begin of a request."""
        super().on_message_begin()
        self._in_head = self._begun = True
        self._head_size = 0
        self._wait(None)

    def on_url(self, url: bytes) -> None:
        """Read a part of the address."""
        super().on_url(url)
        self._grow(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        """Read a header."""
        super().on_header(name, value)
        self._head_size += len(name) + len(value) + 4
        if self._head_size > MAX_HEAD_BYTES:
            self._grow(0)

    def on_headers_complete(self) -> None:
        """Note the end of the head."""
        self._in_head = self._begun = False
        self._head_bytes = 0
        self._wait(None)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Note the end of a request; what comes next is the head of another one."""
        super().on_message_complete()
        self._in_head = True

    def send_400_response(self, msg: str) -> None:
        """Refuse what could not be read: because of its size, when that is why."""
        if self._refusal is HTTPStatus.BAD_REQUEST:
            super().send_400_response(msg)
        else:
            self._refuse(self._refusal)

    def _grow(self, size: int) -> None:
        self._head_size += size
        if self._head_size > MAX_HEAD_BYTES:
            self._refusal = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            raise HeadTooLarge

    def _wait(self, seconds: float | None) -> None:
        """Give the client so long from now on, or as long as it likes."""
        if self._deadline is not None:
            self._deadline.cancel()
        elif seconds is None:
            return
        self._deadline = None if seconds is None else self.loop.call_later(seconds, self._give_up)

    def _give_up(self) -> None:
        if self._head_bytes:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT)
        else:
            self.transport.close()

    def _refuse(self, status: HTTPStatus) -> None:
        self.transport.write(STATUS_LINE[status] + b"content-length: 0\r\nconnection: close\r\n\r\n")
        self.transport.close()
