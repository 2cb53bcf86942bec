"""What tests of the house look at: the source as files and as syntax trees."""

import ast
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


@cache
def project() -> dict[str, Any]:
    """Return pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


OF_THEIR_OWN = frozenset({"clients"})
"""Folders at the top that hold projects of their own, which know nothing of the service's code."""


def packages() -> set[str]:
    """Return the names of the folders at the top that hold Python of the service."""
    folders = (folder for folder in ROOT.iterdir() if folder.name[0] != "." and folder.is_dir())
    return {folder.name for folder in folders if any(folder.rglob("*.py"))} - OF_THEIR_OWN


def modules(*, but: frozenset[str] = frozenset()) -> list[Path]:
    """Return every module of the project, relative to its root, except those of the folders in *but*."""
    return [path.relative_to(ROOT) for name in sorted(packages() - but) for path in sorted((ROOT / name).rglob("*.py"))]


def tree(path: Path) -> ast.Module:
    """Parse the module at *path*, which is relative to the root."""
    return ast.parse((ROOT / path).read_text(encoding="utf-8"), filename=str(path))


def imported(module: ast.Module) -> Iterator[str]:
    """Yield the full name of everything *module* imports: ``a.b`` for ``import a.b`` and for ``from a import b``."""
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def calls(module: ast.Module) -> Iterator[tuple[str, set[str]]]:
    """Yield the last name of everything *module* calls, with the keywords it passes."""
    for node in ast.walk(module):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            yield name, {keyword.arg for keyword in node.keywords if keyword.arg}
