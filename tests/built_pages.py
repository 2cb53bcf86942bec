"""What pages in console/ are held to: checksums in their manifest.json, as console/bundle.mjs makes them, and their policy."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

import httpx


def checksum_of_sources(home: Path, sources: Iterable[Path]) -> str:
    """Return the checksum of *sources*, with their names below *home*."""
    names = sorted(path.relative_to(home).as_posix() for path in sources)
    return _sha256("".join(f"{name}\n{_sha256((home / name).read_bytes())}\n" for name in names).encode())


def checksums_of_build(dist: Path) -> dict[str, str]:
    """Return the checksums of all files of a build but its manifest."""
    return {path.name: _sha256(path.read_bytes()) for path in dist.iterdir() if path.name != "manifest.json"}


def policy(answer: httpx.Response) -> dict[str, list[str]]:
    """Return the directives of the content security policy, with their sources."""
    directives = (directive.split() for directive in answer.headers["content-security-policy"].split(";"))
    return {name: sources for name, *sources in directives}


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
