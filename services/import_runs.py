"""An import at work: planned, worked through segment by segment, finished, and picked up again after a crash.

Every step can be done twice, by two processes at once and halfway: what counts is decided by one conditional write. The
segment is the truth about its rows (checkpoint and counts move in the transaction that writes the customers, fenced by the
token of its lease); the import only shows the sums.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from datetime import timedelta

import structlog

from core.clock import Clock
from core.errors import ErrorCode, Unavailable
from core.files import ObjectChanged, ObjectMissing, ObjectTruncated
from core.tenancy import EverySeller, Tenant
from core.vocabulary import BulkImportStatus, BulkImportValidation
from models.bulk_import import BulkImport, ImportSegment, StoredFailure
from repositories.bulk_import import BulkImportRepository
from repositories.unit_of_work import Repositories, UnitOfWork
from services.csv.columns import map_columns
from services.import_batches import BatchWriter, ImportEnded
from services.import_metrics import note_rows
from services.import_reading import count_rows, row_batches
from services.import_reports import ENDED_EARLY, Reports, write_reports
from services.import_rows import ImportPlan
from services.import_states import (
    OFFER_LIFETIME,
    UPLOAD_MARGIN,
    ImportLimits,
    end_early,
    file_format,
    segments_of,
    sums,
)
from services.ports import ObjectStore, WorkQueue
from services.records import RecordMaker
from services.seller import SellerPolicies

_log = structlog.get_logger(__name__)

_PROGRESS_SECONDS = 0.2
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

    async def plan(self, import_id: str) -> None:
        """Cut an import into segments and offer them; offer them again, if that was done already.

        Raises:
            UnknownImport: there is none with this id.
            Unavailable: try again later.
        """
        record = await self._require(import_id)
        if record.status is BulkImportStatus.QUEUED:
            total = await self._count(record)
            await self._units.run(Tenant(record.seller_id), lambda work: self._start(work, record, total))
        for segment in await self._imports.segments.of_import(import_id):
            if not segment.done and segment.holder is None:
                await self._queue.send({"type": "segment", "importId": import_id, "number": segment.number})

    async def _count(self, record: BulkImport) -> int | None:
        try:
            return await count_rows(self._store, record)
        except (ObjectMissing, ObjectChanged, ObjectTruncated):
            # Whoever reads the rows finds the same, and says so.
            return None

    async def _start(self, work: Repositories, record: BulkImport, total: int | None) -> None:
        now = self._clock.now()
        segments = segments_of(record, now)
        values = {
            "status": BulkImportStatus.RUNNING,
            "started_at": now,
            "total_rows": total,
            "pending_segments": len(segments),
            "nudge_at": None,
        }
        if await work.bulk_imports.move(record.id, [BulkImportStatus.QUEUED], now, values) is not None:
            await work.bulk_imports.segments.insert_many(segments)

    async def take(self, import_id: str, number: int) -> ImportSegment | None:
        """Lease a segment; None when there is nothing to do: it is done, or somebody else is at it.

        Raises:
            UnknownImport: there is none with this id.
            Poisoned: it ended its worker too often.
        """
        now = self._clock.now()
        for abandoned in await self._imports.segments.abandoned(now, import_id=import_id):
            await self._end_session(abandoned)
        segment = await self._imports.segments.take(import_id, number, holder=self._holder, now=now, until=now + self._lease)
        if segment is None:
            await self._require(import_id)
        elif segment.attempts > self._limits.max_attempts:
            await self.fail(import_id, ErrorCode.INTERNAL, "The import could not go on because of an error on our side.")
            message = f"Segment {segment.id} was tried {self._limits.max_attempts} times without any progress."
            raise Poisoned(message)
        return segment

    async def extend(self, segment: ImportSegment) -> bool:
        """Keep the lease of *segment*; False when it is lost."""
        return await self._imports.segments.extend(segment, self._clock.now() + self._lease)

    async def work_through(self, segment: ImportSegment, *, stopping: Callable[[], bool]) -> None:
        """Import the rows of a leased segment, from its checkpoint on, and finish the import with its last one.

        Afterwards the segment is done, or in other hands, or given back to be offered again: because of *stopping*, which is
        asked after every batch, or because a system did not answer. Nothing is raised but a lost database.
        """
        record = await self._require(segment.import_id)
        given_back: tuple[float, bool] | None = None
        try:
            await self._policies.learn(record.seller_id)
            async with aclosing(self._advance(record, segment)) as steps:
                async for moved in steps:
                    note_rows(segment.counts, moved.counts)
                    segment = moved
                    if stopping() and not segment.done:
                        given_back = (0.0, True)
                        break
        except ImportEnded:
            return
        except ObjectMissing:
            await self.fail(record.id, ErrorCode.UPLOAD_MISSING, "The file is gone. Upload it again with a new import.")
            return
        except ObjectChanged:
            message = "The file was replaced by another one while it was imported. Upload it again with a new import."
            await self.fail(record.id, ErrorCode.SOURCE_CHANGED, message)
            return
        except (Unavailable, ObjectTruncated) as error:
            _log.warning("import.segment_interrupted", segment_id=segment.id, reason=str(error))
            given_back = (2.0, isinstance(error, Unavailable))
        except Exception as error:  # noqa: BLE001 - the attempts are counted, and end with the import's failure
            _log.error("import.segment_broken", segment_id=segment.id, error=type(error).__name__, exc_info=error)
            given_back = (1.0, False)
        if given_back is None:
            await self.finish(record.id)
            return
        seconds, blameless = given_back
        until = self._clock.now() + timedelta(seconds=seconds)
        await self._imports.segments.release(segment, until, blameless=blameless)

    async def _advance(self, record: BulkImport, segment: ImportSegment) -> AsyncGenerator[ImportSegment]:
        """Write batch after batch, and yield the segment as each leaves it."""
        async with self._units.dedicated() as units:
            if not await self._imports.segments.write_in(segment, units.id):
                raise ImportEnded
            writer = BatchWriter(units, self._clock, self._maker, self._plan_of(record), silence=self._lease)
            async with aclosing(self._batches(record, segment, writer)) as steps:
                async for moved in steps:
                    yield moved

    async def _batches(self, record: BulkImport, segment: ImportSegment, writer: BatchWriter) -> AsyncGenerator[ImportSegment]:
        """Write batch after batch: while the database writes one, the next is read and checked."""
        time = asyncio.get_running_loop().time
        shown = 0.0
        writing: asyncio.Task[ImportSegment] | None = None
        async with aclosing(row_batches(self._store, record, segment, size=self._limits.batch_size)) as batches:
            try:
                async for batch in batches:
                    rows = await writer.check(batch)
                    if writing is not None:
                        segment = await writing
                        yield segment
                    writing = asyncio.create_task(writer.write(segment, batch, rows))
                    if time() - shown >= _PROGRESS_SECONDS:
                        shown = time()
                        await self._show_progress(record.id)
                if writing is not None:
                    yield await writing
            finally:
                if writing is not None:
                    await asyncio.gather(writing, return_exceptions=True)

    async def _show_progress(self, import_id: str) -> None:
        counts, done = sums(await self._imports.segments.of_import(import_id))
        await self._imports.show_progress(import_id, self._clock.now(), counts, done)

    async def finish(self, import_id: str) -> None:
        """Write the reports of an import whose segments are all done, then give it its final state; or of one that ended early.

        Else do nothing.

        Raises:
            UnknownImport: there is none with this id.
            Unavailable: the sweep will offer the finish again.
        """
        record = await self._require(import_id)
        if record.status in ENDED_EARLY and record.nudge_at is not None:
            await self._report_on(record)
        if record.status is not BulkImportStatus.RUNNING or record.pending_segments != 0:
            return
        counts, done = sums(await self._imports.segments.of_import(import_id))
        async with self._keeping_others_away(import_id):
            reports = await write_reports(self._store, record, failed=counts.failed)
            await self._imports.keys.forget(import_id)
        now = self._clock.now()
        values = {
            "status": BulkImportStatus.COMPLETED_WITH_ERRORS if counts.failed else BulkImportStatus.COMPLETED,
            "counts": counts.model_dump(),
            "bytes_done": done,
            "total_rows": counts.processed,
            "error_report_key": reports.errors,
            "result_report_key": reports.results,
            "nudge_at": None,
            "finished_at": now,
        }
        ended = await self._imports.move(import_id, [BulkImportStatus.RUNNING], now, values)
        await self._clear_up(import_id, reports, named=ended is not None)
        if ended is not None:
            _log.info("import.finished", import_id=import_id, status=ended.status.value, **counts.model_dump())

    async def _report_on(self, record: BulkImport) -> None:
        """Write the reports of an import that ended early. Its state stays as it is; what is added is where they lie."""
        if record.format is None:
            await self._imports.reported(record.id, self._clock.now(), {})
            return
        async with self._keeping_others_away(record.id):
            reports = await write_reports(self._store, record, failed=record.counts.failed)
        values: dict[str, object] = {"error_report_key": reports.errors, "result_report_key": reports.results}
        if record.total_rows is None and reports.unprocessed is not None:
            values["total_rows"] = record.counts.processed + reports.unprocessed
        named = await self._imports.reported(record.id, self._clock.now(), values)
        await self._clear_up(record.id, reports, named=named)

    async def _clear_up(self, import_id: str, reports: Reports, *, named: bool) -> None:
        """Remove what the reports were made of once the import names them; else the reports, for others were faster."""
        if named:
            await self._imports.results.forget(import_id)
            return
        for key in (reports.errors, reports.results):
            if key is not None:
                await self._store.delete(key)

    async def fail(self, import_id: str, code: ErrorCode, message: str) -> None:
        """End an import that cannot go on. What was written stays, and is counted."""
        record = await self._require(import_id)
        failure = StoredFailure(code=code, message=message)

        ended = await end_early(self._units, record, BulkImportStatus.FAILED, self._clock, failure)
        if ended is not None:
            _log.error("import.failed", import_id=import_id, code=code.value)
            with suppress(Unavailable):  # the sweep offers the reports again
                await self.finish(import_id)

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
            await self._queue.send({"type": "segment", "importId": segment.import_id, "number": segment.number})
            await imports.segments.offered(segment, later)
        while (record := await imports.overdue(now, soon)) is not None:
            found += 1
            step = "plan" if record.status is BulkImportStatus.QUEUED else "finish"
            _log.info("import.offered_again", import_id=record.id, step=step)
            await self._queue.send({"type": step, "importId": record.id})
            await imports.nudge(record.id, later)
        found += await imports.expire(now - UPLOAD_MARGIN, now)
        return found > 0

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

    @asynccontextmanager
    async def _keeping_others_away(self, import_id: str) -> AsyncIterator[None]:
        """Keep the sweep from offering the finish of an import to others while it is under way."""
        over = asyncio.Event()

        async def put_off() -> None:
            while not over.is_set():
                with suppress(Unavailable):
                    await self._imports.nudge(import_id, self._clock.now() + self._lease)
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._limits.lease_seconds / 3):
                        await over.wait()

        task = asyncio.create_task(put_off())
        try:
            yield
        finally:
            over.set()
            await task
