"""How an address is stored."""

from pymongo import ASCENDING, DESCENDING, IndexModel

from core.vocabulary import AddressKind
from models.base import OwnedModel


class Address(OwnedModel):
    """A postal address of one customer."""

    kind: AddressKind
    is_default: bool
    label: str | None = None
    recipient: str | None = None
    company: str | None = None
    line1: str
    line2: str | None = None
    city: str | None = None
    region: str | None = None
    postal_code: str | None = None
    country_code: str
    phone: str | None = None

    class Settings:
        name = "addresses"
        keep_nulls = False
        indexes = [
            IndexModel(
                [("seller_id", ASCENDING), ("customer_id", ASCENDING), ("kind", ASCENDING)],
                name="unique_default",
                unique=True,
                partialFilterExpression={"live": True, "is_default": True},
            ),
            IndexModel(
                [("seller_id", ASCENDING), ("customer_id", ASCENDING), ("_id", ASCENDING)],
                name="by_customer",
                partialFilterExpression={"live": True},
            ),
            IndexModel(
                [("seller_id", ASCENDING), ("created_at", DESCENDING), ("_id", DESCENDING)],
                name="by_created_at",
                partialFilterExpression={"live": True},
            ),
            # The deleted ones too are found when their customer is erased.
            IndexModel(
                [("seller_id", ASCENDING), ("customer_id", ASCENDING)],
                name="deleted_of_customer",
                partialFilterExpression={"live": False},
            ),
        ]
