"""How a customer is stored."""

from datetime import datetime

from pydantic import BaseModel
from pymongo import ASCENDING, DESCENDING, IndexModel

from core.filters import CustomerSort
from core.paging import SortValue
from core.vocabulary import CustomerKind, CustomerStatus
from models.base import StoredModel

_LIVE = {"live": True}
_LISTED = [("seller_id", ASCENDING), ("live", ASCENDING)]
_STANDING = [("status", ASCENDING), ("kind", ASCENDING)]
_NAME = [("sort_name", ASCENDING)]
_NEWEST = [("created_at", DESCENDING), ("_id", DESCENDING)]
_CHANGED = [("updated_at", DESCENDING), ("_id", DESCENDING)]

SORTED_BY = {
    CustomerSort.CREATED_AT_ASC: ("created_at", False),
    CustomerSort.CREATED_AT_DESC: ("created_at", True),
    CustomerSort.UPDATED_AT_ASC: ("updated_at", False),
    CustomerSort.UPDATED_AT_DESC: ("updated_at", True),
    CustomerSort.NAME_ASC: ("sort_name", False),
    CustomerSort.NAME_DESC: ("sort_name", True),
}
"""The stored field of each order, and whether it descends."""


class StoredAttribute(BaseModel):
    """One of the seller's own key/value pairs."""

    key: str
    value: str


class RowSource(BaseModel):
    """The row of an import that last wrote a customer."""

    import_id: str
    row: int


class Customer(StoredModel):
    """A customer of one seller.

    `sort_name` and `search_words` are derived from the names, company, e-mail and phone; `document_keys` holds the blind
    indexes of the numbers of the customer's documents, so that one number can belong to one customer only.
    Dates without a time are text (``2000-12-31``), which sorts and compares as dates do. `chain` is the head of the
    chain of its history (see `core.audit_chain`), `access_chain` that of the `accesses` to its documents.

    A deleted customer may have been `merged_into` another one (its id). Since `erased_at` nothing personal is left of it:
    what stays is the id, the seller, kind, status, version and moments, so that the id is never anybody else's. Until then, who
    is to be erased later has `erasure_due_at`, and the caller who wants it.

    `signed_in_at` is when it signed in last. Who was inactive for as long as its seller's rules allow was flagged at
    `retention_flagged_at`, and is anonymised at `retention_due_at` unless it becomes active. From `legal_hold_at` on, until it
    is lifted, none of this happens to it, and no erasure either.
    """

    external_id: str | None = None
    kind: CustomerKind
    status: CustomerStatus
    email: str | None = None
    email_verified: bool = False
    phone: str | None = None
    phone_verified: bool = False
    first_name: str | None = None
    last_name: str | None = None
    company: str | None = None
    date_of_birth: str | None = None
    locale: str | None = None
    tags: list[str] = []
    attributes: list[StoredAttribute] = []
    full_name: str
    sort_name: str
    search_words: list[str] = []
    document_keys: list[str] = []
    source: RowSource | None = None
    chain: bytes | None = None
    accesses: int | None = None
    access_chain: bytes | None = None
    merged_into: str | None = None
    erasure_due_at: datetime | None = None
    erasure_asked_by: str | None = None
    signed_in_at: datetime | None = None
    retention_flagged_at: datetime | None = None
    retention_due_at: datetime | None = None
    legal_hold_at: datetime | None = None
    legal_hold_by: str | None = None
    legal_hold_reason: str | None = None
    erased_at: datetime | None = None

    class Settings:
        name = "customers"
        keep_nulls = False
        indexes = [
            # Unique among the living, per seller. "Greater than the empty text" leaves out the documents without the field.
            *(
                IndexModel(
                    [("seller_id", ASCENDING), (field, ASCENDING)],
                    name=f"unique_{field}",
                    unique=True,
                    partialFilterExpression={"live": True, field: {"$gt": ""}},
                )
                for field in ("email", "phone", "external_id", "document_keys")
            ),
            # Lists. `live` stands among the keys, though each of these indexes has the living only: what is not there, MongoDB
            # reads documents for. What stands behind the id lets a few thousand that one range holds be sorted by another
            # one's order before any document is read.
            *(
                IndexModel([*_LISTED, *keys], name=name, partialFilterExpression=_LIVE)
                for name, keys in (
                    ("listed_by_created_at", [*_NEWEST, *_STANDING, *_NAME, ("updated_at", ASCENDING)]),
                    ("listed_by_updated_at", [*_CHANGED, *_STANDING, *_NAME, ("created_at", ASCENDING)]),
                    # The names of each status and kind by themselves: rare ones are found, and all are counted, at once.
                    ("listed_by_name", [*_STANDING, *_NAME, ("_id", ASCENDING)]),
                    ("listed_by_tags", [("tags", ASCENDING), *_NEWEST]),
                    ("listed_by_search_words", [("search_words", ASCENDING), *_NEWEST]),
                )
            ),
            # For the sweep, over all sellers.
            IndexModel([("erasure_due_at", ASCENDING)], name="by_erasure", sparse=True),
            # Who is flagged for its inactivity, per seller, soonest due first.
            IndexModel(
                [("seller_id", ASCENDING), ("retention_due_at", ASCENDING), ("_id", ASCENDING)],
                name="by_retention",
                partialFilterExpression={"live": True, "retention_due_at": {"$exists": True}},
            ),
            # Who was merged into a customer is erased with it.
            IndexModel(
                [("seller_id", ASCENDING), ("merged_into", ASCENDING)],
                name="by_merged_into",
                partialFilterExpression={"merged_into": {"$gt": ""}},
            ),
            # Systems that know a customer by the seller's own reference still find who goes on in its place.
            IndexModel(
                [("seller_id", ASCENDING), ("external_id", ASCENDING), ("merged_into", ASCENDING)],
                name="merged_external_id",
                partialFilterExpression={"live": False, "merged_into": {"$gt": ""}},
            ),
        ]


def sort_value(sort: CustomerSort, customer: Customer) -> SortValue:
    """Return what *customer* is sorted by."""
    value: SortValue = getattr(customer, SORTED_BY[sort][0])
    return value
