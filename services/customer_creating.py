"""How a customer comes into being: judged as a whole, stored with all that belongs to it or not at all, once for each key."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from auth.principal import Principal, Scope
from core.clock import Clock
from core.drafts import CustomerDraft
from core.errors import ErrorCode, Problem, Refused
from core.filters import CustomerKey
from core.ids import IdKind, new_id
from core.tenancy import Tenant
from models.customer import Customer
from models.idempotency import IdempotencyRecord
from repositories.errors import KeyTaken
from repositories.unit_of_work import Repositories, UnitOfWork
from services.customer_lookup import CustomerLookup, require_customer, taken_problem, together
from services.customer_storing import CustomerStoring, store_all
from services.new_customers import NewCustomer, new_customer, record_of
from services.records import RecordMaker
from services.rules.customer import check_customer
from services.seller import SellerPolicies
from services.uploads import DocumentFiles, DocumentUpload

LONGEST_IDEMPOTENCY_KEY = 255


@dataclass(frozen=True, slots=True)
class CustomerSaved:
    """A customer after a change, and where its documents' files are to be sent."""

    customer: Customer
    uploads: Sequence[DocumentUpload] = ()
    created: bool = False


class CustomerCreating:
    """Creates customers inside a tenant, for a caller that may."""

    def __init__(
        self, units: UnitOfWork, records: RecordMaker, policies: SellerPolicies, files: DocumentFiles, clock: Clock
    ) -> None:
        self._units = units
        self._storing = CustomerStoring(units)
        self._records = records
        self._policies = policies
        self._files = files
        self._clock = clock
        self._lookup = CustomerLookup(records, policies)

    async def create(self, viewer: Principal, tenant: Tenant, draft: CustomerDraft, key: str | None) -> CustomerSaved:
        """Create a customer, once for each idempotency *key*; see `CustomerService.create`."""
        once = self._once(viewer, tenant, key, draft)
        try:
            if once is None:
                # The index alone says what is taken: nearly always nothing is, and looking first would be one command more.
                made = self._made(viewer, tenant, await self._sound(viewer, tenant, draft))
                await self._storing.store(tenant, made)
                saved = CustomerSaved(record_of(made), created=True)
            else:
                saved = await self._units.run(tenant, lambda work: self._create_once(work, viewer, tenant, draft, once))
        except KeyTaken as error:
            raise Refused(await self._taken(tenant, draft) or [taken_problem(error.field)]) from error
        return replace(saved, uploads=await self._uploads(tenant, saved.customer)) if draft.documents else saved

    async def add(
        self, work: Repositories, viewer: Principal, tenant: Tenant, draft: CustomerDraft, key: CustomerKey
    ) -> CustomerSaved:
        """Create the customer that was looked for by *key* and not found, within a unit of work.

        Raises:
            Refused: with every problem of the draft at once, also that *key* would not find it.
        """
        sound = await self._sound(viewer, tenant, draft, work)
        keys = self._records.keys_of(sound, seller_id=tenant.seller_id)
        self._require_agreement(tenant, key, keys)
        if taken := self._lookup.taken(await work.customers.holders(keys), sound, tenant.seller_id):
            raise Refused(taken)
        made = self._made(viewer, tenant, sound)
        await store_all(work, [made])
        return CustomerSaved(record_of(made), created=True)

    async def _create_once(
        self, work: Repositories, viewer: Principal, tenant: Tenant, draft: CustomerDraft, once: IdempotencyRecord
    ) -> CustomerSaved:
        if (earlier := await work.idempotency.get(once.id)) is not None:
            return await self._replay(work, once, earlier)
        made = self._made(viewer, tenant, await self._sound(viewer, tenant, draft, work))
        await store_all(work, [made])
        await work.idempotency.insert(once.model_copy(update={"customer_id": made.id}))
        return CustomerSaved(record_of(made), created=True)

    async def _sound(
        self, viewer: Principal, tenant: Tenant, draft: CustomerDraft, work: Repositories | None = None
    ) -> CustomerDraft:
        """Return a draft as it is to be stored.

        Raises:
            Refused: with every problem at once. Only then is it looked up what is somebody else's: see `create`.
        """
        if draft.documents:
            viewer.require(Scope.DOCUMENTS_WRITE)
        checked = check_customer(draft, self._policies.of(tenant.seller_id))
        if not checked.problems:
            return checked.draft
        keys = self._records.keys_of(checked.draft, seller_id=tenant.seller_id)
        taken = self._lookup.taken(
            await (work or Repositories(tenant)).customers.holders(keys), checked.draft, tenant.seller_id
        )
        raise Refused(together(checked.problems, taken))

    def _made(self, viewer: Principal, tenant: Tenant, draft: CustomerDraft) -> NewCustomer:
        at, customer_id = self._clock.now(), new_id(IdKind.CUSTOMER)
        documents = self._records.new_documents(draft.documents, seller_id=tenant.seller_id, customer_id=customer_id, at=at)
        self._files.expect_all(documents.records, draft.documents, at)
        return new_customer(
            self._records,
            draft,
            documents,
            seller_id=tenant.seller_id,
            at=at,
            customer_id=customer_id,
            actor=viewer.actor,
        )

    async def _taken(self, tenant: Tenant, draft: CustomerDraft) -> Sequence[Problem]:
        """Return everything of a sound draft that is somebody else's."""
        checked = check_customer(draft, self._policies.of(tenant.seller_id)).draft
        keys = self._records.keys_of(checked, seller_id=tenant.seller_id)
        return self._lookup.taken(await Repositories(tenant).customers.holders(keys), checked, tenant.seller_id)

    def _require_agreement(self, tenant: Tenant, key: CustomerKey, keys: Mapping[str, Sequence[str]]) -> None:
        """Refuse to create a customer whom the same call would not find again; *keys* is what it would hold alone."""
        field, values = self._lookup.stored_key(tenant, key)
        if not set(values) & set(keys.get(field, ())):
            message = f"There is no such customer, and the input gives another {key.kind.value}: let the two agree."
            raise Refused.because(ErrorCode.INVALID, message, "key", key.kind.value)

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


def require_idempotency_key(key: str | None) -> None:
    """Refuse a key that is none.

    Raises:
        Refused: INVALID, for a key that is empty or too long.
    """
    if key is not None and not 1 <= len(key) <= LONGEST_IDEMPOTENCY_KEY:
        message = f"An idempotency key has 1 to {LONGEST_IDEMPOTENCY_KEY} characters."
        raise Refused.because(ErrorCode.INVALID, message, "idempotencyKey")
