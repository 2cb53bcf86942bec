"""Exports are made, and removed when their time is over: work that any worker may do, and any other one go on with."""

import asyncio
from contextlib import aclosing, suppress
from dataclasses import dataclass
from datetime import timedelta

import structlog
from prometheus_client import Counter

from core.clock import Clock
from core.errors import ServiceError
from core.vocabulary import DataExportStatus
from models.data_export import DataExport, StoredArchive
from repositories.data_export import DataExportJobs
from services.archive_contents import archive_folder_of
from services.data_archive import Archived, DataArchives, NobodyThere
from services.ports import ObjectStore

_log = structlog.get_logger("data_export")
_EXPORTS = Counter("data_exports", "Exports of everything about a customer, by what became of an attempt.", ["outcome"])

LEASE = timedelta(seconds=60)
"""How long nobody else takes up an export whose worker says nothing. It says something three times in that time."""

LOOK = timedelta(seconds=5)
"""How often whoever makes one looks whether it is still theirs. It only reads: an erasure that destroys the record at that
moment would have to begin anew otherwise."""

ATTEMPTS = 8
"""How often an export is tried: with the pauses between, for an hour."""

KEPT = timedelta(days=30)
"""How long it is remembered that there was an export, once its archive is gone."""

_FIRST_PAUSE = timedelta(seconds=15)
_LONGEST_PAUSE = timedelta(minutes=15)
_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class ExportRules:
    """How long archives are kept, and how patient workers are with each other."""

    lifetime: timedelta
    lease: timedelta = LEASE
    look: timedelta = LOOK


class DataExportWork:
    """Makes one export after the other. Several processes may do it: an export is with one of them at a time.

    Each attempt writes an object of its own, so that one that was taken for dead spoils nothing of its successor's.
    """

    def __init__(self, archives: DataArchives, store: ObjectStore, clock: Clock, rules: ExportRules) -> None:
        self._archives = archives
        self._store = store
        self._clock = clock
        self._rules = rules
        self._jobs = DataExportJobs()

    async def step(self) -> bool:
        """Make the export that waits longest; say whether one waited. Cancelled, it leaves the export to others at once.

        Raises:
            Unavailable: the database did not answer; what was begun is anybody's when its lease has run out.
        """
        job = await self._jobs.claim(self._clock.now(), self._rules.lease)
        if job is None:
            return False
        if job.attempts > ATTEMPTS:
            # Whoever took it up before did not live to tell.
            await self._give_up(job, "Its workers died.")
            return True
        try:
            await self._clear(job)
            archived = await self._made(job)
        except asyncio.CancelledError:
            with suppress(ServiceError):
                now = self._clock.now()
                await self._jobs.put_back(job, now, now)
            raise
        except NobodyThere:
            await self._withdraw(job)
        except Exception as error:  # noqa: BLE001 - one export must not keep all others from being made
            await self._failed(job, error)
        else:
            await self._ended(job, archived)
        return True

    async def sweep(self) -> bool:
        """Remove archives whose time is over; say whether there were any.

        Raises:
            Unavailable: the store or the database did not answer; what is left is still due.
        """
        now = self._clock.now()
        due = await self._jobs.expired(now, _AT_ONCE)
        for export in due:
            await self._clear(export)
            await self._jobs.retire(export, now, now + KEPT)
        return bool(due)

    async def _made(self, job: DataExport) -> Archived | None:
        """Write the archive of a job while it is ours; None when it no longer is, and then nothing is left of it."""
        writing = asyncio.ensure_future(self._write(job))
        renewed = self._clock.now()
        try:
            while True:
                done, _ = await asyncio.wait({writing}, timeout=self._rules.look.total_seconds())
                if done:
                    return writing.result()
                now = self._clock.now()
                if now < renewed + self._rules.lease / 3:
                    ours = await self._jobs.is_held(job)
                else:
                    ours, renewed = await self._jobs.renew(job, now + self._rules.lease), now
                if not ours:
                    return None
        finally:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)

    async def _write(self, job: DataExport) -> Archived:
        async with self._store.write(_key(job), content_type="application/zip") as archive:
            return await self._archives.write(job.seller_id, job.customer_id, archive)

    async def _ended(self, job: DataExport, archived: Archived | None) -> None:
        now = self._clock.now()
        if archived is not None:
            values = {
                "status": DataExportStatus.READY.value,
                "archive": StoredArchive(key=_key(job), size=archived.whole.size, sha256=archived.whole.sha256).model_dump(),
                "expires_at": now + self._rules.lifetime,
            }
            if await self._jobs.end(job, now, values):
                await self._jobs.supersede(job, now)
                self._tell(job, "ready", size=archived.whole.size, withheld=len(archived.withheld))
                return
        # Somebody else makes it by now, or the customer was erased meanwhile: what we wrote is nobody's.
        await self._store.delete(_key(job))
        self._tell(job, "lost")

    async def _failed(self, job: DataExport, error: Exception) -> None:
        now = self._clock.now()
        reason = str(error) if isinstance(error, ServiceError) else type(error).__name__
        if job.attempts < ATTEMPTS:
            pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** (job.attempts - 1))
            await self._jobs.put_back(job, now, now + pause)
            self._tell(job, "retried", reason=reason)
            return
        await self._give_up(job, reason)

    async def _give_up(self, job: DataExport, reason: str) -> None:
        await self._clear(job)
        now = self._clock.now()
        await self._jobs.end(job, now, {"status": DataExportStatus.FAILED.value, "forget_at": now + KEPT})
        _log.error("an export was given up", export_id=job.id, reason=reason)
        _EXPORTS.labels("failed").inc()

    async def _withdraw(self, job: DataExport) -> None:
        """Forget an export of somebody who was erased since it was asked for."""
        await self._jobs.drop(job)
        self._tell(job, "withdrawn")

    async def _clear(self, export: DataExport) -> None:
        """Remove everything that attempts have written: of those before, what they had sent when they were killed."""
        folder = _folder(export)
        await self._store.forget_unfinished(folder)
        async with aclosing(self._store.pages(folder)) as pages:
            async for keys in pages:
                for key in keys:
                    await self._store.delete(key)

    def _tell(self, job: DataExport, outcome: str, **facts: object) -> None:
        _EXPORTS.labels(outcome).inc()
        _log.info(f"data_export.{outcome}", export_id=job.id, attempt=job.attempts, **facts)


def _folder(export: DataExport) -> str:
    return f"{archive_folder_of(export.seller_id, export.customer_id)}{export.id}/"


def _key(job: DataExport) -> str:
    return f"{_folder(job)}{job.attempts}.zip"
