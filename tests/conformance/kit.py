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
    wanted, there = _sources(ROOT), _sources(KIT)
    for name in there.keys() - wanted.keys():
        there[name].unlink(missing_ok=True)
    for name, source in wanted.items():
        content = source.read_bytes()
        if name not in there or there[name].read_bytes() != content:
            _replace(KIT / name, content)


def _sources(home: Path) -> dict[Path, Path]:
    """Return the files of the parts by their names below *home*, without what was installed, built, or put there by a test."""
    found = {path.relative_to(home): path for part in _PARTS for path in (home / part).rglob("*") if _is_file(path)}
    return {
        name: path for name, path in found.items() if name.name != ".prepared" and not any(map(_is_no_part, name.parent.parts))
    }


def _is_file(path: Path) -> bool:
    # What `make conformance` leaves behind itself.
    return path.is_file() and path.name != ".prepared"


def _is_no_part(folder: str) -> bool:
    return folder in _NOT_SOURCES or folder.startswith(".")


def _replace(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    new.write_bytes(content)
    os.replace(new, path)  # noqa: PTH105  the same in one step, whoever reads meanwhile
