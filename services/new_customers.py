"""New customers as they are stored, without the models in between: an import makes them by the million. No I/O.

The models stay the definition: a property test compares what is made here with what the records of `RecordMaker` are stored
as, byte for byte. What a document of a customer is stored as, with its sealed number, is left to them altogether.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

from core.drafts import AddressDraft, CustomerDraft
from core.ids import IdKind, new_id
from core.origin import origin_of_request, origin_of_row
from core.trace import TRACEPARENT
from core.vocabulary import CustomerEventType, CustomerKind, CustomerStatus
from events.customer import customer_data
from models.customer import Customer
from models.stored import Reader
from repositories.base import stored_form
from repositories.customer_event import contents_of, facts_of, sealed
from repositories.key_ranges import key_range_of
from services.changes import of_new
from services.customer_values import PATCHABLE
from services.records import NewDocuments, RecordMaker, changed_fields, default_addresses, derived_names, unique

Stored = dict[str, Any]
"""A document of the database."""

# What an event may say is looked up in the whole customer; what is stored of one leaves out what it has not.
_EMPTY = dict.fromkeys(name for name in Customer.model_fields if name not in {"id", "revision_id"})
_CREATED = str(CustomerEventType.CREATED)
_READ = Reader(Customer)
_GIVEN = attrgetter(*PATCHABLE, "addresses", "documents")
_SPELLED = tuple(changed_fields([*PATCHABLE, "addresses", "documents"]))


@dataclass(slots=True)
class NewCustomer:
    """A customer, what belongs to it, and the event that tells of it, each as it is stored; its key, if it needs one."""

    id: str
    customer: Stored
    addresses: Sequence[Stored]
    documents: Sequence[Stored]
    event: Stored
    keys: Sequence[Stored] = ()


def new_customer(
    maker: RecordMaker,
    draft: CustomerDraft,
    documents: NewDocuments,
    *,
    seller_id: str,
    at: datetime,
    customer_id: str,
    actor: str,
    source: tuple[str, int] | None = None,
) -> NewCustomer:
    """Return what is to be stored of a customer that does not exist yet.

    *documents* are those of the draft, made by *maker*; *actor* is who the history names; *source* is the import and the row
    that the customer comes from.
    """
    customer = _customer(draft, seller_id, customer_id, at)
    records = documents.records
    customer["document_keys"] = unique(index for one in records for index in one.number_keys) if records else []
    if source is not None:
        customer["source"] = {"import_id": source[0], "row": source[1]}
    event = {
        "_id": new_id(IdKind.EVENT),
        "seller_id": seller_id,
        "customer_id": customer_id,
        "type": _CREATED,
        "version": 1,
        "actor": actor,
        "changed": [name for name, value in zip(_SPELLED, _GIVEN(draft), strict=True) if value is not None and value != ()],
        "occurred_at": at,
        "data": customer_data({**_EMPTY, **customer}, maker.privacy),
        "pending": True,
        "key_range": key_range_of(customer_id),
    }
    if (trace := TRACEPARENT.get()) is not None:
        event["trace"] = trace
    addresses = {
        new_id(IdKind.ADDRESS): _address(address, is_default)
        for address, is_default in zip(draft.addresses, default_addresses(draft.addresses), strict=True)
    }
    filed = [stored_form(one) for one in records]
    event["changes"] = of_new(customer, addresses, filed)
    origin = origin_of_request() if source is None else origin_of_row(*source)
    if origin is not None:
        event["origin"] = origin
    seal = maker.chain.seal(None, facts_of(event), contents_of(event))
    event.update(sealed(seal))
    customer["chain"] = seal.head
    return NewCustomer(
        customer_id,
        customer,
        [{**_begun(id_, seller_id, at), "customer_id": customer_id, **one} for id_, one in addresses.items()],
        filed,
        event,
        documents.keys,
    )


def record_of(made: NewCustomer) -> Customer:
    """Return a new customer as a record, to be read and not changed."""
    return _READ({**made.customer})


def _customer(draft: CustomerDraft, seller_id: str, customer_id: str, at: datetime) -> Stored:
    # Written out in the order of the model's fields: a loop over them would take three times as long.
    customer = _begun(customer_id, seller_id, at)
    if draft.external_id is not None:
        customer["external_id"] = draft.external_id
    customer["kind"] = str(draft.kind or CustomerKind.INDIVIDUAL)
    customer["status"] = str(draft.status or CustomerStatus.ACTIVE)
    if draft.email is not None:
        customer["email"] = draft.email
    customer["email_verified"] = False
    if draft.phone is not None:
        customer["phone"] = draft.phone
    customer["phone_verified"] = False
    if draft.first_name is not None:
        customer["first_name"] = draft.first_name
    if draft.last_name is not None:
        customer["last_name"] = draft.last_name
    if draft.company is not None:
        customer["company"] = draft.company
    if draft.date_of_birth is not None:
        customer["date_of_birth"] = draft.date_of_birth.isoformat()
    if draft.locale is not None:
        customer["locale"] = draft.locale
    customer["tags"] = list(draft.tags)
    customer["attributes"] = [{"key": one.key, "value": one.value} for one in draft.attributes]
    customer.update(
        derived_names(
            first_name=draft.first_name,
            last_name=draft.last_name,
            company=draft.company,
            email=draft.email,
            phone=draft.phone,
            external_id=draft.external_id,
        )
    )
    return customer


def _address(draft: AddressDraft, is_default: bool) -> Stored:  # noqa: FBT001 - a value
    """Return what an address says, which its history begins with."""
    address: Stored = {"kind": str(draft.kind), "is_default": is_default}
    if draft.label is not None:
        address["label"] = draft.label
    if draft.recipient is not None:
        address["recipient"] = draft.recipient
    if draft.company is not None:
        address["company"] = draft.company
    address["line1"] = draft.line1
    if draft.line2 is not None:
        address["line2"] = draft.line2
    if draft.city is not None:
        address["city"] = draft.city
    if draft.region is not None:
        address["region"] = draft.region
    if draft.postal_code is not None:
        address["postal_code"] = draft.postal_code
    address["country_code"] = draft.country_code
    if draft.phone is not None:
        address["phone"] = draft.phone
    return address


def _begun(id_: str, seller_id: str, at: datetime) -> Stored:
    return {"_id": id_, "seller_id": seller_id, "version": 1, "live": True, "created_at": at, "updated_at": at}
