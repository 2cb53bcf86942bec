"""From drafts that passed the rules to records that can be stored, and to the event that tells of them. No I/O."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from core.audit_chain import AuditChain
from core.drafts import AddressDraft, CustomerDraft, DocumentDraft
from core.ids import IdKind, new_id
from core.origin import origin_of_request
from core.sealing import SealBroken, Sealer
from core.trace import TRACEPARENT
from core.vault import CustomerKey, Vault
from core.vocabulary import AddressKind, CustomerEventType, CustomerKind, CustomerStatus, DocumentStatus, EventPrivacy
from events.customer import CustomerEvent, customer_data
from events.document import about_document
from models.address import Address
from models.customer import Customer, RowSource, StoredAttribute
from models.document import Document
from repositories.customer_event import contents_of, facts_of, stored_event
from repositories.customer_key import stored_key
from services.rules.text import fold, search_words

_LAST_DIGITS = 4
_SORTED_LENGTH = 256  # Unicode can fold one character into eighteen; a cursor has to hold what is left


@dataclass(frozen=True, slots=True)
class CustomerRecords:
    """A customer with everything that is stored beside it: `keys` holds its key, as it is stored, if a number needs one."""

    customer: Customer
    addresses: Sequence[Address]
    documents: Sequence[Document]
    keys: Sequence[dict[str, Any]] = ()


class NewDocuments(NamedTuple):
    """The documents of a new customer, and the key of their numbers, as it is stored, if one of them has a number."""

    records: Sequence[Document] = ()
    keys: Sequence[dict[str, Any]] = ()


class RecordMaker:
    """Makes stored records out of checked drafts.

    Without a *vault*, the keys of customers are wrapped by what follows from the master key.
    """

    def __init__(self, sealer: Sealer, privacy: EventPrivacy, vault: Vault | None = None) -> None:
        self.vault = vault or Vault(sealer)
        self.privacy = privacy
        self.chain = AuditChain(sealer)

    def new_customer(
        self,
        draft: CustomerDraft,
        *,
        seller_id: str,
        at: datetime,
        customer_id: str | None = None,
        source: RowSource | None = None,
    ) -> CustomerRecords:
        """Return the records of a customer that does not exist yet."""
        customer_id = customer_id or new_id(IdKind.CUSTOMER)
        addresses = self.new_addresses(draft.addresses, seller_id=seller_id, customer_id=customer_id, at=at)
        documents, keys = self.new_documents(draft.documents, seller_id=seller_id, customer_id=customer_id, at=at)
        customer = Customer(
            id=customer_id,
            seller_id=seller_id,
            external_id=draft.external_id,
            kind=draft.kind or CustomerKind.INDIVIDUAL,
            status=draft.status or CustomerStatus.ACTIVE,
            email=draft.email,
            phone=draft.phone,
            first_name=draft.first_name,
            last_name=draft.last_name,
            company=draft.company,
            date_of_birth=None if draft.date_of_birth is None else draft.date_of_birth.isoformat(),
            locale=draft.locale,
            tags=list(draft.tags),
            attributes=[StoredAttribute(key=one.key, value=one.value) for one in draft.attributes],
            document_keys=unique(index for document in documents for index in document.number_keys),
            source=source,
            created_at=at,
            updated_at=at,
            **derived_names(
                first_name=draft.first_name,
                last_name=draft.last_name,
                company=draft.company,
                email=draft.email,
                phone=draft.phone,
                external_id=draft.external_id,
            ),
        )
        return CustomerRecords(customer, addresses, documents, keys)

    def new_addresses(self, drafts: Iterable[AddressDraft], *, seller_id: str, customer_id: str, at: datetime) -> list[Address]:
        """Return the records of a new customer's addresses; `default_addresses` says which are defaults."""
        drafts = list(drafts)
        return [
            self.new_address(draft, seller_id=seller_id, customer_id=customer_id, at=at, is_default=is_default)
            for draft, is_default in zip(drafts, default_addresses(drafts), strict=True)
        ]

    def new_address(self, draft: AddressDraft, *, seller_id: str, customer_id: str, at: datetime, is_default: bool) -> Address:
        """Return the record of one new address."""
        return Address(
            id=new_id(IdKind.ADDRESS),
            seller_id=seller_id,
            customer_id=customer_id,
            kind=draft.kind,
            is_default=is_default,
            label=draft.label,
            recipient=draft.recipient,
            company=draft.company,
            line1=draft.line1,
            line2=draft.line2,
            city=draft.city,
            region=draft.region,
            postal_code=draft.postal_code,
            country_code=draft.country_code,
            phone=draft.phone,
            created_at=at,
            updated_at=at,
        )

    def new_documents(
        self, drafts: Sequence[DocumentDraft], *, seller_id: str, customer_id: str, at: datetime
    ) -> "NewDocuments":
        """Return the records of a new customer's documents."""
        key, keys = self.key_for(drafts, seller_id=seller_id, customer_id=customer_id, at=at)
        made = [self.new_document(one, seller_id=seller_id, customer_id=customer_id, at=at, key=key) for one in drafts]
        return NewDocuments(made, keys)

    def key_for(
        self, drafts: Iterable[DocumentDraft], *, seller_id: str, customer_id: str, at: datetime
    ) -> tuple[CustomerKey | None, list[dict[str, Any]]]:
        """Return the key of a customer that has none, and how it is stored; nothing where no document of *drafts* needs one."""
        if all(draft.number is None for draft in drafts):
            return None, []
        key, wrapped = self.vault.new_key(customer_id)
        return key, [stored_key(customer_id, seller_id, wrapped, at)]

    def new_document(
        self, draft: DocumentDraft, *, seller_id: str, customer_id: str, at: datetime, key: CustomerKey | None
    ) -> Document:
        """Return the record of one new document, its number sealed with the *key* of its customer."""
        document_id = new_id(IdKind.DOCUMENT)
        document = Document(
            id=document_id,
            seller_id=seller_id,
            customer_id=customer_id,
            type=draft.type,
            status=DocumentStatus.AWAITING_UPLOAD,
            issuing_country=draft.issuing_country,
            issued_on=None if draft.issued_on is None else draft.issued_on.isoformat(),
            expires_on=None if draft.expires_on is None else draft.expires_on.isoformat(),
            created_at=at,
            updated_at=at,
        )
        if draft.number is not None:
            if key is None:
                raise ValueError("A document with a number needs the key of its customer.")
            document.number_box = key.seal(draft.number, bound_to=document_id)
            document.number_last_four = last_digits(draft.number)
            indexes = self.number_indexes(draft.number, seller_id=seller_id)
            document.number_key, document.number_key_next = indexes[0], indexes[1] if len(indexes) > 1 else None
        return document

    def number_key(self, number: str, *, seller_id: str) -> str:
        """Return what a document number is found by: a blind index of its letters and digits."""
        return self.number_indexes(number, seller_id=seller_id)[0]

    def number_indexes(self, number: str, *, seller_id: str) -> tuple[str, ...]:
        """Return what a document number is found by, and what it will be found by while the index key is replaced."""
        return self.vault.indexes(plain_number(number), seller_id=seller_id)

    def number_of(self, document: Document, key: CustomerKey | None) -> str | None:
        """Return a document's number in clear. *key* is its customer's, None when it has none.

        Raises:
            SealBroken: the number cannot be opened, because it was altered or its key was destroyed.
        """
        if document.number_box is not None:
            if key is None:
                raise SealBroken
            return key.open(document.number_box, bound_to=document.id)
        if document.number_sealed is None:
            return None
        return self.vault.open_old(document.number_sealed, seller_id=document.seller_id, bound_to=document.id)

    def keys_of(self, draft: CustomerDraft, *, seller_id: str) -> dict[str, list[str]]:
        """Return what the customer would hold alone: stored field to values."""
        found: dict[str, list[str | None]] = {
            "email": [draft.email],
            "phone": [draft.phone],
            "external_id": [draft.external_id],
            "document_keys": [
                index
                for document in draft.documents
                if document.number
                for index in self.number_indexes(document.number, seller_id=seller_id)
            ],
        }
        return {field: [value for value in values if value] for field, values in found.items() if any(values)}

    def event(
        self,
        customer: Customer,
        type_: CustomerEventType,
        *,
        actor: str,
        changed: Iterable[str],
        document: Mapping[str, object] | None = None,
        reason: str | None = None,
        changes: Mapping[str, Any] | None = None,
        origin: Mapping[str, Any] | None = None,
    ) -> CustomerEvent:
        """Return the event that tells of the change which gave *customer* its present version, and why if *reason* says so.

        *document* is the one that the change was about, as it is stored, if it was about one; see `events.document`. *changes*
        is what was changed into what: see `services.changes`. Without an *origin* it comes from the request that is being
        answered, if there is one. It is sealed behind what the customer's chain ends with at present.
        """
        data = customer_data(customer.model_dump(), self.privacy)
        if document is not None:
            data["document"] = about_document(document, self.privacy)
        event = CustomerEvent(
            id=new_id(IdKind.EVENT),
            seller_id=customer.seller_id,
            customer_id=customer.id,
            type=type_,
            version=customer.version,
            actor=actor,
            changed=tuple(changed),
            occurred_at=customer.updated_at,
            data=data,
            trace=TRACEPARENT.get(),
            reason=reason,
            changes=changes or None,
            origin=origin_of_request() if origin is None else origin,
        )
        stored = stored_event(event)
        return replace(event, seal=self.chain.seal(customer.chain, facts_of(stored), contents_of(stored)))


def default_addresses(drafts: Sequence[AddressDraft]) -> list[bool]:
    """Return of each address of a new customer whether it is the default of its kind: the one asked for, else the first."""
    if len(drafts) == 1:
        return [True]
    defaults: dict[AddressKind, int] = {}
    for index, draft in enumerate(drafts):
        if draft.is_default or draft.kind not in defaults:
            defaults[draft.kind] = index
    return [defaults[draft.kind] == index for index, draft in enumerate(drafts)]


def derived_names(
    *,
    first_name: str | None,
    last_name: str | None,
    company: str | None,
    email: str | None,
    phone: str | None,
    external_id: str | None,
) -> dict[str, str | list[str]]:
    """Return the stored fields that follow from others: the name to show, to sort by, and the words to search."""
    full_name = " ".join(part for part in (first_name, last_name) if part) or company or email or phone or external_id or ""
    by_last_name = " ".join(part for part in (last_name, first_name) if part)
    return {
        "full_name": full_name,
        "sort_name": fold(by_last_name or full_name)[:_SORTED_LENGTH].rstrip(),
        "search_words": search_words(first_name, last_name, company, email, phone),
    }


def plain_number(number: str) -> str:
    """Return of a document number what tells it from others: its letters and digits."""
    return "".join(character for character in number.upper() if character.isalnum())


def last_digits(number: str) -> str:
    """Return what of a document number may be shown: its last four characters, and never more than half of it."""
    return number[len(number) - min(_LAST_DIGITS, len(number) // 2) :]


def moment_after(customer: Customer, now: datetime) -> datetime:
    """Return when a change of *customer* happens: now, but never before what happened to it last.

    Clocks of two machines differ; the order of one customer's events must not.
    """
    return max(now, customer.updated_at + timedelta(milliseconds=1))


def unique(values: Iterable[str]) -> list[str]:
    """Return the values once each, in order."""
    return list(dict.fromkeys(values))


def changed_fields(values: Iterable[str]) -> list[str]:
    """Return stored field names as the API spells them: ``first_name`` becomes ``firstName``."""
    return [_camel(field) for field in values]


@lru_cache(maxsize=256)
def _camel(field: str) -> str:
    head, *rest = field.split("_")
    return head + "".join(part.capitalize() for part in rest)
