"""Addresses as customers give them: text, country rules and phone in one go."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from operator import attrgetter
from typing import Any, Final

from core.drafts import AddressDraft
from core.errors import ErrorCode, FieldPath, Problem
from core.vocabulary import AddressKind
from services.rules.country import country_codes
from services.rules.phone import normalise_phone
from services.rules.phone_patterns import plain_phone
from services.rules.policy import RulePolicy
from services.rules.postal import check_address
from services.rules.text import clean_text, is_plain

MAX_ADDRESSES = 20
MAX_PHONE_TEXT = 200
"""Longer than any number, so that a remark in a phone column is refused as a phone and not as a text."""

_TEXTS: Final[Sequence[tuple[str, FieldPath, int]]] = (  # in the order of _VALUES
    ("label", ("label",), 100),
    ("recipient", ("recipient",), 200),
    ("company", ("company",), 200),
    ("line1", ("line1",), 200),
    ("line2", ("line2",), 200),
    ("city", ("city",), 100),
    ("region", ("region",), 100),
    ("postal_code", ("postalCode",), 20),
    ("country_code", ("countryCode",), 100),
)
_VALUES = attrgetter(*(name for name, _, _ in _TEXTS))
_POSTAL = frozenset({"line1", "city", "region", "postal_code", "country_code"})
_NOT_NULL = {"kind": "kind", "line1": "line1", "country_code": "countryCode"}
_ADDRESS_FIELDS = frozenset(field.name for field in fields(AddressDraft))


def check_address_draft(draft: AddressDraft, policy: RulePolicy) -> tuple[AddressDraft, list[Problem]]:
    """Return the address normalised, and all that is wrong with it, under paths such as ``("postalCode",)``.

    What the country's rules refuse (INVALID_ADDRESS) stays in the draft as it came, cleaned; a phone that is none becomes
    None beside its INVALID_PHONE.
    """
    problems: list[Problem] = []
    cleaned: dict[str, Any] = {}
    for value, (name, spelling, limit) in zip(_VALUES(draft), _TEXTS, strict=True):
        if value is None or is_plain(value, limit):
            continue
        if (text := clean_text(value, limit=limit, field=spelling, problems=problems)) != value:
            cleaned[name] = (text or "") if name in _NOT_NULL else text
    # Copied only where something changes: a copy takes longer than these checks.
    draft, found = check_address(replace(draft, **cleaned) if cleaned else draft, enabled=policy.addresses)
    if found:
        refused = {problem.field for problem in problems}
        problems += [problem for problem in found if problem.field not in refused]
    if draft.phone is None:
        return draft, problems
    region = draft.country_code if draft.country_code in country_codes() else policy.default_country
    phone = check_phone(draft.phone, region, policy, problems)
    return draft if phone == draft.phone else replace(draft, phone=phone), problems


def check_address_patch(
    stored: AddressDraft, changes: Mapping[str, object], policy: RulePolicy
) -> tuple[AddressDraft, list[Problem]]:
    """Return *stored* with *changes* (snake_case names; None clears), checked as a whole.

    The country's rules are asked only when the change touches what they speak of: an address that a lenient import kept
    as it came can still get another label.
    """
    unknown = changes.keys() - _ADDRESS_FIELDS
    if unknown:
        message = f"an address has no {', '.join(sorted(unknown))}"
        raise TypeError(message)
    problems = [
        Problem(ErrorCode.REQUIRED, "This cannot be cleared: give it a value, or leave it out.", (spelling,))
        for name, spelling in _NOT_NULL.items()
        if name in changes and changes[name] is None
    ]
    given: dict[str, Any] = {name: value for name, value in changes.items() if value is not None or name not in _NOT_NULL}
    if not _POSTAL & given.keys():
        policy = replace(policy, addresses=False)
    merged = replace(stored, **given)
    checked, found = check_address_draft(merged if "phone" in given else replace(merged, phone=None), policy)
    # A stored phone was checked when it came.
    return (checked if "phone" in given else replace(checked, phone=stored.phone)), problems + found


def check_phone(value: str | None, region: str, policy: RulePolicy, problems: list[Problem]) -> str | None:
    """Return E.164, or None; problems go under ``("phone",)``. Without the rule, what is no number stays as it came."""
    if value is not None and (plain := plain_phone(value, region)) is not None:
        return plain
    text = clean_text(value, limit=MAX_PHONE_TEXT, field=("phone",), problems=problems, identifier=True)
    if text is None:
        return None
    number, problem = normalise_phone(text, region)
    if problem is None or not policy.phone:
        return number or text
    problems.append(problem.under("phone"))
    return number


def check_one_default_each(addresses: Sequence[AddressDraft]) -> list[Problem]:
    """Return a problem for each address that wants to be the default of its kind beside an earlier one."""
    if len(addresses) == 1:
        return []
    taken: set[AddressKind] = set()
    problems: list[Problem] = []
    for index, address in enumerate(addresses):
        if not address.is_default:
            continue
        if address.kind in taken:
            message = f"Another {address.kind} address of this customer is the default already: only one can be."
            problems.append(Problem(ErrorCode.INVALID, message, ("addresses", str(index), "isDefault")))
        taken.add(address.kind)
    return problems
