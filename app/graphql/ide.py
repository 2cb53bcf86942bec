"""GraphiQL at GET /graphql, for browsers and in development only: a page, a script and a style sheet, nothing from elsewhere.

The files are built by `make ide` from console/graphql-ide, and committed: running the service needs no node. The operations
that it shows, and the files that some of them are about, are read from examples/ when the service starts.
"""

import json
import re
import secrets
from collections.abc import Awaitable, Callable
from typing import Literal

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Scope

from app.graphql.ready_operations import FOLDER, load_ready_operations
from app.pages import BUILT, assets, made_assets, own_sockets, page_headers
from core.errors import Unavailable

DIST = BUILT / "graphql-ide" / "dist"
"""What the build leaves; manifest.json in it says from which sources."""

_PAGE = "index.html"
_ASSETS = {
    "main.js": "text/javascript",
    "main.css": "text/css",
    "licences.txt": "text/plain",
}
_SAMPLES = {
    "passport.png": "image/png",
    "northwind-customers.csv": "text/csv",
}
"""Files of examples/ that ready operations announce, for the page to send them."""

_NONCE = "{{nonce}}"
_NONCE_BYTES = 16
_HTML = re.compile(r"text/html\s*(;.*)?", re.IGNORECASE)
_NOT_AT_ALL = re.compile(r";\s*q\s*=\s*0(\.0{0,3})?\s*(;|$)", re.IGNORECASE)


def ide_routes(
    environment: Literal["development", "production"], store_origin: Callable[[], Awaitable[str]]
) -> list[BaseRoute]:
    """Return what serves the IDE, to stand before all other routes of /graphql; nothing in production.

    A GET that does not ask for ``text/html`` matches none of them, and is answered as if they were not there. *store_origin*
    says where the page may send files; while nobody can tell, it sends none.

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
            "connect-src": ["'self'", *own_sockets(request), *await _store(store_origin)],
            "img-src": ["'self'", "data:"],
        }
        headers = {**page_headers(policy), "vary": "Accept"}
        return Response(page.replace(_NONCE, nonce), media_type="text/html", headers=headers)

    return [_ForBrowsers("/graphql", show), assets("/graphql/ide", DIST, _ASSETS), made_assets("/graphql/ide/ready", _ready())]


def _ready() -> dict[str, tuple[str, bytes]]:
    """Return the operations as JSON, and the files that go with them, where there are examples: an image has none."""
    operations = json.dumps([operation.as_json() for operation in load_ready_operations()], ensure_ascii=False)
    samples = {name: FOLDER.parent / name for name in _SAMPLES}
    return {
        "operations.json": ("application/json", operations.encode()),
        **{name: (_SAMPLES[name], path.read_bytes()) for name, path in samples.items() if path.exists()},
    }


async def _store(origin: Callable[[], Awaitable[str]]) -> list[str]:
    try:
        return [await origin()]
    except Unavailable:
        return []


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
