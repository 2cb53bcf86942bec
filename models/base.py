"""What every stored document has. The only module that knows Beanie's `Document`."""

from datetime import datetime

import beanie
from pydantic import ConfigDict


class StoredModel(beanie.Document):
    """A document of one seller, with a typed text id.

    `version` counts changes from 1; `live` is false once deleted, and every unique index covers live documents only.
    """

    model_config = ConfigDict(extra="ignore")

    id: str  # type: ignore[assignment]  # Beanie declares an ObjectId; ours are typed strings
    seller_id: str
    version: int = 1
    live: bool = True
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None


class OwnedModel(StoredModel):
    """A document that belongs to a customer."""

    customer_id: str
