"""What may happen to addresses. A customer's addresses change one after the other, through its version."""

from collections.abc import Mapping, Sequence

from auth.principal import Principal, Scope
from core.clock import Clock
from core.drafts import AddressDraft
from core.errors import Conflict, ErrorCode, Refused
from core.filters import AddressFilter
from core.paging import Page, PageRequest
from core.vocabulary import CustomerEventType
from models.address import Address
from models.customer import Customer
from models.row import Row
from models.stored import Fields
from repositories.unit_of_work import Repositories, UnitOfWork
from services.changes import Changes, of_addresses
from services.customer_lookup import not_found, require_customer
from services.records import RecordMaker, moment_after
from services.rules.address import check_address_draft, check_address_patch
from services.seller import SellerPolicies

MAX_ADDRESSES = 100

_Rewritten = tuple[Address, Mapping[str, object]]


class AddressService:
    """Reads and changes addresses for a verified caller."""

    def __init__(self, units: UnitOfWork, records: RecordMaker, policies: SellerPolicies, clock: Clock) -> None:
        self._units = units
        self._records = records
        self._policies = policies
        self._clock = clock

    async def list(
        self,
        viewer: Principal,
        chosen: AddressFilter,
        request: PageRequest,
        seller_id: str | None,
        *,
        fields: Fields = None,
    ) -> Page[Row[Address]]:
        """Return one page of addresses, newest first, with these *fields* or with all."""
        viewer.require(Scope.CUSTOMERS_READ)
        return await Repositories(viewer.reach_of(seller_id)).addresses.list(chosen, request, fields=fields)

    async def get(self, viewer: Principal, address_id: str) -> Address | None:
        """Return an address; an unknown id, a deleted address and another seller's are all None."""
        viewer.require(Scope.CUSTOMERS_READ)
        return await Repositories(viewer.reach()).addresses.get(address_id)

    async def create(self, viewer: Principal, customer_id: str, draft: AddressDraft) -> Address:
        """Add an address to a customer; the first of its kind becomes the default.

        Raises:
            Refused: with every problem of the address at once.
        """
        viewer.require(Scope.CUSTOMERS_WRITE)

        async def body(work: Repositories) -> Address:
            customer = await require_customer(work, customer_id, "customerId")
            checked = self._checked(draft, customer.seller_id)
            existing = await work.addresses.of_customer(customer.seller_id, customer_id)
            if len(existing) >= MAX_ADDRESSES:
                message = f"A customer has at most {MAX_ADDRESSES} addresses. Delete one first."
                raise Refused.because(ErrorCode.TOO_MANY, message)
            siblings = _of_kind(existing, checked)
            changed = await self._touch(work, customer)
            if checked.is_default and siblings:
                await work.addresses.demote_default(customer.seller_id, customer_id, checked.kind, changed.updated_at)
            address = self._records.new_address(
                checked,
                seller_id=customer.seller_id,
                customer_id=customer_id,
                at=changed.updated_at,
                is_default=bool(checked.is_default) or not siblings,
            )
            demoted = _demoted(siblings) if address.is_default else []
            await self._tell(work, viewer, changed, of_addresses((None, address), *demoted))
            return await work.addresses.insert(address)

        return await self._units.run(viewer.reach(), body, turn=customer_id)

    async def update(
        self, viewer: Principal, address_id: str, values: Mapping[str, object], *, expected_version: int | None = None
    ) -> Address:
        """Change the given fields of an address; None clears one.

        Raises:
            Conflict: the address no longer has *expected_version*.
            Refused: with every problem at once; NOT_FOUND for an unknown id.
        """
        viewer.require(Scope.CUSTOMERS_WRITE)

        async def body(work: Repositories) -> Address:
            address = await _require_address(work, address_id)
            if expected_version is not None and expected_version != address.version:
                raise Conflict(address.version)
            return await self._change(work, viewer, address, values)

        return await self._units.run(viewer.reach(), body, turn=await self._owner(viewer, address_id))

    async def set_default(self, viewer: Principal, address_id: str) -> Address:
        """Make an address the default of its kind."""
        return await self.update(viewer, address_id, {"is_default": True})

    async def delete(self, viewer: Principal, address_id: str, *, expected_version: int | None = None) -> str:
        """Delete an address; the oldest one left of its kind takes its place as default. Returns its id.

        Raises:
            Conflict: the address no longer has *expected_version*.
            Refused: NOT_FOUND for an unknown id.
        """
        viewer.require(Scope.CUSTOMERS_WRITE)

        async def body(work: Repositories) -> str:
            address = await _require_address(work, address_id)
            if expected_version is not None and expected_version != address.version:
                raise Conflict(address.version)
            customer = await require_customer(work, address.customer_id)
            changed = await self._touch(work, customer)
            at = changed.updated_at
            if await work.addresses.change(address, at, {"live": False, "deleted_at": at, "is_default": False}) is None:
                raise not_found("id")
            promoted = await self._promote_oldest(work, address, at=changed) if address.is_default else []
            await self._tell(work, viewer, changed, of_addresses((address, None), *promoted))
            return address.id

        return await self._units.run(viewer.reach(), body, turn=await self._owner(viewer, address_id))

    async def _change(self, work: Repositories, viewer: Principal, address: Address, values: Mapping[str, object]) -> Address:
        checked = self._checked_change(address, values)
        siblings = [
            one for one in await work.addresses.of_customer(address.seller_id, address.customer_id) if one.id != address.id
        ]
        new = {field: getattr(checked, field) for field in values if getattr(checked, field) != getattr(address, field)}
        moved = checked.kind is not address.kind
        if new.get("is_default") is None:
            new.pop("is_default", None)
        if moved:
            # Among its new kind it is the default when asked to be, or when it is alone there.
            new["is_default"] = values.get("is_default") is True or not _of_kind(siblings, checked)
        elif new.get("is_default") is False:
            raise Refused.because(
                ErrorCode.INVALID, "There is always one default. Make another address the default instead.", "isDefault"
            )
        if not new:
            return address
        changed = await self._touch(work, await require_customer(work, address.customer_id))
        at = changed.updated_at
        if new.get("is_default"):
            await work.addresses.demote_default(address.seller_id, address.customer_id, checked.kind, at)
        saved = await work.addresses.change(address, at, new)
        if saved is None:
            raise not_found("id")
        demoted = _demoted(_of_kind(siblings, checked)) if new.get("is_default") else []
        promoted = await self._promote_oldest(work, address, at=changed) if moved and address.is_default else []
        await self._tell(work, viewer, changed, of_addresses((address, new), *demoted, *promoted))
        return saved

    @staticmethod
    async def _owner(viewer: Principal, address_id: str) -> str:
        """Return whose address it is: the changes of one customer take turns."""
        address = await Repositories(viewer.reach()).addresses.get(address_id)
        if address is None:
            raise not_found("id")
        return address.customer_id

    async def _touch(self, work: Repositories, customer: Customer) -> Customer:
        """Give the customer its next version. Two changes at once meet here, and one waits."""
        changed = await work.customers.change(customer, moment_after(customer, self._clock.now()), {})
        if changed is None:
            raise not_found("id")
        return changed

    async def _tell(self, work: Repositories, viewer: Principal, changed: Customer, changes: Changes) -> None:
        event = self._records.event(
            changed, CustomerEventType.UPDATED, actor=viewer.actor, changed=["addresses"], changes=changes
        )
        await work.events.append([event])

    @staticmethod
    async def _promote_oldest(work: Repositories, gone: Address, *, at: Customer) -> Sequence[_Rewritten]:
        """Let the oldest one left of a kind be the default; return it, if there is one, and what was written to it."""
        left = [
            one
            for one in await work.addresses.of_customer(gone.seller_id, gone.customer_id)
            if one.id != gone.id and one.kind is gone.kind
        ]
        if not left:
            return []
        values: dict[str, object] = {"is_default": True}
        await work.addresses.change(left[0], at.updated_at, values)
        return [(left[0], values)]

    def _checked(self, draft: AddressDraft, seller_id: str) -> AddressDraft:
        checked, problems = check_address_draft(draft, self._policies.of(seller_id))
        if problems:
            raise Refused(problems)
        return checked

    def _checked_change(self, address: Address, values: Mapping[str, object]) -> AddressDraft:
        checked, problems = check_address_patch(draft_of(address), values, self._policies.of(address.seller_id))
        if problems:
            raise Refused(problems)
        return checked


async def _require_address(work: Repositories, address_id: str) -> Address:
    address = await work.addresses.get(address_id)
    if address is None:
        raise not_found("id")
    return address


def _of_kind(addresses: Sequence[Address], draft: AddressDraft) -> list[Address]:
    return [address for address in addresses if address.kind is draft.kind]


def _demoted(siblings: Sequence[Address]) -> list[_Rewritten]:
    """Return those that are the default no more because another one is, and what was written to them."""
    return [(one, {"is_default": False}) for one in siblings if one.is_default]


def draft_of(address: Address) -> AddressDraft:
    """Return the draft that would have made this address."""
    return AddressDraft(
        kind=address.kind,
        is_default=address.is_default,
        label=address.label,
        recipient=address.recipient,
        company=address.company,
        line1=address.line1,
        line2=address.line2,
        city=address.city,
        region=address.region,
        postal_code=address.postal_code,
        country_code=address.country_code,
        phone=address.phone,
    )
