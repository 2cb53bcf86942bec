"""How it is stored that one process does what only one may do."""

from datetime import datetime

import beanie


class Lease(beanie.Document):
    """Work that one holder at a time may do, until its lease ends. The id names the work."""

    id: str  # type: ignore[assignment]  # Beanie declares an ObjectId; ours is a name
    holder: str
    until: datetime

    class Settings:
        name = "leases"
