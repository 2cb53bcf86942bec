"""Which service a client command talks to."""

from dataclasses import dataclass, field
from typing import Annotated
from urllib.parse import urlsplit, urlunsplit

import typer

from app.cli.stack import find_stack

Url = Annotated[
    str | None, typer.Option("--url", envvar="CUSTOMER_SERVICE_URL", help="The GraphQL endpoint; else the stack running here.")
]
Token = Annotated[
    str | None,
    typer.Option("--token", envvar="CUSTOMER_SERVICE_TOKEN", help="An access token; else the running stack's operator's."),
]
As = Annotated[str, typer.Option("--as", help="With the running stack: operator, other_operator, service or customer.")]
Seller = Annotated[str | None, typer.Option("--seller", help="Whose customers; needed with a service's token.")]


class Nowhere(Exception):
    """There is no service to talk to; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A GraphQL endpoint, and the token to use there."""

    url: str
    token: str = field(repr=False)


def find_endpoint(url: str | None, token: str | None, *, as_: str = "operator") -> Endpoint:
    """Return the endpoint a caller named, or the stack that runs here, with its token for *as_*.

    Raises:
        Nowhere: nothing runs here, and the caller has not said where else.
    """
    if url is None or token is None:
        stack = find_stack()
        if url is not None:
            raise Nowhere("With --url, give an access token too: --token, or CUSTOMER_SERVICE_TOKEN in the environment.")
        if stack is None:
            raise Nowhere("Nothing is running here. Start it with `make run`, or say where it runs with --url and --token.")
        tokens = stack["tokens"]
        if as_ not in tokens:
            message = f"The running stack has no token for {as_!r}: choose one of {', '.join(tokens)}."
            raise Nowhere(message)
        url, token = str(stack["graphql"]), token or str(tokens[as_])
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        message = f"{url} is no address. Write it like http://127.0.0.1:8084/graphql."
        raise Nowhere(message)
    return Endpoint(urlunsplit(parts._replace(path="/graphql")) if parts.path in {"", "/"} else url, token)
