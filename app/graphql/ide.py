"""GraphiQL at GET /graphql, for browsers and in development only: a page, a script and a style sheet, nothing from elsewhere.

The files are built by `make ide` from console/graphql-ide, and committed: running the service needs no node.
"""

import hashlib
import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Scope

DIST = Path(__file__).resolve().parents[2] / "console" / "graphql-ide" / "dist"
"""What the build leaves; manifest.json in it says from which sources."""

_PAGE = "index.html"
_ASSETS = {
    "main.js": "text/javascript",
    "main.css": "text/css",
    "licences.txt": "text/plain",
}
_NONCE = "{{nonce}}"
_NONCE_BYTES = 16
# What may stand in a source of a content security policy: a name or an address, and a port.
_HOST = re.compile(r"([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?")
_HTML = re.compile(r"text/html\s*(;.*)?", re.IGNORECASE)
_NOT_AT_ALL = re.compile(r";\s*q\s*=\s*0(\.0{0,3})?\s*(;|$)", re.IGNORECASE)
_EVERYWHERE = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
}


@dataclass(frozen=True, slots=True)
class _Asset:
    content: bytes
    media_type: str
    etag: str


def ide_routes(environment: Literal["development", "production"]) -> list[BaseRoute]:
    """Return what serves the IDE, to stand before all other routes of /graphql; nothing in production.

    A GET that does not ask for ``text/html`` matches none of them, and is answered as if they were not there.

    Raises:
        FileNotFoundError: a file of the build is missing.
    """
    if environment != "development":
        return []
    page = (DIST / _PAGE).read_text(encoding="utf-8")
    assets = {name: _load(name, media_type) for name, media_type in _ASSETS.items()}

    async def show(request: Request) -> Response:
        nonce = secrets.token_urlsafe(_NONCE_BYTES)
        return Response(page.replace(_NONCE, nonce), media_type="text/html", headers=_page_headers(request, nonce))

    async def asset(request: Request) -> Response:
        found = assets.get(request.path_params["name"])
        if found is None:
            return Response("There is no such file.", 404, media_type="text/plain", headers=_EVERYWHERE)
        headers = {
            **_EVERYWHERE,
            "etag": found.etag,
            "cache-control": "no-cache",
            "content-security-policy": "default-src 'none'",
        }
        if request.headers.get("if-none-match") == found.etag:
            return Response(status_code=304, headers=headers)
        return Response(found.content, media_type=found.media_type, headers=headers)

    return [_ForBrowsers("/graphql", show), Route("/graphql/ide/{name}", asset)]


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


def _load(name: str, media_type: str) -> _Asset:
    content = (DIST / name).read_bytes()
    return _Asset(content, media_type, f'"{hashlib.sha256(content).hexdigest()[:32]}"')


def _page_headers(request: Request, nonce: str) -> dict[str, str]:
    # 'self' means WebSockets of the same host too, but only in browsers since 2022 or so.
    socket = _socket_source(request)
    policy = (
        "default-src 'none'",
        "script-src 'self'",
        f"style-src 'self' 'nonce-{nonce}'",
        f"connect-src 'self'{socket}",
        "img-src 'self' data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
    return {
        **_EVERYWHERE,
        "content-security-policy": "; ".join(policy),
        "x-frame-options": "DENY",
        "cross-origin-opener-policy": "same-origin",
        "cache-control": "no-store",
        "vary": "Accept",
    }


def _socket_source(request: Request) -> str:
    host = request.headers.get("host", "")
    return f" {'wss' if request.url.scheme == 'https' else 'ws'}://{host}" if _HOST.fullmatch(host) else ""
