"""Who goes on in the place of a customer that was merged away: other systems keep the ids they know.

Asked only where nobody was found, so that it costs nothing where somebody is.
"""

from collections.abc import Collection

from core.errors import ErrorCode, Problem
from core.filters import CustomerKey, CustomerKeyKind
from core.ids import IdKind, is_id
from models.customer import Customer
from models.row import Row
from models.stored import Fields
from repositories.unit_of_work import Repositories


async def survivor_of(work: Repositories, customer_id: str, *, fields: Fields = None) -> Row[Customer] | None:
    """Return the customer that goes on in the place of one that was merged away, to be read and not changed.

    None when it was not merged, when the one it was merged into is gone, and when it is none that *work* reaches.
    """
    if not is_id(IdKind.CUSTOMER, customer_id):
        return None
    left = (await work.retired.survivors([customer_id])).get(customer_id)
    return None if left is None else await work.customers.read("_id", [left], fields=fields)


async def survivor_by(work: Repositories, key: CustomerKey, *, fields: Fields = None) -> Row[Customer] | None:
    """Return who goes on in the place of a customer that had this id, or this reference of the seller, and was merged away.

    Other identifiers name nobody any more: an e-mail address that was given up may be anybody's.
    """
    customer_id: str | None = key.value if key.kind is CustomerKeyKind.ID else None
    if key.kind is CustomerKeyKind.EXTERNAL_ID:
        customer_id = (await work.retired.with_external_ids([key.value.strip()])).get(key.value.strip())
    return None if customer_id is None else await survivor_of(work, customer_id, fields=fields)


async def survivors_of(work: Repositories, customer_ids: Collection[str]) -> dict[str, Customer]:
    """Return the customers that go on in the place of those of *customer_ids* that were merged away, by these."""
    left = await work.retired.survivors([one for one in customer_ids if is_id(IdKind.CUSTOMER, one)])
    there = await work.customers.get_many(set(left.values())) if left else {}
    return {old: there[new] for old, new in left.items() if new in there}


async def missing(work: Repositories, customer_id: str, *field: str) -> Problem:
    """Return why there is no customer with this id: MERGED, naming who goes on in its place, or NOT_FOUND.

    NOT_FOUND is the same for an unknown, a deleted and another seller's customer.
    """
    found = await survivors_of(work, [customer_id])
    if customer_id in found:
        new = found[customer_id].id
        message = f"This customer was merged into {new}, which goes on in its place. Use that id instead."
        return Problem(ErrorCode.MERGED, message, field, merged_into=new)
    return nothing(*field)


def nothing(*field: str) -> Problem:
    """Return the problem that an id names nothing the caller can see."""
    return Problem(ErrorCode.NOT_FOUND, "There is nothing with this id.", field)
