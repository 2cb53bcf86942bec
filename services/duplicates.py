"""Suggesting who may be the same person twice."""

from collections.abc import Sequence
from dataclasses import dataclass

from auth.principal import Principal, Scope
from core.merging import DuplicateReason
from models.address import Address
from models.customer import Customer
from models.row import Row
from repositories.duplicate import DuplicateCandidates
from repositories.unit_of_work import Repositories
from services.records import unique
from services.rules.likeness import LISTED, Known, Place, likeness, mailbox, plain
from services.rules.text import fold

_SPELLED_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})


@dataclass(frozen=True, slots=True)
class PossibleDuplicate:
    """A customer that may be the same person as another one: how likely, from 0 to 1, and why."""

    customer: Row[Customer]
    score: float
    reasons: Sequence[DuplicateReason]


class Duplicates:
    """Looks for duplicates for a verified caller. What is found is near in an index that is there for something else."""

    async def of(self, viewer: Principal, customer: Customer, most: int) -> list[PossibleDuplicate]:
        """Return who may be the same person as *customer*, the likeliest first, no more than *most*.

        A handful of index scans, of at most 200 customers, whatever the seller has. Somebody whose last name begins with
        another letter, and whose e-mail address and phone are others too, is not found.

        Raises:
            Forbidden: without ``customers:read``: what is compared is what masked readers do not see.
        """
        viewer.require(Scope.CUSTOMERS_READ)
        tenant = viewer.reach()
        addresses = Repositories(tenant).addresses
        mine = await addresses.of_customer(customer.seller_id, customer.id)
        known = _known(customer, mine)
        near = await DuplicateCandidates(tenant).near(
            customer.seller_id, names=_positions(customer), words=_words(customer), phones=known.phones
        )
        others = {row["_id"]: row for row in near if row["_id"] != customer.id}
        # Without any other reason an address makes nobody a duplicate: those of the rest need not be read.
        alike = [row for row in others.values() if likeness(known, _known(row.record, ())).reasons]
        owned = await addresses.of_customers([(row["seller_id"], row["_id"]) for row in alike]) if alike else {}
        found = []
        for row in alike:
            compared = likeness(known, _known(row.record, owned[row["seller_id"], row["_id"]]))
            if compared.score >= LISTED:
                found.append(PossibleDuplicate(row, compared.score, compared.reasons))
        return sorted(found, key=lambda one: (-one.score, one.customer["_id"]))[:most]


def _known(customer: Customer, addresses: Sequence[Address]) -> Known:
    phones = (customer.phone, *(one.phone for one in addresses))
    return Known(
        first_name=customer.first_name,
        last_name=customer.last_name,
        company=customer.company,
        email=customer.email,
        phones=frozenset(phone for phone in phones if phone),
        date_of_birth=customer.date_of_birth,
        places=[Place(one.line1, one.postal_code, one.country_code) for one in addresses],
    )


def _positions(customer: Customer) -> list[str]:
    """Return where in the order of names a duplicate may stand: names in either order, umlauts in each spelling."""
    parts = [part for part in (customer.last_name, customer.first_name) if part]
    orders = [" ".join(parts), " ".join(reversed(parts))] if parts else [customer.full_name]
    spelled = [spell(name) for name in orders for spell in (fold, _spelled_out, plain)]
    return [name for name in unique(spelled) if name]


def _spelled_out(name: str) -> str:
    return fold(name.translate(_SPELLED_OUT))


def _words(customer: Customer) -> list[str]:
    """Return the words by which those are found whose mailbox is the same, or has the same name at another provider."""
    if customer.email is None:
        return []
    local = customer.email.rpartition("@")[0]
    box = mailbox(customer.email).rpartition("@")[0]
    return [word for word in unique([local, box, box.replace(".", "")]) if len(word) >= _TELLING]


_TELLING = 5
"""Characters of a local part that can tell one from others."""
