"""Deciding what each column of a file is for."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

from core.drafts import CustomerDraft
from core.errors import ErrorCode, FieldPath, Problem, Refused
from core.vocabulary import AddressKind
from services.csv.aliases import (
    ADDRESS_FIELDS,
    CUSTOMER_FIELDS,
    DOCUMENT_FIELDS,
    NAME_PARTS,
    TARGETS,
    Meaning,
    attribute_key,
    is_ignored,
    is_report_column,
    meaning_of,
    squeezed,
)

_KEYS = ("external_id", "email", "phone")
_CANONICAL = MappingProxyType({squeezed(target): target for target in TARGETS})
_SNAKE = MappingProxyType(
    {
        "externalId": "external_id",
        "firstName": "first_name",
        "lastName": "last_name",
        "dateOfBirth": "date_of_birth",
        "postalCode": "postal_code",
        "countryCode": "country",
        "country_code": "country",
        "issuingCountry": "country",
        "issuing_country": "country",
        "expiresOn": "expires_on",
    }
)


class CustomerPlaces(NamedTuple):
    """In which column each field of a customer stands; a field that has none stands in the column behind the last."""

    external_id: int
    email: int
    phone: int
    first_name: int
    last_name: int
    full_name: int
    company: int
    kind: int
    status: int
    date_of_birth: int
    locale: int
    tags: int


class AddressPlaces(NamedTuple):
    """In which column each field of an address stands; the recipient may stand in two."""

    kind: AddressKind
    recipient: int
    company: int
    line1: int
    line2: int
    city: int
    region: int
    postal_code: int
    country: int
    phone: int
    first_name: int
    last_name: int


class DocumentPlaces(NamedTuple):
    """In which column each field of a document stands."""

    type: int
    number: int
    country: int
    expires_on: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnPlan:
    """What each column of one file is for.

    `targets` has one entry per column: a canonical name, ``attribute.<key>``, or None for a column that is left out.
    Columns became attributes because nobody knows them (`unknown`) or because another column has their target (`shadowed`);
    `ignored` names those that are left out on purpose.
    """

    header: tuple[str, ...]
    targets: tuple[str | None, ...]
    unknown: tuple[str, ...]
    shadowed: tuple[str, ...]
    ignored: tuple[str, ...]
    customer: CustomerPlaces
    addresses: tuple[AddressPlaces, ...]
    document: DocumentPlaces | None
    attributes: tuple[tuple[str, int], ...]

    def column_of(self, path: FieldPath, draft: CustomerDraft) -> str | None:
        """Return the name of the column, as in the file, that gave *draft* the field at *path*; None when no column did.

        *path* is written as in a `Problem` of a customer: ``("addresses", "0", "postalCode")``.
        """
        targets = _targets_of(path, draft)
        return next((self.header[self.targets.index(target)] for target in targets if target in self.targets), None)

    def text_of(self, path: FieldPath, draft: CustomerDraft, cells: Sequence[str]) -> str | None:
        """Return the cell behind a field exactly as it came; None when no column gave it."""
        name = self.column_of(path, draft)
        place = self.header.index(name) if name is not None else len(cells)
        return cells[place] if place < len(cells) else None


def _targets_of(path: FieldPath, draft: CustomerDraft) -> Sequence[str]:
    """Return the targets that may have fed the field at *path*, the likeliest first."""
    if not path:
        return ()
    field = _SNAKE.get(path[-1], path[-1])
    place = int(path[1]) if len(path) > 1 and path[1].isdecimal() else 0
    match path[0]:
        case "addresses" if place < len(draft.addresses):
            prefix = draft.addresses[place].kind.value.lower()
            parts = ADDRESS_FIELDS[2:] if len(path) < 3 else (field, *NAME_PARTS) if field == "recipient" else (field,)  # noqa: PLR2004
            return [f"{prefix}_{part}" for part in parts]
        case "documents":
            return [f"document_{field}"] if len(path) > 2 else DOCUMENT_FIELDS  # noqa: PLR2004
        case "attributes" if place < len(draft.attributes):
            return [f"attribute.{draft.attributes[place].key}"]
        case "tags":
            return ["tags"]
        case _ if len(path) > 1:
            return ()
    if field in NAME_PARTS:
        return [field, "full_name", f"billing_{field}", f"shipping_{field}"]
    return [field, "full_name"] if field == "company" else [field]


def map_columns(header: Sequence[str], overrides: Sequence[tuple[str, str]]) -> ColumnPlan:
    """Decide what each column of *header* is for; *overrides* (column name, target) beat what the names say.

    No column is lost: those that nobody knows become attributes under their own name.

    Raises:
        Refused: MISSING_COLUMN for an override of a column that is not there, or when no column identifies a customer; INVALID
            for an override to a target that does not exist or that another override has.
    """
    chosen = _chosen(header, overrides)
    meanings: list[Meaning | None] = []
    ignored = []
    for place, name in enumerate(header):
        if place in chosen:
            meanings.append(Meaning(chosen[place], -1))
        elif is_report_column(name):
            meanings.append(Meaning("", 0))
        elif is_ignored(name):
            ignored.append(name)
            meanings.append(Meaning("", 0))
        else:
            meanings.append(meaning_of(name))
    best: dict[str, int] = {}
    ranked = [(meaning.rank, place, meaning.target) for place, meaning in enumerate(meanings) if meaning and meaning.target]
    for _, place, target in sorted(ranked):
        best.setdefault(target, place)
    unknown = [name for name, meaning in zip(header, meanings, strict=True) if meaning is None]
    shadowed = [header[place] for _, place, target in ranked if best[target] != place]
    taken = set(best)
    targets: list[str | None] = []
    for place, meaning in enumerate(meanings):
        if meaning and not meaning.target:
            targets.append(None)
        elif meaning and best[meaning.target] == place:
            targets.append(meaning.target)
        else:
            own = _free(f"attribute.{attribute_key(header[place]) or header[place]}", taken)
            taken.add(own)
            targets.append(own)
    if not any(key in best for key in _KEYS):
        raise _unidentified(header)
    return _plan(tuple(header), tuple(targets), tuple(unknown), tuple(shadowed), tuple(ignored))


def _chosen(header: Sequence[str], overrides: Sequence[tuple[str, str]]) -> dict[int, str]:
    places: Mapping[str, int] = {name.strip().casefold(): place for place, name in reversed(list(enumerate(header)))}
    chosen: dict[int, str] = {}
    problems: list[Problem] = []
    for number, (source, target) in enumerate(overrides):
        place = header.index(source) if source in header else places.get(source.strip().casefold())
        key = attribute_key(target)
        canonical = f"attribute.{key}" if key else _CANONICAL.get(squeezed(target))
        if place is None:
            message = f"The file has no column {source!r}. Its columns are: {_listed(header)}."
            problems.append(Problem(ErrorCode.MISSING_COLUMN, message, ("columns", str(number), "from")))
        elif place in chosen:
            message = f"The column {source!r} is mapped twice. Keep one of the two."
            problems.append(Problem(ErrorCode.INVALID, message, ("columns", str(number), "from")))
        if canonical is None:
            message = f"{target!r} is no target. Use one of: {', '.join(sorted(TARGETS))}, or attribute.<key>."
            problems.append(Problem(ErrorCode.INVALID, message, ("columns", str(number), "to")))
        elif canonical in chosen.values():
            message = f"Two columns are mapped to {canonical!r}. Map one of them to attribute.<key>."
            problems.append(Problem(ErrorCode.INVALID, message, ("columns", str(number), "to")))
        elif place is not None:
            chosen.setdefault(place, canonical)
    if problems:
        raise Refused(problems)
    return chosen


def _free(target: str, taken: set[str]) -> str:
    number = 2
    free = target
    while free in taken:
        free = f"{target} ({number})"
        number += 1
    return free


def _unidentified(header: Sequence[str]) -> Refused:
    mixed = next((name for name in header if _mixes_alphabets(name)), None)
    hint = f" The name {mixed!r} mixes letters of several alphabets that look alike; type it again." if mixed else ""
    mark = next((mark for mark in (";", "\t", "|", ",") if len(header) == 1 and mark in header[0]), None)
    if mark:
        hint = f" The columns seem to be separated by {mark!r}: say so in `delimiter`."
    return Refused.because(
        ErrorCode.MISSING_COLUMN,
        f"No column identifies a customer: one of external_id, email or phone is needed. Found: {_listed(header)}.{hint} "
        "Rename a column, or map it with `columns`.",
        "columns",
    )


def _mixes_alphabets(name: str) -> bool:
    alphabets = {unicodedata.name(letter, "?").split()[0] for letter in name if letter.isalpha()}
    return "LATIN" in alphabets and bool(alphabets & {"CYRILLIC", "GREEK", "CHEROKEE", "ARMENIAN"})


def _listed(header: Sequence[str]) -> str:
    shown = ", ".join(repr(name[:60]) for name in header[:20])
    return shown if len(header) <= 20 else f"{shown} and {len(header) - 20} more"  # noqa: PLR2004 - a message, not a list


def _plan(
    header: tuple[str, ...],
    targets: tuple[str | None, ...],
    unknown: tuple[str, ...],
    shadowed: tuple[str, ...],
    ignored: tuple[str, ...],
) -> ColumnPlan:
    places = {target: place for place, target in enumerate(targets) if target is not None}
    nowhere = len(header)

    def among(fields: Sequence[str], prefix: str = "") -> list[int]:
        return [places.get(prefix + field, nowhere) for field in fields]

    addresses = [
        AddressPlaces(kind, *among((*ADDRESS_FIELDS, *NAME_PARTS), f"{kind.value.lower()}_"))
        for kind in AddressKind
        if any(f"{kind.value.lower()}_{field}" in places for field in ("line1", "line2", "city", "postal_code"))
    ]
    return ColumnPlan(
        header=header,
        targets=targets,
        unknown=unknown,
        shadowed=shadowed,
        ignored=ignored,
        customer=CustomerPlaces(*among(CUSTOMER_FIELDS)),
        addresses=tuple(addresses),
        document=DocumentPlaces(*among(DOCUMENT_FIELDS)) if any(field in places for field in DOCUMENT_FIELDS) else None,
        attributes=tuple(
            (target.removeprefix("attribute."), place) for target, place in places.items() if target.startswith("attribute.")
        ),
    )
