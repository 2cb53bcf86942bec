"""GraphiQL at GET /graphql, for browsers and in development only: a page, a script and a style sheet, nothing from elsewhere.

The files are built by `make ide` from console/graphql-ide, and committed: running the service needs no node.
"""

import re
import secrets
from typing import Literal

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Scope

from app.pages import BUILT, assets, own_sockets, page_headers

DIST = BUILT / "graphql-ide" / "dist"
"""What the build leaves; manifest.json in it says from which sources."""

_PAGE = "index.html"
_ASSETS = {
    "main.js": "text/javascript",
    "main.css": "text/css",
    "licences.txt": "text/plain",
}
_NONCE = "{{nonce}}"
_NONCE_BYTES = 16
_HTML = re.compile(r"text/html\s*(;.*)?", re.IGNORECASE)
_NOT_AT_ALL = re.compile(r";\s*q\s*=\s*0(\.0{0,3})?\s*(;|$)", re.IGNORECASE)


def ide_routes(environment: Literal["development", "production"]) -> list[BaseRoute]:
    """Return what serves the IDE, to stand before all other routes of /graphql; nothing in production.

    A GET that does not ask for ``text/html`` matches none of them, and is answered as if they were not there.

    Raises:
        FileNotFoundError: a file of the build is missing.
    """
    if environment != "development":
        return []
    page = (DIST / _PAGE).read_text(encoding="utf-8")

    async def show(request: Request) -> Response:
        nonce = secrets.token_urlsafe(_NONCE_BYTES)
        policy = {
            "script-src": ["'self'"],
            "style-src": ["'self'", f"'nonce-{nonce}'"],
            "connect-src": ["'self'", *own_sockets(request)],
            "img-src": ["'self'", "data:"],
        }
        headers = {**page_headers(policy), "vary": "Accept"}
        return Response(page.replace(_NONCE, nonce), media_type="text/html", headers=headers)

    return [_ForBrowsers("/graphql", show), assets("/graphql/ide", DIST, _ASSETS)]


class _ForBrowsers(Route):
    """GET and HEAD of somebody who wants to see a page; other requests pass on to the next route."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        match, child = super().matches(scope)
        if match is Match.FULL and _wants_html(Headers(scope=scope).get("accept", "")):
            return match, child
        return Match.NONE, {}


def _wants_html(accept: str) -> bool:
    """Say whether *accept* names HTML. ``*/*`` does not: programs send it, and browsers name HTML."""
    return any(_HTML.fullmatch(one.strip()) and not _NOT_AT_ALL.search(one) for one in accept.split(","))
