"""What a filter asks for, one by one, and where in which index those lie who meet it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bson import MaxKey, MinKey

from core.filters import CustomerFilter, TimeRange
from repositories.find import Stretch

_MOST = 8
_LAST = "\U0010ffff"
"""Stands behind whatever a word can go on with: words are letters and digits."""

_BEHIND = ("status", "kind", "sort_name")
_OTHER = {"created_at": "updated_at", "updated_at": "created_at"}


@dataclass(frozen=True, slots=True)
class Term:
    """One thing that customers have to meet, and the fields that its index has in order, for those who do.

    *low* and *high* are keys of the index, without the seller, between which they lie; without them the planner knows.
    """

    condition: Mapping[str, Any]
    index: str
    ordered_by: str | None
    low: Mapping[str, Any] | None = None
    high: Mapping[str, Any] | None = None

    def stretch(self, seller_id: str) -> Stretch:
        """Return where a seller's customers lie who meet it."""
        if self.low is None or self.high is None:
            return Stretch(self.index)
        seller = {"seller_id": seller_id, "live": True}
        return Stretch(self.index, {**seller, **self.low}, {**seller, **self.high})


def terms(chosen: CustomerFilter) -> list[Term]:
    """Return what is asked for, each by itself, no more than can be looked at."""
    return [*_tags_and_words(chosen), *_moments(chosen), *_standing(chosen)][:_MOST]


def words(chosen: CustomerFilter) -> list[str]:
    """Return the words of a search."""
    return (chosen.search or "").split()


def begins_with(word: str) -> dict[str, Any]:
    """Return the condition that one word of a customer begins like this."""
    # Anchored and escaped: each word is one range of the index.
    return {"search_words": {"$regex": f"^{re.escape(word)}"}}


def limits(moments: TimeRange | None) -> dict[str, datetime]:
    """Return the condition that a moment lies in a range; an empty one for any."""
    if moments is None:
        return {}
    both = (("$gte", moments.start), ("$lt", moments.end))
    return {operator: moment for operator, moment in both if moment is not None}


def _tags_and_words(chosen: CustomerFilter) -> Iterator[Term]:
    # Newest first within each value.
    first, last = {"created_at": MaxKey(), "_id": MaxKey()}, {"created_at": MinKey(), "_id": MinKey()}
    for tag in chosen.tags or ():
        yield Term({"tags": tag}, "listed_by_tags", "created_at", {"tags": tag, **first}, {"tags": tag, **last})
    for word in words(chosen):
        low, high = {"search_words": word, **first}, {"search_words": word + _LAST, **last}
        yield Term(begins_with(word), "listed_by_search_words", None, low, high)


def _moments(chosen: CustomerFilter) -> Iterator[Term]:
    for field, moments in (("created_at", chosen.created_at), ("updated_at", chosen.updated_at)):
        if moments is not None and (condition := limits(moments)):
            # Latest first: from the end, which is not in it, to the start, which is. None sorts before every id, too. Behind
            # the moment no key may be the same on both sides: MongoDB takes one that is for one that everybody there has.
            behind = (*_BEHIND, _OTHER[field])
            low = {field: MaxKey() if moments.end is None else moments.end, "_id": None, **dict.fromkeys(behind, MaxKey())}
            high = {field: MinKey() if moments.start is None else moments.start, **dict.fromkeys(("_id", *behind), MinKey())}
            backwards = moments.start is not None and moments.end is not None and moments.start >= moments.end
            bounds = () if backwards else (low, high)
            yield Term({field: condition}, f"listed_by_{field}", field, *bounds)


def _standing(chosen: CustomerFilter) -> Iterator[Term]:
    condition: dict[str, Any] = {} if chosen.kind is None else {"kind": chosen.kind}
    if chosen.status is not None:
        condition["status"] = {"$in": list(chosen.status)}
    if condition:
        yield Term(condition, "listed_by_name", "sort_name")
