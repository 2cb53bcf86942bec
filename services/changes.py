"""What a change changed, from what to what, as the history keeps it. Pure.

    {"before": {"email": …, "addresses": {"adr_…": {"city": …}}}, "after": {"email": …, "documents": {"doc_…": {…}}}}

Fields have their stored names, values are what JSON can hold. What was not there, or is no more, is on one side only. Of a
document's number the last four characters are kept, of its file the name and the SHA-256.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from core.plain import plain
from models.address import Address
from models.customer import Customer, StoredAttribute
from models.document import Document, StoredFile
from services.customer_values import PATCHABLE

Changes = dict[str, Any]
"""See above."""

Values = Mapping[str, Any]

ADDRESS_FIELDS = (
    "kind",
    "is_default",
    "label",
    "recipient",
    "company",
    "line1",
    "line2",
    "city",
    "region",
    "postal_code",
    "country_code",
    "phone",
)
DOCUMENT_FIELDS = (
    "type",
    "status",
    "number_last_four",
    "issuing_country",
    "issued_on",
    "expires_on",
    "rejection_code",
    "rejection_reason",
    "file_removed_at",
)
CUSTOMER_FIELDS = (
    *PATCHABLE,
    "email_verified",
    "phone_verified",
    "merged_into",
    "erasure_due_at",
    "legal_hold_at",
    "retention_due_at",
    "deleted_at",
)
"""Stored fields whose changes are kept; others follow from them, or count."""

_ADDRESSES, _DOCUMENTS = "addresses", "documents"


def of_customer(customer: Customer | None, values: Mapping[str, object]) -> Changes:
    """Return what writing *values* to a customer changes of it; None for a new one."""
    names = [name for name in CUSTOMER_FIELDS if name in values]
    before = {} if customer is None else {name: getattr(customer, name) for name in names}
    return _changes(before, {name: values[name] for name in names})


def of_addresses(*changed: tuple[Address | None, Address | Mapping[str, object] | None]) -> Changes:
    """Return the changes of addresses: each as it was, None for a new one, and as it is or what was written to it."""
    return _owned(_ADDRESSES, ADDRESS_FIELDS, changed)


def of_documents(*changed: tuple[Document | None, Document | Mapping[str, object] | None]) -> Changes:
    """Return the changes of documents, as `of_addresses` does those of addresses."""
    return _owned(_DOCUMENTS, (*DOCUMENT_FIELDS, "file"), ((old, _with_file(new)) for old, new in changed))


def moved(addresses: Iterable[Address], documents: Iterable[Document], giver: str, heir: str) -> Changes:
    """Return that addresses and documents of one customer are another one's from now on."""
    found: Changes = {}
    for name, some in ((_ADDRESSES, addresses), (_DOCUMENTS, documents)):
        if ids := [one.id for one in some]:
            found.setdefault("before", {})[name] = {id_: {"customer_id": giver} for id_ in ids}
            found.setdefault("after", {})[name] = {id_: {"customer_id": heir} for id_ in ids}
    return found


def of_new(customer: Values, addresses: Mapping[str, Values], documents: Iterable[Values]) -> Changes:
    """Return what a new customer came with, as it is stored: of addresses, by their ids, no more than `ADDRESS_FIELDS`."""
    after = {name: value for name in PATCHABLE if (value := customer.get(name)) is not None and value != []}
    if addresses:
        after[_ADDRESSES] = addresses
    if documents:
        after[_DOCUMENTS] = {
            one["_id"]: {name: _plain(one[name]) for name in DOCUMENT_FIELDS if name in one} for one in documents
        }
    return {"after": after}


def joined(*parts: Changes) -> Changes:
    """Return all of *parts* as one; no two of them are about the same field."""
    whole: Changes = {}
    for part in parts:
        for side, fields in part.items():
            known = whole.setdefault(side, {})
            for name, value in fields.items():
                if name in {_ADDRESSES, _DOCUMENTS} and name in known:
                    ids = known[name]
                    known[name] = {**ids, **{id_: {**ids.get(id_, {}), **of_one} for id_, of_one in value.items()}}
                else:
                    known[name] = value
    return whole


def _with_file(new: Document | Mapping[str, object] | None) -> Document | Mapping[str, object] | None:
    if isinstance(new, Mapping) and isinstance(file := new.get("file"), Mapping):
        return {**new, "file": StoredFile.model_validate(file)}
    return new


def _owned(name: str, fields: Iterable[str], changed: Iterable[tuple[Any, Any]]) -> Changes:
    found: Changes = {}
    for old, new in changed:
        before = {} if old is None else {field: getattr(old, field) for field in fields}
        if isinstance(new, Mapping):
            after = {**before, **{field: new[field] for field in fields if field in new}}
        else:
            after = {} if new is None else {field: getattr(new, field) for field in fields}
        id_ = (old or new).id
        for side, values in _changes(before, after).items():
            found.setdefault(side, {}).setdefault(name, {})[id_] = values
    return found


def _changes(before: Values, after: Values) -> Changes:
    sides = ({name: _plain(value) for name, value in values.items()} for values in (before, after))
    old, new = ({name: value for name, value in side.items() if value not in (None, [])} for side in sides)
    found = {
        "before": {name: value for name, value in old.items() if new.get(name) != value},
        "after": {name: value for name, value in new.items() if old.get(name) != value},
    }
    return {side: values for side, values in found.items() if values}


def _plain(value: object) -> Any:
    """Return *value* as JSON and MongoDB both keep it."""
    if isinstance(value, StoredFile):
        return {"name": value.name, "sha256": value.sha256}
    if isinstance(value, list | tuple):
        return [one.model_dump() if isinstance(one, StoredAttribute) else plain(one) for one in value]
    return plain(value)
