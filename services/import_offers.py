"""Which segments of an import wait in the queue: few, so that whoever comes next is not behind thousands."""

from datetime import timedelta

from core.clock import Clock
from core.tenancy import Tenant
from core.vocabulary import BulkImportMode, BulkImportStatus
from models.bulk_import import BulkImport, ImportSegment
from repositories.import_segment import ImportSegmentRepository
from repositories.unit_of_work import Repositories
from services.import_states import OFFER_LIFETIME, WINDOW, ImportLimits
from services.ports import WorkQueue

_SOON_AGAIN = timedelta(seconds=5)
"""After so long segments are offered again that a worker had no place for; it offers them itself when it has one."""


class Offers:
    """Offers segments: of an import that creates up to `WINDOW` at once, of one that updates one after the other."""

    def __init__(self, queue: WorkQueue, clock: Clock, limits: ImportLimits) -> None:
        self._queue = queue
        self._clock = clock
        self._lease = timedelta(seconds=limits.lease_seconds)

    async def top_up(self, record: BulkImport) -> bool:
        """Offer segments of an import until enough of them wait, or none is left; say whether there was any to offer.

        Raises:
            Unavailable: the database or the queue did not answer; what was marked as offered is soon offered again.
        """
        if record.status is not BulkImportStatus.RUNNING or record.ending is not None:
            return False
        segments = Repositories(Tenant(record.seller_id)).bulk_imports.segments
        offered = False
        for _ in range(await self._room(record, segments)):
            # Marked for a moment first and for long after: whoever dies between the two is replaced soon.
            segment = await segments.offer(record.id, self._clock.now() + self._lease)
            if segment is None:
                break
            if segment.deferred and await segments.unfinished(record.id, before=segment.number):
                await segments.withdraw(segment)
                break
            await self.send(segment)
            offered = True
        return offered

    async def send(self, segment: ImportSegment) -> None:
        """Send the message about a segment that was marked as offered."""
        await self._queue.send({"type": "segment", "importId": segment.import_id, "number": segment.number})
        segments = Repositories(Tenant(segment.seller_id)).bulk_imports.segments
        await segments.offered(segment, self._clock.now() + OFFER_LIFETIME)

    async def may_begin(self, record: BulkImport, number: int) -> bool:
        """Say whether a segment may be worked on: where the order counts, when those before it are done.

        One that may not is taken back, to be offered when it may.
        """
        segments = Repositories(Tenant(record.seller_id)).bulk_imports.segments
        segment = await segments.get(record.id, number)
        if segment is None:
            return False
        if record.mode is not BulkImportMode.UPSERT and not segment.deferred:
            return True
        if not await segments.unfinished(record.id, before=number):
            return True
        await segments.withdraw(segment)
        return False

    async def put_back(self, segment: ImportSegment) -> None:
        """Give up a lease that there was no place for, as if nobody had been told of the segment."""
        imports = Repositories(Tenant(segment.seller_id)).bulk_imports
        await imports.segments.put_back(segment)
        await imports.nudge(segment.import_id, self._clock.now() + _SOON_AGAIN)

    async def _room(self, record: BulkImport, segments: ImportSegmentRepository) -> int:
        if record.mode is BulkImportMode.UPSERT:
            return 0 if await segments.in_hand(record.id) else 1
        return WINDOW - await segments.waiting(record.id, WINDOW)
