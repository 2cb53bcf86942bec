"""Countries: ISO 3166-1 codes, and the names people write instead."""

import gettext
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import pycountry

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
    Republic"), and names in some 160 other languages ("Deutschland", "España", "日本").
    Case, accents, punctuation and a leading "the" do not matter.
    """
    if len(text) > 100:  # noqa: PLR2004
        return None
    key = _key(text)
    found = _index().get(key) or _index().get(key.removeprefix("the"))
    return found or (_index_elsewhere().get(key) if key else None)


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
    return index


@lru_cache(maxsize=1)
def _index_elsewhere() -> dict[str, str]:
    """Names in other languages: 0.5 s to build, so only once a name is met that English does not know."""
    # A name that means two countries in two languages means none.
    owners: dict[str, str | None] = {}
    for code, name in _names_everywhere():
        key = _key(name)
        owners[key] = code if owners.get(key, code) == code else None
    # Two letters are a code: no language's abbreviation may be taken for one.
    return {key: owner for key, owner in owners.items() if owner and (len(key) > 2 or not key.isascii())}  # noqa: PLR2004


def _names_everywhere() -> Iterator[tuple[str, str]]:
    # pycountry carries the translations of Debian's iso-codes; importing those of phonenumbers costs 6 s and 200 MB.
    for catalogue in sorted(Path(pycountry.LOCALES_DIR).glob("*/LC_MESSAGES/iso3166-1.mo")):
        with catalogue.open("rb") as compiled:
            translate = gettext.GNUTranslations(compiled).gettext
        for country in pycountry.countries:
            for attribute in ("name", "common_name"):
                name = getattr(country, attribute, None)
                if name and (translated := translate(name)) != name:
                    yield country.alpha_2, translated
