"""What somebody sees who watches imports: the state now, then changes, never too many, never backwards."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, Iterable

from core.errors import NotFound
from core.tenancy import Reach, Tenant
from models.bulk_import import BulkImport
from repositories.unit_of_work import Repositories
from services.live import Live, Waiting

SHORTEST_PAUSE = 0.25
"""Seconds between two sights of the same import: at most four a second."""

LiveImports = Live[BulkImport]

LATEST: Waiting[BulkImport] = Waiting(key=lambda record: record.id, join=lambda _, newer: newer)
"""Only the latest state of an import is worth waiting for."""

MAX_UNFINISHED = 100
_REMEMBERED = 1000


async def watch_one(live: LiveImports, tenant: Reach, import_id: str) -> AsyncGenerator[BulkImport]:
    """Yield one import of *tenant*: as it is now, as it changes, and last, once, in its final state.

    Raises:
        NotFound: there is none.
    """
    imports = Repositories(tenant).bulk_imports

    def wanted(record: BulkImport) -> bool:
        return record.id == import_id and tenant.spans(record.seller_id)

    with live.watching(wanted, seller_id=_seller(tenant), key=import_id) as mailbox:
        await live.ready()
        # Read after the registration: what changes from here on is delivered.
        record = await imports.get(import_id)
        if record is None:
            raise NotFound("There is no import with this id.")
        yield record
        shown = record
        while not shown.status.final:
            await asyncio.sleep(SHORTEST_PAUSE)
            news, missed = await mailbox.take()
            if missed and (found := await imports.get(import_id)) is not None:
                news = [*news, found]
            latest = max(news, key=lambda one: one.version, default=shown)
            if latest.version > shown.version:
                shown = latest
                yield latest


async def watch_all(live: LiveImports, tenant: Reach) -> AsyncGenerator[BulkImport]:
    """Yield the unfinished imports of *tenant*, then every import that changes; it never ends by itself."""
    imports = Repositories(tenant).bulk_imports
    versions: OrderedDict[str, int] = OrderedDict()
    unfinished: set[str] = set()

    def unseen(records: Iterable[BulkImport]) -> list[BulkImport]:
        found = []
        for record in records:
            if record.version <= versions.get(record.id, 0):
                continue
            versions[record.id] = record.version
            versions.move_to_end(record.id)
            if len(versions) > _REMEMBERED:
                unfinished.discard(versions.popitem(last=False)[0])
            (unfinished.discard if record.status.final else unfinished.add)(record.id)
            found.append(record)
        return found

    with live.watching(lambda record: tenant.spans(record.seller_id), seller_id=_seller(tenant)) as mailbox:
        await live.ready()
        for record in unseen(reversed(await imports.unfinished(MAX_UNFINISHED))):
            yield record
        while True:
            await asyncio.sleep(SHORTEST_PAUSE)
            news, missed = await mailbox.take()
            if missed:
                # Those that ended unseen are asked for by id.
                ended = await imports.get_many(sorted(unfinished))
                news = [*news, *ended.values(), *await imports.unfinished(MAX_UNFINISHED)]
            for record in unseen(news):
                yield record


def _seller(tenant: Reach) -> str | None:
    return tenant.seller_id if isinstance(tenant, Tenant) else None
