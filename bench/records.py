"""Customers by the thousand or the million, stored as the service itself would store them.

One record of each kind is made by the service's own rules; every other one is that record with what differs put in, because
making a million through models would take longer than everything that is measured.
"""

import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from multiprocessing import get_context
from typing import Any

from pymongo import MongoClient

from core.drafts import AddressDraft, CustomerDraft, DocumentDraft
from core.ids import IdKind, derived_id
from core.sealing import Sealer
from core.vocabulary import AddressKind, CustomerKind, CustomerStatus, DocumentStatus, DocumentType, EventPrivacy
from infra.mongo import open_mongo
from models.address import Address
from models.customer import Customer
from models.document import Document
from services.records import RecordMaker, derived_names

START = datetime(2024, 1, 1, tzinfo=UTC)
_BATCH = 2_000
_FIRST = (
    *("Ada", "Ben", "Cora", "Dina", "Egon", "Fred", "Gina", "Hugo", "Ida", "Jan"),
    *("Kim", "Leo", "Mia", "Nils", "Olga", "Paul", "Rosa", "Sven", "Tina", "Uwe"),
)
_SYLLABLES = ["ba", "ke", "li", "mo", "nu", "ra", "se", "ti", "vo", "zu"]
_TAGS = ["vip"] * 2 + ["retail"] * 18
_STATUS = [CustomerStatus.SUSPENDED, CustomerStatus.PENDING, *[CustomerStatus.ACTIVE] * 18]

Stored = dict[str, Any]


@dataclass(frozen=True, slots=True)
class People:
    """What is to be stored: *count* customers of a seller, and whether addresses and a document belong to each.

    Of every twenty customers one is suspended and one pending, five are businesses, two are ``vip`` and one is called Ada; an
    e-mail address, a phone number, a reference, a document number and a ``wave`` tag of ten are rare at any count.
    """

    seller_id: str
    count: int
    with_belongings: bool = True
    first: int = 0


@dataclass(frozen=True, slots=True)
class _Made:
    """The records that all others are copies of, and what document numbers are found by."""

    customer: Stored
    address: Stored
    document: Stored
    maker: RecordMaker


def created(number: int) -> datetime:
    """Return when the customer with this number was made: a minute and a second after the one before."""
    return START + timedelta(seconds=number * 61, milliseconds=number * 7 % 1000)


def updated(number: int) -> datetime:
    """Return when the customer with this number last changed: up to ten days later, in no order."""
    return created(number) + timedelta(seconds=number * 7919 % 864_000)


def id_of(seller_id: str, number: int, kind: IdKind = IdKind.CUSTOMER, part: str = "") -> str:
    """Return the id of a seller's customer with this number, or of what belongs to it."""
    return derived_id(kind, created(number), seller_id, str(number), part)


def email_of(number: int) -> str:
    """Return the e-mail address of the customer with this number."""
    return f"customer{number}@shop{number % 97}.example"


def phone_of(number: int) -> str:
    """Return a phone number that is nobody else's."""
    return f"+49151{number:08d}"


def document_number_of(number: int) -> str:
    """Return the number of the passport of the customer with this number."""
    return f"C{number:08d}"


def first_name_of(number: int) -> str:
    """Return one of twenty given names."""
    return _FIRST[number % len(_FIRST)]


def last_name_of(number: int) -> str:
    """Return one of a thousand family names."""
    spread = number * 7919 % 1000
    return "".join(_SYLLABLES[int(digit)] for digit in f"{spread:03d}").capitalize()


def store(uri: str, database: str, master_key: str, everybody: Sequence[People], *, processes: int = 2) -> None:
    """Store *everybody* and then make the indexes, which is the faster order for many."""
    portions = [
        (uri, database, master_key, People(one.seller_id, min(share, one.count - start), one.with_belongings, start))
        for one in everybody
        for share in (max(_BATCH, -(-one.count // (4 * processes))),)
        for start in range(0, one.count, share)
    ]
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        for done in [pool.submit(_store_some, *portion) for portion in portions]:
            done.result()
    with MongoClient[Stored](uri) as client:
        for model in (Customer, Address, Document):
            client[database][model.Settings.name].create_indexes(model.Settings.indexes)


def _store_some(uri: str, database: str, master_key: str, people: People) -> None:
    made = asyncio.run(_made(uri, database, master_key))
    with MongoClient[Stored](uri, tz_aware=True, w=1) as client:
        opened = client[database]
        for begin in range(people.first, people.first + people.count, _BATCH):
            numbers = range(begin, min(begin + _BATCH, people.first + people.count))
            opened.customers.insert_many([_customer(made, people, number) for number in numbers], ordered=False)
            if people.with_belongings:
                owned = chain.from_iterable(_addresses(made, people.seller_id, number) for number in numbers)
                opened.addresses.insert_many(list(owned), ordered=False)
                opened.documents.insert_many([_document(made, people.seller_id, number) for number in numbers], ordered=False)


async def _made(uri: str, database: str, master_key: str) -> _Made:
    maker = RecordMaker(Sealer(master_key), EventPrivacy.MASKED)
    draft = CustomerDraft(
        external_id="0",
        email=email_of(0),
        phone=phone_of(0),
        first_name="Ada",
        last_name="Lovelace",
        locale="en-US",
        tags=("vip",),
        addresses=(
            AddressDraft(
                kind=AddressKind.SHIPPING,
                line1="1 Main Street",
                city="Mountain View",
                region="CA",
                postal_code="94043",
                country_code="US",
            ),
        ),
        documents=(DocumentDraft(type=DocumentType.PASSPORT, number=document_number_of(0), issuing_country="DE"),),
    )
    async with open_mongo(uri, database):  # a model can be made only once Beanie knows it
        records = maker.new_customer(draft, seller_id="", at=START)
    plain = [record.model_dump(exclude_none=True, exclude={"id", "revision_id"}) for record in
             (records.customer, *records.addresses, *records.documents)]  # fmt: skip
    customer, address, document = plain
    return _Made(customer, address, document, maker)


def _customer(made: _Made, people: People, number: int) -> Stored:
    first_name, last_name = first_name_of(number), last_name_of(number)
    email, phone, at = email_of(number), phone_of(number), created(number)
    names = derived_names(first_name=first_name, last_name=last_name, company=None, email=email, phone=None, external_id=None)
    # The words of a phone number cost more than all others together; a test of the rules says what they are.
    words = [*names.pop("search_words"), phone[1:], phone[3:]]
    keys = [made.maker.number_key(document_number_of(number), seller_id=people.seller_id)]
    return {
        **made.customer,
        **names,
        "_id": id_of(people.seller_id, number),
        "seller_id": people.seller_id,
        "external_id": f"ref-{number}",
        "kind": CustomerKind.BUSINESS if number // 20 % 4 == 0 else CustomerKind.INDIVIDUAL,
        "status": _STATUS[number * 7 % 20],
        "email": email,
        "phone": phone,
        "first_name": first_name,
        "last_name": last_name,
        "tags": [_TAGS[number * 3 % 20], f"wave-{number // 10}"],
        "search_words": words,
        "document_keys": keys,
        "created_at": at,
        "updated_at": updated(number),
    }


def _addresses(made: _Made, seller_id: str, number: int) -> Iterator[Stored]:
    at = created(number)
    for kind in AddressKind:
        yield {
            **made.address,
            "_id": id_of(seller_id, number, IdKind.ADDRESS, kind.value),
            "seller_id": seller_id,
            "customer_id": id_of(seller_id, number),
            "kind": kind,
            "line1": f"{number % 999 + 1} Main Street",
            "created_at": at,
            "updated_at": at,
        }


def _document(made: _Made, seller_id: str, number: int) -> Stored:
    plain, at = document_number_of(number), created(number)
    return {
        **made.document,
        "_id": id_of(seller_id, number, IdKind.DOCUMENT),
        "seller_id": seller_id,
        "customer_id": id_of(seller_id, number),
        "status": DocumentStatus.VERIFIED if number % 3 else DocumentStatus.AWAITING_UPLOAD,
        "number_last_four": plain[-4:],
        "number_key": made.maker.number_key(plain, seller_id=seller_id),
        "created_at": at,
        "updated_at": at,
    }
