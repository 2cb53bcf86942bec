"""What front ends copy (the TypeScript client, examples on it), laid out with its programs where `make conformance` has them.

The layout is that of the repository, because the parts name each other by relative paths.
"""

import os
import uuid
from pathlib import Path

from tests.house import ROOT

KIT = ROOT / ".conformance" / "kit"
CLIENT = KIT / "clients" / "typescript"
EXAMPLE = KIT / "examples" / "react-import"
MISSING = not (EXAMPLE / "node_modules").exists()
"""Whether `make conformance` has not been here."""

_PARTS = ("clients/typescript", "examples", "schema")
_NOT_SOURCES = {"node_modules", "dist"}


def lay_out() -> None:
    """Bring the kit up to date with the repository. Several processes may do so at once: they write the same."""
    wanted = {path.relative_to(ROOT): path for part in _PARTS for path in (ROOT / part).rglob("*") if _is_source(path)}
    there = {path.relative_to(KIT): path for part in _PARTS for path in (KIT / part).rglob("*") if _is_source(path)}
    for name in there.keys() - wanted.keys():
        there[name].unlink(missing_ok=True)
    for name, source in wanted.items():
        content = source.read_bytes()
        if name not in there or there[name].read_bytes() != content:
            _replace(KIT / name, content)


def _is_source(path: Path) -> bool:
    return path.is_file() and not _NOT_SOURCES & set(path.parts) and path.name != ".prepared"


def _replace(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    new.write_bytes(content)
    os.replace(new, path)  # noqa: PTH105  the same in one step, whoever reads meanwhile
