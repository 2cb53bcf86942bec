"""Who may open a socket at all: which pages, and with which protocol."""

from typing import Any

import pytest
from fastapi import FastAPI
from websockets.exceptions import InvalidStatus

from app.bearer import BearerReader
from app.container import Container
from app.graphql.documents import Documents
from app.graphql.open_streams import OpenStreams
from app.graphql.schema import build_schema
from app.graphql.socket import GraphQLSocket
from app.graphql.socket_guard import SocketGuard
from auth.tokens import Credential
from core.errors import Unauthenticated
from tests.graphql.socket import open_socket

CONSOLE = "https://console.example.com"
HOST = "api.example.com"


class Nobody(BearerReader):
    """Lets nobody in."""

    def __init__(self) -> None:
        """Need nothing for that."""

    async def credential(self, *_: object) -> Credential | None:
        """Refuse every token."""
        raise Unauthenticated("No.")


@pytest.fixture(name="application")
def _application(container: Container) -> FastAPI:
    """The socket alone, with one page of another host that may open it."""
    application = FastAPI()
    application.include_router(
        GraphQLSocket(
            build_schema(),
            container.services,
            Nobody(),
            Documents(),
            guard=SocketGuard(container.revocations, container.rules.clock),
            open_streams=OpenStreams(10),
            allowed_origins=[CONSOLE],
        )
    )
    return application


async def handshake(application: FastAPI, *headers: tuple[str, str]) -> str:
    """Return what a handshake with these headers is answered with, as the first message an ASGI server gets."""
    sent: list[str] = []
    incoming = iter([{"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1000}])

    async def receive() -> Any:
        return next(incoming)

    async def send(message: Any) -> None:
        sent.append(message["type"])

    scope = {
        "type": "websocket",
        "path": "/graphql",
        "raw_path": b"/graphql",
        "root_path": "",
        "scheme": "wss",
        "query_string": b"",
        "headers": [(b"host", HOST.encode()), *((name.encode(), value.encode()) for name, value in headers)],
        "subprotocols": ["graphql-transport-ws"],
    }
    await application(scope, receive, send)
    return sent[0]


@pytest.mark.parametrize(
    "headers",
    [
        (),  # no browser, and so nobody's cookies
        (("origin", f"https://{HOST}"),),
        (("origin", f"https://{HOST}:443"),),
        (("origin", CONSOLE),),
        (("origin", "https://CONSOLE.example.com:443"),),
    ],
    ids=str,
)
async def test_our_own_pages_and_the_configured_ones_may_connect(
    application: FastAPI, headers: tuple[tuple[str, str], ...]
) -> None:
    assert "websocket.accept" == await handshake(application, *headers)


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "",
        "*",
        "file://",
        "http://console.example.com",
        "https://console.example.com:8443",
        "https://console.example.com.evil.example",
        "https://evil.example/console.example.com",
        "https://evil-console.example.com",
        f"https://evil.example/{HOST}",
        f"https://{HOST}.evil.example",
        f"https://{HOST}:8443",
    ],
    ids=repr,
)
async def test_any_other_page_is_refused_before_anything_is_accepted(application: FastAPI, origin: str) -> None:
    assert "websocket.close" == await handshake(application, ("origin", origin))


@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
async def test_a_page_of_somebody_else_gets_403(served: str, origin: str) -> None:
    with pytest.raises(InvalidStatus) as refusal:
        async with open_socket(served, headers={"origin": origin}):
            pass

    assert 403 == refusal.value.response.status_code


@pytest.mark.parametrize("subprotocol", ["graphql-ws", "graphql-sse", None])
async def test_no_other_protocol_is_spoken(served: str, subprotocol: str | None) -> None:
    async with open_socket(served, subprotocol) as socket:
        assert (4406, "Subprotocol not acceptable") == await socket.closed()
