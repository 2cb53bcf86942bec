"""How likely two customers are one person: from what both have, and from what speaks against it. Pure, and always the same.

Each reason has a weight, the probability that two customers for whom it holds are one. Reasons are independent of each other
as far as they go, so the score is one minus the product of what each leaves open, as in noisy-or models of record linkage. What
contradicts lowers it by a factor: other names, another date of birth. Weights and factors are set so that a family at one
address, with one phone, stays below `LISTED`, and a name alone just reaches it.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz import fuzz
from rapidfuzz.distance import DamerauLevenshtein

from core.merging import DuplicateReason
from services.rules.text import fold

LISTED = 0.5
"""The least score of what is worth a look."""

WEIGHTS: Mapping[DuplicateReason, float] = {
    DuplicateReason.SAME_NAME: 0.5,
    DuplicateReason.SIMILAR_NAME: 0.35,
    DuplicateReason.SAME_PHONE: 0.6,
    DuplicateReason.SAME_MAILBOX: 0.8,
    DuplicateReason.SIMILAR_EMAIL: 0.35,
    DuplicateReason.SAME_ADDRESS: 0.35,
    DuplicateReason.SAME_DATE_OF_BIRTH: 0.4,
}
OTHER_FIRST_NAME = 0.5
OTHER_LAST_NAME = 0.7
OTHER_DATE_OF_BIRTH = 0.3

_TITLES = frozenset({"dr", "prof", "mr", "mrs", "ms", "herr", "frau"})
_LEGAL_FORMS = frozenset({"gmbh", "ltd", "limited", "inc", "llc", "ag", "kg", "co", "corp", "sa", "srl", "bv", "plc"})
_STREETS = {"strasse": "str", "street": "st", "road": "rd", "avenue": "ave"}
_NOBODYS = frozenset({"info", "office", "contact", "kontakt", "mail", "admin", "sales", "support", "hello", "shop"})
"""Local parts of mailboxes that stand for nobody in particular."""
_DOTTED = frozenset({"gmail.com", "googlemail.com"})
"""Providers that deliver to the same mailbox with and without dots."""

_UMLAUT = re.compile(r"([aou])e")
_WORD = re.compile(r"[^\W_]+")
_LONG_WORD, _LONG_LOCAL, _ALIKE = 8, 6, 92.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody can be reached by post."""

    line1: str
    postal_code: str | None
    country_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of a customer that can tell it from others. Phones are in E.164."""

    first_name: str | None = None
    last_name: str | None = None
    company: str | None = None
    email: str | None = None
    phones: frozenset[str] = frozenset()
    date_of_birth: str | None = None
    places: Sequence[Place] = ()


@dataclass(frozen=True, slots=True)
class Likeness:
    """How likely two customers are one, from 0 to 1, and why."""

    score: float
    reasons: Sequence[DuplicateReason]


def likeness(one: Known, other: Known) -> Likeness:
    """Compare two customers. Which of them comes first makes no difference."""
    names, doubt = _names(one, other)
    reasons = [
        reason
        for reason, holds in (
            (names, True),
            (DuplicateReason.SAME_PHONE, one.phones & other.phones),
            (_emails(one.email, other.email), True),
            (DuplicateReason.SAME_ADDRESS, any(_same_place(a, b) for a in one.places for b in other.places)),
            (DuplicateReason.SAME_DATE_OF_BIRTH, one.date_of_birth and one.date_of_birth == other.date_of_birth),
        )
        if reason is not None and holds
    ]
    open_ = 1.0
    for reason in reasons:
        open_ *= 1 - WEIGHTS[reason]
    if one.date_of_birth and other.date_of_birth and one.date_of_birth != other.date_of_birth:
        doubt *= 1.0 if _days_swapped(one.date_of_birth, other.date_of_birth) else OTHER_DATE_OF_BIRTH
    return Likeness(round((1 - open_) * doubt, 2), reasons)


def plain(name: str) -> str:
    """Return a name in the one spelling that its umlauts and accents have here: Müller, Mueller and Muller are ``muller``."""
    return _UMLAUT.sub(r"\1", fold(name))


def mailbox(email: str) -> str:
    """Return the mailbox of an address: without a ``+tag``, and without dots where the provider does not look at them."""
    local, _, domain = email.lower().rpartition("@")
    local = local.partition("+")[0] or local
    return f"{local.replace('.', '')}@gmail.com" if domain in _DOTTED else f"{local}@{domain}"


def _names(one: Known, other: Known) -> tuple[DuplicateReason | None, float]:
    """Return what the names say for it, and by what they lower the score."""
    mine, theirs = _person(one), _person(other)
    if not mine or not theirs:
        return _companies(one, other) if not mine and not theirs else None, 1.0
    if sorted(mine) == sorted(theirs):
        return DuplicateReason.SAME_NAME if len(mine) > 1 else DuplicateReason.SIMILAR_NAME, 1.0
    if _similar(mine, theirs):
        return DuplicateReason.SIMILAR_NAME, 1.0
    if len(mine) == 1 or len(theirs) == 1:
        return None, 1.0
    firsts = _words(one.first_name), _words(other.first_name)
    return None, OTHER_LAST_NAME if _similar(*firsts) else OTHER_FIRST_NAME


def _companies(one: Known, other: Known) -> DuplicateReason | None:
    mine, theirs = (tuple(word for word in _words(known.company) if word not in _LEGAL_FORMS) for known in (one, other))
    if not mine or not theirs:
        return None
    if mine == theirs:
        return DuplicateReason.SAME_NAME
    return DuplicateReason.SIMILAR_NAME if _similar(mine, theirs) else None


def _person(known: Known) -> tuple[str, ...]:
    return _words(known.first_name) + _words(known.last_name)


def _words(name: str | None) -> tuple[str, ...]:
    return _split(name) if name else ()


@lru_cache(maxsize=1024)
def _split(name: str) -> tuple[str, ...]:
    return tuple(word for word in _WORD.findall(plain(name)) if word not in _TITLES)


def _similar(mine: Iterable[str], theirs: Iterable[str]) -> bool:
    """Say whether each word of the shorter name is one of the longer, but for a slip of the pen or an abbreviation."""
    fewer, more = sorted((list(mine), list(theirs)), key=len)
    for word in fewer:
        found = next((one for one in sorted(more) if _close(word, one)), None)
        if found is None:
            return False
        more.remove(found)
    return bool(fewer)


def _close(one: str, other: str) -> bool:
    shorter, longer = sorted((one, other), key=len)
    if len(shorter) == 1:
        return longer.startswith(shorter)
    if len(shorter) <= 3:  # noqa: PLR2004 - of such words each letter matters: Tim and Tom are two
        return shorter == longer
    most = 2 if len(shorter) >= _LONG_WORD else 1
    return DamerauLevenshtein.distance(shorter, longer, score_cutoff=most) <= most


def _emails(one: str | None, other: str | None) -> DuplicateReason | None:
    if not one or not other:
        return None
    mine, theirs = mailbox(one), mailbox(other)
    if mine == theirs:
        return DuplicateReason.SAME_MAILBOX
    (local, _, domain), (their_local, _, their_domain) = mine.rpartition("@"), theirs.rpartition("@")
    local, their_local = local.replace(".", ""), their_local.replace(".", "")
    if min(len(local), len(their_local)) < _LONG_LOCAL or {local, their_local} & _NOBODYS:
        return None
    near = DamerauLevenshtein.distance(local, their_local, score_cutoff=1) <= 1 if domain == their_domain else False
    return DuplicateReason.SIMILAR_EMAIL if near or local == their_local else None


def _same_place(one: Place, other: Place) -> bool:
    if one.country_code != other.country_code or _code(one.postal_code) != _code(other.postal_code):
        return False
    mine, theirs = _line(one.line1), _line(other.line1)
    return mine == theirs or (_numbers(mine) == _numbers(theirs) and fuzz.ratio(mine, theirs) >= _ALIKE)


def _code(postal_code: str | None) -> str:
    return (postal_code or "").replace(" ", "").upper()


@lru_cache(maxsize=1024)
def _line(line1: str) -> str:
    joined = " ".join(_STREETS.get(word, word) for word in _WORD.findall(plain(line1)))
    return joined.replace("strasse", "str")


def _numbers(line: str) -> list[str]:
    return re.findall(r"\d+", line)


def _days_swapped(one: str, other: str) -> bool:
    """Say whether day and month were taken for each other: 1990-12-10 and 1990-10-12."""
    year, month, day = one.split("-")
    return other == f"{year}-{day}-{month}"
