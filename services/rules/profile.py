"""The fields of a customer, one by one: the same checks for a new customer, a patch and a row."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from operator import attrgetter
from typing import Final, cast

from core.drafts import AttributeDraft, CustomerDraft
from core.errors import ErrorCode, FieldPath, Problem
from core.vocabulary import CustomerKind
from services.rules.address import check_phone
from services.rules.email import MAX_EMAIL, normalise_email
from services.rules.policy import CheckedValues, RulePolicy
from services.rules.text import clean_text, is_plain

MAX_NAME = 200
MAX_EXTERNAL_ID = 256
MAX_TAGS = 250
MAX_TAG = 64
MAX_ATTRIBUTES = 100
MAX_ATTRIBUTE_KEY = 64
MAX_ATTRIBUTE_VALUE = 4000
EARLIEST_BIRTH = date(1900, 1, 1)

# RFC 5646, the parts in use: language, script, region, variants, extensions. Shops write en_US for en-US.
_LOCALE = re.compile(
    r"(?P<language>[a-z]{2,3})(-(?P<script>[a-z]{4}))?(-(?P<region>[a-z]{2}|[0-9]{3}))?"
    r"(?P<rest>(-([a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*(-[a-wyz0-9](-[a-z0-9]{2,8})+)*(-x(-[a-z0-9]{1,8})+)?)",
    re.IGNORECASE,
)

_Check = Callable[[object, RulePolicy, str, list[Problem]], object]


def check_profile(values: Mapping[str, object], policy: RulePolicy, *, region: str | None = None) -> CheckedValues:
    """Check fields of a customer under their snake_case names; what is not in *values* is not looked at. None clears.

    A phone number without calling code belongs to *region*, else to the seller's default country. A value that is refused
    comes back as None, or as the part of it that a lenient import keeps.
    """
    problems: list[Problem] = []
    where = region or policy.default_country
    return CheckedValues({name: _CHECKS[name](value, policy, where, problems) for name, value in values.items()}, problems)


def check_identifiers(external_id: object, email: object, phone: object) -> list[Problem]:
    """Return a problem when a customer would have nothing to be known by. Its path is empty: it concerns all of the input."""
    if external_id or email or phone:
        return []
    return [Problem(ErrorCode.REQUIRED, "A customer needs at least one of externalId, email and phone.")]


def given_fields(draft: CustomerDraft) -> dict[str, object]:
    """Return what *draft* says about the customer itself, under the names that `check_profile` takes."""
    return {name: value for name, value in zip(_CHECKS, _FIELDS(draft), strict=True) if value is not None}


def kind_of(draft: CustomerDraft) -> CustomerKind:
    """Return the kind that was given; else BUSINESS for a company without a person's name, and INDIVIDUAL for the rest."""
    return draft.kind or kind_of_names(draft.company, draft.first_name, draft.last_name)


def kind_of_names(company: str | None, *of_person: str | None) -> CustomerKind:
    """Return BUSINESS for a company without a person's name, and INDIVIDUAL for the rest."""
    return CustomerKind.BUSINESS if company and not any(of_person) else CustomerKind.INDIVIDUAL


def _name(spelling: str) -> _Check:
    def check(value: object, _policy: RulePolicy, _region: str, problems: list[Problem]) -> str | None:
        if value is None:
            return None
        text = cast("str", value)
        if is_plain(text, MAX_NAME):
            return text
        # An empty name is a mistake of the caller's form: no name is null.
        return clean_text(text, limit=MAX_NAME, field=field, problems=problems, required=True)

    field = (spelling,)
    return check


def _external_id(value: object, _policy: RulePolicy, _region: str, problems: list[Problem]) -> str | None:
    text = cast("str | None", value)
    if text is not None and is_plain(text, MAX_EXTERNAL_ID):
        return text
    return clean_text(text, limit=MAX_EXTERNAL_ID, field=("externalId",), problems=problems, identifier=True)


def _email(value: object, policy: RulePolicy, _region: str, problems: list[Problem]) -> str | None:
    text = cast("str | None", value)
    if text is None or (len(text) <= MAX_EMAIL and not text.strip()):
        return None
    address, problem = normalise_email(text)
    if problem is None:
        return address
    if policy.email:
        problems.append(problem.under("email"))
        return None
    kept = clean_text(text, limit=MAX_EMAIL, field=("email",), problems=problems, identifier=True)
    return kept.lower() if kept else None


def _phone(value: object, policy: RulePolicy, region: str, problems: list[Problem]) -> str | None:
    return check_phone(cast("str | None", value), region, policy, problems)


def _date_of_birth(value: object, policy: RulePolicy, _region: str, problems: list[Problem]) -> date | None:
    day = cast("date | None", value)
    if day is None or EARLIEST_BIRTH <= day <= policy.today:
        return day
    message = f"A date of birth lies between {EARLIEST_BIRTH} and today."
    problems.append(Problem(ErrorCode.INVALID, message, ("dateOfBirth",)))
    return None


def _locale(value: object, _policy: RulePolicy, _region: str, problems: list[Problem]) -> str | None:
    text = clean_text(cast("str | None", value), limit=64, field=("locale",), problems=problems, identifier=True)
    if text is None:
        return None
    found = _LOCALE.fullmatch(text.replace("_", "-"))
    if found is None:
        message = "A locale is a language tag of BCP 47, such as en, pt-BR or zh-Hant-TW."
        problems.append(Problem(ErrorCode.INVALID, message, ("locale",)))
        return None
    parts = [found["language"].lower()]
    parts += [found["script"].title()] if found["script"] else []
    parts += [found["region"].upper()] if found["region"] else []
    return "-".join(parts) + found["rest"].lower()


def _kept(spelling: str) -> _Check:
    def check(value: object, _policy: RulePolicy, _region: str, problems: list[Problem]) -> object:
        if value is None:
            problems.append(
                Problem(ErrorCode.REQUIRED, "This cannot be cleared: give it a value, or leave it out.", (spelling,))
            )
        return value

    return check


def _tags(value: object, _policy: RulePolicy, _region: str, problems: list[Problem]) -> tuple[str, ...]:
    given = cast("Sequence[str]", value or ())
    if not given or too_many(given, MAX_TAGS, ("tags",), "tags", problems):
        return ()
    tags: dict[str, None] = {}
    for index, tag in enumerate(given):
        cleaned = clean_text(tag, limit=MAX_TAG, field=("tags", str(index)), problems=problems)
        if cleaned is not None:
            tags[cleaned] = None
    return tuple(tags)


def _attributes(value: object, _policy: RulePolicy, _region: str, problems: list[Problem]) -> tuple[AttributeDraft, ...]:
    given = cast("Sequence[AttributeDraft]", value or ())
    if not given or too_many(given, MAX_ATTRIBUTES, ("attributes",), "attributes", problems):
        return ()
    attributes: dict[str, AttributeDraft] = {}
    for index, attribute in enumerate(given):
        path = ("attributes", str(index))
        # Any printable text: imports keep the names of columns, such as "Contact title" or "Größe (cm)".
        key = clean_text(
            attribute.key, limit=MAX_ATTRIBUTE_KEY, field=(*path, "key"), problems=problems, required=True, identifier=True
        )
        text = clean_text(attribute.value, limit=MAX_ATTRIBUTE_VALUE, field=(*path, "value"), problems=problems, multiline=True)
        if key is None:
            continue
        if key in attributes:
            problems.append(Problem(ErrorCode.INVALID, f"The attribute {key!r} is given twice.", (*path, "key")))
        attributes[key] = AttributeDraft(key=key, value=text or "")
    return tuple(attributes.values())


def too_many(given: Sequence[object], limit: int, field: FieldPath, what: str, problems: list[Problem]) -> bool:
    """Whether there are more than *limit*; then a TOO_MANY under *field* is added, and nobody need look at them."""
    if len(given) <= limit:
        return False
    problems.append(Problem(ErrorCode.TOO_MANY, f"At most {limit} {what} are allowed; there are {len(given)}.", field))
    return True


_CHECKS: Final[Mapping[str, _Check]] = {
    "external_id": _external_id,
    "kind": _kept("kind"),
    "email": _email,
    "phone": _phone,
    "first_name": _name("firstName"),
    "last_name": _name("lastName"),
    "company": _name("company"),
    "date_of_birth": _date_of_birth,
    "locale": _locale,
    "tags": _tags,
    "attributes": _attributes,
    "status": _kept("status"),
}
_FIELDS = attrgetter(*_CHECKS)
