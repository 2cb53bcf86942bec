"""What may have been kept for long enough, of one tenant: page by page off an index, however much there is of it."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from pymongo import ASCENDING
from pymongo.asynchronous.client_session import AsyncClientSession

from core.paging import PageRequest, Position
from core.tenancy import Reach
from core.vocabulary import BulkImportStatus, DocumentStatus, PrincipalKind
from models.bulk_import import BulkImport, ImportRowOutcome
from models.customer import Customer
from models.customer_event import CustomerEvent
from models.document import Document
from models.row import Row
from models.session import Session
from repositories.base import LiveRepository, Repository, change_update

JUDGED_BY = frozenset(
    {"created_at", "updated_at", "signed_in_at", "retention_flagged_at", "retention_due_at", "erasure_due_at", "legal_hold_at"}
)
"""What of a customer tells whether it may be inactive."""

ACTS = "^(customer|service):"
"""The actors whose changes show that a customer is in use: itself, and programs of sales and orders."""

_ROWS_AT_ONCE = 1_000

# In this order, for the index of what can still change.
_UNFINISHED = [status.value for status in BulkImportStatus if not status.final]


class _Customers(LiveRepository[Customer]):
    model = Customer
    customer_field = "_id"

    async def created_before(self, seller_id: str, moment: datetime, after: Position | None, limit: int) -> list[Row[Customer]]:
        request = PageRequest(size=limit, backward=False, after=after, before=None)
        conditions = {"seller_id": seller_id, "created_at": {"$lt": moment}}
        page = await self.page(conditions, request, field="created_at", descending=False, fields=JUDGED_BY)
        return list(page.items)

    async def flagged(self, seller_id: str, after: Position | None, limit: int) -> list[Row[Customer]]:
        request = PageRequest(size=limit, backward=False, after=after, before=None)
        conditions = {"seller_id": seller_id, "retention_due_at": {"$exists": True}}
        page = await self.page(conditions, request, field="retention_due_at", descending=False, fields=JUDGED_BY)
        return list(page.items)

    async def signed_in(self, customer_id: str, at: datetime) -> None:
        await self._change_many({"_id": customer_id}, {"$max": {"signed_in_at": at}})


class _AllCustomers(Repository[Customer]):
    model = Customer
    customer_field = "_id"

    async def change(self, customer: Customer, at: datetime, values: Mapping[str, object]) -> Customer | None:
        return await self._change_one({"_id": customer.id, "version": customer.version}, change_update(at, values))

    async def into(self, seller_id: str, ids: Collection[str]) -> list[Customer]:
        return await self._find({"seller_id": seller_id, "merged_into": {"$in": list(ids)}})


class _Events(Repository[CustomerEvent]):
    model = CustomerEvent

    async def acts(self, seller_id: str, ids: Collection[str], since: datetime) -> Iterable[tuple[str, datetime]]:
        conditions = {
            "seller_id": seller_id,
            "customer_id": {"$in": list(ids)},
            "actor": {"$regex": ACTS},
            "occurred_at": {"$gte": since},
        }
        return [(one.customer_id, one.occurred_at) for one in await self._find(conditions)]


class _Sessions(Repository[Session]):
    model = Session
    customer_field = "subject"

    async def uses(self, seller_id: str, ids: Collection[str], since: datetime) -> Iterable[tuple[str, datetime]]:
        conditions = {
            "seller_id": seller_id,
            "subject": {"$in": list(ids)},
            "kind": PrincipalKind.CUSTOMER.value,
            "last_seen_at": {"$gte": since},
        }
        # Asked one after the other: the indexes are partial, and no index holds both.
        return [
            (one.subject, one.last_seen_at) for live in (True, False) for one in await self._find({**conditions, "live": live})
        ]


class _Documents(LiveRepository[Document]):
    model = Document

    async def with_file(
        self, seller_id: str, status: DocumentStatus, moment: datetime, after: Position | None, limit: int
    ) -> list[Document]:
        request = PageRequest(size=limit, backward=False, after=after, before=None)
        conditions = {
            "seller_id": seller_id,
            "status": status.value,
            "updated_at": {"$lt": moment},
            # Word for word what the index is limited to, so that the planner sees that it may use it.
            "file.key": {"$gt": ""},
        }
        page = await self.page(conditions, request, field="updated_at", descending=False)
        return [row.record for row in page.items]


class _Imports(LiveRepository[BulkImport]):
    model = BulkImport

    async def ended_before(self, seller_id: str, moment: datetime, after: Position | None, limit: int) -> list[BulkImport]:
        request = PageRequest(size=limit, backward=False, after=after, before=None)
        conditions = {"seller_id": seller_id, "finished_at": {"$lt": moment}}
        page = await self.page(conditions, request, field="finished_at", descending=False)
        return [row.record for row in page.items]

    async def read_from(self, seller_id: str, keys: Collection[str]) -> bool:
        conditions = {"seller_id": seller_id, "status": {"$in": _UNFINISHED}, "source.key": {"$in": list(keys)}}
        return await self._find_one(conditions) is not None

    async def withdraw(self, record: BulkImport, at: datetime) -> BulkImport | None:
        gone = dict.fromkeys(("error_report_key", "masked_report_key", "result_report_key"))
        return await self._change_one({"_id": record.id, "version": record.version}, change_update(at, gone))

    async def mark(self, record: BulkImport, at: datetime) -> bool:
        done = change_update(at, {"content_removed_at": at})
        return await self._change_one({"_id": record.id, "version": record.version}, done) is not None


class _Outcomes(Repository[ImportRowOutcome]):
    model = ImportRowOutcome

    async def remove_some(self, import_id: str) -> int:
        conditions = {"import_id": import_id}
        with self._guard():
            cursor = self._collection.find(self._inside(conditions), {"_id": 1}, session=self._session)
            found = await cursor.sort("row", ASCENDING).limit(_ROWS_AT_ONCE).to_list()
            ids: list[Any] = [one["_id"] for one in found]
            await self._collection.delete_many(self._inside({"_id": {"$in": ids}}), session=self._session)
        return len(ids)


class Retained:
    """What one tenant's rules of retention look at."""

    def __init__(self, tenant: Reach, session: AsyncClientSession | None = None) -> None:
        self._customers = _Customers(tenant, session)
        self._all_customers = _AllCustomers(tenant, session)
        self._events = _Events(tenant, session)
        self._sessions = _Sessions(tenant, session)
        self._documents = _Documents(tenant, session)
        self._imports = _Imports(tenant, session)
        self._outcomes = _Outcomes(tenant, session)

    async def created_before(self, seller_id: str, moment: datetime, after: Position | None, limit: int) -> list[Row[Customer]]:
        """Return customers that were created before *moment*, the oldest first, with the fields `JUDGED_BY`."""
        return await self._customers.created_before(seller_id, moment, after, limit)

    async def flagged(self, seller_id: str, after: Position | None, limit: int) -> list[Row[Customer]]:
        """Return customers that are flagged, the soonest due first, with the fields `JUDGED_BY`."""
        return await self._customers.flagged(seller_id, after, limit)

    async def last_acts(
        self, seller_id: str, changed: Collection[str], seen: Collection[str], since: datetime
    ) -> dict[str, datetime]:
        """Return who was active *since* then, and when last.

        Of the customers *changed* by what they, or programs, changed of them; of those *seen* by their sessions.
        """
        last: dict[str, datetime] = {}
        acts = await self._events.acts(seller_id, changed, since) if changed else ()
        uses = await self._sessions.uses(seller_id, seen, since) if seen else ()
        for customer_id, at in (*acts, *uses):
            last[customer_id] = max(at, last.get(customer_id, at))
        return last

    async def merged_into(self, seller_id: str, ids: Collection[str]) -> dict[str, tuple[str, datetime | None]]:
        """Return everybody who was merged into one of these customers, or into those: into whom, and the last sign-in."""
        found: dict[str, tuple[str, datetime | None]] = {}
        into = {id_: id_ for id_ in ids}
        while into:
            earlier = await self._all_customers.into(seller_id, into)
            into = {one.id: into[str(one.merged_into)] for one in earlier if one.id not in found}
            found |= {one.id: (into[one.id], one.signed_in_at) for one in earlier if one.id in into}
        return found

    async def change(self, customer: Customer, at: datetime, values: Mapping[str, object]) -> Customer | None:
        """Change a customer, live or deleted, as `LiveRepository.change` does live ones. None: somebody was faster."""
        return await self._all_customers.change(customer, at, values)

    async def signed_in(self, customer_id: str, at: datetime) -> None:
        """Note that a customer has signed in. No change that others are told of: its version stays."""
        await self._customers.signed_in(customer_id, at)

    async def files(
        self, seller_id: str, status: DocumentStatus, moment: datetime, after: Position | None, limit: int
    ) -> list[Document]:
        """Return documents that have a file, and have been as they are, in this state, since before *moment*; oldest first."""
        return await self._documents.with_file(seller_id, status, moment, after, limit)

    async def imports(self, seller_id: str, moment: datetime, after: Position | None, limit: int) -> list[BulkImport]:
        """Return imports that ended before *moment*, the oldest first, those that have nothing left included."""
        return await self._imports.ended_before(seller_id, moment, after, limit)

    async def is_read(self, record: BulkImport) -> bool:
        """Say whether an import that is not over reads a file of this one: whoever retries imports the report of errors."""
        keys = [key for key in (record.source.key, record.error_report_key) if key is not None]
        return await self._imports.read_from(record.seller_id, keys)

    async def withdraw_reports(self, record: BulkImport, at: datetime) -> BulkImport | None:
        """Let an import name its reports no more. None: somebody was faster."""
        return await self._imports.withdraw(record, at)

    async def remove_rows(self, import_id: str) -> bool:
        """Remove a thousand of the refused rows of an import, and of the remarks about rows; say whether there were any."""
        return await self._outcomes.remove_some(import_id) > 0

    async def mark_removed(self, record: BulkImport, at: datetime) -> bool:
        """Note that nothing is left of an import but its figures. False: somebody was faster."""
        return await self._imports.mark(record, at)
