"""Between a stored customer, a draft and a set of given values. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from core.drafts import AttributeDraft, CustomerDraft
from core.filters import CustomerKey, CustomerKeyKind
from models.customer import Customer, StoredAttribute
from services.records import derived_names

PATCHABLE = (
    "external_id",
    "kind",
    "email",
    "phone",
    "first_name",
    "last_name",
    "company",
    "date_of_birth",
    "locale",
    "tags",
    "attributes",
    "status",
)
"""The stored fields of a customer that a caller can change."""

_NAMED_BY = ("first_name", "last_name", "company", "email", "phone", "external_id")


def given_values(draft: CustomerDraft) -> dict[str, object]:
    """Return the values that a draft gives: neither None nor empty."""
    return {field: value for field in PATCHABLE if (value := getattr(draft, field)) not in (None, ())}


def stored_values(checked: Mapping[str, object], customer: Customer) -> dict[str, object]:
    """Return what of the checked values differs from what is stored of a customer, as it is stored."""
    values = {field: _stored(value) for field, value in checked.items()}
    return {field: value for field, value in values.items() if value != getattr(customer, field)}


def consequences(customer: Customer, values: Mapping[str, object]) -> dict[str, object]:
    """Return the stored fields that change because of *values*: names, search words, lost verifications."""
    names = {field: values.get(field, getattr(customer, field)) for field in _NAMED_BY}
    lost = {f"{field}_verified": False for field in ("email", "phone") if field in values}
    return {**lost, **derived_names(**names)}  # type: ignore[arg-type]  # the six fields are texts or None


def for_database(values: Mapping[str, object]) -> dict[str, object]:
    """Return *values* as the driver takes them."""
    return {
        field: [one.model_dump() if isinstance(one, StoredAttribute) else one for one in value]
        if isinstance(value, list)
        else value
        for field, value in values.items()
    }


def with_key(draft: CustomerDraft, key: CustomerKey) -> CustomerDraft:
    """Return the draft with the identifier it is looked up by, where it does not give one itself."""
    match key.kind:
        case CustomerKeyKind.EMAIL if draft.email is None:
            return replace(draft, email=key.value)
        case CustomerKeyKind.PHONE if draft.phone is None:
            return replace(draft, phone=key.value)
        case CustomerKeyKind.EXTERNAL_ID if draft.external_id is None:
            return replace(draft, external_id=key.value)
        case _:
            return draft


def created_fields(draft: CustomerDraft) -> list[str]:
    """Return the stored names of what a new customer came with."""
    lists = [name for name in ("addresses", "documents") if getattr(draft, name)]
    return [*given_values(draft), *lists]


def _stored(value: object) -> object:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return [StoredAttribute(key=one.key, value=one.value) if isinstance(one, AttributeDraft) else one for one in value]
    return value
