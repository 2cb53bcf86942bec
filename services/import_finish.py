"""The last steps of an import: its reports, and its final state."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import structlog

from core.clock import Clock
from core.errors import Unavailable
from core.tenancy import Tenant
from core.vocabulary import BulkImportStatus
from models.bulk_import import BulkImport
from repositories.bulk_import import BulkImportRepository
from repositories.unit_of_work import Repositories, UnitOfWork
from services.import_reports import ENDED_EARLY, Reports, write_reports
from services.import_states import end_early, sums
from services.ports import ObjectStore

_log = structlog.get_logger(__name__)


class Finisher:
    """Finishes imports; *patience* is how long others wait for a sign of life before they try it themselves."""

    def __init__(self, units: UnitOfWork, store: ObjectStore, clock: Clock, patience: timedelta) -> None:
        self._units = units
        self._store = store
        self._clock = clock
        self._patience = patience

    async def finish(self, record: BulkImport) -> None:
        """Write the reports of an import whose segments are all done, then give it its final state; or of one that ended early.

        One that somebody was about to end early is brought to that end first. Else do nothing.

        Raises:
            Unavailable: the sweep will offer the finish again.
        """
        imports = Repositories(Tenant(record.seller_id)).bulk_imports
        if record.ending is not None and not record.status.final:
            ended = await end_early(self._units, record, record.ending.status, self._clock, record.ending.failure)
            record = record if ended is None else ended
        if record.status in ENDED_EARLY and record.nudge_at is not None:
            await self._report_on(imports, record)
        if record.status is not BulkImportStatus.RUNNING or record.ending is not None:
            return
        if record.plan is None or not record.plan.done or await imports.segments.unfinished(record.id):
            return
        await self._complete(imports, record)

    async def _complete(self, imports: BulkImportRepository, record: BulkImport) -> None:
        counts, _ = await sums(imports, record, settled=True)
        async with self._keeping_others_away(imports, record.id):
            reports = await write_reports(self._store, record, failed=counts.failed)
        now = self._clock.now()
        values = {
            "status": BulkImportStatus.COMPLETED_WITH_ERRORS if counts.failed else BulkImportStatus.COMPLETED,
            "counts": counts.model_dump(),
            "bytes_done": record.source.size,
            "error_report_key": reports.errors,
            "masked_report_key": reports.masked,
            "result_report_key": reports.results,
            "nudge_at": None,
            "finished_at": now,
        }
        ended = await imports.complete(record.id, now, values)
        await self._clear_up(imports, record.id, reports, named=ended is not None)
        if ended is not None:
            _log.info("import.finished", import_id=record.id, status=ended.status.value, **counts.model_dump())

    async def _report_on(self, imports: BulkImportRepository, record: BulkImport) -> None:
        """Write the reports of an import that ended early. Its state stays as it is; what is added is where they lie."""
        if record.format is None:
            await imports.reported(record.id, self._clock.now(), {})
            return
        async with self._keeping_others_away(imports, record.id):
            reports = await write_reports(self._store, record, failed=record.counts.failed)
        values: dict[str, object] = {
            "error_report_key": reports.errors,
            "masked_report_key": reports.masked,
            "result_report_key": reports.results,
        }
        if record.total_rows is None and reports.unprocessed is not None:
            values["total_rows"] = record.counts.processed + reports.unprocessed
        named = await imports.reported(record.id, self._clock.now(), values)
        await self._clear_up(imports, record.id, reports, named=named)

    async def _clear_up(self, imports: BulkImportRepository, import_id: str, reports: Reports, *, named: bool) -> None:
        """Remove what the work was done with once the import names its reports; else the reports, for others were faster."""
        if named:
            await imports.results.forget(import_id)
            await imports.deferred.forget(import_id)
            await imports.digests.forget(import_id)
            await imports.keys.forget(import_id)
            return
        for key in (reports.errors, reports.masked, reports.results):
            if key is not None:
                await self._store.delete(key)

    @asynccontextmanager
    async def _keeping_others_away(self, imports: BulkImportRepository, import_id: str) -> AsyncIterator[None]:
        """Keep the sweep from offering the finish of an import to others while it is under way."""
        over = asyncio.Event()

        async def put_off() -> None:
            while not over.is_set():
                with suppress(Unavailable):
                    await imports.nudge(import_id, self._clock.now() + self._patience)
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._patience.total_seconds() / 3):
                        await over.wait()

        task = asyncio.create_task(put_off())
        try:
            yield
        finally:
            over.set()
            await task
