"""Which rows have to wait: those that may share an identifier with an earlier segment, or with a row that waits.

For that each segment has a digest, found out once and kept as long as the import runs.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import cast

from core.clock import Clock
from core.tenancy import Tenant
from models.bulk_import import BulkImport, ImportSegment
from models.import_order import ImportDeferredRow, ImportDigest
from repositories.errors import KeyTaken
from repositories.unit_of_work import Repositories
from services.csv.records import Record
from services.import_keys import EarlierKeys, Hashes, KeysBefore, hash_bytes, hashes_in, row_hashes
from services.import_reading import record_pages
from services.import_rows import CheckedRow, ImportPlan, Key, check, row_keys
from services.ports import ObjectStore
from services.records import RecordMaker

_KEPT = 2
"""Imports whose keys are remembered while no segment of theirs is worked on here: the next one is about to come."""

_PAGE = 10
"""Digests that are read at once; each may have a hundred kilobytes and more."""

_ROWS_IN_A_ROW = 50
"""Looked at without a pause: about a millisecond."""


class Interrupted(Exception):
    """The worker has to stop."""


@dataclass(slots=True)
class _Known:
    """What this process knows of one import, and the segments that it works on."""

    keys: EarlierKeys
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    active: list[int] = field(default_factory=list)


class RowOrder:
    """The order of the rows of all imports that this process works on."""

    def __init__(self, store: ObjectStore, clock: Clock, maker: RecordMaker) -> None:
        self._store = store
        self._clock = clock
        self._maker = maker
        self._known: OrderedDict[str, _Known] = OrderedDict()

    @asynccontextmanager
    async def of(
        self, record: BulkImport, plan: ImportPlan, segment: ImportSegment, *, stopping: Callable[[], bool]
    ) -> AsyncIterator["SegmentOrder"]:
        """Find out what stands in front of a segment, and remember it for as long as the segment is worked on.

        Digests that nobody has made yet are made and stored, in order; making one twice changes nothing.

        Raises:
            Interrupted: *stopping* said so in between.
            ObjectMissing: the file is gone.
            ObjectChanged: the file is not the one the import was started with.
            ObjectTruncated: the store sent less than the file has.
        """
        size = cast("int", record.source.size)
        known = self._known.setdefault(record.id, _Known(EarlierKeys(size)))
        self._known.move_to_end(record.id)
        if segment.number < known.keys.folded:
            # Taken over from somebody else while this process is further on: it needs a memory of its own.
            known = _Known(EarlierKeys(size))
        known.active.append(segment.number)
        try:
            async with known.turn:
                await self._learn(record, plan, known, segment.number, stopping)
                keys = known.keys.before(segment.number)
            deferred = Repositories(Tenant(record.seller_id)).bulk_imports.deferred
            waiting = await deferred.waiting(record.id, from_row=segment.first_row, before=segment.row)
            yield SegmentOrder(record, keys, waiting, self._clock)
        finally:
            known.active.remove(segment.number)
            self._forget_idle()

    async def _learn(
        self, record: BulkImport, plan: ImportPlan, known: _Known, stop: int, stopping: Callable[[], bool]
    ) -> None:
        """Take in the digests before segment number *stop* that are not known here."""
        digests = Repositories(Tenant(record.seller_id)).bulk_imports.digests
        lowest = min(known.active)
        missing = known.keys.missing(stop)
        for start in range(0, len(missing), _PAGE):
            page = missing[start : start + _PAGE]
            stored = {one.number: one.hashes for one in await digests.between(record.id, page[0], page[-1] + 1)}
            for number in page:
                data = stored.get(number)
                hashes = await self._make(record, plan, number, stopping) if data is None else hashes_in(data)
                known.keys.learn(number, hashes, lowest=lowest)
                await asyncio.sleep(0)  # some 20 ms of work for a segment

    async def _make(self, record: BulkImport, plan: ImportPlan, number: int, stopping: Callable[[], bool]) -> Hashes:
        imports = Repositories(Tenant(record.seller_id)).bulk_imports
        segment = await imports.segments.get(record.id, number)
        if segment is None:
            message = f"Import {record.id} has no segment {number}."
            raise LookupError(message)
        parts: list[bytes] = []
        reading = record_pages(self._store, record, segment.start, segment.end, row=segment.first_row)
        async with aclosing(reading) as pages:
            async for page in pages:
                if stopping():
                    raise Interrupted
                for count, one in enumerate(page, 1):
                    parts.append(hash_bytes(self._keys(one, plan)))
                    if count % _ROWS_IN_A_ROW == 0:
                        await asyncio.sleep(0)
        digest = ImportDigest(
            id=segment.id,
            seller_id=record.seller_id,
            import_id=record.id,
            number=number,
            hashes=b"".join(parts),
            created_at=self._clock.now(),
        )
        with suppress(KeyTaken):
            await imports.digests.insert(digest)
        return hashes_in(digest.hashes)

    def _keys(self, record: Record, plan: ImportPlan) -> list[Key]:
        if record.cells is None or record.problem is not None:
            return []
        try:
            return row_keys(record.cells, plan, self._maker)
        except Exception:  # noqa: BLE001 - a row that nobody foresaw
            # What refuses it will say so later; what takes it has its keys.
            with suppress(Exception):
                return [key for key, _ in check(record, plan, self._maker).keys]
            return []

    def _forget_idle(self) -> None:
        idle = [import_id for import_id, known in self._known.items() if not known.active]
        for import_id in idle[: max(len(idle) - _KEPT, 0)]:
            del self._known[import_id]


class SegmentOrder:
    """Sorts out the rows of one segment that have to wait. Asked about all of them from the checkpoint on, in order."""

    def __init__(self, record: BulkImport, keys: KeysBefore, waiting: Sequence[ImportDeferredRow], clock: Clock) -> None:
        self._record = record
        self._keys = keys
        self._clock = clock
        self._waiting = {one for row in waiting for one in hashes_in(row.hashes).tolist()}

    def put_off(self, rows: Sequence[CheckedRow], records: Sequence[Record]) -> dict[int, ImportDeferredRow]:
        """Return those of *rows* that have to wait, by their numbers; *records* are what they were read from."""
        hashes, owners = row_hashes(rows)
        early = set(owners[self._keys.has(hashes)].tolist())
        if not early and not self._waiting:
            return {}
        own: dict[int, list[int]] = {}
        for owner, one in zip(owners.tolist(), hashes.tolist(), strict=True):
            own.setdefault(owner, []).append(one)
        found: dict[int, ImportDeferredRow] = {}
        for index, (row, record) in enumerate(zip(rows, records, strict=True)):
            mine = own.get(index, ())
            if index in early or any(one in self._waiting for one in mine):
                self._waiting.update(mine)
                found[row.row] = self._deferred(row, record)
        return found

    def _deferred(self, row: CheckedRow, record: Record) -> ImportDeferredRow:
        return ImportDeferredRow(
            id=f"{self._record.id}:{row.row}",
            seller_id=self._record.seller_id,
            import_id=self._record.id,
            row=row.row,
            offset=record.offset,
            end=record.end,
            hashes=hash_bytes(key for key, _ in row.keys),
            created_at=self._clock.now(),
        )
