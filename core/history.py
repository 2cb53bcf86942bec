"""What the history keeps of a change besides that it happened."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Kept:
    """What was changed into what (see `services.changes`), and where that came from, as both are stored."""

    changes: Mapping[str, Any] | None = None
    origin: Mapping[str, Any] | None = None
