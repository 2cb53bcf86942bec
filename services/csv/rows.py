"""Turning the cells of one row into the draft of a customer.

Text becomes fields here and nothing is judged: whether an e-mail is one, or a postal code fits its country, the rules decide
later; a country nobody knows is handed to them as it came. A cell that cannot be turned into its field at all (a date that may
mean two days) is a problem; the draft then goes without the field, and `ColumnPlan.text_of` still has the text.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import NamedTuple, TypeVar

from core.drafts import AddressDraft, AttributeDraft, CustomerDraft, DocumentDraft
from core.errors import ErrorCode, FieldPath, Problem
from core.vocabulary import CustomerKind
from services.csv.aliases import squeezed
from services.csv.columns import AddressPlaces, ColumnPlan, DocumentPlaces
from services.csv.values import (
    DOCUMENT_TYPES,
    KINDS,
    NOTHING,
    SHORTENED_NUMBER,
    STATUSES,
    UnclearDate,
    cleaned,
    day,
    name_parts,
    tags,
)
from services.rules.country import country_from_name

_Values = list[str | None]
_T = TypeVar("_T", bound=StrEnum)


@dataclass(slots=True)
class RowDraft:
    """What one row says.

    `problems` carry paths into `draft` (`ColumnPlan.column_of` names their columns). `country` is the ISO code in whose way the
    row's local phone numbers are written: that of the shipping address, else of the billing address, else None.
    """

    draft: CustomerDraft
    problems: list[Problem] = field(default_factory=list)
    country: str | None = None


def to_draft(plan: ColumnPlan, cells: Sequence[str], *, default_country: str | None = None) -> RowDraft:
    """Read one row of the file that *plan* describes.

    A country's name becomes its code; an address without one gets *default_country*, or the empty string for the rules to find.
    Ragged rows come back with an empty draft and one INVALID_CSV problem. Codes: INVALID_CSV for the row, INVALID_PHONE for a
    number that a spreadsheet has shortened, INVALID for the rest, REQUIRED for a document without its type.
    """
    width = len(plan.header)
    if len(cells) != width:
        if len(cells) < width or any(map(str.strip, cells[width:])):
            return RowDraft(CustomerDraft(), [_ragged(len(cells), width)])
        cells = cells[:width]
    # Written out, because a call per cell would double the time: only an apostrophe needs the long way.
    values: _Values = [
        None if (text := cell.strip()) in NOTHING else (cleaned(cell) if text[0] == "'" else text) for cell in cells
    ]
    values.append(None)  # the place of every field that has no column
    problems: list[Problem] = []
    at = plan.customer
    kept: list[AddressDraft] = []
    country = None
    for places in plan.addresses:
        if values[places.line1] or values[places.city] or values[places.postal_code] or values[places.line2]:
            named = values[places.country] or default_country or ""
            code = country_from_name(named) if named else None
            country = country or code
            kept.append(_address(places, values, code or named, len(kept), problems))
    first, last, company = _names(plan, values)
    birth, kind, status, labels = (values[at.date_of_birth], values[at.kind], values[at.status], values[at.tags])
    draft = CustomerDraft(
        external_id=_whole(values[at.external_id], ErrorCode.INVALID, ("externalId",), problems),
        email=values[at.email],
        phone=_whole(values[at.phone], ErrorCode.INVALID_PHONE, ("phone",), problems),
        first_name=first,
        last_name=last,
        company=company,
        kind=_word(kind, KINDS, ("kind",), problems) if kind else None,
        status=_word(status, STATUSES, ("status",), problems) if status else None,
        date_of_birth=_day(birth, ("dateOfBirth",), problems) if birth else None,
        locale=values[at.locale],
        tags=tags(labels) if labels else (),
        attributes=tuple([AttributeDraft(key=key, value=value) for key, place in plan.attributes if (value := values[place])]),
        addresses=tuple(kept),
        documents=_documents(plan.document, values, problems) if plan.document else (),
    )
    return RowDraft(draft, problems, country)


class RowIdentity(NamedTuple):
    """What of a row says whose it is, as it is written there; `country` is that of `RowDraft`."""

    external_id: str | None
    email: str | None
    phone: str | None
    country: str | None
    document: DocumentDraft | None


def to_identity(plan: ColumnPlan, cells: Sequence[str], *, default_country: str | None = None) -> RowIdentity | None:
    """Read only what identifies a customer; None for a row that has not as many cells as there are columns.

    It says what the draft of the whole row says, and more where a cell is refused: a number that a spreadsheet has shortened
    stays in.
    """
    width = len(plan.header)
    if len(cells) != width and (len(cells) < width or any(map(str.strip, cells[width:]))):
        return None

    def value(place: int) -> str | None:
        return cleaned(cells[place]) if place < width else None

    at = plan.customer
    phone, country, document = value(at.phone), None, None
    of_document = plan.document
    if phone is not None:
        for places in plan.addresses:
            if any(value(place) for place in (places.line1, places.city, places.postal_code, places.line2)):
                named = value(places.country) or default_country
                country = country_from_name(named) if named else None
                if country is not None:
                    break
    if of_document is not None and (kind := value(of_document.type)) and (number := value(of_document.number)):
        found = DOCUMENT_TYPES.get(squeezed(kind))
        issuer = value(of_document.country)
        document = DocumentDraft(type=found, number=number, issuing_country=issuer) if found is not None else None
    return RowIdentity(value(at.external_id), value(at.email), phone, country, document)


def _ragged(found: int, expected: int) -> Problem:
    likely = (
        "Most likely a cell contains the delimiter and is not quoted: put that cell between double quotes."
        if found > expected
        else "Most likely a cell contains a line break and is not quoted, or a delimiter is missing."
    )
    return Problem(ErrorCode.INVALID_CSV, f"The row has {found} cells, the header has {expected} columns. {likely}")


def _address(places: AddressPlaces, values: _Values, country: str, number: int, problems: list[Problem]) -> AddressDraft:
    line1, line2 = values[places.line1] or "", values[places.line2]
    if "\n" in line1 or "\r" in line1:
        # Magento and spreadsheets keep a whole street in one cell, its lines below each other.
        line1, *more = [line.strip() for line in line1.splitlines() if line.strip()]
        line2 = ", ".join([*more, line2] if line2 else more) or None
    recipient = values[places.recipient]
    if recipient is None:
        recipient = " ".join([part for part in (values[places.first_name], values[places.last_name]) if part]) or None
    phone = values[places.phone]
    return AddressDraft(
        kind=places.kind,
        line1=line1,
        country_code=country,
        is_default=True,
        recipient=recipient,
        company=values[places.company],
        line2=line2,
        city=values[places.city],
        region=values[places.region],
        postal_code=values[places.postal_code],
        phone=_whole(phone, ErrorCode.INVALID_PHONE, ("addresses", str(number), "phone"), problems) if phone else None,
    )


def _names(plan: ColumnPlan, values: _Values) -> tuple[str | None, str | None, str | None]:
    """Return first name, last name and company: from their own columns, else from a full name, else from the addresses."""
    at = plan.customer
    first, last, company, full = values[at.first_name], values[at.last_name], values[at.company], values[at.full_name]
    if first or last:
        return first, last, company
    if full:
        if company is None and KINDS.get(squeezed(values[at.kind] or "")) is CustomerKind.BUSINESS:
            return None, None, full
        if company is None or company.casefold() != full.casefold():
            return *name_parts(full), company
        return None, None, company
    for places in reversed(plan.addresses):  # billing first: it names who pays
        first, last = values[places.first_name], values[places.last_name]
        if first or last:
            return first, last, company
    if company is None:
        # Shops know a firm by its address only; without anybody's name, the firm is the customer.
        company = next((values[places.company] for places in reversed(plan.addresses) if values[places.company]), None)
    return None, None, company


def _whole(text: str | None, code: ErrorCode, path: FieldPath, problems: list[Problem]) -> str | None:
    """Refuse a number whose digits a spreadsheet has thrown away."""
    if text and ("E" in text or "e" in text) and SHORTENED_NUMBER.fullmatch(text):
        message = f"{text!r}: a spreadsheet has shortened this number. Format the column as text and export the file again."
        problems.append(Problem(code, message, path))
        return None
    return text


def _day(text: str, path: FieldPath, problems: list[Problem]) -> date | None:
    try:
        return day(text)
    except UnclearDate as unclear:
        problems.append(Problem(ErrorCode.INVALID, str(unclear), path))
        return None


def _word(text: str, words: Mapping[str, _T], path: FieldPath, problems: list[Problem]) -> _T | None:
    found = words.get(squeezed(text))
    if found is None:
        known = ", ".join(dict.fromkeys(str(value) for value in words.values()))
        problems.append(Problem(ErrorCode.INVALID, f"{text[:40]!r} is not known here. Use one of: {known}.", path))
    return found


def _documents(places: DocumentPlaces, values: _Values, problems: list[Problem]) -> tuple[DocumentDraft, ...]:
    kind, number, country, expires = (values[place] for place in places)
    if kind is None:
        if number or expires:
            message = "A document needs its type, such as PASSPORT."
            problems.append(Problem(ErrorCode.REQUIRED, message, ("documents", "0", "type")))
        return ()
    found = _word(kind, DOCUMENT_TYPES, ("documents", "0", "type"), problems)
    number = _whole(number, ErrorCode.INVALID_DOCUMENT_NUMBER, ("documents", "0", "number"), problems)
    day_of_expiry = _day(expires, ("documents", "0", "expiresOn"), problems) if expires else None
    if found is None:
        return ()
    issuer = (country_from_name(country) or country) if country else None
    return (DocumentDraft(type=found, number=number, issuing_country=issuer, expires_on=day_of_expiry),)
