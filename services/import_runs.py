"""An import at work: planned, worked through segment by segment, and picked up again after a crash.

Every step can be done twice, by two processes at once and halfway: what counts is decided by one conditional write. The
segment is the truth about its rows (checkpoint and counts move in the transaction that writes the customers, fenced by the
token of its lease); the import only shows the sums.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, aclosing, suppress
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from core.clock import Clock
from core.errors import ErrorCode, Unavailable
from core.files import ObjectChanged, ObjectMissing, ObjectTruncated
from core.tenancy import EverySeller
from core.vocabulary import BulkImportMode, BulkImportStatus, BulkImportValidation
from models.bulk_import import BulkImport, ImportSegment, StoredFailure
from repositories.bulk_import import BulkImportRepository
from repositories.unit_of_work import Repositories, UnitOfWork
from services.csv.columns import map_columns
from services.import_batches import BatchWriter, ImportEnded
from services.import_finish import Finisher
from services.import_metrics import note_rows
from services.import_offers import Offers
from services.import_order import Interrupted, RowOrder, SegmentOrder
from services.import_planning import LOOK_AGAIN, Planner
from services.import_reading import deferred_batches, row_batches
from services.import_rows import ImportPlan
from services.import_states import OFFER_LIFETIME, UPLOAD_MARGIN, ImportLimits, end_early, file_format, sums
from services.ports import ObjectStore, WorkQueue
from services.records import RecordMaker
from services.seller import SellerPolicies

_log = structlog.get_logger(__name__)

_PROGRESS_SECONDS = 0.2
_STORE_PAUSE = timedelta(seconds=2)
"""After so long a file is read again that the store did not hand out."""

_EVERY_SELLER = EverySeller("worker", audited=False)


class UnknownImport(Exception):
    """A message about an import or a segment that does not exist."""


class Poisoned(Exception):
    """A segment ended its worker too often; its import has been failed."""


class ImportRuns:
    """The steps of every import. *holder* names this worker in the leases it takes."""

    def __init__(
        self,
        units: UnitOfWork,
        store: ObjectStore,
        queue: WorkQueue,
        clock: Clock,
        maker: RecordMaker,
        policies: SellerPolicies,
        limits: ImportLimits,
        *,
        holder: str,
    ) -> None:
        self._units = units
        self._store = store
        self._queue = queue
        self._clock = clock
        self._maker = maker
        self._policies = policies
        self._limits = limits
        self._lease = timedelta(seconds=limits.lease_seconds)
        self._holder = holder
        self._planner = Planner(units, store, clock, limits)
        self._offers = Offers(queue, clock, limits)
        self._order = RowOrder(store, clock, maker)
        self._finisher = Finisher(units, store, clock, self._lease)
        self._shown: dict[str, float] = {}

    async def plan(self, import_id: str) -> None:
        """Cut an import into segments, from where that was left, and offer them as they are found.

        Raises:
            UnknownImport: there is none with this id.
            Unavailable: try again later.
        """
        record = await self._require(import_id)
        if record.status not in (BulkImportStatus.QUEUED, BulkImportStatus.RUNNING) or record.ending is not None:
            return
        if record.plan is not None and record.plan.done:
            await self.go_on(import_id)
            return
        try:
            await self._planner.plan(record, self._planned)
        except (ObjectMissing, ObjectChanged) as error:
            await self._fail_for(import_id, error)
        except ObjectTruncated as error:
            _log.warning("import.plan_interrupted", import_id=import_id, reason=str(error))
            await self._imports.nudge(import_id, self._clock.now() + _STORE_PAUSE)

    async def _planned(self, record: BulkImport) -> None:
        if record.plan is not None and record.plan.segments == 0:
            await self.finish(record.id)
        else:
            await self._offers.top_up(record)

    async def take(self, import_id: str, number: int) -> ImportSegment | None:
        """Lease a segment; None when there is nothing to do: it is done, somebody else is at it, or it is not its turn.

        Raises:
            UnknownImport: there is none with this id.
            Poisoned: it ended its worker too often.
        """
        now = self._clock.now()
        record = await self._require(import_id)
        if not await self._offers.may_begin(record, number):
            return None
        for abandoned in await self._imports.segments.abandoned(now, import_id=import_id):
            await self._end_session(abandoned)
        segment = await self._imports.segments.take(import_id, number, holder=self._holder, now=now, until=now + self._lease)
        if segment is not None and segment.attempts > self._limits.max_attempts:
            await self.fail(import_id, ErrorCode.INTERNAL, "The import could not go on because of an error on our side.")
            message = f"Segment {segment.id} was tried {self._limits.max_attempts} times without any progress."
            raise Poisoned(message)
        return segment

    async def put_back(self, segment: ImportSegment) -> None:
        """Give up a lease that there is no place for."""
        await self._offers.put_back(segment)

    async def extend(self, segment: ImportSegment) -> bool:
        """Keep the lease of *segment*; False when it is lost."""
        return await self._imports.segments.extend(segment, self._clock.now() + self._lease)

    async def work_through(self, segment: ImportSegment, *, stopping: Callable[[], bool]) -> None:
        """Import the rows of a leased segment, from its checkpoint on, and see to it that the import goes on.

        Afterwards the segment is done, or in other hands, or given back to be offered again: because of *stopping*, which is
        asked after every batch, or because a system did not answer. Nothing is raised but a lost database.
        """
        given_back: tuple[float, bool] | None = None
        try:
            # Read after the lease was taken: who ends an import marks it before it closes the first segment.
            record = await self._running(segment.import_id)
            await self._policies.learn(record.seller_id)
            with suppress(Unavailable):  # the sweep offers them
                await self._offers.top_up(record)
            async with aclosing(self._advance(record, segment, stopping)) as steps:
                async for moved in steps:
                    note_rows(segment.counts, moved.counts)
                    segment = moved
                    if stopping() and not segment.done:
                        given_back = (0.0, True)
                        break
        except ImportEnded:
            return
        except Interrupted:
            given_back = (0.0, True)
        except (ObjectMissing, ObjectChanged) as error:
            await self._fail_for(segment.import_id, error)
            return
        except (Unavailable, ObjectTruncated) as error:
            _log.warning("import.segment_interrupted", segment_id=segment.id, reason=str(error))
            given_back = (_STORE_PAUSE.total_seconds(), isinstance(error, Unavailable))
        except Exception as error:  # noqa: BLE001 - the attempts are counted, and end with the import's failure
            _log.error("import.segment_broken", segment_id=segment.id, error=type(error).__name__, exc_info=error)
            given_back = (1.0, False)
        if given_back is None:
            await self.go_on(segment.import_id)
            return
        seconds, blameless = given_back
        until = self._clock.now() + timedelta(seconds=seconds)
        await self._imports.segments.release(segment, until, blameless=blameless)

    async def _advance(
        self, record: BulkImport, segment: ImportSegment, stopping: Callable[[], bool] = lambda: False
    ) -> AsyncGenerator[ImportSegment]:
        """Write batch after batch, and yield the segment as each leaves it."""
        plan = self._plan_of(record)
        async with AsyncExitStack() as stack:
            order = None
            if record.mode is BulkImportMode.CREATE and segment.number > 0 and not segment.deferred:
                order = await stack.enter_async_context(self._order.of(record, plan, segment, stopping=stopping))
            units = await stack.enter_async_context(self._units.dedicated())
            if not await self._imports.segments.write_in(segment, units.id):
                raise ImportEnded
            writer = BatchWriter(units, self._clock, self._maker, plan)
            steps = await stack.enter_async_context(aclosing(self._batches(record, segment, writer, order)))
            async for moved in steps:
                yield moved

    async def _batches(
        self, record: BulkImport, segment: ImportSegment, writer: BatchWriter, order: SegmentOrder | None
    ) -> AsyncGenerator[ImportSegment]:
        """Write batch after batch: while the database writes one, the next is read and checked."""
        writing: asyncio.Task[ImportSegment] | None = None
        reading = deferred_batches if segment.deferred else row_batches
        async with aclosing(reading(self._store, record, segment, size=self._limits.batch_size)) as batches:
            try:
                async for batch in batches:
                    rows = await writer.check(batch)
                    if order is not None:
                        batch = replace(batch, put_off=order.put_off(rows, batch.records))  # noqa: PLW2901
                    if writing is not None:
                        segment = await writing
                        yield segment
                    writing = asyncio.create_task(writer.write(segment, batch, rows))
                    await self._show_progress(record)
                if writing is not None:
                    yield await writing
            finally:
                if writing is not None:
                    await asyncio.gather(writing, return_exceptions=True)

    async def _show_progress(self, record: BulkImport) -> None:
        """Let the import catch up with its segments, now and then; notice when it is being ended."""
        time = asyncio.get_running_loop().time()
        if time - self._shown.get(record.id, 0.0) < _PROGRESS_SECONDS:
            return
        self._shown[record.id] = time
        imports = self._imports
        await self._running(record.id)
        await imports.show_progress(record.id, self._clock.now(), *await sums(imports, record))

    async def _running(self, import_id: str) -> BulkImport:
        record = await self._require(import_id)
        if record.status is not BulkImportStatus.RUNNING or record.ending is not None:
            self._shown.pop(import_id, None)
            raise ImportEnded
        return record

    async def go_on(self, import_id: str) -> None:
        """Offer what is next of an import, or finish it when all of it is done.

        Raises:
            UnknownImport: there is none with this id.
            Unavailable: the sweep will see to it.
        """
        record = await self._require(import_id)
        if record.plan is None or not record.plan.done or await self._imports.segments.unfinished(import_id):
            await self._offers.top_up(record)
        else:
            await self.finish(import_id)

    async def finish(self, import_id: str) -> None:
        """Write the reports of an import whose segments are all done, then give it its final state; or of one that ended early.

        Else do nothing.

        Raises:
            UnknownImport: there is none with this id.
            Unavailable: the sweep will offer the finish again.
        """
        self._shown.pop(import_id, None)
        await self._finisher.finish(await self._require(import_id))

    async def fail(self, import_id: str, code: ErrorCode, message: str) -> None:
        """End an import that cannot go on. What was written stays, and is counted."""
        record = await self._require(import_id)
        failure = StoredFailure(code=code, message=message)
        ended = await end_early(self._units, record, BulkImportStatus.FAILED, self._clock, failure)
        if ended is not None:
            _log.error("import.failed", import_id=import_id, code=code.value)
            with suppress(Unavailable):  # the sweep offers the reports again
                await self.finish(import_id)

    async def _fail_for(self, import_id: str, error: ObjectMissing | ObjectChanged) -> None:
        if isinstance(error, ObjectMissing):
            await self.fail(import_id, ErrorCode.UPLOAD_MISSING, "The file is gone. Upload it again with a new import.")
        else:
            message = "The file was replaced by another one while it was imported. Upload it again with a new import."
            await self.fail(import_id, ErrorCode.SOURCE_CHANGED, message)

    async def sweep(self) -> bool:
        """Offer again what was left lying, and end imports whose file never came. Say whether there was anything."""
        imports = self._imports
        now = self._clock.now()
        # Marked for a moment first and for long after: whoever dies between the two is replaced soon.
        soon, later = now + self._lease, now + OFFER_LIFETIME
        found = 0
        for abandoned in await imports.segments.abandoned(now):
            await self._end_session(abandoned)
            segment = await imports.segments.reclaim(abandoned, now, soon)
            if segment is None:
                continue
            found += 1
            _log.info("import.segment_offered_again", segment_id=segment.id, row=segment.row)
            await self._offers.send(segment)
        while (record := await imports.due(now, soon)) is not None:
            found += await self._look_after(record, later)
        found += await imports.expire(now - UPLOAD_MARGIN, now)
        return found > 0

    async def _look_after(self, record: BulkImport, later: datetime) -> bool:
        """Do for an import what somebody should have done; say whether there was anything."""
        imports = self._imports
        step = None
        if record.status.final or record.ending is not None:
            step = "finish"
        elif record.plan is None or not record.plan.done:
            step = "plan"
        elif not await imports.segments.unfinished(record.id):
            step = "finish"
        if step is None:
            await imports.nudge(record.id, self._clock.now() + LOOK_AGAIN)
            return await self._offers.top_up(record)
        _log.info("import.offered_again", import_id=record.id, step=step)
        await self._queue.send({"type": step, "importId": record.id})
        await imports.nudge(record.id, later)
        return True

    async def _end_session(self, segment: ImportSegment) -> None:
        """Roll back what a holder whose lease has ended may have left open: it locks the very rows that are to be redone."""
        if segment.session is not None:
            await self._units.abort(segment.session)

    @property
    def _imports(self) -> BulkImportRepository:
        return Repositories(_EVERY_SELLER).bulk_imports

    async def _require(self, import_id: str) -> BulkImport:
        record = await self._imports.get(import_id)
        if record is None:
            message = f"There is no import {import_id!r}."
            raise UnknownImport(message)
        return record

    def _plan_of(self, record: BulkImport) -> ImportPlan:
        return ImportPlan(
            import_id=record.id,
            seller_id=record.seller_id,
            created_at=record.created_at,
            mode=record.mode,
            match_by=record.match_by,
            lenient=record.validation is BulkImportValidation.LENIENT,
            dry_run=record.dry_run,
            columns=map_columns(file_format(record).header, [(one.source, one.target) for one in record.columns]),
            policy=self._policies.of(record.seller_id),
        )
