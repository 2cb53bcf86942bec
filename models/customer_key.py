"""How the key of a customer is stored."""

from datetime import datetime

import beanie
from pymongo import ASCENDING, IndexModel


class CustomerKey(beanie.Document):
    """The key that one customer's document numbers are sealed with, encrypted by a wrapping key. The id is the customer's.

    Made with the first number that is filed, and destroyed when the customer is erased: what it sealed stays closed then,
    wherever a copy of it is.
    """

    id: str  # type: ignore[assignment]  # Beanie declares an ObjectId; ours is a customer's
    seller_id: str
    wrapped: bytes
    wrapped_with: str
    created_at: datetime

    class Settings:
        name = "customer_keys"
        indexes = [IndexModel([("wrapped_with", ASCENDING), ("_id", ASCENDING)], name="by_wrapping_key")]
