"""The access token of an HTTP request, and what is answered about it: RFC 6750."""

import re

from starlette.requests import Request

from core.errors import BadInput, Unauthenticated

_REALM = "customer-service"
_NOT_QUOTABLE = re.compile(r"[^\x20-\x21\x23-\x5b\x5d-\x7e]")


class UnusableCredentials(BadInput):
    """The request carries credentials in a way that nobody here reads: RFC 6750 calls it ``invalid_request``, status 400."""


class NoCredentials(Unauthenticated):
    """The request carries no credentials, and needs some: RFC 6750 has such a caller told nothing but that."""

    def __init__(self) -> None:
        super().__init__("Send an access token: Authorization: Bearer ….")


def authorization_of(request: Request) -> str | None:
    """Return the Authorization header of *request*; None for a call without credentials.

    Raises:
        UnusableCredentials: several headers, another scheme than Bearer, or a token in the address, which ends up in logs.
    """
    if request.scope["query_string"] and "access_token" in request.query_params:
        raise UnusableCredentials("Send the access token as: Authorization: Bearer .... In the address it would be logged.")
    given = request.headers.getlist("authorization")
    if len(given) > 1:
        raise UnusableCredentials("Send one Authorization header: it is not for us to choose between several.")
    # An empty header is what clients send that are signed out and always set one.
    if not given or not given[0]:
        return None
    if given[0].partition(" ")[0].lower() != "bearer":
        raise UnusableCredentials("Send the access token as: Authorization: Bearer .... No other scheme is read.")
    return given[0]


def challenge(error: str | None = None, description: str = "") -> dict[str, str]:
    """Return the WWW-Authenticate header for a call that was refused; without *error* for one that carried no credentials."""
    parts = [f'realm="{_REALM}"']
    if error is not None:
        # Section 3 allows neither quotes nor anything outside ASCII here.
        parts += [f'error="{error}"', f'error_description="{_NOT_QUOTABLE.sub("", description.replace("…", "..."))}"']
    return {"www-authenticate": f"Bearer {', '.join(parts)}"}
