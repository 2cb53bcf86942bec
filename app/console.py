"""The console at /console, for people who work for a seller: imports, customers, documents.

The files are built by `make console` from console/import-console, and committed. Everything the console shows it asks the API
for, as whoever has signed in.
"""

import html
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from app.pages import BUILT, EVERYWHERE, assets, own_sockets, page_headers
from app.settings import Settings
from core.errors import Unavailable

DIST = BUILT / "import-console" / "dist"
"""What the build leaves; manifest.json in it says from which sources."""

PATH = "/console"

_PAGE = "index.html"
_ASSETS = {
    "main.js": "text/javascript",
    "theme.js": "text/javascript",
    "main.css": "text/css",
    "icon.svg": "image/svg+xml",
    "licences.txt": "text/plain",
}


def console_routes(settings: Settings, store_origin: Callable[[], Awaitable[str]]) -> list[BaseRoute]:
    """Return what serves the console: the same page at every address below /console, and its files.

    There are none where nobody could sign in: in production without ``security.operatorSignIn``. A token that was made by hand
    is accepted in development only. *store_origin* says where files are uploaded to and downloaded from.

    Raises:
        FileNotFoundError: a file of the build is missing.
    """
    takes_tokens = settings.environment == "development"
    if settings.security.operator_sign_in is None and not takes_tokens:
        return []
    page = _page(address=settings.server.public_url or "", takes_tokens=takes_tokens)

    async def show(request: Request) -> Response:
        try:
            store = await store_origin()
        except Unavailable as error:
            return PlainTextResponse(str(error), 503, headers={**EVERYWHERE, "retry-after": "5", "cache-control": "no-store"})
        policy = {
            "script-src": ["'self'"],
            "style-src": ["'self'"],
            "connect-src": ["'self'", *own_sockets(request), store],
            # Documents are shown from memory, under the type that was checked when they arrived.
            "img-src": ["'self'", "blob:"],
            "frame-src": ["blob:"],
            "require-trusted-types-for": ["'script'"],
            "trusted-types": ["'none'"],
        }
        return Response(page, media_type="text/html", headers=page_headers(policy))

    files = assets(f"{PATH}/assets", DIST, _ASSETS)
    return [files, Route(PATH, show), Route(f"{PATH}/{{page:path}}", show)]


def _page(*, address: str, takes_tokens: bool) -> str:
    page = (DIST / _PAGE).read_text(encoding="utf-8")
    told = {"address": address, "tokens": "accepted" if takes_tokens else "refused"}
    for name, value in told.items():
        page = page.replace(f"{{{{{name}}}}}", html.escape(value))
    return page
