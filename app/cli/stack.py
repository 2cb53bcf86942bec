"""The running development stack, as `customer-service dev` wrote it down."""

import json
import os
from pathlib import Path
from typing import Any


def find_stack() -> dict[str, Any] | None:
    """Return the content of ``stack.json`` of the run directory (RUN_DIR, default ``.run``); None when nothing runs there."""
    path = run_directory() / "stack.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def run_directory() -> Path:
    """Return where the development stack keeps everything: RUN_DIR, else ``.run``."""
    return Path(os.environ.get("RUN_DIR") or Path(__file__).resolve().parents[2] / ".run")
