"""What stands in the history of a customer: what happened to it, and who read numbers and files of its documents."""

from core.history import Access
from core.paging import Position
from events.customer import CustomerEvent

Entry = CustomerEvent | Access


def position_of(entry: Entry) -> Position:
    """Return an entry's place in its customer's history."""
    return Position(entry.version, f"access {entry.number}" if isinstance(entry, Access) else entry.id)
