"""What every stored document has. The only module that knows Beanie's `Document`."""

from datetime import datetime
from typing import TYPE_CHECKING

import beanie
from pydantic import ConfigDict


class StoredModel(beanie.Document):
    """A document of one seller, with a typed text id.

    `version` counts changes from 1; `live` is false once deleted, and every unique index covers live documents only.
    """

    model_config = ConfigDict(extra="ignore")

    if not TYPE_CHECKING:
        # Beanie's own, for documents of which fields are parsed when they are looked at, is written in Python and takes part in
        # each look at each attribute. We have no such documents, and a page of customers has a thousand looks.
        __getattribute__ = object.__getattribute__

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
