"""What may happen to customers, and what follows from it."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from auth.principal import Principal, Scope
from core.clock import Clock
from core.drafts import CustomerDraft
from core.errors import BadInput, Conflict, ErrorCode, Problem, Refused
from core.filters import CustomerFilter, CustomerKey, CustomerKeyKind, CustomerSort
from core.paging import Page, PageRequest
from core.tenancy import Reach, Tenant
from core.vocabulary import CustomerEventType, CustomerStatus
from models.customer import Customer
from models.row import Row
from models.stored import Fields
from repositories.errors import KeyTaken
from repositories.unit_of_work import Repositories, UnitOfWork
from services.changes import of_customer
from services.customer_creating import CustomerCreating, CustomerSaved
from services.customer_lookup import (
    SPELLED,
    CustomerLookup,
    holds,
    not_found,
    require_customer,
    taken_problem,
    taken_values,
    together,
)
from services.customer_values import (
    consequences,
    for_database,
    given_values,
    stored_values,
    with_key,
)
from services.masking import require_harmless, seen
from services.records import RecordMaker, changed_fields, moment_after
from services.rules.customer import check_customer_values
from services.rules.profile import check_identifiers
from services.seller import SellerPolicies
from services.session_ends import end_sessions_of_customer
from services.succession import missing, survivor_by, survivor_of, survivors_of
from services.uploads import DocumentFiles

T = TypeVar("T")

_STAFF_ONLY = frozenset({"status", "tags", "attributes", "external_id", "kind"})


@dataclass(frozen=True, slots=True)
class CustomerHit:
    """A customer that exists, and by which of the identifiers asked for it was found."""

    customer_id: str
    matched_by: Sequence[str]


class CustomerService:
    """Reads and changes customers for a verified caller."""

    def __init__(
        self, units: UnitOfWork, records: RecordMaker, policies: SellerPolicies, files: DocumentFiles, clock: Clock
    ) -> None:
        self._units = units
        self._records = records
        self._policies = policies
        self._clock = clock
        self._creating = CustomerCreating(units, records, policies, files, clock)
        self._lookup = CustomerLookup(records, policies)

    # ------------------------------------------------------------------ reading

    async def get(self, viewer: Principal, customer_id: str) -> Customer | None:
        """Return a customer, to be read and not changed; an unknown id, a deleted one and another seller's are all None.

        In the place of one that was merged away, that is who goes on.
        """
        viewer.require_sight()
        work = Repositories(viewer.reach())
        found = await work.customers.read("_id", [customer_id]) or await survivor_of(work, customer_id)
        return None if found is None else seen(viewer, found).record

    async def survivor(self, viewer: Principal, customer_id: str, *, fields: Fields = None) -> Row[Customer] | None:
        """Return who goes on in the place of a customer that was merged away; None when nobody does."""
        viewer.require_sight()
        found = await survivor_of(Repositories(viewer.reach()), customer_id, fields=fields)
        return None if found is None else seen(viewer, found)

    async def survivors(self, viewer: Principal, customer_ids: Collection[str]) -> dict[str, Customer]:
        """Return who goes on in the place of customers that were merged away, by the ids of these."""
        viewer.require(Scope.CUSTOMERS_READ)
        return await survivors_of(Repositories(viewer.reach()), customer_ids) if customer_ids else {}

    async def get_by(
        self, viewer: Principal, key: CustomerKey, seller_id: str | None, *, fields: Fields = None
    ) -> Row[Customer] | None:
        """Return the customer with this identifier, or None; with these *fields* or with all.

        In the place of one that was merged away, by its id or the seller's reference, that is who goes on.
        """
        viewer.require(Scope.CUSTOMERS_READ)
        _may_know_numbers(viewer, key.kind is CustomerKeyKind.DOCUMENT_NUMBER)
        tenant = viewer.reach_of(seller_id)
        work = Repositories(tenant)
        found = await self._lookup.read(work, tenant, key, fields=fields)
        return found or await survivor_by(work, key, fields=fields)

    async def matches(self, viewer: Principal, keys: Sequence[CustomerKey], seller_id: str | None) -> list[CustomerHit]:
        """Return which customers hold any of these identifiers.

        Raises:
            BadInput: when no identifier is given.
        """
        viewer.require(Scope.CUSTOMERS_READ)
        _may_know_numbers(viewer, any(key.kind is CustomerKeyKind.DOCUMENT_NUMBER for key in keys))
        tenant = viewer.reach_of(seller_id)
        if not keys:
            raise BadInput("Give at least one of email, phone, externalId or documentNumber.")
        wanted = dict(self._lookup.stored_key(tenant, key) for key in keys)
        holders = await Repositories(tenant).customers.holders(wanted)
        return [
            CustomerHit(
                holder.id,
                [SPELLED[field] for field, values in wanted.items() if any(holds(holder, field, one) for one in values)],
            )
            for holder in holders
        ]

    async def list(
        self,
        viewer: Principal,
        chosen: CustomerFilter,
        sort: CustomerSort,
        request: PageRequest,
        seller_id: str | None,
        *,
        fields: Fields = None,
    ) -> Page[Row[Customer]]:
        """Return one page of customers that meet the filter, with these *fields* or with all."""
        viewer.require_sight()
        require_harmless(viewer, chosen, sort)
        _may_know_numbers(viewer, chosen.document_number is not None)
        tenant = viewer.reach_of(seller_id)
        normalised, document_keys = self._lookup.filter(tenant, chosen)
        customers = Repositories(tenant).customers
        page = await customers.list(normalised, sort, request, document_keys=document_keys, fields=fields)
        return replace(page, items=[seen(viewer, one) for one in page.items]) if viewer.sees_masked else page

    async def count(
        self, viewer: Principal, chosen: CustomerFilter, seller_id: str | None, *, at_most: int | None = None
    ) -> int:
        """Return how many customers meet the filter; with *at_most*, that where it is that many or more.

        Raises:
            BadInput: when *at_most* is not positive.
        """
        if at_most is not None and at_most < 1:
            message = f"atMost has to be 1 or more; it is {at_most}. Leave it out to have all counted."
            raise BadInput(message)
        viewer.require_sight()
        require_harmless(viewer, chosen)
        _may_know_numbers(viewer, chosen.document_number is not None)
        tenant = viewer.reach_of(seller_id)
        normalised, document_keys = self._lookup.filter(tenant, chosen)
        return await Repositories(tenant).customers.count(normalised, document_keys=document_keys, at_most=at_most)

    # ----------------------------------------------------------------- changing

    async def create(
        self, viewer: Principal, draft: CustomerDraft, *, seller_id: str | None, idempotency_key: str | None = None
    ) -> CustomerSaved:
        """Create a customer with its addresses and documents, all or nothing.

        Raises:
            Refused: with every problem of the draft at once.
        """
        tenant = self._staff_reach(viewer, seller_id)
        await self._policies.learn(tenant.seller_id)
        return await self._creating.create(viewer, tenant, draft, idempotency_key)

    async def update(
        self, viewer: Principal, customer_id: str, values: Mapping[str, object], *, expected_version: int | None = None
    ) -> Customer:
        """Change the given fields of a customer; None clears one. A change that changes nothing leaves no trace.

        Raises:
            Conflict: the customer no longer has *expected_version*.
            Refused: with every problem at once; NOT_FOUND for an unknown id.
        """
        viewer.require(Scope.CUSTOMERS_WRITE)
        if viewer.customer_id is not None and (forbidden := _STAFF_ONLY & values.keys()):
            raise Refused(
                [
                    Problem(ErrorCode.FORBIDDEN, "Only the seller can change this.", (field,))
                    for field in changed_fields(dict.fromkeys(sorted(forbidden)))
                ]
            )

        async def body(work: Repositories) -> Customer:
            customer = _expected(await require_customer(work, customer_id), expected_version)
            return await self._change(work, viewer, customer, values)

        return await self._run(viewer.reach(), body, turn=customer_id)

    async def upsert(
        self, viewer: Principal, key: CustomerKey, draft: CustomerDraft, *, seller_id: str | None
    ) -> CustomerSaved:
        """Change the customer with this identifier, or create it. Fields that are not given stay as they are.

        Addresses and documents of the draft are stored only when the customer is new.
        """
        _may_know_numbers(viewer, key.kind is CustomerKeyKind.DOCUMENT_NUMBER)
        tenant = self._staff_reach(viewer, seller_id)
        await self._policies.learn(tenant.seller_id)
        draft = with_key(draft, key)

        async def body(work: Repositories) -> CustomerSaved:
            customer = await self._lookup.find(work, tenant, key)
            if customer is None:
                if key.kind is CustomerKeyKind.ID:
                    raise Refused([await missing(work, key.value, "key", "id")])
                return await self._creating.add(work, viewer, tenant, draft, key)
            return CustomerSaved(await self._change(work, viewer, customer, given_values(draft)))

        return await self._run(tenant, body)

    async def delete(self, viewer: Principal, customer_id: str, *, expected_version: int | None = None) -> str:
        """Delete a customer softly: gone from every read, its identifiers free again. Returns its id.

        Raises:
            Conflict: the customer no longer has *expected_version*.
            Refused: NOT_FOUND for an unknown id.
        """
        viewer.require(Scope.CUSTOMERS_WRITE)
        viewer.require_staff()

        async def body(work: Repositories) -> str:
            customer = _expected(await require_customer(work, customer_id), expected_version)
            at = moment_after(customer, self._clock.now())
            gone = await work.customers.change(customer, at, {"live": False, "deleted_at": at})
            if gone is None:
                raise not_found("id")
            await work.addresses.delete_of_customer(customer.seller_id, customer.id, at)
            await work.documents.delete_of_customer(customer.seller_id, customer.id, at)
            await end_sessions_of_customer(work, customer.seller_id, customer.id, at)
            changes = of_customer(customer, {"deleted_at": at})
            event = self._records.event(gone, CustomerEventType.DELETED, actor=viewer.actor, changed=(), changes=changes)
            await work.events.append([event])
            return customer.id

        return await self._run(viewer.reach(), body, turn=customer_id)

    # ------------------------------------------------------------------ helpers

    async def _change(self, work: Repositories, viewer: Principal, customer: Customer, given: Mapping[str, object]) -> Customer:
        checked = check_customer_values(given, self._policies.of(customer.seller_id))
        identifiers = (checked.values.get(field, getattr(customer, field)) for field in ("external_id", "email", "phone"))
        values = stored_values(checked.values, customer)
        held_alone = {field: values[field] for field in ("email", "phone", "external_id") if values.get(field)}
        holders = await work.customers.holders({field: [str(value)] for field, value in held_alone.items()})
        taken = taken_values((holder for holder in holders if holder.id != customer.id), held_alone)
        if problems := together(checked.problems or check_identifiers(*identifiers), taken):
            raise Refused(problems)
        if not values:
            return customer
        at = moment_after(customer, self._clock.now())
        written = {**values, **consequences(customer, values)}
        changed = await work.customers.change(customer, at, for_database(written))
        if changed is None:
            raise not_found("id")
        if values.get("status") is CustomerStatus.SUSPENDED:
            await end_sessions_of_customer(work, customer.seller_id, customer.id, at)
        event = self._records.event(
            changed,
            CustomerEventType.UPDATED,
            actor=viewer.actor,
            changed=changed_fields(values),
            changes=of_customer(customer, written),
        )
        await work.events.append([event])
        return changed

    def _staff_reach(self, viewer: Principal, seller_id: str | None) -> Tenant:
        viewer.require(Scope.CUSTOMERS_WRITE)
        viewer.require_staff()
        return viewer.reach_of(seller_id)

    async def _run(self, tenant: Reach, body: Callable[[Repositories], Awaitable[T]], *, turn: str | None = None) -> T:
        try:
            return await self._units.run(tenant, body, turn=turn)
        except KeyTaken as error:
            # Somebody took it between our look and our write: the index has the last word.
            raise Refused([taken_problem(error.field)]) from error


def _expected(customer: Customer, version: int | None) -> Customer:
    """Return *customer* if it has the version that its caller expects.

    Raises:
        Conflict: it has another one.
    """
    if version is not None and version != customer.version:
        raise Conflict(customer.version)
    return customer


def _may_know_numbers(viewer: Principal, asked: bool) -> None:  # noqa: FBT001
    """Refuse to tell whose a document's number is to callers that may not see documents."""
    if asked:
        viewer.require(Scope.DOCUMENTS_READ)
