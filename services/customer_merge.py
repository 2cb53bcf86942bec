"""Merging: two records of one person become one."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from auth.principal import Principal, Scope
from core.clock import Clock
from core.errors import Conflict, ErrorCode, Problem, Refused
from core.merging import MergeBlockCode
from core.vocabulary import CustomerEventType
from models.address import Address
from models.customer import Customer
from models.merge import Merge
from repositories.unit_of_work import Repositories, UnitOfWork
from services.changes import joined, moved, of_addresses, of_customer
from services.customer_keys import seal_for
from services.customer_lookup import not_found
from services.customer_values import consequences, for_database
from services.merge_plan import Belongings, Block, MergePlan
from services.records import RecordMaker, changed_fields, moment_after, unique
from services.session_ends import end_sessions_of_customer
from services.succession import missing

UNDONE_WITHIN = timedelta(days=30)
"""How long a merge can be undone."""


@dataclass(frozen=True, slots=True)
class MergePreview:
    """What a merge would do. Without a *plan* there are no two customers to be merged; who is there is told all the same."""

    into: Customer | None
    gone: Customer | None
    plan: MergePlan | None
    blocks: list[Block]


class CustomerMerging:
    """Merges customers for a verified caller."""

    def __init__(self, units: UnitOfWork, records: RecordMaker, clock: Clock) -> None:
        self._units = units
        self._records = records
        self._clock = clock

    async def preview(self, viewer: Principal, into_id: str, from_id: str) -> MergePreview:
        """Return what a merge of two customers would do at this moment, and what keeps it from being done. Changes nothing.

        What the caller's scopes would refuse is no part of it.
        """
        viewer.require(Scope.CUSTOMERS_READ)
        viewer.require_staff()
        work = Repositories(viewer.reach())
        found, blocks = await _both(work, into_id, from_id)
        into, gone = found.get(into_id), found.get(from_id)
        if into is None or gone is None or blocks:
            return MergePreview(into, gone, None, blocks)
        plan = await _planned(work, into, gone)
        return MergePreview(into, gone, plan, plan.blocks)

    async def merge(
        self,
        viewer: Principal,
        into_id: str,
        from_id: str,
        *,
        expected_into: int | None = None,
        expected_from: int | None = None,
    ) -> Customer:
        """Give a customer what another one has, and delete the other one. Returns the one that is left.

        The survivor keeps every value of its own and takes those it lacks; what both have differently stays with the
        deleted record only. For `UNDONE_WITHIN` it is kept what was moved.

        Raises:
            Conflict: one of the two no longer has the version that its caller expects.
            Forbidden: also without ``documents:write`` when there are documents to move.
            Refused: NOT_FOUND for an id that names nobody the caller can see, or nobody of the same seller; MERGED for one that
                was merged away; INVALID when both are the same; STATE for one that is to be erased; TOO_MANY when together
                they have more than one customer may. Nothing was changed then.
        """
        viewer.require(Scope.CUSTOMERS_WRITE)
        viewer.require_staff()
        expected = {into_id: (expected_into, "expectedIntoVersion"), from_id: (expected_from, "expectedFromVersion")}

        async def body(work: Repositories) -> Customer:
            found, blocks = await _both(work, into_id, from_id)
            if blocks:
                raise Refused([block.problem for block in blocks])
            for id_, (version, argument) in expected.items():
                if version is not None and version != found[id_].version:
                    raise Conflict(found[id_].version, argument)
            return await self._merge(work, viewer, await _planned(work, found[into_id], found[from_id]))

        return await self._units.run(viewer.reach(), body, turn=(into_id, from_id))

    async def _merge(self, work: Repositories, viewer: Principal, plan: MergePlan) -> Customer:
        into, gone = plan.into, plan.gone
        if plan.blocks:
            raise Refused([block.problem for block in plan.blocks])
        if plan.brought.documents:
            viewer.require(Scope.DOCUMENTS_WRITE)
        await self._retire(work, viewer.actor, plan)
        # Also when nothing is taken over: of two merges that cross, each has to meet what the other one changes.
        at = moment_after(into, self._clock.now())
        stored = {**plan.values, **(consequences(into, plan.values) if plan.values else {}), **plan.verified}
        if keys := unique([*into.document_keys, *gone.document_keys]):
            stored["document_keys"] = keys
        merged = await work.customers.change(into, at, for_database(stored))
        if merged is None:
            raise not_found("into")
        await seal_for(work, self._records, merged, plan.brought.documents, at)
        await _move(work, plan, at)
        event = self._records.event(
            merged,
            CustomerEventType.UPDATED,
            actor=viewer.actor,
            changed=changed_fields(plan.changed),
            changes=joined(
                of_customer(into, stored),
                moved(plan.brought.addresses, plan.brought.documents, gone.id, into.id),
                of_addresses(*((one, {"is_default": False}) for one in _second_defaults(plan))),
            ),
        )
        await work.events.append([event])
        return merged

    async def _retire(self, work: Repositories, actor: str, plan: MergePlan) -> None:
        """Delete the one that is merged away: what it held alone is free from here on, for the survivor too."""
        customer, into = plan.gone, plan.into
        at = moment_after(customer, self._clock.now())
        gone = await work.customers.change(customer, at, {"live": False, "deleted_at": at, "merged_into": into.id})
        if gone is None:
            raise not_found("from")
        kept = Merge(
            id=gone.id,
            seller_id=gone.seller_id,
            into_id=into.id,
            merged_at=at,
            keep_until=at + UNDONE_WITHIN,
            **plan.moved,
        )
        await work.merges.keep(kept)
        await end_sessions_of_customer(work, customer.seller_id, customer.id, at)
        event = self._records.event(
            gone,
            CustomerEventType.DELETED,
            actor=actor,
            changed=changed_fields(["merged_into"]),
            changes=of_customer(customer, {"merged_into": into.id, "deleted_at": at}),
        )
        await work.events.append([event])


async def _both(work: Repositories, into_id: str, from_id: str) -> tuple[dict[str, Customer], list[Block]]:
    """Return the customers that there are, by id, and why they are not two of one seller."""
    found = await work.customers.get_many([into_id, from_id])
    if into_id == from_id:
        message = "A customer cannot be merged into itself. Give the ids of two customers."
        return found, [Block(MergeBlockCode.SAME_CUSTOMER, Problem(ErrorCode.INVALID, message, ("from",)))]
    into, gone = found.get(into_id), found.get(from_id)
    if into is not None and gone is not None and gone.seller_id != into.seller_id:
        del found[from_id]
    problems = [await missing(work, id_, name) for id_, name in ((into_id, "into"), (from_id, "from")) if id_ not in found]
    return found, [Block(_BLOCKS[problem.code], problem) for problem in problems]


_BLOCKS = {ErrorCode.NOT_FOUND: MergeBlockCode.NOT_FOUND, ErrorCode.MERGED: MergeBlockCode.ALREADY_MERGED}


async def _planned(work: Repositories, into: Customer, gone: Customer) -> MergePlan:
    return MergePlan(into, gone, await _belongings(work, into), await _belongings(work, gone))


async def _belongings(work: Repositories, customer: Customer) -> Belongings:
    return Belongings(
        await work.addresses.of_customer(customer.seller_id, customer.id),
        await work.documents.of_customer(customer.seller_id, customer.id),
        await work.consents.of_customer(customer.seller_id, customer.id),
    )


def _second_defaults(plan: MergePlan) -> list[Address]:
    """Return the addresses that are brought as defaults and are none any more."""
    return [one for one in plan.brought.addresses if one.is_default and one.kind in plan.settled]


async def _move(work: Repositories, plan: MergePlan, at: datetime) -> None:
    """Give the survivor what hangs from the other one. Its own default addresses stay; those of other kinds come along."""
    owner, heir = (plan.gone.seller_id, plan.gone.id), plan.into.id
    if plan.settled:
        only = {"kind": {"$in": plan.settled}, "is_default": True}
        await work.addresses.hand_over(owner, heir, at, only=only, is_default=False)
    await work.addresses.hand_over(owner, heir, at)
    await work.documents.hand_over(owner, heir, at)
    await work.consents.hand_over(owner, heir, at)
