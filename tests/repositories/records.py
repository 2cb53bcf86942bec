"""Customers to store, with what belongs to them."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from core.drafts import AddressDraft, CustomerDraft, DocumentDraft
from core.sealing import Sealer
from core.vocabulary import AddressKind, CustomerEventType, CustomerKind, DocumentType, EventPrivacy
from repositories.unit_of_work import Repositories
from services.records import CustomerRecords, RecordMaker

MAKER = RecordMaker(Sealer("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="), EventPrivacy.MASKED)
START = datetime(2026, 1, 1, tzinfo=UTC)


def made(seller_id: str, number: int = 0, **fields: Any) -> CustomerRecords:
    """Return the records of a customer, created *number* minutes after `START`; *fields* are a draft's."""
    draft = CustomerDraft(**{"first_name": f"n{number}", **fields})
    return MAKER.new_customer(draft, seller_id=seller_id, at=START + timedelta(minutes=number))


async def store(repositories: Repositories, records: list[CustomerRecords]) -> None:
    """Store customers with what belongs to them, and the events of their creation."""
    await repositories.customers.insert_many([one.customer for one in records])
    await repositories.addresses.insert_many([address for one in records for address in one.addresses])
    await repositories.documents.insert_many([document for one in records for document in one.documents])
    await repositories.keys.insert_stored([key for one in records for key in one.keys])
    told = [MAKER.event(one.customer, CustomerEventType.CREATED, actor="operator:ada", changed=()) for one in records]
    await repositories.events.append(told)
    for one, event in zip(records, told, strict=True):
        one.customer.chain = None if event.seal is None else event.seal.head


def crowd(seller_id: str, size: int) -> list[CustomerRecords]:
    """Return customers of every sort: the more of them, the clearer to a planner which index is best."""
    return [
        made(
            seller_id,
            number,
            last_name=f"l{number % 7}",
            email=f"x{number}@y.example",
            phone=f"+4420794{number:05d}",
            external_id=str(number),
            tags=("vip", "early") if number % 3 else ("late",),
            kind=CustomerKind.BUSINESS if number % 2 else None,
            addresses=(
                AddressDraft(kind=AddressKind.SHIPPING, line1="1 Main Street", country_code="US", postal_code="02134"),
                AddressDraft(kind=AddressKind.BILLING, line1="1 Main Street", country_code="US"),
            ),
            documents=(DocumentDraft(type=DocumentType.PASSPORT, number=f"X{number}", expires_on=date(2030, 1, 1)),),
        )
        for number in range(size)
    ]
