"""Finding customers by what identifies them, and telling what is taken."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from core.drafts import CustomerDraft
from core.errors import ErrorCode, Problem, Refused
from core.filters import CustomerFilter, CustomerKey, CustomerKeyKind
from core.tenancy import Tenant
from models.customer import Customer
from models.row import Row
from models.stored import Fields
from repositories.unit_of_work import Repositories
from services.records import RecordMaker, unique
from services.rules.document_number import lookup_numbers
from services.rules.email import normalise_email
from services.rules.phone import normalise_phone
from services.rules.text import search_words
from services.seller import SellerPolicies
from services.succession import missing, nothing

SPELLED = {"email": "email", "phone": "phone", "external_id": "externalId", "document_keys": "documentNumber"}
"""Unique stored fields, as the API spells them."""

_TAKEN = {
    "email": "Another customer already has this e-mail address.",
    "phone": "Another customer already has this phone number.",
    "external_id": "Another customer already has this external id.",
    "document_keys": "Another customer already has a document with this number.",
}


class CustomerLookup:
    """Turns identifiers as callers write them into what is stored."""

    def __init__(self, records: RecordMaker, policies: SellerPolicies) -> None:
        self._records = records
        self._policies = policies

    async def find(self, repositories: Repositories, tenant: Tenant, key: CustomerKey) -> Customer | None:
        """Return the customer with this identifier."""
        if key.kind is CustomerKeyKind.ID:
            return await repositories.customers.get(key.value)
        field, values = self.stored_key(tenant, key)
        return await repositories.customers.find(field, values) if values else None

    async def read(
        self, repositories: Repositories, tenant: Tenant, key: CustomerKey, *, fields: Fields = None
    ) -> Row[Customer] | None:
        """Return the customer that `find` finds, to be read and not changed; with these *fields* or with all."""
        field, values = ("_id", [key.value]) if key.kind is CustomerKeyKind.ID else self.stored_key(tenant, key)
        return await repositories.customers.read(field, values, fields=fields) if values else None

    def stored_key(self, tenant: Tenant, key: CustomerKey) -> tuple[str, list[str]]:
        """Return the stored field of an identifier, and the normalised values it may stand for: none when nobody can hold it.

        A document's number without its type and country can stand for several.
        """
        seller_id = str(tenant.seller_id)
        match key.kind:
            case CustomerKeyKind.EMAIL:
                email, _ = normalise_email(key.value)
                return "email", [email] if email else []
            case CustomerKeyKind.PHONE:
                phone, _ = normalise_phone(key.value, self._policies.of(seller_id).default_country)
                return "phone", [phone] if phone else []
            case CustomerKeyKind.DOCUMENT_NUMBER:
                return "document_keys", self._number_keys(key.value, seller_id)
            case _:
                return "external_id", [key.value.strip()]

    def filter(self, tenant: Tenant, chosen: CustomerFilter) -> tuple[CustomerFilter, list[str] | None]:
        """Return a filter with its values as they are stored, and the blind indexes its document number may have."""
        found: dict[str, str] = {}
        for field, kind in (("email", CustomerKeyKind.EMAIL), ("phone", CustomerKeyKind.PHONE)):
            value = getattr(chosen, field)
            if value is not None:
                _, stored = self.stored_key(tenant, CustomerKey(kind, value))
                # What is no e-mail address or phone number is held by nobody, and the raw text finds exactly nobody.
                found[field] = stored[0] if stored else value
        if chosen.search is not None and chosen.search.strip():
            found["search"] = " ".join(search_words(chosen.search))
            if not found["search"]:
                # Without a word to look for there is nothing to find; without a condition everything would be.
                chosen = replace(chosen, ids=())
        number = chosen.document_number
        document_keys = None if number is None else self._number_keys(number, str(tenant.seller_id))
        return replace(chosen, **found), document_keys  # type: ignore[arg-type]  # only texts are replaced

    def _number_keys(self, number: str, seller_id: str) -> list[str]:
        return unique(
            index for one in lookup_numbers(number) for index in self._records.number_indexes(one, seller_id=seller_id)
        )

    def taken(self, holders: Sequence[Customer], draft: CustomerDraft, seller_id: str) -> list[Problem]:
        """Return what of a draft belongs to one of *holders* already."""
        values = {field: getattr(draft, field) for field in ("email", "phone", "external_id")}
        problems = taken_values(holders, {field: value for field, value in values.items() if value is not None})
        for index, document in enumerate(draft.documents):
            if document.number is None:
                continue
            indexes = self._records.number_indexes(document.number, seller_id=seller_id)
            if any(holds(holder, "document_keys", index) for holder in holders for index in indexes):
                problems.append(taken_problem("document_keys", "documents", str(index), "number"))
        return problems


def taken_values(holders: Iterable[Customer], values: Mapping[str, object]) -> list[Problem]:
    """Return a problem for each of *values* (by stored field) that one of *holders* holds."""
    holders = list(holders)
    return [taken_problem(field) for field, value in values.items() if any(holds(holder, field, value) for holder in holders)]


def together(found: Sequence[Problem], taken: Sequence[Problem]) -> list[Problem]:
    """Return all problems, but of a value that is wrong anyway not that it is taken as well."""
    wrong = {problem.field for problem in found}
    return [*found, *(problem for problem in taken if problem.field not in wrong)]


def taken_problem(field: str, *path: str) -> Problem:
    """Return the problem "somebody else holds this", for a unique stored field."""
    return Problem(ErrorCode.TAKEN, _TAKEN.get(field, "This is already taken."), path or (SPELLED.get(field, field),))


def holds(customer: Customer, field: str, value: object) -> bool:
    """Say whether a customer holds *value* in a unique stored field."""
    held = getattr(customer, field)
    return value in held if isinstance(held, list) else held == value


async def require_customer(work: Repositories, customer_id: str, field: str = "id") -> Customer:
    """Return a customer; *field* is where the caller gave its id.

    Raises:
        Refused: NOT_FOUND, the same for an unknown, a deleted and another seller's customer; MERGED for one that was merged
            into another one, whom the problem names.
    """
    customer = await work.customers.get(customer_id)
    if customer is None:
        raise Refused([await missing(work, customer_id, field)])
    return customer


def not_found(*field: str) -> Refused:
    """Return the refusal for an id that names nothing the caller can see."""
    return Refused([nothing(*field)])
