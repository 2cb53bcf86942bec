"""What is found out about a request on its way: noted by whoever learns it, read by logs, metrics and traces."""

from collections.abc import Callable
from contextvars import ContextVar

from core.device import Device

_NOBODY = Device()


class RequestFacts:
    """The facts of one HTTP request, or of one operation of a WebSocket. What labels are made of is from a bounded set.

    `operation` is ``query customers`` or ``GET /api/v1/customers/{customer_id}``: never what a caller made up.
    """

    __slots__ = ("_look", "code", "is_socket", "operation", "request_id", "seller", "status")

    def __init__(self, *, is_socket: bool = False, look: Callable[[], Device] | None = None) -> None:
        self.is_socket = is_socket
        self._look = look
        self.operation: str | None = None
        self.code: str | None = None
        self.status: int | None = None
        self.request_id: str | None = None
        self.seller: str | None = None

    @property
    def device(self) -> Device:
        """Where it comes from: looked at by those few who want to know."""
        return _NOBODY if self._look is None else self._look()

    def next(self) -> "RequestFacts":
        """Return facts of another operation of the same WebSocket."""
        return RequestFacts(is_socket=self.is_socket, look=self._look)


CURRENT: ContextVar[RequestFacts | None] = ContextVar("request_facts", default=None)
"""The request that is being answered; None in everything that no request asked for."""


def note(
    *, operation: str | None = None, code: str | None = None, request_id: str | None = None, seller: str | None = None
) -> None:
    """Add facts to the request that is being answered, if there is one. The first code stays."""
    facts = CURRENT.get()
    if facts is None:
        return
    facts.operation = operation or facts.operation
    facts.code = facts.code or code
    facts.request_id = request_id or facts.request_id
    facts.seller = seller or facts.seller
