"""How a program that may ask for tokens is stored."""

from datetime import datetime

import beanie


class ServiceClient(beanie.Document):
    """An OAuth client. `secrets` are SHA-256 digests of 256 random bits each; two while one is being replaced.

    `seller_id` is the one seller it may act for, None for all of them.
    """

    id: str  # type: ignore[assignment]  # Beanie declares an ObjectId; ours is the client id
    name: str
    secrets: list[str]
    scopes: list[str]
    seller_id: str | None = None
    created_at: datetime
    disabled_at: datetime | None = None

    class Settings:
        name = "service_clients"
