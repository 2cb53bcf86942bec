"""The plain majority of phone numbers, recognised by one compiled pattern per calling code.

The patterns are put together from the metadata of phonenumbers itself, so they change with it. What they recognise is valid
and spelled as the library spells it; about everything else they say nothing, and the library is asked. A property test
holds the two against each other for every region.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, SUPPORTED_REGIONS, PhoneMetadata, PhoneNumberDesc

_SPELLED = re.compile(r"[0-9(][0-9 ().\-/]{3,40}")
_NOT_DIGITS = re.compile(r"[^0-9]+")
_NEVER = re.compile(r"(?!)")
_LONGEST_CALLING_CODE = 3
_TYPES = (
    "fixed_line",
    "mobile",
    "toll_free",
    "premium_rate",
    "shared_cost",
    "voip",
    "personal_number",
    "pager",
    "uan",
    "voicemail",
)


@dataclass(frozen=True, slots=True)
class _Numbers:
    """How numbers are written in one region, and which of its calling code are valid."""

    calling_code: str
    abroad: re.Pattern[str]
    """What is dialled in front of a calling code."""
    trunk: re.Pattern[str]
    """What is dialled in front of a national number, and no part of it."""
    rewrites: bool
    """Where the last group of `trunk` matched, the number behind it is spelled anew."""
    lengths: frozenset[int]
    valid: re.Pattern[str]


def plain_phone(text: str, region: str | None) -> str | None:
    """Return *text* in E.164 when it is plainly a valid number; None says nothing: the library has to be asked.

    Plain are digits with blanks, hyphens, dots, slashes and parentheses: behind ``+`` and a calling code, or as they are
    dialled inside *region*.
    """
    digits = text.removeprefix("+")
    if not (digits.isascii() and digits.isdigit()):
        if _SPELLED.fullmatch(digits) is None:
            return None
        digits = _NOT_DIGITS.sub("", digits)
    if text[0] == "+":
        numbers = _of_calling_code(digits)
        if numbers is None:
            return None
        national = digits[len(numbers.calling_code) :]
    else:
        numbers = _of_region(region)
        if numbers is None or digits.startswith(("00", numbers.calling_code)) or numbers.abroad.match(digits) is not None:
            return None
        national = digits
    found = numbers.trunk.match(national)
    if found is not None:
        national = national[found.end() :]
        if (numbers.rewrites and found[numbers.trunk.groups] is not None) or len(national) not in numbers.lengths:
            return None
    return f"+{numbers.calling_code}{national}" if numbers.valid.fullmatch(national) is not None else None


def _of_calling_code(digits: str) -> _Numbers | None:
    for length in range(1, _LONGEST_CALLING_CODE + 1):
        if digits[:length] in _MAIN_REGION:
            return _of_region(_MAIN_REGION[digits[:length]])
    return None


_MAIN_REGION = {str(code): regions[0] for code, regions in COUNTRY_CODE_TO_REGION_CODE.items()}


@lru_cache(maxsize=512)
def _of_region(region: str | None) -> _Numbers | None:
    """Return how numbers are written in *region*; None for one that is none, as the one of worldwide services."""
    if region not in SUPPORTED_REGIONS:
        return None
    known = _metadata(region)
    trunk = known.national_prefix_for_parsing
    return _Numbers(
        calling_code=str(known.country_code),
        abroad=re.compile(known.international_prefix) if known.international_prefix else _NEVER,
        trunk=re.compile(trunk) if trunk else _NEVER,
        rewrites=bool(known.national_prefix_transform_rule),
        lengths=frozenset(_general(known).possible_length),
        valid=_valid(known.country_code),
    )


@lru_cache(maxsize=512)
def _valid(calling_code: int) -> re.Pattern[str]:
    """Return the pattern of all valid national numbers behind a calling code.

    Where several regions share one, a number belongs to the first whose leading digits it has, or whose numbers it is among.
    """
    regions = [_metadata(region) for region in COUNTRY_CODE_TO_REGION_CODE[calling_code]]
    whole = ""
    for region in reversed(regions):
        own = "|".join(
            _described(found)
            for name in _TYPES
            if (found := getattr(region, name)) is not None and found.national_number_pattern
        )
        own = f"(?={_described(_general(region))}\\Z)(?:{own})"
        leading = region.leading_digits if len(regions) > 1 else None
        whole = f"(?={leading})(?:{own})|(?!{leading})(?:{whole})" if leading else f"{own}|{whole}" if whole else own
    # One zero in front may be part of an Italian number; how several are spelled is for the library.
    return re.compile(f"(?!00){_of_lengths(_general(regions[0]))}(?:{whole})")


def _metadata(region: str) -> PhoneMetadata:
    return cast("PhoneMetadata", PhoneMetadata.metadata_for_region(region))  # every supported region has them


def _general(known: PhoneMetadata) -> PhoneNumberDesc:
    return cast("PhoneNumberDesc", known.general_desc)


def _described(what: PhoneNumberDesc) -> str:
    return f"{_of_lengths(what)}(?:{what.national_number_pattern})"


def _of_lengths(what: PhoneNumberDesc) -> str:
    lengths = "|".join(f".{{{length}}}" for length in what.possible_length if length > 0)
    return f"(?=(?:{lengths})\\Z)" if lengths else ""
