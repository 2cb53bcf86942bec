"""How the keys are stored that customers' keys are wrapped by, and those that blind indexes are made with."""

from datetime import datetime
from enum import StrEnum

import beanie


class VaultKeyUse(StrEnum):
    """What a key is for."""

    WRAPPING = "WRAPPING"
    INDEX = "INDEX"


class VaultKeyState(StrEnum):
    """Where an index key is on its way; wrapping keys are current from the start."""

    NEXT = "NEXT"  # written and looked up beside the current one, until every number is found by it
    CURRENT = "CURRENT"  # of two, the newer one counts


class VaultKey(beanie.Document):
    """A key, encrypted by the master key of this name (`wrapped_by`). The id names it, and newer ones come later in order.

    `place` is how far the work has come that an index key gives: the id of the last record looked at. It is current since
    `promoted_at`, and has driven out the one before since `settled_at`.
    """

    id: str  # type: ignore[assignment]  # Beanie declares an ObjectId; ours is a name
    use: VaultKeyUse
    state: VaultKeyState
    wrapped: bytes
    wrapped_by: str
    place: str = ""
    created_at: datetime
    updated_at: datetime
    promoted_at: datetime | None = None
    settled_at: datetime | None = None

    class Settings:
        name = "vault_keys"
        keep_nulls = False
