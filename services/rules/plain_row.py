"""The plain majority of rows, and of customers that come one by one, judged in one go.

Most rows are plainly sound: nothing about them has to be refused, remarked upon or mended, only their e-mail address and phone
are spelled anew. Judging such a row field by field takes 15 microseconds, this takes 8. About all others it says nothing. A
property test holds its answers to those of `services.rules.row.judged_row` and `services.rules.customer.judged_customer`.
"""

from operator import attrgetter
from typing import cast

from core.drafts import AddressDraft, AttributeDraft, CustomerDraft
from services.rules.address import MAX_ADDRESSES, check_address_draft, check_one_default_each
from services.rules.country import country_codes
from services.rules.email import plain_email
from services.rules.phone_patterns import plain_phone
from services.rules.policy import RulePolicy
from services.rules.profile import EARLIEST_BIRTH, MAX_EXTERNAL_ID, MAX_NAME, check_profile, kind_of_names
from services.rules.text import is_plain

_TEXTS = attrgetter("external_id", "first_name", "last_name", "company")
_LIMITS = (MAX_EXTERNAL_ID, MAX_NAME, MAX_NAME, MAX_NAME)

_Lists = tuple[tuple[str, ...], tuple[AttributeDraft, ...]]


def plain_row(draft: CustomerDraft, policy: RulePolicy) -> CustomerDraft | None:
    """Return what is stored of a row that is plainly sound, in a strict import as in a lenient one; None for all others."""
    texts = _TEXTS(draft)
    external_id, first_name, last_name, company = texts
    if not (external_id or draft.email or draft.phone) or draft.locale is not None or draft.documents:
        return None
    for text, limit in zip(texts, _LIMITS, strict=True):
        if text is not None and not is_plain(text, limit):
            return None
    addresses, lists = _addresses(draft.addresses, policy), _lists(draft, policy)
    if addresses is None or lists is None or not _is_born(draft, policy):
        return None
    where = addresses[0].country_code if addresses else policy.default_country
    email = None if draft.email is None else plain_email(draft.email)
    phone = None if draft.phone is None else plain_phone(draft.phone, where)
    if (email is None) is not (draft.email is None) or (phone is None) is not (draft.phone is None):
        return None
    return CustomerDraft(
        external_id=external_id,
        kind=draft.kind or kind_of_names(company, first_name, last_name),
        email=email,
        phone=phone,
        first_name=first_name,
        last_name=last_name,
        company=company,
        date_of_birth=draft.date_of_birth,
        tags=lists[0],
        attributes=lists[1],
        status=draft.status,
        addresses=addresses,
    )


def _is_born(draft: CustomerDraft, policy: RulePolicy) -> bool:
    return draft.date_of_birth is None or EARLIEST_BIRTH <= draft.date_of_birth <= policy.today


def _addresses(given: tuple[AddressDraft, ...], policy: RulePolicy) -> tuple[AddressDraft, ...] | None:
    """Return the addresses to store where the country of each is given by its code; None when anything is amiss."""
    if not given:
        return given
    codes = country_codes()
    kept = []
    for address in given:
        if address.country_code not in codes:
            return None
        checked, problems = check_address_draft(address, policy)
        if problems:
            return None
        kept.append(checked)
    return tuple(kept) if len(kept) <= MAX_ADDRESSES and not check_one_default_each(given) else None


def _lists(draft: CustomerDraft, policy: RulePolicy) -> _Lists | None:
    """Return the tags and attributes to store; None when anything is amiss."""
    if not draft.tags and not draft.attributes:
        return (), ()
    checked = check_profile({"tags": draft.tags, "attributes": draft.attributes}, policy)
    if checked.problems:
        return None
    return cast("_Lists", (checked.values["tags"], checked.values["attributes"]))
