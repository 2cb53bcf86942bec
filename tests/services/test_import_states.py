"""Imports under every order of steps: no transition that the contract does not know, and none that is stuck."""

import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule, run_state_machine_as_test

from core.drafts import BulkImportDraft
from core.errors import Refused
from core.vocabulary import BulkImportMatch, BulkImportMode, BulkImportStatus
from models.bulk_import import BulkImport, ImportSegment
from services.bulk_import import BulkImportService
from services.import_runs import ImportRuns
from tests.clocks import MovableClock
from tests.import_fakes import ListQueue, MemoryStore
from tests.import_oracle import nothing_is_left_over, quarrelsome_csv
from tests.imports import OPERATOR, Bench, open_bench
from tests.servers import Servers

T = TypeVar("T")

Status = BulkImportStatus
AFTER = {
    Status.AWAITING_UPLOAD: {Status.QUEUED, Status.CANCELED, Status.EXPIRED},
    Status.QUEUED: {Status.RUNNING, Status.FAILED, Status.CANCELED},
    Status.RUNNING: {Status.COMPLETED, Status.COMPLETED_WITH_ERRORS, Status.FAILED, Status.CANCELED},
}
"""What may follow each state, as the contract draws it. Nothing follows a final one."""

# Read at the first step, when nothing of the session's own loop is in the way.
_servers: list[Servers] = []


class Imports(RuleBasedStateMachine):
    """Some imports, three workers, a queue that repeats and loses messages, and time that jumps."""

    records: Bundle[str] = Bundle("records")
    leases: Bundle[tuple[int, ImportSegment | None]] = Bundle("leases")

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.clock = MovableClock()
        self.queue = ListQueue()
        self.store = MemoryStore()
        self.seen: dict[str, BulkImport] = {}

    def do(self, step: Coroutine[Any, Any, T]) -> T:
        """Take a step."""
        return self.runner.run(step)

    @initialize()
    def open(self) -> None:
        """Connect to a database of its own."""
        self.bench: Bench = self.do(self.stack.enter_async_context(open_bench(_servers[0])))
        parts: dict[str, Any] = {"store": self.store, "queue": self.queue}
        self.workers: list[ImportRuns] = []
        for number in range(3):
            runs = self.bench.runs(f"worker-{number}", segment_rows=3, batch_size=2, lease_seconds=10.0, max_attempts=3)
            self.workers.append(
                ImportRuns(
                    self.bench.units,
                    **parts,
                    clock=self.clock,
                    maker=runs._maker,
                    policies=runs._policies,
                    limits=runs._limits,
                    holder=runs._holder,
                )
            )
        self.service = BulkImportService(
            self.bench.units, **parts, clock=self.clock, limits=self.workers[0]._limits, live=self.bench.live
        )

    @rule(target=records, seed=st.integers(0, 5), upsert=st.booleans(), start=st.booleans())
    def announce(self, seed: int, upsert: bool, start: bool) -> str:
        """Announce an import, and perhaps start it."""
        mode = BulkImportMode.UPSERT if upsert else BulkImportMode.CREATE
        draft = BulkImportDraft(file_name="a.csv", mode=mode, match_by=BulkImportMatch.EXTERNAL_ID)
        record, _ = self.do(self.service.create(OPERATOR, draft, None))
        self.store.put(record.source.key, quarrelsome_csv(11, seed, people=12))
        if start:
            self.do(self.service.start(OPERATOR, record.id))
        return record.id

    @rule(place=st.integers(0, 50), worker=st.integers(0, 2), twice=st.booleans())
    def deliver(self, place: int, worker: int, twice: bool) -> None:
        """Deliver some message, and perhaps leave it there; a segment is worked through at once."""
        if self.queue.messages:
            message = self.queue.messages[place % len(self.queue.messages)]
            if not twice:
                self.queue.messages.remove(message)
            self.do(self.handle(self.workers[worker], message))

    @rule(place=st.integers(0, 50))
    def lose(self, place: int) -> None:
        """Lose a message."""
        if self.queue.messages:
            self.queue.messages.pop(place % len(self.queue.messages))

    @rule(target=leases, record=records, number=st.integers(0, 4), worker=st.integers(0, 2))
    def take(self, record: str, number: int, worker: int) -> tuple[int, ImportSegment | None]:
        """Take a segment and do not begin yet; whoever never does is dead."""
        return worker, self.do(self.workers[worker].take(record, number))

    @rule(lease=consumes(leases), batches=st.integers(1, 3))
    def work(self, lease: tuple[int, ImportSegment | None], batches: int) -> None:
        """Work on a segment for some batches, with a lease that may be lost by now."""
        worker, segment = lease
        if segment is not None:
            left = iter([False] * batches)
            self.do(self.workers[worker].work_through(segment, stopping=lambda: next(left, True)))

    @rule(worker=st.integers(0, 2))
    def sweep(self, worker: int) -> None:
        """Sweep up."""
        self.do(self.workers[worker].sweep())

    @rule(seconds=st.sampled_from([1, 11, 400]))
    def wait(self, seconds: int) -> None:
        """Let time pass: nothing, a lease, an offer."""
        self.clock.advance(seconds=seconds)

    @rule(record=records)
    def cancel(self, record: str) -> None:
        """Cancel an import, if it is not over."""
        try:
            assert Status.CANCELED is self.do(self.service.cancel(OPERATOR, record)).status
        except Refused:
            assert self.seen[record].status.final

    @rule(record=records)
    def replace_file(self, record: str) -> None:
        """Put another file in the place of one."""
        self.store.put(self.seen[record].source.key, quarrelsome_csv(9, 77, people=12))

    @invariant()
    def only_known_transitions(self) -> None:
        """Nothing comes after a final state, nothing goes back, and the sums add up."""
        for record in self.do(self.bench.stored("bulk_imports")) if hasattr(self, "bench") else ():
            now = BulkImport.model_validate(record)
            before = self.seen.get(now.id)
            self.seen[now.id] = now
            counts = now.counts
            assert counts.processed == counts.created + counts.updated + counts.unchanged + counts.failed
            assert now.total_rows is None or counts.processed <= now.total_rows
            if now.status in (Status.COMPLETED, Status.COMPLETED_WITH_ERRORS):
                assert counts.processed == now.total_rows
            if before is None or before.status is now.status:
                assert before is None or before.bytes_done <= now.bytes_done
                assert before is None or not now.status.final or before.counts == counts
                continue
            # Several steps may lie between two looks.
            assert now.status in AFTER.get(before.status, set()) | {
                later for one in AFTER.get(before.status, ()) for later in AFTER.get(one, ())
            }, (before.status, now.status)

    def teardown(self) -> None:
        """Everything that was started comes to an end by itself, in whatever state it was left."""
        try:
            if hasattr(self, "bench"):
                self.do(self.to_the_end())
                self.only_known_transitions()
        finally:
            self.do(self.stack.aclose())
            self.runner.close()

    async def to_the_end(self) -> None:
        """Work as one worker does until there is nothing more to do."""
        worker = self.workers[0]
        for _ in range(200):
            while self.queue.messages:
                await self.handle(worker, self.queue.messages.pop(0))
            if not await self.bench.stored("bulk_imports", nudge_at={"$exists": True}):
                break
            self.clock.advance(seconds=400)
            await worker.sweep()
        for stored in await self.bench.stored("bulk_imports", status={"$ne": Status.AWAITING_UPLOAD}):
            record = BulkImport.model_validate(stored)
            assert record.status.final, f"stuck: {record!r}"
            if record.format is not None:
                assert record.result_report_key is not None
                await nothing_is_left_over(self.bench, record)
        created = await self.bench.stored("customers")
        assert len(created) == sum(one["counts"]["created"] for one in await self.bench.stored("bulk_imports"))

    async def handle(self, worker: ImportRuns, message: Any) -> None:
        """Do what the import worker does with a message."""
        match message["type"]:
            case "plan":
                await worker.plan(message["importId"])
            case "finish":
                await worker.finish(message["importId"])
            case _:
                segment = await worker.take(message["importId"], message["number"])
                if segment is not None:
                    await worker.work_through(segment, stopping=lambda: False)


@pytest.mark.timeout(400)
def test_imports_take_only_known_steps_and_none_is_stuck(servers: Servers) -> None:
    _servers[:] = [servers]
    run_state_machine_as_test(
        Imports,
        settings=settings(
            max_examples=6,
            stateful_step_count=15,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
