"""Countries: ISO 3166-1 codes, and the names people write instead."""

import re
from collections.abc import Iterator
from functools import lru_cache

import pycountry
from phonenumbers.geodata.locale import LOCALE_DATA

from services.rules.text import fold

KOSOVO = "XK"
"""Not in ISO 3166-1, but set aside by it for users; the Universal Postal Union and phone networks know it so."""

_NOT_ALPHANUMERIC = re.compile(r"[\W_]+")
# What people write and no standard lists, in the spelling of `_key`.
_ALIASES = {
    "uk": "GB",
    "greatbritain": "GB",
    "britain": "GB",
    "england": "GB",
    "scotland": "GB",
    "wales": "GB",
    "northernireland": "GB",
    "us": "US",
    "usa": "US",
    "unitedstatesofamerica": "US",
    "america": "US",
    "uae": "AE",
    "emirates": "AE",
    "ksa": "SA",
    "holland": "NL",
    "eire": "IE",
    "irelandrepublicof": "IE",
    "republicofireland": "IE",
    "russia": "RU",
    "korea": "KR",
    "koreasouth": "KR",
    "koreanorth": "KP",
    "turkey": "TR",
    "macedonia": "MK",
    "swaziland": "SZ",
    "burma": "MM",
    "capeverde": "CV",
    "ivorycoast": "CI",
    "easttimor": "TL",
    "vatican": "VA",
    "vaticancity": "VA",
    "palestine": "PS",
    "drc": "CD",
    "macau": "MO",
    "kosovo": KOSOVO,
    "xkx": KOSOVO,
}


@lru_cache(maxsize=1)
def country_codes() -> frozenset[str]:
    """Return every alpha-2 code of ISO 3166-1, and XK."""
    return frozenset(country.alpha_2 for country in pycountry.countries) | {KOSOVO}


@lru_cache(maxsize=512)
def country_name(code: str) -> str:
    """Return the everyday English name of a code ("South Korea"), or the code itself when it is none."""
    if code == KOSOVO:
        return "Kosovo"
    country = pycountry.countries.get(alpha_2=code)
    if country is None:
        return code
    name: str = getattr(country, "common_name", country.name)
    short, _, rest = name.partition(", ")
    return f"{rest} {short}" if rest.endswith((" of", " of the")) else name


@lru_cache(maxsize=8192)
def country_from_name(text: str) -> str | None:
    """Return the ISO 3166-1 alpha-2 code that *text* means, or None.

    Understands alpha-2 and alpha-3 codes, English names (short, official, former and everyday: "UK", "USA", "Czech
    Republic"), and names in the languages that phone networks publish (about 180: "Deutschland", "España", "日本").
    Case, accents, punctuation and a leading "the" do not matter.
    """
    if len(text) > 100:  # noqa: PLR2004
        return None
    key = _key(text)
    return _index().get(key) or _index().get(key.removeprefix("the"))


def _key(text: str) -> str:
    return _NOT_ALPHANUMERIC.sub("", fold(text))


@lru_cache(maxsize=1)
def _index() -> dict[str, str]:
    index = {code.lower(): code for code in country_codes()}
    index |= _ALIASES
    for country in pycountry.countries:
        for attribute in ("alpha_3", "name", "common_name", "official_name"):
            name = getattr(country, attribute, None)
            if name:
                index.setdefault(_key(name), country.alpha_2)
        index.setdefault(_key(country_name(country.alpha_2)), country.alpha_2)
    # A name that means two countries in two languages means none.
    elsewhere: dict[str, str | None] = {}
    for code, name in _names_everywhere():
        key = _key(name)
        elsewhere[key] = code if elsewhere.get(key, code) == code else None
    for key, owner in elsewhere.items():
        # Two letters are a code: no language's abbreviation may be taken for one.
        if owner and (len(key) > 2 or not key.isascii()):  # noqa: PLR2004
            index.setdefault(key, owner)
    return index


def _names_everywhere() -> Iterator[tuple[str, str]]:
    codes = country_codes()
    for code, names in LOCALE_DATA.items():
        if code in codes:
            for name in names.values():
                if not name.startswith("*"):  # "*en": as in English
                    yield code, name
