"""No query scans, and lists that an index can order are ordered by it. Asked of a real planner, query by query."""

from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from typing import Any

import pytest
import pytest_asyncio

from core.clock import SystemClock
from core.filters import AddressFilter, CustomerFilter, CustomerSort, DocumentFilter, TimeRange
from core.ids import IdKind, new_id
from core.paging import PageRequest, Position
from core.tenancy import EverySeller, Reach, Tenant
from core.vocabulary import (
    AddressKind,
    BulkImportStatus,
    CustomerEventType,
    CustomerKind,
    CustomerStatus,
    DocumentStatus,
    DocumentType,
    Severity,
)
from models.customer import sort_value
from repositories import customer
from repositories.audit import KINDS, AuditRecords, Sealed
from repositories.customer_event import MongoOutbox
from repositories.duplicate import MOST_FOUND, DuplicateCandidates
from repositories.event_replay import RecordedEvents, Stretch
from repositories.file_scan import LONGEST_DUE, OLDEST, WITH_FILES, Order
from repositories.key_ranges import KEY_RANGES
from repositories.unit_of_work import Repositories
from services.records import CustomerRecords
from tests.repositories.plans import Asked, Database, Plan, tell_beanie
from tests.repositories.records import START, crowd, store

SELLER, OTHER, SIZE = "planned", "planned-too", 300
MINE = Tenant(SELLER)
FIRST = PageRequest(size=20, backward=False, after=None, before=None)
LAST = PageRequest(size=20, backward=True, after=None, before=None)
SOME_TIME = TimeRange(start=START + timedelta(minutes=10), end=START + timedelta(minutes=200))
ORDER = {"CREATED_AT": "listed_by_created_at", "UPDATED_AT": "listed_by_updated_at", "NAME": "listed_by_name"}
IN_ORDER = {"FETCH", "IXSCAN", "LIMIT"}
MERGED = {"SORT_MERGE", "SUBPLAN"}
"""Names come from several lists, each in order."""
EVERY_SORT = pytest.mark.parametrize("sort", CustomerSort)

Query = Callable[[Repositories, CustomerRecords], Awaitable[Any]]
Explained = Callable[..., Awaitable[Plan]]


@pytest_asyncio.fixture(name="people", scope="session")
async def _people(indexed: Database) -> list[CustomerRecords]:
    """Two sellers of equal size, so that a plan for one that reads the other's records is a bad one."""
    # Made before `database` is: whoever ran before has told Beanie about another one.
    await tell_beanie(indexed)
    for seller_id in (OTHER, SELLER):
        people = crowd(seller_id, SIZE)
        await store(Repositories(Tenant(seller_id)), people)
        await Repositories(Tenant(seller_id)).accesses.insert_stored([access(one) for one in people])
    return people


def access(one: CustomerRecords) -> dict[str, Any]:
    """Return the record of an access to a customer's document."""
    reads = [{"document_id": document.id, "part": "NUMBER"} for document in one.documents]
    owned = {"seller_id": one.customer.seller_id, "customer_id": one.customer.id, "number": 1, "version": 1}
    return {"_id": new_id(IdKind.ACCESS), **owned, "actor": "operator:ada", "occurred_at": START, "reads": reads}


@pytest.fixture(name="explained")
def _explained(database: Database, asked: Asked, people: list[CustomerRecords]) -> Explained:
    async def explained(query: Query, tenant: Tenant = MINE) -> Plan:
        asked.forget()
        await query(Repositories(tenant), people[100])
        *_, plan = await asked.plans(database)
        return plan

    return explained


@pytest.fixture(name="many")
def _many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever more than ten have is had by many, as with a million customers."""
    monkeypatch.setattr(customer, "FEW", 10)


def customers(chosen: CustomerFilter, sort: CustomerSort, request: PageRequest = FIRST, *, document: bool = False) -> Query:
    def query(repositories: Repositories, one: CustomerRecords) -> Awaitable[Any]:
        keys = one.customer.document_keys if document else None
        return repositories.customers.list(chosen, sort, request, document_keys=keys)

    return query


@EVERY_SORT
@pytest.mark.parametrize("where", ["first", "after", "last", "before", "between"])
async def test_every_order_of_customers_is_an_indexs(
    explained: Explained, people: list[CustomerRecords], sort: CustomerSort, where: str
) -> None:
    """
    A page of 20 in the middle of a list costs what one at its start does.
    """
    low, high = (Position(sort_value(sort, people[number].customer), people[number].customer.id) for number in (50, 250))
    start, end = (high, low) if sort.value.endswith("DESC") else (low, high)
    request = PageRequest(
        size=20,
        backward=where in {"last", "before"},
        after=start if where in {"after", "between"} else None,
        before=end if where in {"before", "between"} else None,
    )

    plan = await explained(customers(CustomerFilter(), sort, request))

    assert {ORDER[sort.value.rpartition("_")[0]]} == plan.indexes
    assert IN_ORDER == plan.stages - MERGED
    # Size, one more to see whether there is more, the place itself, and of names the first of every status and kind.
    assert 31 >= plan.keys
    assert 25 >= plan.documents


@EVERY_SORT
@pytest.mark.parametrize(
    ("chosen", "index"),
    [
        (CustomerFilter(email="x1@y.example"), "unique_email"),
        (CustomerFilter(phone="+442079400001"), "unique_phone"),
        (CustomerFilter(external_id="1"), "unique_external_id"),
        (CustomerFilter(), "unique_document_keys"),
    ],
    ids=["email", "phone", "external id", "document number"],
)
async def test_identifiers_are_looked_up(explained: Explained, chosen: CustomerFilter, index: str, sort: CustomerSort) -> None:
    """
    The one record that is left is "sorted" in memory, which costs nothing.
    """
    plan = await explained(customers(chosen, sort, document=index == "unique_document_keys"))

    assert {index} == plan.indexes
    assert (1, 1, 1) == (plan.keys, plan.documents, plan.returned)


@EVERY_SORT
@pytest.mark.usefixtures("many")
@pytest.mark.parametrize(
    "chosen",
    [
        CustomerFilter(kind=CustomerKind.BUSINESS),
        CustomerFilter(status=[CustomerStatus.ACTIVE, CustomerStatus.PENDING]),
        CustomerFilter(tags=["vip"]),
        CustomerFilter(created_at=SOME_TIME),
        CustomerFilter(updated_at=SOME_TIME),
    ],
    ids=["kind", "status", "tag", "created", "updated"],
)
@pytest.mark.parametrize("request_", [FIRST, LAST], ids=["first", "last"])
async def test_conditions_leave_the_order_to_an_index(
    explained: Explained, chosen: CustomerFilter, sort: CustomerSort, request_: PageRequest
) -> None:
    plan = await explained(customers(chosen, sort, request_))

    assert IN_ORDER == plan.stages - MERGED
    assert SIZE >= plan.documents  # one seller's, at worst


@EVERY_SORT
@pytest.mark.usefixtures("many")
@pytest.mark.parametrize(
    "chosen",
    [CustomerFilter(search="n1"), CustomerFilter(search="n")],
    ids=["a word", "a letter"],
)
async def test_a_search_reads_what_begins_with_its_words_or_walks_the_order(
    explained: Explained, chosen: CustomerFilter, sort: CustomerSort
) -> None:
    """
    A range of words cannot come in the order of a date or a name: whichever is cheaper, the planner sorts what it found
    in memory or walks the order and keeps what fits.
    """
    plan = await explained(customers(chosen, sort))

    assert "COLLSCAN" not in plan.stages
    assert plan.indexes <= {"listed_by_search_words", ORDER[sort.value.rpartition("_")[0]]}
    assert "listed_by_search_words" in plan.indexes or "SORT" not in plan.stages
    assert SIZE >= plan.documents


@EVERY_SORT
@pytest.mark.parametrize(
    ("chosen", "rarest", "index"),
    [
        (CustomerFilter(tags=["vip", "late"]), 100, "listed_by_tags"),
        (CustomerFilter(search="l1 n100"), 1, "listed_by_search_words"),
        (CustomerFilter(tags=["vip"], search="n100"), 1, "listed_by_search_words"),
        (CustomerFilter(search="l1 nobody"), 0, "listed_by_search_words"),
    ],
    ids=["two tags", "two words", "a tag and a word", "nobody"],
)
async def test_of_several_tags_and_words_the_rarest_is_read_and_nothing_else(
    database: Database,
    asked: Asked,
    people: list[CustomerRecords],
    chosen: CustomerFilter,
    rarest: int,
    index: str,
    sort: CustomerSort,
) -> None:
    """
    Which one that is, is counted up to a thousand; whatever is a million customers' costs no more.
    """
    asked.forget()
    await customers(chosen, sort)(Repositories(MINE), people[100])

    *looks, answer = await asked.plans(database)

    assert {index} == answer.indexes
    assert (rarest, rarest) == (answer.keys, answer.documents)
    assert set() == {stage for look in looks for stage in look.stages} & {"COLLSCAN", "SORT"}
    assert {"listed_by_tags", "listed_by_search_words"} >= {index for look in looks for index in look.indexes}


async def test_tags_that_are_everybodys_are_left_to_the_planner(
    database: Database, asked: Asked, people: list[CustomerRecords], many: None
) -> None:
    asked.forget()

    page = await customers(CustomerFilter(tags=["vip", "early"]), CustomerSort.NAME_ASC)(Repositories(MINE), people[100])

    assert 20 == len(page.items)
    *_, answer = await asked.plans(database)
    assert not answer.indexes & {"listed_by_tags", "listed_by_search_words"}


@EVERY_SORT
async def test_a_list_of_ids_reads_these_or_walks_the_order(
    explained: Explained, people: list[CustomerRecords], sort: CustomerSort
) -> None:
    chosen = CustomerFilter(ids=[one.customer.id for one in people[:30]])

    plan = await explained(customers(chosen, sort))

    assert plan.indexes <= {"_id_", ORDER[sort.value.rpartition("_")[0]]}
    assert "_id_" in plan.indexes or "SORT" not in plan.stages
    assert SIZE >= plan.documents


@pytest.mark.parametrize(
    "chosen",
    [
        AddressFilter(),
        AddressFilter(kind=AddressKind.BILLING),
        AddressFilter(country_code="US"),
        AddressFilter(postal_code="02134"),
        AddressFilter(is_default=True),
    ],
    ids=["all", "kind", "country", "postal code", "default"],
)
@pytest.mark.parametrize("request_", [FIRST, LAST], ids=["first", "last"])
async def test_addresses_come_in_the_order_of_an_index(
    explained: Explained, chosen: AddressFilter, request_: PageRequest
) -> None:
    plan = await explained(lambda repositories, _: repositories.addresses.list(chosen, request_))

    assert {"by_created_at"} == plan.indexes
    assert {"FETCH", "IXSCAN", "LIMIT"} == plan.stages


@pytest.mark.parametrize(
    "chosen",
    [
        DocumentFilter(),
        DocumentFilter(type=DocumentType.PASSPORT),
        DocumentFilter(status=DocumentStatus.VERIFIED),
        DocumentFilter(expires_before="2031-01-01"),
    ],
    ids=["all", "type", "status", "expiry"],
)
@pytest.mark.parametrize("request_", [FIRST, LAST], ids=["first", "last"])
async def test_documents_come_in_the_order_of_an_index(
    explained: Explained, chosen: DocumentFilter, request_: PageRequest
) -> None:
    plan = await explained(lambda repositories, _: repositories.documents.list(chosen, request_))

    assert {"by_created_at"} == plan.indexes
    assert {"FETCH", "IXSCAN", "LIMIT"} == plan.stages


async def test_documents_that_are_due_are_read_off_an_index(explained: Explained) -> None:
    """
    Of all sellers at once, the longest over first, and no further than the batch goes; those that have expired are not in it.
    """
    expired = [document for one in crowd("planned-expired", 20) for document in one.documents]
    for document in expired:
        document.status, document.expires_on = DocumentStatus.EXPIRED, "2020-01-01"
    await Repositories(Tenant("planned-expired")).documents.insert_many(expired)

    plan = await explained(lambda repositories, _: repositories.documents.due(date(2030, 1, 2), 10), EverySeller("test"))
    nothing = await explained(lambda repositories, _: repositories.documents.due(date(2030, 1, 1), 10), EverySeller("test"))

    assert {"by_expiry"} == plan.indexes == nothing.indexes
    assert {"FETCH", "IXSCAN", "LIMIT"} == plan.stages
    assert (10, 10, 10) == (plan.keys, plan.documents, plan.returned)
    assert (0, 0) == (nothing.documents, nothing.returned)


async def test_whom_to_remind_is_read_off_an_index_and_whoever_was_reminded_is_not_read(
    database: Database, asked: Asked, people: list[CustomerRecords]
) -> None:
    reminded = [document for one in crowd("planned-reminded", 20) for document in one.documents]
    for number, document in enumerate(reminded):
        document.expires_on, document.reminded = "2031-05-05", "2031-05-05/7" if number else None
    await Repositories(Tenant("planned-reminded")).documents.insert_many(reminded)
    asked.forget()

    found = await Repositories(EverySeller("test")).documents.unreminded({"2031-05-05": "2031-05-05/7", "2031-05-06": "x"}, 10)

    due, nobody = await asked.plans(database)
    assert [reminded[0].id] == [document.id for document in found]
    assert {"by_reminder"} == due.indexes
    assert (1, 1) == (due.documents, due.returned)
    assert (0, 0) == (nobody.documents, nobody.returned)


@pytest.mark.parametrize(
    ("due", "order"), [({"$lte": START}, LONGEST_DUE), (None, OLDEST)], ids=["uploaded", "of an earlier version"]
)
async def test_the_next_file_to_scan_is_the_first_of_an_index(
    database: Database, asked: Asked, people: list[CustomerRecords], due: object, order: Order
) -> None:
    """
    Taken by find-and-modify, which is explained here as the search that it begins with.
    """
    conditions = {**WITH_FILES, "file.scan.verdict": None, "file.scan.due_at": due}

    plan = await asked._explained(database, {"find": "documents", "filter": conditions, "sort": dict(order), "limit": 1})

    assert {"by_scan"} == plan.indexes
    assert plan.stages <= {"FETCH", "IXSCAN", "LIMIT", "SORT_MERGE"}


async def test_what_belongs_to_one_customer_is_few_and_sorted_in_memory(explained: Explained) -> None:
    addresses = await explained(
        lambda repositories, one: repositories.addresses.list(AddressFilter(customer_id=one.customer.id), FIRST)
    )
    documents = await explained(
        lambda repositories, one: repositories.documents.list(DocumentFilter(customer_id=one.customer.id), FIRST)
    )

    assert {"by_customer"} == addresses.indexes == documents.indexes
    assert (2, 1) == (addresses.documents, documents.documents)


QUERIES: dict[str, tuple[Query, str, int]] = {
    "a customer": (lambda all_, one: all_.customers.get(one.customer.id), "_id_", 1),
    "some customers": (lambda all_, one: all_.customers.get_many([one.customer.id, "cus_none"]), "_id_", 1),
    "addresses of customers": (lambda all_, one: all_.addresses.of_customers([(SELLER, one.customer.id)]), "by_customer", 2),
    "documents of customers": (lambda all_, one: all_.documents.of_customers([(SELLER, one.customer.id)]), "by_customer", 1),
    "addresses of a customer": (lambda all_, one: all_.addresses.of_customer(SELLER, one.customer.id), "by_customer", 2),
    "documents of a customer": (lambda all_, one: all_.documents.of_customer(SELLER, one.customer.id), "by_customer", 1),
    "history": (lambda all_, one: all_.events.history(SELLER, one.customer.id, FIRST), "unique_version", 1),
    "history, further": (
        lambda all_, one: all_.events.history(
            SELLER, one.customer.id, PageRequest(size=20, backward=False, after=Position(2, "evt_1"), before=None)
        ),
        "unique_version",
        1,
    ),
    "accesses": (lambda all_, one: all_.accesses.before(SELLER, one.customer.id, {}, 21), "unique_number", 1),
    "accesses, further": (
        lambda all_, one: all_.accesses.before(SELLER, one.customer.id, {"version": {"$lte": 1}, "number": {"$lt": 5}}, 21),
        "unique_number",
        1,
    ),
}


@pytest.mark.parametrize(("query", "index", "documents"), QUERIES.values(), ids=QUERIES)
@pytest.mark.parametrize("tenant", [Tenant(SELLER), EverySeller("test")], ids=["a seller", "all sellers"])
async def test_look_ups_read_what_they_return(
    explained: Explained, tenant: Reach, query: Query, index: str, documents: int
) -> None:
    """
    Also for a service, whose tenant names no seller.
    """
    plan = await explained(query, tenant)

    assert {index} == plan.indexes
    assert set() == plan.stages & {"COLLSCAN", "SORT"}
    assert (documents, documents) == (plan.documents, plan.returned)


@pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])
async def test_chains_are_read_in_the_order_of_their_index(
    explained: Explained, kind: Sealed, people: list[CustomerRecords]
) -> None:
    some = [{"_id": one.customer.id, "seller_id": one.customer.seller_id} for one in people[:50]]

    async def records() -> list[Any]:
        return [one async for one in AuditRecords().records(kind, some)]

    async def owners() -> list[Any]:
        return [one async for one in AuditRecords().owners(kind, None)]

    read, every = await explained(lambda *_: records()), await explained(lambda *_: owners())

    assert {kind.index} == read.indexes == every.indexes
    assert set() == (read.stages | every.stages) & {"COLLSCAN", "SORT"}
    assert 50 == read.documents


@pytest.mark.parametrize("field", ["email", "phone", "external_id", "document_keys"])
async def test_a_customer_is_found_by_what_it_holds_alone(explained: Explained, field: str) -> None:
    def query(repositories: Repositories, one: CustomerRecords) -> Awaitable[Any]:
        held = getattr(one.customer, field)
        return repositories.customers.find(field, held if isinstance(held, list) else [held])

    plan = await explained(query)

    assert {f"unique_{field}"} == plan.indexes
    assert (1, 1, 1) == (plan.keys, plan.documents, plan.returned)


async def test_holders_use_one_index_per_identifier(explained: Explained, people: list[CustomerRecords]) -> None:
    wanted = {
        "email": ["x1@y.example", "x2@y.example", "nobody@y.example"],
        "phone": ["+442079400003"],
        "external_id": ["4", "5"],
        "document_keys": people[6].customer.document_keys,
    }

    plan = await explained(lambda repositories, _: repositories.customers.holders(wanted))

    assert {f"unique_{field}" for field in wanted} == plan.indexes
    assert 6 == plan.returned
    assert set() == plan.stages & {"COLLSCAN", "SORT"}


@pytest.mark.parametrize("status", [None, BulkImportStatus.QUEUED])
async def test_imports_come_in_the_order_of_an_index(explained: Explained, status: BulkImportStatus | None) -> None:
    plan = await explained(lambda repositories, _: repositories.bulk_imports.list(status, FIRST))

    assert {"by_created_at"} == plan.indexes
    assert "SORT" not in plan.stages


IMPORT_QUERIES: dict[str, tuple[Query, str]] = {
    "segments": (lambda all_, _: all_.bulk_imports.segments.of_import("imp_1"), "unique_number"),
    "outcomes": (lambda all_, _: all_.bulk_imports.outcomes.of_import("imp_1", limit=9), "unique_row"),
    "errors": (lambda all_, _: all_.bulk_imports.outcomes.of_import("imp_1", severity=Severity.ERROR, limit=9), "unique_row"),
    "claims": (lambda all_, _: all_.bulk_imports.keys.claimed("imp_1", [("email", "x")]), "_id_"),
}


@pytest.mark.parametrize(("query", "index"), IMPORT_QUERIES.values(), ids=IMPORT_QUERIES)
@pytest.mark.parametrize("tenant", [Tenant(SELLER), EverySeller("test")], ids=["a seller", "all sellers"])
async def test_what_belongs_to_an_import_is_found_by_it(explained: Explained, tenant: Reach, query: Query, index: str) -> None:
    plan = await explained(query, tenant)

    assert {index} == plan.indexes
    assert set() == plan.stages & {"COLLSCAN", "SORT"}


async def test_the_outbox_is_read_in_the_order_of_its_index(explained: Explained) -> None:
    outbox = MongoOutbox(SystemClock(), holder="planner")

    pending = await explained(lambda *_: outbox.pending(50))
    backlog = await explained(lambda *_: outbox.backlog())

    oldest = await explained(lambda *_: outbox.oldest())

    assert {"pending_by_key_range"} == pending.indexes == backlog.indexes == oldest.indexes
    assert set() == (pending.stages | backlog.stages | oldest.stages) & {"COLLSCAN", "SORT"}
    # One of each range is looked at beyond those that are returned.
    assert 1 + KEY_RANGES >= oldest.documents
    assert 50 + KEY_RANGES >= pending.documents


@pytest.mark.parametrize("beyond", [False, True], ids=["first", "after"])
async def test_what_is_published_again_is_read_in_the_order_of_its_index(
    explained: Explained, people: list[CustomerRecords], beyond: bool
) -> None:
    outbox, recorded = MongoOutbox(SystemClock(), holder="planner"), RecordedEvents()
    pending = await outbox.pending(200)
    await outbox.mark_published([event.id for event in pending])
    stretch = Stretch(since=START - timedelta(days=1), until=SystemClock().now(), types=frozenset(CustomerEventType))
    after = (pending[100].occurred_at, pending[100].id) if beyond else None

    plan = await explained(lambda *_: recorded.next(stretch, after, 50))

    assert {"published"} == plan.indexes
    assert {"FETCH", "IXSCAN", "LIMIT"} == plan.stages
    assert 55 >= plan.documents


@pytest.mark.parametrize("chosen", [CustomerFilter(), CustomerFilter(search="n1"), CustomerFilter(tags=["late"])], ids=str)
async def test_counting_stays_with_one_seller(explained: Explained, chosen: CustomerFilter) -> None:
    plan = await explained(lambda repositories, _: repositories.customers.count(chosen, document_keys=None))

    assert "COLLSCAN" not in plan.stages
    assert SIZE >= plan.documents


async def test_duplicates_are_looked_for_in_a_few_places_of_indexes(
    asked: Asked, database: Database, people: list[CustomerRecords]
) -> None:
    """
    However many there are of one name: each scan ends after what it was asked for, and reads nothing of another seller.
    """
    one = people[100].customer
    asked.forget()

    near = await DuplicateCandidates(MINE).near(
        SELLER, names=[one.sort_name, "a", "zzz"], words=["x1", str(one.email)], phones=[str(one.phone), "+491"]
    )

    plans = await asked.plans(database)
    assert one.id in [row["_id"] for row in near]
    assert MOST_FOUND >= len(near)
    used = Counter(name for plan in plans for name in plan.indexes)
    assert {"listed_by_name": 6, "listed_by_search_words": 1, "unique_phone": 1} == used
    assert all("SORT" not in plan.stages for plan in plans)
    assert [True] * 8 == [plan.keys <= 33 and plan.documents <= 30 for plan in plans]


async def test_who_was_merged_away_is_found_by_indexes(asked: Asked, database: Database, people: list[CustomerRecords]) -> None:
    into, customers = people[8].customer, database["customers"]
    one = await customers.find_one({"_id": people[7].customer.id}) or {}
    merged = {"live": False, "merged_into": into.id, "deleted_at": START}
    others = [
        {**one, **merged, "_id": new_id(IdKind.CUSTOMER), "merged_into": f"x{n}", "external_id": f"y{n}"} for n in range(50)
    ]
    away = {**one, **merged, "_id": new_id(IdKind.CUSTOMER), "external_id": "retired"}
    await customers.insert_many([*others, away])
    retired = Repositories(MINE).retired
    asked.forget()

    assert {away["_id"]: into.id} == await retired.survivors([away["_id"], into.id])
    assert {"retired": away["_id"]} == await retired.with_external_ids(["retired", "x"])
    assert {(SELLER, into.id): [away["_id"]]} == await retired.merged_into([(SELLER, into.id)])

    plans = await asked.plans(database)
    await customers.delete_many({"_id": {"$in": [away["_id"], *(each["_id"] for each in others)]}})
    assert [{"_id_"}, {"_id_"}, {"merged_external_id"}, {"by_merged_into"}, {"by_merged_into"}] == [
        plan.indexes for plan in plans
    ]
    assert [True] * 5 == [plan.documents <= 2 for plan in plans]
