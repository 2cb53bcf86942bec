"""What may happen to customers, and what follows from it."""

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
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
from models.idempotency import IdempotencyRecord
from models.row import Row
from repositories.errors import KeyTaken
from repositories.stored import Fields
from repositories.unit_of_work import Repositories, UnitOfWork
from services.customer_lookup import SPELLED, CustomerLookup, holds, taken_problem, taken_values, together
from services.customer_values import (
    consequences,
    created_fields,
    for_database,
    given_values,
    stored_values,
    with_key,
)
from services.records import RecordMaker, changed_fields, moment_after
from services.rules.customer import check_customer, check_customer_values
from services.rules.profile import check_identifiers
from services.seller import SellerPolicies
from services.session_ends import end_sessions_of_customer
from services.uploads import DocumentFiles, DocumentUpload

T = TypeVar("T")

LONGEST_IDEMPOTENCY_KEY = 255

_STAFF_ONLY = frozenset({"status", "tags", "attributes", "external_id", "kind"})


@dataclass(frozen=True, slots=True)
class CustomerSaved:
    """A customer after a change, and where its documents' files are to be sent."""

    customer: Customer
    uploads: Sequence[DocumentUpload] = ()
    created: bool = False


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
        self._files = files
        self._clock = clock
        self._lookup = CustomerLookup(records, policies)

    # ------------------------------------------------------------------ reading

    async def get(self, viewer: Principal, customer_id: str) -> Customer | None:
        """Return a customer; an unknown id, a deleted customer and another seller's are all None."""
        viewer.require(Scope.CUSTOMERS_READ)
        return await Repositories(viewer.reach()).customers.get(customer_id)

    async def get_by(
        self, viewer: Principal, key: CustomerKey, seller_id: str | None, *, fields: Fields = None
    ) -> Row[Customer] | None:
        """Return the customer with this identifier, or None; with these *fields* or with all."""
        viewer.require(Scope.CUSTOMERS_READ)
        _may_know_numbers(viewer, key.kind is CustomerKeyKind.DOCUMENT_NUMBER)
        tenant = viewer.reach_of(seller_id)
        return await self._lookup.read(Repositories(tenant), tenant, key, fields=fields)

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
        viewer.require(Scope.CUSTOMERS_READ)
        _may_know_numbers(viewer, chosen.document_number is not None)
        tenant = viewer.reach_of(seller_id)
        normalised, document_keys = self._lookup.filter(tenant, chosen)
        return await Repositories(tenant).customers.list(normalised, sort, request, document_keys=document_keys, fields=fields)

    async def count(self, viewer: Principal, chosen: CustomerFilter, seller_id: str | None) -> int:
        """Return how many customers meet the filter."""
        viewer.require(Scope.CUSTOMERS_READ)
        _may_know_numbers(viewer, chosen.document_number is not None)
        tenant = viewer.reach_of(seller_id)
        normalised, document_keys = self._lookup.filter(tenant, chosen)
        return await Repositories(tenant).customers.count(normalised, document_keys=document_keys)

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
        once = self._once(viewer, tenant, idempotency_key, draft)

        async def body(work: Repositories) -> CustomerSaved:
            if once is not None and (earlier := await work.idempotency.get(once.id)) is not None:
                return await self._replay(work, once, earlier)
            saved = await self._create(work, viewer, tenant, draft, hopeful=True)
            if once is not None:
                await work.idempotency.insert(once.model_copy(update={"customer_id": saved.customer.id}))
            return saved

        try:
            saved = await self._units.run(tenant, body)
        except KeyTaken as error:
            raise Refused(await self._taken(tenant, draft) or [taken_problem(error.field)]) from error
        return replace(saved, uploads=await self._uploads(tenant, saved.customer) if draft.documents else ())

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
                    raise not_found("key", "id")
                return await self._create(work, viewer, tenant, draft, key=key)
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
            await work.events.append([self._records.event(gone, CustomerEventType.DELETED, actor=viewer.actor, changed=())])
            return customer.id

        return await self._run(viewer.reach(), body, turn=customer_id)

    # ------------------------------------------------------------------ helpers

    async def _create(
        self,
        work: Repositories,
        viewer: Principal,
        tenant: Tenant,
        draft: CustomerDraft,
        *,
        key: CustomerKey | None = None,
        hopeful: bool = False,
    ) -> CustomerSaved:
        """Store a new customer. When *hopeful*, the index alone says what is taken.

        Nearly always nothing is, and looking first would be one command of five. Who gets `KeyTaken` looks for the rest of it.
        """
        if draft.documents:
            viewer.require(Scope.DOCUMENTS_WRITE)
        seller_id = tenant.seller_id
        checked = check_customer(draft, self._policies.of(seller_id))
        keys = self._records.keys_of(checked.draft, seller_id=seller_id)
        if key is not None and not checked.problems:
            self._require_agreement(tenant, key, keys)
        if checked.problems or not hopeful:
            taken = self._lookup.taken(await work.customers.holders(keys), checked.draft, seller_id)
            if problems := together(checked.problems, taken):
                raise Refused(problems)
        draft = checked.draft
        at = self._clock.now()
        made = self._records.new_customer(draft, seller_id=seller_id, at=at)
        self._files.expect_all(made.documents, draft.documents, at)
        await work.customers.insert(made.customer)
        await work.addresses.insert_many(made.addresses)
        await work.documents.insert_many(made.documents)
        event = self._records.event(
            made.customer, CustomerEventType.CREATED, actor=viewer.actor, changed=changed_fields(created_fields(draft))
        )
        await work.events.append([event])
        return CustomerSaved(made.customer, created=True)

    async def _taken(self, tenant: Tenant, draft: CustomerDraft) -> Sequence[Problem]:
        """Return everything of a sound draft that is somebody else's."""
        checked = check_customer(draft, self._policies.of(tenant.seller_id)).draft
        keys = self._records.keys_of(checked, seller_id=tenant.seller_id)
        return self._lookup.taken(await Repositories(tenant).customers.holders(keys), checked, tenant.seller_id)

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
        changed = await work.customers.change(customer, at, for_database({**values, **consequences(customer, values)}))
        if changed is None:
            raise not_found("id")
        if values.get("status") is CustomerStatus.SUSPENDED:
            await end_sessions_of_customer(work, customer.seller_id, customer.id, at)
        await work.events.append(
            [self._records.event(changed, CustomerEventType.UPDATED, actor=viewer.actor, changed=changed_fields(values))]
        )
        return changed

    def _require_agreement(self, tenant: Tenant, key: CustomerKey, keys: Mapping[str, Sequence[str]]) -> None:
        """Refuse to create a customer whom the same call would not find again; *keys* is what it would hold alone."""
        field, values = self._lookup.stored_key(tenant, key)
        if not set(values) & set(keys.get(field, ())):
            message = f"There is no such customer, and the input gives another {key.kind.value}: let the two agree."
            raise Refused.because(ErrorCode.INVALID, message, "key", key.kind.value)

    def _staff_reach(self, viewer: Principal, seller_id: str | None) -> Tenant:
        viewer.require(Scope.CUSTOMERS_WRITE)
        viewer.require_staff()
        return viewer.reach_of(seller_id)

    def _once(self, viewer: Principal, tenant: Tenant, key: str | None, draft: CustomerDraft) -> IdempotencyRecord | None:
        require_idempotency_key(key)
        if key is None:
            return None
        parts = (str(tenant.seller_id), viewer.actor, "createCustomer", key)
        return IdempotencyRecord(
            id=hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest(),
            seller_id=str(tenant.seller_id),
            request_digest=hashlib.sha256(repr(draft).encode("utf-8", "surrogatepass")).hexdigest(),
            customer_id="",
            created_at=self._clock.now(),
        )

    async def _replay(self, work: Repositories, once: IdempotencyRecord, earlier: IdempotencyRecord) -> CustomerSaved:
        if earlier.request_digest != once.request_digest:
            raise Refused.because(
                ErrorCode.IDEMPOTENCY_KEY_REUSED,
                "This idempotency key was used for another customer. Use a new key for a new request.",
                "idempotencyKey",
            )
        return CustomerSaved(await require_customer(work, earlier.customer_id), created=True)

    async def _uploads(self, tenant: Tenant, customer: Customer) -> Sequence[DocumentUpload]:
        return await self._files.invite(await Repositories(tenant).documents.of_customer(customer.seller_id, customer.id))

    async def _run(self, tenant: Reach, body: Callable[[Repositories], Awaitable[T]], *, turn: str | None = None) -> T:
        try:
            return await self._units.run(tenant, body, turn=turn)
        except KeyTaken as error:
            # Somebody took it between our look and our write: the index has the last word.
            raise Refused([taken_problem(error.field)]) from error


def require_idempotency_key(key: str | None) -> None:
    """Refuse a key that is none.

    Raises:
        Refused: INVALID, for a key that is empty or too long.
    """
    if key is not None and not 1 <= len(key) <= LONGEST_IDEMPOTENCY_KEY:
        message = f"An idempotency key has 1 to {LONGEST_IDEMPOTENCY_KEY} characters."
        raise Refused.because(ErrorCode.INVALID, message, "idempotencyKey")


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


async def require_customer(work: Repositories, customer_id: str, field: str = "id") -> Customer:
    """Return a customer; *field* is where the caller gave its id.

    Raises:
        Refused: NOT_FOUND, the same for an unknown, a deleted and another seller's customer.
    """
    customer = await work.customers.get(customer_id)
    if customer is None:
        raise not_found(field)
    return customer


def not_found(*field: str) -> Refused:
    """Return the refusal for an id that names nothing the caller can see."""
    return Refused.because(ErrorCode.NOT_FOUND, "There is nothing with this id.", *field)
