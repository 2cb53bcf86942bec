"""Batches of rows into the database: one transaction each, fenced by the lease of the segment."""

import asyncio
import traceback
from collections.abc import Sequence
from datetime import datetime

import structlog

from core.clock import Clock
from core.drafts import CustomerDraft
from core.errors import ErrorCode, ServiceError
from core.tenancy import Tenant
from core.vocabulary import CustomerStatus, Severity
from models.bulk_import import ImportSegment, RowProblem
from repositories.errors import KeyTaken
from repositories.unit_of_work import Repositories, Units
from services.csv.records import Record
from services.customer_lookup import taken_problem
from services.import_changes import CUSTOMER, World, decide, freed, held_keys
from services.import_reading import RowBatch
from services.import_rows import CheckedRow, ImportPlan, check, make
from services.records import RecordMaker
from services.session_ends import end_sessions_of_customer

_log = structlog.get_logger(__name__)

_ATTEMPTS = 3
"""How often a batch is decided anew because somebody else took one of its keys between look and write."""

_ROWS_IN_A_ROW = 10
"""Checked without a pause: less than a millisecond."""


class ImportEnded(Exception):
    """The lease is lost, or the import is over. Nothing was written."""


class Overtaken(Exception):
    """Somebody changed a customer between our look and our write."""


class BatchWriter:
    """Writes the rows of one import."""

    def __init__(self, units: Units, clock: Clock, maker: RecordMaker, plan: ImportPlan) -> None:
        self._units = units
        self._clock = clock
        self._maker = maker
        self._plan = plan
        self._looks = not plan.only_creates
        """Whether to look who holds the identifiers of a batch before it is written, or to let the unique indexes say so."""
        self._met = False
        """Whether the batch that was decided last met anybody."""

    async def check(self, batch: RowBatch) -> list[CheckedRow]:
        """Judge each row by itself, and let the batch before, which is being written, go on meanwhile."""
        rows = []
        now = self._clock.now()
        for record in batch.records:
            rows.append(self._checked(record, now))
            if len(rows) % _ROWS_IN_A_ROW == 0:
                await asyncio.sleep(0)
        return rows

    async def write(self, segment: ImportSegment, batch: RowBatch, rows: Sequence[CheckedRow]) -> ImportSegment:
        """Write a checked batch: customers, events, outcomes, claims, counts and checkpoint, all or nothing.

        Returns the segment as it is now. A row that the database will not have is refused by itself.

        Raises:
            ImportEnded: nothing of it was written, and nothing will be.
            Unavailable: the database did not answer; whether it was written shows in the checkpoint.
        """
        try:
            return await self._commit(segment, rows, batch)
        except (KeyTaken, Overtaken):
            pass
        except (ServiceError, ImportEnded):
            raise
        except Exception as error:  # noqa: BLE001 - one row that nobody foresaw must not sink the others
            _report(segment, error)
        for row, record in zip(rows, batch.records, strict=True):
            segment = await self._write_alone(segment, row, batch.alone(record))
        return segment

    async def _write_alone(self, segment: ImportSegment, row: CheckedRow, batch: RowBatch) -> ImportSegment:
        try:
            return await self._commit(segment, [row], batch)
        except KeyTaken as error:
            problem = taken_problem(error.field)
            row.errors.append(RowProblem(severity=Severity.ERROR, code=problem.code, message=problem.message))
        except (ServiceError, ImportEnded):
            raise
        except Exception as error:  # noqa: BLE001 - as above
            _report(segment, error)
            row.errors.append(_internal())
        return await self._commit(segment, [row], batch)

    async def _commit(self, segment: ImportSegment, rows: Sequence[CheckedRow], batch: RowBatch) -> ImportSegment:
        async def body(work: Repositories) -> ImportSegment:
            return await self._write(work, segment, rows, batch)

        tenant = Tenant(self._plan.seller_id)
        left = _ATTEMPTS + (not self._looks)
        while True:
            try:
                moved = await self._units.run(tenant, body)
            except (KeyTaken, Overtaken):
                # Somebody is there already, or was faster. The next look sees them, and the row is told.
                self._looks = True
                left -= 1
                if not left:
                    raise
            else:
                # Where one row meets somebody the next ones are likely to: then a look is cheaper than a write in vain.
                self._looks = self._met or not self._plan.only_creates
                return moved

    async def _write(
        self, work: Repositories, segment: ImportSegment, rows: Sequence[CheckedRow], batch: RowBatch
    ) -> ImportSegment:
        now = self._clock.now()
        plan = self._plan
        rows = [row for row in rows if row.row not in batch.put_off]
        world = await self._look(work, rows) if self._looks else World(holders=())
        self._met = bool(world.holders)
        effects = decide(rows, plan, world, self._maker, now)
        imports = work.bulk_imports
        # The fence comes before everything else that is written: a lease that is lost costs one refused update.
        moved = await imports.segments.advance(
            segment, offset=batch.offset, row=batch.row, counts=effects.counts, done=batch.last
        )
        if moved is None:
            raise ImportEnded
        if await work.customers.change_many(effects.updates) != len(effects.updates):
            raise Overtaken
        for customer, at, values in effects.updates:
            if values.get("status") is CustomerStatus.SUSPENDED:
                await end_sessions_of_customer(work, customer.seller_id, customer.id, at)
        await work.customers.insert_stored(effects.customers)
        await work.addresses.insert_stored(effects.addresses)
        await work.documents.insert_stored(effects.documents)
        await work.keys.insert_stored(effects.keys)
        await work.events.insert_stored(effects.events)
        await imports.outcomes.insert_many(effects.outcomes)
        if batch.deferred:
            await imports.deferred.decide(plan.import_id, effects.results)
        else:
            numbers = [record.row for record in batch.records]
            await imports.deferred.insert_many([batch.put_off[number] for number in numbers if number in batch.put_off])
            await imports.results.insert(plan.seller_id, plan.import_id, numbers, effects.results, now)
        await imports.keys.claim(plan.seller_id, plan.import_id, effects.claims, now)
        return moved

    async def _look(self, work: Repositories, rows: Sequence[CheckedRow]) -> World:
        """Read all that *rows* may meet: one find for customers; claims, addresses and documents only where they matter."""
        plan = self._plan
        sound = [row for row in rows if not row.errors]
        wanted: dict[str, list[str]] = {}
        for row in sound:
            for (name, value), _ in row.keys:
                wanted.setdefault(name, []).append(value)
        world = World(holders=await work.customers.holders(wanted))
        if plan.dry_run or plan.upsert_by:
            keys = {(CUSTOMER, holder.id) for holder in world.holders}
            if plan.dry_run:
                keys |= {key for row in sound for key, _ in row.keys}
                keys |= {freed(key) for holder in world.holders for key in held_keys(holder)}
            world.claimed = await work.bulk_imports.keys.claimed(plan.import_id, keys)
        if plan.upsert_by and world.holders:
            owners = [(holder.seller_id, holder.id) for holder in world.holders]
            if any(row.draft.addresses for row in sound):
                world.addresses = await work.addresses.of_customers(owners)
            if any(row.draft.documents for row in sound):
                world.documents = await work.documents.of_customers(owners)
                stored = await work.keys.of_customers([holder.id for holder in world.holders])
                world.keys = {id_: self._maker.vault.unwrap(key, id_) for id_, key in stored.items()}
        return world

    def _checked(self, record: Record, now: datetime) -> CheckedRow:
        try:
            row = check(record, self._plan, self._maker)
            if self._plan.only_creates and not row.errors:
                # Here, while the database is busy with the batch before, and not while it waits for this one.
                row.made = make(row, self._plan, self._maker, now)
        except Exception as error:  # noqa: BLE001 - as above
            _log.error("import.row_broken", import_id=self._plan.import_id, row=record.row, **_place(error))
            return CheckedRow(
                row=record.row,
                cells=record.cells,
                draft=CustomerDraft(),
                gives_kind=False,
                errors=[_internal()],
                warnings=[],
                keys=[],
            )
        return row


def _internal() -> RowProblem:
    message = "The row could not be imported because of an error on our side. Import it again later."
    return RowProblem(severity=Severity.ERROR, code=ErrorCode.INTERNAL, message=message)


def _report(segment: ImportSegment, error: Exception) -> None:
    _log.error("import.batch_broken", segment_id=segment.id, row=segment.row, **_place(error))


def _place(error: Exception) -> dict[str, str]:
    """Say what went wrong where, without the message: drivers put the values of the row into it."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return {"error": type(error).__name__, "at": f"{last.filename}:{last.lineno}"}
