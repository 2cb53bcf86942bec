"""The running development stack, as `customer-service dev` wrote it down."""

import json
import os
from pathlib import Path
from typing import Any


def find_stack() -> dict[str, Any] | None:
    """Return the content of ``stack.json`` of the run directory (RUN_DIR, default ``.run``); None when nothing runs there."""
    path = Path(os.environ.get("RUN_DIR") or Path(__file__).resolve().parents[2] / ".run") / "stack.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
