"""What is found out about a request on its way: noted by whoever learns it, read by logs, metrics and traces."""

from contextvars import ContextVar


class RequestFacts:
    """The facts of one HTTP request, or of one operation of a WebSocket. Every text but `seller` is from a bounded set.

    `operation` is ``query customers`` or ``GET /api/v1/customers/{customer_id}``: never what a caller made up.
    """

    __slots__ = ("code", "is_socket", "operation", "request_id", "seller", "status")

    def __init__(self, *, is_socket: bool = False) -> None:
        self.is_socket = is_socket
        self.operation: str | None = None
        self.code: str | None = None
        self.status: int | None = None
        self.request_id: str | None = None
        self.seller: str | None = None


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
