"""Numbers of documents: one spelling per number, and the check digits of the countries that have them.

A national identity document often carries two numbers: the person's and the card's. Both are taken where they differ,
because the rule has to refuse slips of the pen and not good documents.
"""

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple, Protocol, cast

from stdnum import luhn
from stdnum.exceptions import ValidationError
from stdnum.util import get_cc_module

from core.errors import ErrorCode, Problem
from core.vocabulary import DocumentType
from services.rules.country import country_codes, country_name
from services.rules.email import Result
from services.rules.text import clean_text

MAX_NUMBER = 40
_ALLOWED = re.compile(r"[\w\s.\-/]+")
_SEPARATORS = re.compile(r"[\W_]+")


class _Numbers(Protocol):
    def validate(self, number: str) -> str: ...


# Modules of python-stdnum, by country. The person's number, or the card's where python-stdnum knows it.
_NATIONAL_ID = {
    "AR": "dni", "BE": "nn bis eid", "BG": "egn pnf", "BR": "cpf", "CH": "ssn", "CL": "rut", "CN": "ric", "CR": "cpf cr",
    "CU": "ni", "CZ": "rc", "DK": "cpr", "DO": "cedula", "EC": "ci", "EE": "ik", "ES": "dni nie", "FI": "hetu", "FR": "nir",
    "GR": "amka", "HR": "oib", "ID": "nik", "IE": "pps", "IL": "idnr", "IN": "aadhaar vid pan epic", "IS": "kennitala",
    "IT": "codicefiscale", "KR": "rrn", "LT": "asmens", "LV": "pvn", "MD": "idno", "MU": "nid", "MX": "curp", "MY": "nric",
    "NL": "bsn identiteitskaartnummer", "NO": "fodselsnummer", "PE": "cui", "PK": "cnic", "PL": "pesel", "PT": "cc",
    "RO": "cnp", "SE": "personnummer", "SI": "emso", "SK": "rc", "TH": "pin", "TR": "tckimlik", "US": "ssn itin", "ZA": "idnr",
}  # fmt: skip
# The number of the card itself, where it looks different from the person's.
_NATIONAL_ID_CARD = {
    "BG": r"\d{9}|[A-Z]{2}\d{7}",
    "BR": r"\d{6,9}[\dX]",
    "CH": r"[A-Z]\d{7}|[A-Z]\w{8}",
    "CZ": r"\d{9}|\d{6}[A-Z]{2}\d{2}",
    "EE": r"[A-Z]{2}\d{7}",
    "FI": r"\d{9}|[A-Z]{2}\d{7}|\d{8}[A-Z]",
    "FR": r"\d{12}|(?=.*[A-Z])\w{9}",
    "GR": r"[A-Z]{1,2}\d{6}|[A-Z]\d{8}",
    "HR": r"\d{9}",
    "IE": r"[A-Z]\d{8}|C\w{8}",
    "IT": r"[A-Z]{2}\d{5}[A-Z]{2}|[A-Z]{2}\d{7}",
    "LT": r"\d{8}",
    "LV": r"[A-Z]{2}\d{7}",
    "MX": r"[A-Z]{6}\d{8}[HM]\d{3}|\d{9}|\d{10}|\d{13}",
    "NO": r"[A-Z]{3}\d{6}",
    "PL": r"[A-Z]{3}\d{6}",
    "PT": r"\d{8}",
    "RO": r"[A-Z]{2}\d{6}",
    "SE": r"\d{8}|[A-Z]{2}\d{7}",
    "SI": r"\d{9}|[A-Z]{2}\d{7}",
    "SK": r"[A-Z]{2}\d{6}",
    "TR": r"[A-Z]\d{2}[A-Z]\d{5}",
    "US": r"(?=.*[A-Z])\w{4,20}",  # cards are the states'; the Social Security number has digits only
}
# Numbers with a Luhn digit that python-stdnum does not know: Emirates ID; Saudi national ID (1...) and residence (2...).
_NATIONAL_ID_LUHN = {"AE": r"784\d{12}", "SA": r"[12]\d{9}"}
# In addition to each country's `vat` and `businessid`: other numbers that tax offices certify.
_TAX = {
    "AT": "tin", "AU": "acn tfn", "BR": "cpf", "CH": "uid", "CZ": "rc", "DE": "stnr idnr", "ES": "cif", "FI": "veronumero",
    "FR": "siren siret nif", "GB": "utr", "IL": "idnr", "IN": "pan", "IT": "codicefiscale", "JP": "in_", "NL": "bsn",
    "NO": "orgnr", "PL": "pesel regon", "RO": "cui", "RU": "ogrn", "SE": "orgnr personnummer", "SK": "rc", "TH": "tin pin",
    "UA": "edrpou rntrc", "US": "ein ssn itin atin ptin", "ZA": "tin",
}  # fmt: skip
# Tax numbers without a known check digit: Emirates TRN, Saudi VAT, Singapore GST, South African VAT.
_TAX_PATTERN = {"AE": r"1\d{14}", "SA": r"3\d{13}3", "SG": r"M\w{9}", "ZA": r"4\d{9}"}


def normalise_document_number(type: DocumentType, country: str | None, value: str, *, enabled: bool = True) -> Result:
    """Return the canonical spelling of a number: upper-case letters and digits, no blanks, no punctuation.

    *country* (ISO 3166-1 alpha-2) issued the document. National identity and tax numbers of the countries that
    python-stdnum knows have to be right, check digit included, unless not *enabled*; the country's prefix of a tax number
    is dropped, so that ``ESB58378431`` and ``B-58378431`` are one number. All others have 2 to 40 letters, digits and
    ``- / .`` or blanks. Problems are INVALID_DOCUMENT_NUMBER; a number with a wrong check digit comes back beside its
    problem. Normalising twice changes nothing more.
    """
    found: list[Problem] = []
    text = clean_text(value, limit=MAX_NUMBER, field=(), problems=found, required=True, identifier=True)
    if text is None:
        code = ErrorCode.REQUIRED if found[0].code is ErrorCode.REQUIRED else ErrorCode.INVALID_DOCUMENT_NUMBER
        return None, Problem(code, found[0].message)
    compact = compact_number(text)
    if not 2 <= len(compact) <= MAX_NUMBER or _ALLOWED.fullmatch(text) is None:  # noqa: PLR2004
        return None, _refusal("A document number has 2 to 40 letters and digits; blanks, '-', '/' and '.' may part them.")
    if not enabled or country is None:
        return compact, None
    rule = _rule(type, country)
    valid = compact if rule is None else _right(compact, text, rule)
    if valid is not None:
        return valid, None
    return compact, _refusal(
        f"{country_name(country)} has no such number for this kind of document: "
        "its length or its check digit is wrong. Compare it with the document."
    )


class _Rule(NamedTuple):
    """What numbers of one type and country look like: any of these will do."""

    modules: tuple[_Numbers, ...]
    pattern: str | None
    with_luhn: str | None


@lru_cache(maxsize=1024)
def _rule(type: DocumentType, country: str) -> _Rule | None:
    if country not in country_codes():
        return None
    if type is DocumentType.NATIONAL_ID:
        names, pattern, with_luhn = (
            _NATIONAL_ID.get(country, ""),
            _NATIONAL_ID_CARD.get(country),
            _NATIONAL_ID_LUHN.get(country),
        )
    elif type is DocumentType.TAX_CERTIFICATE:
        names, pattern, with_luhn = f"vat businessid {_TAX.get(country, '')}", _TAX_PATTERN.get(country), None
    else:
        return None
    modules = (get_cc_module(country, name) for name in names.split())
    rule = _Rule(tuple(cast("_Numbers", module) for module in modules if module is not None), pattern, with_luhn)
    return rule if any(rule) else None


def _right(compact: str, text: str, rule: _Rule) -> str | None:
    """Return the number as its country spells it, or None when it is none."""
    # As it was typed, too: the sign inside a Finnish number is its century.
    for spelling in dict.fromkeys((compact, text.upper(), f"{compact[:6]}-{compact[6:]}")):
        for module in rule.modules if spelling.isascii() else ():
            valid = _validated(module, spelling)
            if valid is not None:
                return valid
    fits = rule.pattern is not None and re.fullmatch(rule.pattern, compact, re.ASCII) is not None
    fits = fits or (
        rule.with_luhn is not None and re.fullmatch(rule.with_luhn, compact, re.ASCII) is not None and luhn.is_valid(compact)
    )
    return compact if fits else None


def _validated(module: _Numbers, spelling: str) -> str | None:
    try:
        return compact_number(module.validate(spelling))
    except ValidationError:
        return None


def compact_number(value: str) -> str:
    """Return the letters and digits of *value*, in capitals, digits of any script as 0 to 9."""
    plain = unicodedata.normalize("NFKC", value).upper()
    digits = "".join(str(unicodedata.digit(char)) if char.isdecimal() else char for char in plain)
    return _SEPARATORS.sub("", unicodedata.normalize("NFKC", digits))


def lookup_numbers(value: str) -> list[str]:
    """Return the canonical spellings under which a number of unknown type and country may be stored, likeliest first."""
    compact = compact_number(value[: 2 * MAX_NUMBER])[:MAX_NUMBER]
    return [compact, compact[2:]] if compact[:2] in country_codes() | {"EL"} and len(compact) > 4 else [compact]  # noqa: PLR2004


def _refusal(message: str) -> Problem:
    return Problem(ErrorCode.INVALID_DOCUMENT_NUMBER, message)
