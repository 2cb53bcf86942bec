"""Messages for pages that are open right now, on their way to a service that holds the pages' sockets."""

from typing import NamedTuple


class PushMessage(NamedTuple):
    """One message: who is subscribed to *channel* gets it, once, or never. `data` is JSON."""

    channel: str
    event: str
    data: str


class NotPushed(Exception):
    """Messages were not taken; they can be tried again, after `retry_after` seconds if that is known, unless `final`."""

    def __init__(self, message: str, *, final: bool = False, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.final = final
        self.retry_after = retry_after
