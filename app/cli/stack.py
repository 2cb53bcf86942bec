"""The running development stack, as `customer-service dev` wrote it down."""

import json
import os
from pathlib import Path
from typing import Any

from app.settings import Settings, load_settings


def find_stack() -> dict[str, Any] | None:
    """Return the content of ``stack.json`` of the run directory (RUN_DIR, default ``.run``); None when nothing runs there."""
    path = _run_dir() / "stack.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def stack_secrets() -> dict[str, str]:
    """Return keys, issuer and database of the running stack, as the variables of ``config.yaml``; nothing when nothing runs."""
    stack = find_stack()
    if stack is None:
        return {}
    try:
        master_key = (_run_dir() / "master.key").read_text(encoding="ascii").strip()
    except OSError:
        return {}
    said = {name: str(stack[name]) for name in ("issuer", "mongodb_uri", "mongodb_database") if name in stack}
    return {
        "CUSTOMER_SERVICE_KEY_FILE": str(_run_dir() / "keys.json"),
        "CUSTOMER_SERVICE_MASTER_KEY": master_key,
        **{f"CUSTOMER_SERVICE_{name.upper()}": value for name, value in said.items()},
    }


def settings_beside_the_stack() -> Settings:
    """Return the settings of the stack that runs here, if one does; what the environment says wins.

    Raises:
        InvalidSettings: as `load_settings`.
    """
    return load_settings(environ={**stack_secrets(), **os.environ})


def _run_dir() -> Path:
    return Path(os.environ.get("RUN_DIR") or Path(__file__).resolve().parents[2] / ".run")
