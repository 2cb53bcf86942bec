"""Phone numbers: one spelling, E.164."""

import re

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat, ValidationResult

from core.errors import ErrorCode, Problem
from services.rules.email import Result
from services.rules.phone_patterns import plain_phone

MAX_PHONE = 64
_INVISIBLE = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
_ROUNDED = re.compile(r"[+']?\d+([.,]\d+)?[eE]\+?\d+")
_WORDS = re.compile(r"[^\d+(]*[^\W\d_]{3,}[^\d+(]*[\d+(]")
"""Prose in front of a number; letters inside of it are fine ("1-800-FLOWERS")."""
_LABEL = re.compile(r"(?i)(tel|phone|mobile|mob|fax|fon|telefon)\b[.:]?")
_WHY = {
    ValidationResult.INVALID_COUNTRY_CODE: "its country calling code does not exist",
    ValidationResult.TOO_SHORT: "it is too short",
    ValidationResult.TOO_LONG: "it is too long",
    ValidationResult.INVALID_LENGTH: "it has the wrong length",
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "its area code is missing",
}


def normalise_phone(value: str, region: str | None) -> Result:
    """Return *value* in E.164 (``+14155550100``).

    A number without ``+`` or ``00`` belongs to *region*, an ISO 3166-1 alpha-2 code. Four outcomes:

    * a valid number: ``(E.164, None)``
    * only possible, i.e. of a right length in a range that nobody has assigned, or a good number with an extension,
      which E.164 cannot hold: ``(E.164, problem)`` - refused by the API, kept with a warning by a lenient import
    * impossible, e.g. too long for its country: ``(None, problem)``
    * not a number at all: ``(None, problem)``

    Problems are INVALID_PHONE, their messages say which of these it is. Digits of any script are understood.
    """
    if len(value) > MAX_PHONE:
        return None, _refusal(f"A phone number has at most {MAX_PHONE} characters; there are {len(value)}.")
    # 1.4 to 2.3 instead of 24 to 36 microseconds.
    plain = plain_phone(value, region)
    return (plain, None) if plain is not None else _normalised(value, region)


def _normalised(value: str, region: str | None) -> Result:
    text = _INVISIBLE.sub("", value).strip().removeprefix("'").strip()
    if not text:
        return None, Problem(ErrorCode.REQUIRED, "This must not be empty.")
    if _ROUNDED.fullmatch(text):
        return None, _refusal(
            f"{text} was rounded by a spreadsheet and its last digits are lost: "
            "format the column as text there, and export the numbers again."
        )
    parsed = None if _WORDS.match(_LABEL.sub("", text)) else _parse(text, region)
    if parsed is None:
        return None, _refusal("This is not a phone number: write it with its country calling code, such as +14155550100.")
    reason = phonenumbers.is_possible_number_with_reason(parsed)
    if reason != ValidationResult.IS_POSSIBLE:
        return None, _refusal(f"This cannot be a phone number: {_WHY.get(reason, 'no country has such numbers')}.")
    spelled = phonenumbers.format_number(parsed, PhoneNumberFormat.E164)
    if parsed.extension:
        return spelled, _refusal(f"A phone number cannot have an extension: leave {parsed.extension!r} out.")
    if not phonenumbers.is_valid_number(parsed):
        return spelled, _refusal(f"{spelled} is only possible: it has the right length, but lies in a range that nobody uses.")
    return spelled, None


def calling_code(spelled: str) -> str:
    """Return the country calling code of a number in E.164: ``44``."""
    parsed = _try(spelled, None)
    return "" if parsed is None else str(parsed.country_code)


def _parse(text: str, region: str | None) -> PhoneNumber | None:
    if text.startswith("00"):
        # Dialled in most of the world; a region that dials something else (011 in North America) gets a second chance.
        abroad = _try(f"+{text[2:]}", None)
        if abroad is not None and phonenumbers.is_valid_number(abroad):
            return abroad
    return _try(text, region)


def _try(text: str, region: str | None) -> PhoneNumber | None:
    try:
        return phonenumbers.parse(text, region)
    except NumberParseException:
        return None


def _refusal(message: str) -> Problem:
    return Problem(ErrorCode.INVALID_PHONE, message)
