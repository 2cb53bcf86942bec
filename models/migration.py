"""How it is stored which migrations the data has been through."""

from datetime import datetime

import beanie


class AppliedMigration(beanie.Document):
    """A migration that was brought to its end. The id is its name."""

    id: str  # type: ignore[assignment]  # Beanie declares an ObjectId; ours is a name
    applied_at: datetime

    class Settings:
        name = "migrations"
