"""Operations to try, one a file, below ``examples/operations``: the IDE shows them, front ends copy them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "operations"
"""A folder a flow; what its README says of the files is what is read here."""


@dataclass(frozen=True, slots=True)
class ReadyOperation:
    """One file: where it is (``2-onboarding/01-create-customer``), what it is about, and how to begin."""

    name: str
    flow: str
    title: str
    about: str
    query: str
    variables: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        """Return what the IDE is told."""
        return {
            "name": self.name,
            "flow": self.flow,
            "title": self.title,
            "about": self.about,
            "query": self.query,
            "variables": self.variables,
        }


def load_ready_operations(folder: Path = FOLDER) -> list[ReadyOperation]:
    """Read all operations of *folder*, flow by flow in the order of the names; none where there is no such folder."""
    return [_load(folder, path) for path in sorted(folder.glob("*/*.graphql"))]


def _load(folder: Path, path: Path) -> ReadyOperation:
    query = path.read_text(encoding="utf-8")
    title, *about = [line.removeprefix("#").strip() for line in query.splitlines() if line.startswith("#")]
    variables = path.with_suffix(".json")
    return ReadyOperation(
        name=path.relative_to(folder).with_suffix("").as_posix(),
        flow=path.parent.name.partition("-")[2].replace("-", " ").capitalize(),
        title=title,
        about=" ".join(about),
        query=query,
        variables=json.loads(variables.read_text(encoding="utf-8")) if variables.exists() else {},
    )
