"""How long clients may take to send a body, and to take an answer: ``server.readTimeout`` and ``server.writeTimeout``."""

import asyncio
from asyncio import TimerHandle
from http import HTTPStatus
from typing import Any

from app.http_heads import BoundedHeads

LAST_WORD = 1.0
"""Seconds more than the body may take: whoever reads it may refuse it first, in words of its own."""


class PatientConnections(BoundedHeads):
    """Connections with limits on the time that bodies and answers take; *read* and *write* are in seconds.

    The time of an answer counts while the client takes nothing of it. Whoever is too slow loses the connection: an event stream
    too, whose client has been gone for as long, whatever its network says.
    """

    def __init__(self, *args: Any, read: float, write: float, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._read_seconds = read + LAST_WORD
        self._write_seconds = write
        self._awaits_body = False
        self._body_timer: TimerHandle | None = None
        self._write_timer: TimerHandle | None = None

    def data_received(self, data: bytes) -> None:
        """Read on, and begin to wait for the rest of a body that has not come with its head."""
        super().data_received(data)
        if self._awaits_body and self._body_timer is None and not self.transport.is_closing():
            self._body_timer = self.loop.call_later(self._read_seconds, self._give_up_on_body)

    def on_headers_complete(self) -> None:
        """Note that a body comes next."""
        super().on_headers_complete()
        self._awaits_body = True

    def on_message_complete(self) -> None:
        """Stop waiting: all of the request is here."""
        self._stop_waiting_for_body()
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection over: sockets have limits of their own."""
        self._stop_waiting_for_body()
        super().handle_websocket_upgrade()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._stop_waiting_for_body()
        self.resume_writing()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Begin to wait for the client to take what it is sent."""
        super().pause_writing()
        if self._write_timer is None:
            self._write_timer = self.loop.call_later(self._write_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """Stop waiting: there is room again."""
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None
        super().resume_writing()

    def _stop_waiting_for_body(self) -> None:
        self._awaits_body = False
        if self._body_timer is not None:
            self._body_timer.cancel()
            self._body_timer = None

    def _give_up_on_body(self) -> None:
        self._body_timer = None
        if self.transport.is_closing():
            return
        if self.cycle.response_started:
            self.transport.close()
        else:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT)


class Patience:
    """Makes `PatientConnections` for uvicorn, which asks for a class and calls it."""

    def __init__(self, *, read: float, write: float) -> None:
        self._read = read
        self._write = write

    def __call__(self, *args: Any, **kwargs: Any) -> asyncio.Protocol:
        """Return what serves one connection."""
        return PatientConnections(*args, read=self._read, write=self._write, **kwargs)
