"""How it is stored that somebody agreed to something, or took it back."""

from datetime import datetime

from pymongo import ASCENDING, IndexModel

from core.vocabulary import ConsentChannel, ConsentSource, ConsentState
from models.base import OwnedModel


class Consent(OwnedModel):
    """One entry of a customer's ledger of consents. Entries are added and never changed.

    What holds now for a purpose and a channel is what the latest of their entries says: by `given_at`, then by id. `purpose`
    is a key of the seller's: ``MARKETING``. Of a call by the customer itself, the proof is the network address it came from.
    """

    channel: ConsentChannel
    purpose: str
    state: ConsentState
    source: ConsentSource
    reference: str | None = None
    text_version: str | None = None
    given_at: datetime
    recorded_by: str
    ip_address: str | None = None
    request_id: str | None = None

    class Settings:
        name = "consents"
        keep_nulls = False
        indexes = [
            IndexModel([("seller_id", ASCENDING), ("customer_id", ASCENDING), ("_id", ASCENDING)], name="by_customer"),
        ]
