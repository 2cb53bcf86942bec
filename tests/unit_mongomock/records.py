"""Records to read back: customers of several sellers with what belongs to them."""

from datetime import UTC, datetime, timedelta

from core.drafts import AddressDraft, CustomerDraft, DocumentDraft
from core.sealing import Sealer
from core.tenancy import EverySeller
from core.vocabulary import AddressKind, DocumentType, EventPrivacy
from models.customer import Customer
from repositories.unit_of_work import Repositories
from services.records import RecordMaker

MASTER_KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
MAKER = RecordMaker(Sealer(MASTER_KEY), EventPrivacy.MASKED)
START = datetime(2026, 1, 1, tzinfo=UTC)
HOME = AddressDraft(kind=AddressKind.SHIPPING, line1="1 Main Street", country_code="US")
OFFICE = AddressDraft(kind=AddressKind.BILLING, line1="2 Main Street", country_code="US")


async def store(seller_id: str, name: str, *, minute: int = 0, addresses: int = 2, documents: int = 1) -> Customer:
    """Store one customer of a seller, created some minutes after `START`, and return it."""
    made = MAKER.new_customer(
        CustomerDraft(
            first_name=name,
            email=f"{name}@{seller_id}.example",
            addresses=(HOME, OFFICE)[:addresses],
            documents=tuple(DocumentDraft(type=DocumentType.PASSPORT, number=f"X-{name}-{n}") for n in range(documents)),
        ),
        seller_id=seller_id,
        at=START + timedelta(minutes=minute),
    )
    repositories = Repositories(EverySeller("test"))
    await repositories.customers.insert_many([made.customer])
    await repositories.addresses.insert_many(made.addresses)
    await repositories.documents.insert_many(made.documents)
    await repositories.keys.insert_stored(made.keys)
    return made.customer
