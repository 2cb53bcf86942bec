"""What the text of one cell means: blanks, dates, tags, names, the words for kinds and states."""

import re
from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

from core.vocabulary import CustomerKind, CustomerStatus, DocumentType

NOTHING = frozenset({"", "NULL", "null", r"\N"})
"""What databases and spreadsheets write where there is no value."""

FORMULA_STARTS = "=+-@\t\r\n\0\uff1d\uff0b\uff0d\uff20"
"""The characters that make a spreadsheet take a cell for a formula, their full-width forms included."""

_APOSTROPHE = re.compile(rf"'(?:(?=[{re.escape(FORMULA_STARTS)}])|(?=[0-9][0-9A-Z ./()-]*\s*\Z))")


def cleaned(cell: str) -> str | None:
    """Return what *cell* says, without blanks around it and without a spreadsheet's apostrophe; None for nothing."""
    text = cell.lstrip()
    while text[:1] == "'":
        bare = without_apostrophe(text)
        if bare is text:
            break
        text = bare.lstrip()
    text = text.rstrip()
    return None if text in NOTHING else text


def without_apostrophe(text: str) -> str:
    """Drop a leading apostrophe in front of a number or a formula (``'00123``, ``'+44 20…``); ``'t Hooft`` keeps his."""
    return text[1:] if _APOSTROPHE.match(text) else text


def defused(cell: str) -> str:
    """Return *cell* so that no spreadsheet runs it; `cleaned` undoes this."""
    return "'" + cell if cell[:1] and cell[0] in FORMULA_STARTS else cell


def tags(text: str) -> tuple[str, ...]:
    """Split a list of tags by ``|`` when there is one, else by comma or semicolon; each tag once, in order."""
    parts = text.split("|") if "|" in text else re.split("[,;]", text)
    return tuple(dict.fromkeys(tag for part in parts if (tag := part.strip())))


_PARTICLES = frozenset(
    {
        "af", "al", "ap", "av", "bin", "da", "das", "de", "dei", "del", "della", "den", "der", "di", "dos", "du", "el", "ibn",
        "la", "las", "le", "los", "san", "st", "st.", "ten", "ter", "van", "vom", "von", "zu", "zum", "zur", "y",
    }
)  # fmt: skip
_SUFFIXES = frozenset({"jr", "jr.", "sr", "sr.", "ii", "iii", "iv", "phd", "md"})


def name_parts(full: str) -> tuple[str | None, str | None]:
    """Split a person's name into first and last name.

    ``Doe, Jane`` is turned round; particles belong to the last name (``Isabel de Castro``); a single word is a first name.
    """
    last, comma, first = full.partition(",")
    if comma and first.strip() and first.strip().lower() not in _SUFFIXES:
        return first.strip(), last.strip() or None
    words = full.split()
    if len(words) <= 1:
        return full, None
    start = len(words) - 1
    if start > 1 and words[start].lower() in _SUFFIXES:
        start -= 1
    while start > 1 and words[start - 1].lower() in _PARTICLES:
        start -= 1
    return " ".join(words[:start]), " ".join(words[start:])


class UnclearDate(ValueError):
    """A date that means nothing or two things. The message says what to write instead."""


_ISO = re.compile(r"([0-9]{4})([-/.]?)([0-9]{2})\2([0-9]{2})(?:[T ][0-9:.]+(?:Z|[+-][0-9:]+)?)?")
_YEAR_LAST = re.compile(r"([0-9]{1,2})([./-])([0-9]{1,2})\2([0-9]{4})(?: 0?0:00(?::00)?)?")
_DAY_MONTH = re.compile(r"([0-9]{1,2})(?:st|nd|rd|th)?[. -]+([A-Za-z]{3,9})\.?[, -]+([0-9]{4})")
_MONTH_DAY = re.compile(r"([A-Za-z]{3,9})\.? +([0-9]{1,2})(?:st|nd|rd|th)?,? +([0-9]{4})")
_MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
_MONTHS_IN_YEAR = 12


def day(text: str) -> date:
    """Read a date: ISO 8601, ``24.12.1990``, ``24/12/1990``, ``12/24/1990``, ``24 Dec 1990``, ``December 24, 1990``.

    Raises:
        UnclearDate: ``03/04/2020`` may be March or April; anything else is no date at all, or none in the calendar.
    """
    try:
        year, month, number = _date_parts(text)
        return date(year, month, number)
    except UnclearDate:
        raise
    except ValueError:
        message = f"{text[:40]!r} is no date. Write it as YYYY-MM-DD, for example 1990-12-24."
        raise UnclearDate(message) from None


def _date_parts(text: str) -> tuple[int, int, int]:
    if match := _ISO.fullmatch(text):
        return int(match[1]), int(match[3]), int(match[4])
    if match := _YEAR_LAST.fullmatch(text):
        first, mark, second, year = int(match[1]), match[2], int(match[3]), int(match[4])
        if mark == "." or first > _MONTHS_IN_YEAR or first == second:
            return year, second, first
        if second > _MONTHS_IN_YEAR:
            return year, first, second
        message = (
            f"{text!r} may mean {year}-{second:02d}-{first:02d} or {year}-{first:02d}-{second:02d}. Write it as YYYY-MM-DD."
        )
        raise UnclearDate(message)
    if match := _DAY_MONTH.fullmatch(text):
        return int(match[3]), _month(match[2]), int(match[1])
    if match := _MONTH_DAY.fullmatch(text):
        return int(match[3]), _month(match[1]), int(match[2])
    raise ValueError


def _month(word: str) -> int:
    found = [
        number for number, name in enumerate(_MONTHS, 1) if name.startswith(word.lower()) or word.lower() == "sept" == name[:4]
    ]
    if len(found) != 1:
        raise ValueError
    return found[0]


SHORTENED_NUMBER = re.compile(r"[0-9]+(?:[.,][0-9]+)?[eE]\+?[0-9]+")
"""What a spreadsheet makes of a long number: ``9.71E+11``. The digits are gone."""

KINDS: Mapping[str, CustomerKind] = MappingProxyType(
    dict.fromkeys(("individual", "person", "private", "consumer", "b2c", "natural"), CustomerKind.INDIVIDUAL)
    | dict.fromkeys(
        ("business", "company", "organization", "organisation", "corporate", "commercial", "b2b", "legal"),
        CustomerKind.BUSINESS,
    )
)
STATUSES: Mapping[str, CustomerStatus] = MappingProxyType(
    dict.fromkeys(("active", "enabled"), CustomerStatus.ACTIVE)
    | dict.fromkeys(("pending", "invited", "new", "unconfirmed"), CustomerStatus.PENDING)
    | dict.fromkeys(("suspended", "disabled", "blocked", "banned", "inactive", "locked"), CustomerStatus.SUSPENDED)
)
DOCUMENT_TYPES: Mapping[str, DocumentType] = MappingProxyType(
    {kind.value.lower().replace("_", ""): kind for kind in DocumentType}
    | {
        "id": DocumentType.NATIONAL_ID,
        "idcard": DocumentType.NATIONAL_ID,
        "identitycard": DocumentType.NATIONAL_ID,
        "driverlicense": DocumentType.DRIVERS_LICENSE,
        "driverslicence": DocumentType.DRIVERS_LICENSE,
        "drivinglicense": DocumentType.DRIVERS_LICENSE,
        "drivinglicence": DocumentType.DRIVERS_LICENSE,
        "vat": DocumentType.TAX_CERTIFICATE,
        "tax": DocumentType.TAX_CERTIFICATE,
    }
)
