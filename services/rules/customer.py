"""The rules of a whole customer: a new one, and a patch. Rows of an import are in `services.rules.row`."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from core.drafts import CustomerDraft
from core.errors import Problem
from services.rules.address import MAX_ADDRESSES, check_address_draft, check_address_patch, check_one_default_each
from services.rules.country import country_codes
from services.rules.document import MAX_DOCUMENTS, check_document_draft
from services.rules.plain_row import plain_row
from services.rules.policy import Checked, CheckedValues, RowVerdict, RulePolicy
from services.rules.profile import check_identifiers, check_profile, given_fields, kind_of, too_many
from services.rules.row import check_row

__all__ = [
    "Checked",
    "CheckedValues",
    "RowVerdict",
    "RulePolicy",
    "check_address_draft",
    "check_address_patch",
    "check_customer",
    "check_customer_values",
    "check_document_draft",
    "check_identifiers",
    "check_row",
    "kind_of",
]

_IDENTIFIERS = {("externalId",), ("email",), ("phone",)}


def check_customer(draft: CustomerDraft, policy: RulePolicy) -> Checked:
    """Normalise a customer with its addresses and documents, and collect everything that is wrong with it.

    A `kind` that was not given becomes BUSINESS when there is a company and no person's name, else INDIVIDUAL; compare
    with the draft that went in where that matters. Paths are spelled as in GraphQL: ``("addresses", "0", "postalCode")``.
    """
    plain = plain_row(draft, policy)
    return judged_customer(draft, policy) if plain is None else Checked(plain, [])


def judged_customer(draft: CustomerDraft, policy: RulePolicy) -> Checked:
    """Return what `check_customer` does, field by field."""
    problems: list[Problem] = []
    first = draft.addresses[0].country_code.strip().upper()[:3] if draft.addresses else ""
    profile = check_profile(given_fields(draft), policy, region=first if first in country_codes() else None)
    problems += profile.problems
    # An identifier that was refused has been spoken of; it is not missing as well.
    if not any(problem.field in _IDENTIFIERS for problem in problems):
        problems += check_identifiers(*(profile.values.get(name) for name in ("external_id", "email", "phone")))
    addresses, documents = [], []
    if not too_many(draft.addresses, MAX_ADDRESSES, ("addresses",), "addresses", problems):
        for index, address in enumerate(draft.addresses):
            checked, found = check_address_draft(address, policy)
            addresses.append(checked)
            problems += [problem.under("addresses", str(index)) for problem in found]
        problems += check_one_default_each(draft.addresses)
    if not too_many(draft.documents, MAX_DOCUMENTS, ("documents",), "documents", problems):
        for index, document in enumerate(draft.documents):
            filed, found = check_document_draft(document, policy)
            documents.append(filed)
            problems += [problem.under("documents", str(index)) for problem in found]
    values = cast("dict[str, Any]", profile.values)
    draft = replace(draft, **values, addresses=tuple(addresses), documents=tuple(documents))
    return Checked(replace(draft, kind=kind_of(draft)), problems)


def check_customer_values(values: Mapping[str, object], policy: RulePolicy, *, region: str | None = None) -> CheckedValues:
    """Check the fields of a patch: snake_case names of a customer, without its addresses and documents.

    What is absent stays absent; None clears, except `kind` and `status`, which cannot be. *region* is the country of the
    customer's address, if there is one. Whether anything is left to know the customer by is for `check_identifiers`, with
    what is stored.

    Raises:
        KeyError: a customer has no such field.
    """
    return check_profile(values, policy, region=region)
