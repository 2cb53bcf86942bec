"""Retention: what has been kept for long enough goes. A chore of the workers, seller by seller, some records at a time.

    sellers ──▶ retention_runs ──claim──▶ look (what is due) ──▶ do it, or only count it (dry run) ──▶ put the run down

Everything may be done twice and in several processes at once: what is written is decided again in its own transaction, which is
conditional on the version of what was read.
"""

from collections import Counter as Tally
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from prometheus_client import Counter

from core.clock import Clock
from core.errors import Refused, Unavailable
from core.paging import Position
from core.retention import RetentionPolicy
from core.tenancy import Tenant
from core.vocabulary import CustomerEventType, RetentionAction, RetentionStage
from models.customer import Customer
from models.retention_run import RetentionReport, RetentionRun
from repositories.retention_run import RetentionRuns
from repositories.unit_of_work import Repositories, UnitOfWork
from services.changes import of_customer
from services.erasure import ErasureService
from services.records import RecordMaker, moment_after
from services.retention_files import RetiredFiles
from services.retention_plan import PAGE, Due, is_active, look
from services.seller import SellerPolicies

_log = structlog.get_logger("retention")
_RECORDS = Counter(
    "retention_records", "Records whose period was over, by what was done, or in a dry run would have been.", ["action", "mode"]
)

ACTOR = "system:retention"
"""How the history names this chore."""

ROUND = timedelta(days=1)
"""From the beginning of a seller's round to that of the next."""

PATIENCE = timedelta(minutes=5)
"""How long whoever took a run has for its next records, and so how soon another one goes on after a death."""

MEET = timedelta(hours=1)
"""How often a process looks for sellers that have no rounds yet."""

_SELLERS = 100
_STAGES = tuple(RetentionStage)
_AT_ONCE = {RetentionAction.REMOVE_IMPORT: 1}
_MOST = 50
"""Of an action in one go, where `_AT_ONCE` does not say otherwise: what has to be done with within `PATIENCE`."""

_COUNTED = {
    RetentionAction.FLAG: "flagged",
    RetentionAction.UNFLAG: "unflagged",
    RetentionAction.ANONYMISE: "anonymised",
    RetentionAction.REMOVE_FILE: "files",
    RetentionAction.REMOVE_IMPORT: "imports",
}


@dataclass(frozen=True, slots=True)
class _Task:
    """What a step works with."""

    seller_id: str
    policy: RetentionPolicy
    now: datetime


class Retention:
    """Goes through the rounds of all sellers. *page* is how many records are looked at in one step."""

    def __init__(
        self,
        units: UnitOfWork,
        records: RecordMaker,
        policies: SellerPolicies,
        erasure: ErasureService,
        files: RetiredFiles,
        clock: Clock,
        *,
        page: int = PAGE,
    ) -> None:
        self._units = units
        self._records = records
        self._policies = policies
        self._erasure = erasure
        self._files = files
        self._clock = clock
        self._page = page
        self._met = ""
        self._meet_at: datetime | None = None
        self._acts: dict[RetentionAction, Callable[[_Task, Due], Awaitable[bool]]] = {
            RetentionAction.FLAG: self._flag,
            RetentionAction.UNFLAG: self._unflag,
            RetentionAction.ANONYMISE: self._anonymise,
            RetentionAction.REMOVE_FILE: lambda task, due: files.remove_file(task.seller_id, due.id, due.since, task.now),
            RetentionAction.REMOVE_IMPORT: lambda task, due: files.remove_import(task.seller_id, due.id, task.now),
        }

    async def sweep(self) -> bool:
        """Take the run that is due longest one step further; say whether there was any, or sellers to meet.

        Raises:
            Unavailable: the database or the object store did not answer; the run is due again in some minutes.
        """
        now = self._clock.now()
        run = await RetentionRuns().claim(now, PATIENCE)
        if run is None:
            return await self._meet(now)
        await self._go_on(run, now)
        return True

    async def _meet(self, now: datetime) -> bool:
        """Begin rounds for sellers that have none."""
        if self._meet_at is not None and now < self._meet_at:
            return False
        runs = RetentionRuns()
        sellers = await runs.sellers_after(self._met, _SELLERS)
        await runs.expect(sellers, now)
        whole = len(sellers) < _SELLERS
        self._met = "" if whole else sellers[-1]
        self._meet_at = now + MEET if whole else None
        return bool(sellers)

    async def _go_on(self, run: RetentionRun, now: datetime) -> None:
        task = _Task(run.id, self._policies.retention_of(run.id), now)
        stage, counts, after = run.stage, run.counts, _place(run)
        if stage is None or counts is None or counts.mode is not task.policy.mode:
            # Also when the rules were approved, or are no longer, in the middle of a round.
            stage, counts, after = _STAGES[0], RetentionReport(mode=task.policy.mode), None
            run.began_at = now
        found = await look(task.seller_id, task.policy, stage, after, now, self._page)
        if task.policy.active:
            found = found.first(min((_AT_ONCE.get(one.action, _MOST) for one in found.due), default=_MOST))
        tally = Tally(kept=len(found.kept))
        for one in found.due:
            tally[await self._deal_with(task, one)] += 1
        counts = counts.model_copy(update={name: getattr(counts, name) + number for name, number in tally.items() if name})
        await self._put_down(run, now, stage, counts, found.place)

    async def _put_down(
        self, run: RetentionRun, now: datetime, stage: RetentionStage, counts: RetentionReport, place: Position | None
    ) -> None:
        began = run.began_at or now
        values: dict[str, object] = {"began_at": began, "counts": counts, "stage": stage.value, **_stored(place)}
        due_at = now
        if place is None:
            following = _STAGES.index(stage) + 1
            if following < len(_STAGES):
                values["stage"] = _STAGES[following].value
            else:
                report = counts.model_copy(update={"finished_at": now})
                values |= {"stage": None, "counts": None, "last": report}
                due_at = max(now, began + ROUND)
                said = {name: getattr(report, name) for name in (*_COUNTED.values(), "kept", "failed")}
                if any(said.values()):
                    _log.info("a round of retention is over", about=run.id, mode=report.mode.value, **said)
        await RetentionRuns().put_down(run, due_at, values)

    async def _deal_with(self, task: _Task, due: Due) -> str:
        """Do one thing, or only count it; return what it counts as, nothing where it was no longer to be done."""
        name = _COUNTED[due.action]
        if task.policy.active:
            try:
                if not await self._acts[due.action](task, due):
                    return ""
            except Unavailable:
                raise
            except Refused:
                return "kept"
            except Exception as error:  # noqa: BLE001 - one record must not keep all others beyond their time
                # Without its text: what is wrong with a stored record may quote it.
                _log.error("what is past its period stays", action=due.action.value, id=due.id, error=type(error).__name__)
                return "failed"
        _RECORDS.labels(due.action.value.lower(), task.policy.mode.value.lower()).inc()
        return name

    async def _flag(self, task: _Task, due: Due) -> bool:
        since = task.policy.inactive_before(task.now)

        async def body(work: Repositories) -> bool:
            customer = await work.customers.get(due.id)
            if customer is None or customer.retention_due_at is not None or customer.erasure_due_at is not None:
                return False
            if customer.legal_hold_at is not None or await is_active(work.retained, customer, since):
                return False
            due_at = task.now + timedelta(days=task.policy.grace_days)
            return await self._note(work, customer, task.now, due_at)

        return await self._units.run(Tenant(task.seller_id), body, turn=due.id)

    async def _unflag(self, task: _Task, due: Due) -> bool:
        async def body(work: Repositories) -> bool:
            customer = await work.customers.get(due.id)
            if customer is None or customer.retention_due_at is None:
                return False
            return await self._note(work, customer, None, None)

        return await self._units.run(Tenant(task.seller_id), body, turn=due.id)

    async def _note(self, work: Repositories, customer: Customer, flagged_at: datetime | None, due_at: datetime | None) -> bool:
        values = {"retention_flagged_at": flagged_at, "retention_due_at": due_at}
        changed = await work.customers.change(customer, moment_after(customer, self._clock.now()), values)
        if changed is None:
            return False
        changes = of_customer(customer, values)
        event = self._records.event(changed, CustomerEventType.UPDATED, actor=ACTOR, changed=["retention"], changes=changes)
        await work.events.append([event])
        return True

    async def _anonymise(self, task: _Task, due: Due) -> bool:
        async def still(work: Repositories, customer: Customer) -> bool:
            flagged_at, due_at = customer.retention_flagged_at, customer.retention_due_at
            if flagged_at is None or due_at is None or due_at > task.now or customer.erasure_due_at is not None:
                return False
            return not await is_active(work.retained, customer, flagged_at)

        return await self._erasure.anonymise(ACTOR, task.seller_id, due.id, still)


def _place(run: RetentionRun) -> Position | None:
    return None if run.place_at is None or run.place_id is None else Position(run.place_at, run.place_id)


def _stored(place: Position | None) -> dict[str, object]:
    return {"place_at": None if place is None else place.value, "place_id": None if place is None else place.id}
