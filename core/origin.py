"""Where a change comes from, as the history keeps it."""

from typing import Any

from core.request_facts import CURRENT


def origin_of_request() -> dict[str, Any] | None:
    """Return what is known of the request that is being answered, as it is stored; None where no request asked for it."""
    facts = CURRENT.get()
    if facts is None:
        return None
    device = facts.device
    found = {"ip_address": device.ip_address, "user_agent": device.user_agent, "request_id": facts.request_id}
    return {name: value for name, value in found.items() if value is not None} or None


def origin_of_row(import_id: str, row: int) -> dict[str, Any]:
    """Return a row of an import as it is stored."""
    return {"import_id": import_id, "row": row}
