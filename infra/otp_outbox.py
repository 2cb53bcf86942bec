"""One-time codes in a file instead of on a phone, for development. Implements `services.ports.CodeDelivery`."""

import asyncio
import os
from pathlib import Path

import orjson

from core.clock import Clock, rfc3339
from core.delivery import CodeMessage, MaybeSent, NotSent


class OutboxDelivery:
    """Appends one JSON object per line, whole or not at all, for whoever reads the file meanwhile.

    The file is made when it is missing, for its owner's eyes only. Its keys are ``id, seller_id, channel, destination, code,
    expires_at, sent_at``.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock

    async def deliver(self, message: CodeMessage) -> None:
        """Append one code.

        Raises:
            NotSent: the file cannot be written.
            MaybeSent: a part of the line was written, because the disk is full.
        """
        line = {
            "id": message.id,
            "seller_id": message.seller_id,
            "channel": message.channel.value,
            "destination": message.destination,
            "code": message.code,
            "expires_at": rfc3339(message.expires_at),
            "sent_at": rfc3339(self._clock.now()),
        }
        await asyncio.to_thread(self._append, orjson.dumps(line) + b"\n")

    def _append(self, line: bytes) -> None:
        try:
            file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise NotSent(f"The file of security.otpOutbox cannot be opened: {error.strerror}.") from None
        try:
            # One write: with O_APPEND, lines of several processes never mix.
            written = os.write(file, line)
        except OSError as error:
            raise NotSent(f"The file of security.otpOutbox cannot be written: {error.strerror}.") from None
        finally:
            os.close(file)
        if written != len(line):
            raise MaybeSent("The disk that holds the file of security.otpOutbox is full.")
