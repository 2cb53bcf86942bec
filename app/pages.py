"""Pages for people, with the files they load: from what is committed in console/, and nothing from elsewhere.

The files are built from their sources and committed: running the service needs no node.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

BUILT = Path(__file__).resolve().parents[1] / "console"
"""Where the sources of the pages are; each has its build in ``dist``, where manifest.json says from which sources."""

EVERYWHERE = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
}
"""Headers of pages and files alike."""

# What may stand in a source of a content security policy: a name or an address, and a port.
_HOST = re.compile(r"([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?")


@dataclass(frozen=True, slots=True)
class _Asset:
    content: bytes
    media_type: str
    etag: str


def assets(path: str, dist: Path, media_types: Mapping[str, str]) -> Route:
    """Return the route below *path* that serves the files of *dist* which *media_types* names, and no others.

    Raises:
        FileNotFoundError: one of them is missing.
    """
    return made_assets(path, {name: (media_type, (dist / name).read_bytes()) for name, media_type in media_types.items()})


def made_assets(path: str, contents: Mapping[str, tuple[str, bytes]]) -> Route:
    """Return the route below *path* that serves *contents*, each with its media type by its name, and nothing else."""
    files = {name: _asset(content, media_type) for name, (media_type, content) in contents.items()}

    async def asset(request: Request) -> Response:
        found = files.get(request.path_params["name"])
        if found is None:
            return Response("There is no such file.", 404, media_type="text/plain", headers=EVERYWHERE)
        headers = {
            **EVERYWHERE,
            "etag": found.etag,
            "cache-control": "no-cache",
            "content-security-policy": "default-src 'none'",
        }
        if request.headers.get("if-none-match") == found.etag:
            return Response(status_code=304, headers=headers)
        return Response(found.content, media_type=found.media_type, headers=headers)

    return Route(f"{path}/{{name}}", asset)


def page_headers(policy: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return the headers of a page: it may do what *policy* allows by directive, is framed by nobody and kept by nobody."""
    complete = {
        "default-src": ["'none'"],
        **policy,
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
    return {
        **EVERYWHERE,
        "content-security-policy": "; ".join(f"{name} {' '.join(sources)}" for name, sources in complete.items()),
        "x-frame-options": "DENY",
        "cross-origin-opener-policy": "same-origin",
        "cache-control": "no-store",
    }


def own_sockets(request: Request) -> list[str]:
    """Return the source that allows WebSockets to the host of *request*; none for a host that is no host.

    ``'self'`` means them too, but only in browsers since 2022 or so.
    """
    host = request.headers.get("host", "")
    return [f"{'wss' if request.url.scheme == 'https' else 'ws'}://{host}"] if _HOST.fullmatch(host) else []


def _asset(content: bytes, media_type: str) -> _Asset:
    return _Asset(content, media_type, f'"{hashlib.sha256(content).hexdigest()[:32]}"')
