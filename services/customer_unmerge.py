"""Undoing a merge: what was one customer is two again, with everything that changed since."""

from dataclasses import dataclass
from datetime import datetime

from auth.principal import Principal, Scope
from core.clock import Clock
from core.errors import ErrorCode, Refused
from core.vocabulary import CustomerEventType
from models.customer import Customer
from models.merge import Merge
from repositories.errors import KeyTaken
from repositories.unit_of_work import Repositories, UnitOfWork
from services.changes import Changes, joined, moved, of_addresses, of_customer
from services.customer_keys import seal_for
from services.customer_lookup import not_found, require_customer, taken_problem
from services.customer_merge import UNDONE_WITHIN
from services.customer_values import consequences, for_database
from services.merge_plan import Belongings
from services.records import RecordMaker, changed_fields, moment_after
from services.unmerge_plan import UnmergePlan, keys_of


@dataclass(frozen=True, slots=True)
class Unmerged:
    """The customer that is back, and the one it was merged into; without the latter when nothing had to be undone."""

    customer: Customer
    survivor: Customer | None = None


class CustomerUnmerging:
    """Undoes merges for a verified caller."""

    def __init__(self, units: UnitOfWork, records: RecordMaker, clock: Clock) -> None:
        self._units = units
        self._records = records
        self._clock = clock

    async def unmerge(self, viewer: Principal, customer_id: str) -> Unmerged:
        """Let a customer that was merged away be live again, with what it brought. One that is live is left as it is.

        What the survivor took and still has goes back; what was changed by hand, and what was added, stays with the survivor.
        Sessions that the merge ended stay ended.

        Raises:
            Forbidden: also without ``documents:write`` when there are documents to give back.
            Refused: NOT_FOUND for an id that names nobody the caller can see, or nobody who was merged; STATE when it was
                merged too long ago, or when the survivor was merged itself, deleted, or is going to be erased; LEGAL_HOLD while
                the survivor is on hold; TAKEN for each identifier that is somebody else's by now; REQUIRED when the survivor
                would have none. Nothing was changed then.
        """
        viewer.require(Scope.CUSTOMERS_WRITE)
        viewer.require_staff()
        tenant = viewer.reach()
        kept = await Repositories(tenant).merges.get(customer_id)
        turn = (customer_id,) if kept is None else (customer_id, kept.into_id)
        try:
            return await self._units.run(tenant, lambda work: self._unmerge(work, viewer, customer_id), turn=turn)
        except KeyTaken as error:
            # Somebody took it between our look and our write: the index has the last word.
            raise Refused([taken_problem(error.field, "id", error.field)]) from error

    async def _unmerge(self, work: Repositories, viewer: Principal, customer_id: str) -> Unmerged:
        gone = await work.retired.get(customer_id)
        if gone is not None and gone.live:
            return Unmerged(gone)
        if gone is None or gone.merged_into is None or gone.erased_at is not None:
            raise not_found("id")
        merge = await self._undoable(work, gone)
        into = await self._survivor(work, merge)
        plan = UnmergePlan(merge, into, gone, await _belongings(work, into))
        if plan.returned.documents:
            viewer.require(Scope.DOCUMENTS_WRITE)
        if problems := plan.problems(await work.customers.holders(plan.identifiers)):
            raise Refused(problems)
        # The survivor first: what it gives back is free then.
        at = max(moment_after(into, self._clock.now()), moment_after(gone, self._clock.now()))
        survivor = await self._give_back(work, plan, at)
        back = await self._revive(work, plan, at)
        await seal_for(work, self._records, back, plan.returned.documents, at)
        await _hand_back(work, plan, at)
        await work.merges.forget(gone.id)
        told = [(back, ["merged_into"], _changes_of_gone(plan)), (survivor, plan.changed, _changes_of_survivor(plan))]
        await work.events.append(
            [
                self._records.event(
                    one, CustomerEventType.UPDATED, actor=viewer.actor, changed=changed_fields(names), changes=changes
                )
                for one, names, changes in told
            ]
        )
        return Unmerged(back, survivor)

    async def _undoable(self, work: Repositories, gone: Customer) -> Merge:
        merge = await work.merges.get(gone.id)
        if merge is None or merge.keep_until <= self._clock.now():
            message = f"A merge can be undone for {UNDONE_WITHIN.days} days, and these are over. Create the customer anew."
            raise Refused.because(ErrorCode.STATE, message, "id")
        return merge

    @staticmethod
    async def _survivor(work: Repositories, merge: Merge) -> Customer:
        try:
            into = await require_customer(work, merge.into_id)
        except Refused as refusal:
            (problem,) = refusal.problems
            if problem.code is ErrorCode.MERGED:
                message = f"{merge.into_id} was merged into {problem.merged_into} since. Undo that first."
            else:
                message = f"{merge.into_id}, which it was merged into, was deleted since, with everything it had."
            raise Refused.because(ErrorCode.STATE, message, "id") from refusal
        if into.erasure_due_at is not None:
            message = f"{into.id} is going to be erased, and everybody who was merged into it. Take that back first."
            raise Refused.because(ErrorCode.STATE, f"{message} (cancelErasure)", "id")
        if into.legal_hold_at is not None:
            message = f"{into.id} is on legal hold, and nothing may be taken from it. Lift the hold first (liftLegalHold)."
            raise Refused.because(ErrorCode.LEGAL_HOLD, message, "id")
        return into

    async def _give_back(self, work: Repositories, plan: UnmergePlan, at: datetime) -> Customer:
        into = plan.into
        values: dict[str, object] = {**plan.lost, **(consequences(into, plan.lost) if plan.lost else {})}
        if plan.returned.documents:
            values["document_keys"] = keys_of(plan.kept.documents)
        survivor = await work.customers.change(into, at, for_database(values))
        if survivor is None:
            raise not_found("id")
        return survivor

    @staticmethod
    async def _revive(work: Repositories, plan: UnmergePlan, at: datetime) -> Customer:
        keys = keys_of(plan.returned.documents)
        back = await work.retired.revive(plan.gone, at, {**plan.proved, "document_keys": keys})
        if back is None:
            raise not_found("id")
        return back


def _changes_of_gone(plan: UnmergePlan) -> Changes:
    """Return what the history of the one that is back tells: the values it has were its own all the time."""
    defaults = [(one, {"is_default": one.id in plan.defaults}) for one in plan.returned.addresses]
    return joined(of_customer(plan.gone, {**plan.proved, "merged_into": None, "deleted_at": None}), of_addresses(*defaults))


def _changes_of_survivor(plan: UnmergePlan) -> Changes:
    lost = {**plan.lost, **(consequences(plan.into, plan.lost) if plan.lost else {})}
    return joined(
        of_customer(plan.into, lost),
        moved(plan.returned.addresses, plan.returned.documents, plan.into.id, plan.gone.id),
        of_addresses(*((one, {"is_default": True}) for one in plan.promoted)),
    )


async def _belongings(work: Repositories, customer: Customer) -> Belongings:
    return Belongings(
        await work.addresses.of_customer(customer.seller_id, customer.id),
        await work.documents.of_customer(customer.seller_id, customer.id),
        await work.consents.of_customer(customer.seller_id, customer.id),
    )


async def _hand_back(work: Repositories, plan: UnmergePlan, at: datetime) -> None:
    """Give the one that is back what it brought, each kind of addresses with a default on either side, deleted ones too."""
    owner, heir = (plan.into.seller_id, plan.into.id), plan.gone.id
    addresses = {one.id for one in plan.returned.addresses}
    for ids, is_default in ((plan.defaults, True), (addresses - plan.defaults, False)):
        if ids:
            await work.addresses.hand_over(owner, heir, at, only={"_id": {"$in": sorted(ids)}}, is_default=is_default)
    for address in plan.promoted:
        await work.addresses.change(address, at, {"is_default": True})
    documents = sorted(one.id for one in plan.returned.documents)
    if documents:
        await work.documents.hand_over(owner, heir, at, only={"_id": {"$in": documents}})
    if consents := sorted(one.id for one in plan.returned.consents):
        await work.consents.hand_over(owner, heir, at, only={"_id": {"$in": consents}})
    # What was deleted meanwhile is the person's all the same, and goes when it is erased.
    await work.deleted_addresses.hand_over([one.id for one in plan.merge.addresses], owner, heir)
    await work.deleted_documents.hand_over(plan.merge.documents, owner, heir)
