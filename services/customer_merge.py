"""Merging: two records of one person become one."""

from dataclasses import dataclass
from datetime import datetime

from auth.principal import Principal, Scope
from core.clock import Clock
from core.errors import ErrorCode, Problem, Refused
from core.vocabulary import CustomerEventType
from models.address import Address
from models.customer import Customer
from models.document import Document
from repositories.unit_of_work import Repositories, UnitOfWork
from services.address import MAX_ADDRESSES
from services.customer_keys import seal_for
from services.customer_lookup import not_found
from services.customer_values import consequences, for_database
from services.document import MAX_DOCUMENTS
from services.records import RecordMaker, changed_fields, moment_after, unique
from services.rules.profile import MAX_ATTRIBUTES, MAX_TAGS
from services.session_ends import end_sessions_of_customer

_LENT = ("external_id", "email", "phone", "first_name", "last_name", "company", "date_of_birth", "locale")
"""What the survivor takes from the other one where it has nothing itself."""


@dataclass(frozen=True, slots=True)
class _Belongings:
    """What hangs from one of the two."""

    addresses: list[Address]
    documents: list[Document]


class CustomerMerging:
    """Merges customers for a verified caller."""

    def __init__(self, units: UnitOfWork, records: RecordMaker, clock: Clock) -> None:
        self._units = units
        self._records = records
        self._clock = clock

    async def merge(self, viewer: Principal, into_id: str, from_id: str) -> Customer:
        """Give a customer what another one has, and delete the other one. Returns the one that is left.

        The survivor keeps every value of its own and takes those it lacks; what both have differently stays with the
        deleted record only.

        Raises:
            Forbidden: also without ``documents:write`` when there are documents to move.
            Refused: NOT_FOUND for an id that names nobody the caller can see, or nobody of the same seller; INVALID when
                both are the same; TOO_MANY when together they have more than one customer may. Nothing was changed then.
        """
        viewer.require(Scope.CUSTOMERS_WRITE)
        viewer.require_staff()
        if into_id == from_id:
            message = "A customer cannot be merged into itself. Give the ids of two customers."
            raise Refused.because(ErrorCode.INVALID, message, "from")
        return await self._units.run(
            viewer.reach(), lambda work: self._merge(work, viewer, into_id, from_id), turn=(into_id, from_id)
        )

    async def _merge(self, work: Repositories, viewer: Principal, into_id: str, from_id: str) -> Customer:
        into, gone = await _both(work, into_id, from_id)
        if planned := _to_be_erased(into, gone):
            raise Refused(planned)
        held, brought = await _belongings(work, into), await _belongings(work, gone)
        if brought.documents:
            viewer.require(Scope.DOCUMENTS_WRITE)
        values = _taken_over(into, gone)
        if problems := _too_many(into, values, held, brought):
            raise Refused(problems)
        await self._retire(work, viewer.actor, gone, into)
        # Also when nothing is taken over: of two merges that cross, each has to meet what the other one changes.
        at = moment_after(into, self._clock.now())
        stored = {**values, **(consequences(into, values) if values else {}), **_verified(values, gone)}
        if keys := unique([*into.document_keys, *gone.document_keys]):
            stored["document_keys"] = keys
        merged = await work.customers.change(into, at, for_database(stored))
        if merged is None:
            raise not_found("into")
        await seal_for(work, self._records, merged, brought.documents, at)
        await _move(work, held, gone, merged, at)
        fields = [*values, *(name for name in ("addresses", "documents") if getattr(brought, name))]
        if await work.consents.hand_over((gone.seller_id, gone.id), merged.id, at):
            fields.append("consents")
        await work.events.append(
            [self._records.event(merged, CustomerEventType.UPDATED, actor=viewer.actor, changed=changed_fields(fields))]
        )
        return merged

    async def _retire(self, work: Repositories, actor: str, customer: Customer, into: Customer) -> None:
        """Delete the one that is merged away: what it held alone is free from here on, for the survivor too."""
        at = moment_after(customer, self._clock.now())
        gone = await work.customers.change(customer, at, {"live": False, "deleted_at": at, "merged_into": into.id})
        if gone is None:
            raise not_found("from")
        await end_sessions_of_customer(work, customer.seller_id, customer.id, at)
        event = self._records.event(gone, CustomerEventType.DELETED, actor=actor, changed=changed_fields(["merged_into"]))
        await work.events.append([event])


async def _both(work: Repositories, into_id: str, from_id: str) -> tuple[Customer, Customer]:
    found = await work.customers.get_many([into_id, from_id])
    into, gone = found.get(into_id), found.get(from_id)
    if into is not None and gone is not None and gone.seller_id != into.seller_id:
        gone = None
    if into is None or gone is None:
        raise Refused(
            [problem for one, field in ((into, "into"), (gone, "from")) if one is None for problem in not_found(field).problems]
        )
    return into, gone


def _to_be_erased(into: Customer, gone: Customer) -> list[Problem]:
    """What somebody has asked to be forgotten must not live on under another id, nor take somebody else along."""
    message = "This customer is going to be erased. Take that back first (cancelErasure), or wait until it has happened."
    return [Problem(ErrorCode.STATE, message, (name,)) for one, name in ((into, "into"), (gone, "from")) if one.erasure_due_at]


async def _belongings(work: Repositories, customer: Customer) -> _Belongings:
    return _Belongings(
        await work.addresses.of_customer(customer.seller_id, customer.id),
        await work.documents.of_customer(customer.seller_id, customer.id),
    )


def _taken_over(into: Customer, gone: Customer) -> dict[str, object]:
    """Return the stored fields of *into* that change because of what *gone* has."""
    values: dict[str, object] = {
        field: value for field in _LENT if getattr(into, field) is None and (value := getattr(gone, field)) is not None
    }
    if more := [tag for tag in gone.tags if tag not in into.tags]:
        values["tags"] = [*into.tags, *more]
    known = {one.key for one in into.attributes}
    if others := [one for one in gone.attributes if one.key not in known]:
        values["attributes"] = [*into.attributes, *others]
    return values


def _verified(values: dict[str, object], gone: Customer) -> dict[str, object]:
    """Return what was proved of the contacts that are taken over: it was the same person."""
    return {f"{field}_verified": getattr(gone, f"{field}_verified") for field in ("email", "phone") if field in values}


def _too_many(into: Customer, values: dict[str, object], held: _Belongings, brought: _Belongings) -> list[Problem]:
    counted: dict[str, tuple[int, int]] = {
        "tags": (len(_list(values.get("tags", into.tags))), MAX_TAGS),
        "attributes": (len(_list(values.get("attributes", into.attributes))), MAX_ATTRIBUTES),
        "addresses": (len(held.addresses) + len(brought.addresses), MAX_ADDRESSES),
        "documents": (len(held.documents) + len(brought.documents), MAX_DOCUMENTS),
    }
    return [
        Problem(
            ErrorCode.TOO_MANY,
            f"Together they have {count} {what}; a customer has at most {most}. Delete some of either first.",
            ("from", what),
        )
        for what, (count, most) in counted.items()
        if count > most
    ]


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


async def _move(work: Repositories, held: _Belongings, gone: Customer, into: Customer, at: datetime) -> None:
    """Give the survivor what hangs from the other one. Its own default addresses stay; those of other kinds come along."""
    owner = (gone.seller_id, gone.id)
    if settled := sorted({address.kind for address in held.addresses if address.is_default}):
        only = {"kind": {"$in": settled}, "is_default": True}
        await work.addresses.hand_over(owner, into.id, at, only=only, is_default=False)
    await work.addresses.hand_over(owner, into.id, at)
    await work.documents.hand_over(owner, into.id, at)
