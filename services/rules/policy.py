"""Which rules hold, and the vocabulary of their answers."""

from dataclasses import dataclass
from datetime import date

from core.drafts import CustomerDraft
from core.errors import Problem


@dataclass(frozen=True, slots=True)
class RulePolicy:
    """The rules of one call.

    The four switches are the configuration's ``validation.*``. Switched off, a value is still cleaned and bounded, and
    normalised where that is possible; it is no longer refused for what it says. `default_country` (ISO 3166-1 alpha-2) is
    where a phone number without calling code belongs when no address tells; `today` is the day documents expire against.
    """

    email: bool
    phone: bool
    documents: bool
    addresses: bool
    default_country: str
    today: date


@dataclass(frozen=True, slots=True)
class Checked:
    """A normalised draft, and everything that is wrong with it: usable only without problems."""

    draft: CustomerDraft
    problems: list[Problem]


@dataclass(frozen=True, slots=True)
class CheckedValues:
    """The fields of a patch, normalised, under the names they came with."""

    values: dict[str, object]
    problems: list[Problem]


@dataclass(frozen=True, slots=True)
class RowVerdict:
    """What becomes of a row: rejected when there is an error, else stored as `draft`, whatever the warnings."""

    draft: CustomerDraft
    errors: list[Problem]
    warnings: list[Problem]
