"""What becomes of a row of an import, strictly or leniently.

STRICT rejects a row for any problem. LENIENT rejects for problems of identity and structure: a malformed e-mail, nothing
to know the customer by, forbidden characters, texts that are too long, too many tags. It takes the rest with a warning,
and loses nothing that was written:

* an address that its country's rules refuse is kept as it came
* an address without a country gets the seller's; one whose country nobody knows, or without any street line, cannot be an
  address of the contract and becomes the attribute ``shipping_address`` or ``billing_address``
* a phone that is only possible is kept in E.164; one that is no number is left out and kept as the attribute ``phone``
  (``shipping_phone``, ``billing_phone``)
* a date of birth or locale that cannot be is left out and kept as an attribute
* a document that expired or whose number has a wrong check digit is kept; a reviewer will see it
"""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from core.drafts import AddressDraft, AttributeDraft, CustomerDraft, DocumentDraft
from core.errors import ErrorCode, FieldPath, Problem
from services.rules.address import MAX_ADDRESSES, check_address_draft, check_one_default_each
from services.rules.country import country_codes, country_from_name, country_name
from services.rules.document import MAX_DOCUMENTS, check_document_draft
from services.rules.plain_row import plain_row
from services.rules.policy import RowVerdict, RulePolicy
from services.rules.profile import (
    MAX_ATTRIBUTE_VALUE,
    check_identifiers,
    check_profile,
    given_fields,
    kind_of_names,
    too_many,
)
from services.rules.text import clean_text

_TOLERABLE = frozenset(
    {ErrorCode.INVALID_PHONE, ErrorCode.INVALID_ADDRESS, ErrorCode.INVALID_DOCUMENT_NUMBER, ErrorCode.DOCUMENT_EXPIRED}
)
_LEFT_OUT: dict[FieldPath, str] = {("dateOfBirth",): "date_of_birth", ("locale",): "locale"}
_ABSENT: Mapping[str, object] = {field.name: field.default for field in fields(CustomerDraft)}
_TOLERABLE_ENDS = frozenset({"issuingCountry", "issuedOn", "expiresOn"})


def check_row(draft: CustomerDraft, policy: RulePolicy, *, lenient: bool) -> RowVerdict:
    """Normalise the customer of a row and sort what is wrong into errors and warnings; strictly, all are errors.

    Cells are what files hold: names that are blank count as absent, and countries may be names. Paths keep the indexes of
    the draft that came in, also where an address did not become one.
    """
    plain = plain_row(draft, policy)
    return judged_row(draft, policy, lenient=lenient) if plain is None else RowVerdict(plain, [], [])


def judged_row(draft: CustomerDraft, policy: RulePolicy, *, lenient: bool) -> RowVerdict:
    """Return what `check_row` does, field by field."""
    row = _Row(policy, lenient=lenient)
    addresses = tuple([_named(address) for address in draft.addresses])
    codes = country_codes()
    region = next((address.country_code for address in addresses if address.country_code in codes), None)
    values = {name: value for name, value in given_fields(draft).items() if not isinstance(value, str) or value.strip()}
    profile = check_profile(values, policy, region=region)
    for problem in profile.problems:
        row.sort(problem)
        name = "phone" if problem.field == ("phone",) else _LEFT_OUT.get(problem.field)
        if name and profile.values[name] is None:
            row.keep(name, values[name], problem)
    checked = {**_ABSENT, **profile.values}
    checked["addresses"] = row.addresses(addresses) if addresses else ()
    checked["documents"] = row.documents(draft.documents) if draft.documents else ()
    return row.verdict(checked, gave_identifier="external_id" in values or "email" in values or "phone" in values)


class _Row:
    """Errors, warnings and attributes of a row, as they are found."""

    def __init__(self, policy: RulePolicy, *, lenient: bool) -> None:
        self.policy = policy
        self.lenient = lenient
        self.errors: list[Problem] = []
        self.warnings: list[Problem] = []
        self.attributes: list[AttributeDraft] = []

    def sort(self, problem: Problem) -> None:
        """Put *problem* where it belongs."""
        tolerable = problem.code in _TOLERABLE or (
            problem.code is ErrorCode.INVALID
            and (problem.field in _LEFT_OUT or (problem.field[:1] == ("documents",) and problem.field[-1] in _TOLERABLE_ENDS))
        )
        (self.warnings if self.lenient and tolerable else self.errors).append(problem)

    def keep(self, name: str, value: object, problem: Problem) -> None:
        """Keep what could not be stored in its own place, unless it is what made the row an error."""
        if not self.lenient or problem in self.errors:
            return
        text = clean_text(str(value), limit=MAX_ATTRIBUTE_VALUE, field=problem.field, problems=self.errors, multiline=True)
        if text is not None:
            self.attributes.append(AttributeDraft(key=name, value=text))

    def addresses(self, given: tuple[AddressDraft, ...]) -> tuple[AddressDraft, ...]:
        """Return the addresses to store."""
        if too_many(given, MAX_ADDRESSES, ("addresses",), "addresses", self.errors):
            return ()
        self.errors += check_one_default_each(given)
        kept = [self._address(index, address) for index, address in enumerate(given)]
        return tuple([address for address in kept if address is not None])

    def _address(self, index: int, address: AddressDraft) -> AddressDraft | None:
        path = ("addresses", str(index))
        if self.lenient and not (address.country_code and address.line1.strip()):
            address = self._complete(address, path)
        checked, found = check_address_draft(address, self.policy)
        storable = bool(checked.line1) and checked.country_code in country_codes()
        if not found:
            return checked if storable else None
        for problem in (problem.under(*path) for problem in found):
            if self.lenient and problem.code is ErrorCode.REQUIRED and problem.field[-1] == "line1":
                self._leave_out(address, replace(problem, code=ErrorCode.INVALID_ADDRESS))
            elif not storable and problem.field[-1] == "countryCode" and problem.code is ErrorCode.INVALID_ADDRESS:
                self._leave_out(address, problem)
            else:
                self.sort(problem)
            if problem.code is ErrorCode.INVALID_PHONE and checked.phone is None:
                self.keep(f"{address.kind.lower()}_phone", address.phone, problem)
        return checked if storable else None

    def _complete(self, address: AddressDraft, path: tuple[str, ...]) -> AddressDraft:
        """Fill in what a row leaves to be understood: the seller's country, and the second line where there is no first."""
        if not address.line1.strip() and address.line2:
            address = replace(address, line1=address.line2, line2=None)
        if not address.country_code:
            country = self.policy.default_country
            message = f"The row names no country: {country_name(country)}, the seller's own, was assumed."
            self.warnings.append(Problem(ErrorCode.INVALID_ADDRESS, message, (*path, "countryCode")))
            address = replace(address, country_code=country)
        return address

    def _leave_out(self, address: AddressDraft, problem: Problem) -> None:
        self.sort(problem)
        name = f"{address.kind.lower()}_address"
        if all(attribute.key != name for attribute in self.attributes):
            parts = (address.recipient, address.company, address.line1, address.line2, address.city, address.region)
            text = ", ".join(part.strip() for part in (*parts, address.postal_code, address.country_code) if part)
            self.keep(name, text.strip(", "), problem)

    def documents(self, given: tuple[DocumentDraft, ...]) -> tuple[DocumentDraft, ...]:
        """Return the documents to store."""
        if too_many(given, MAX_DOCUMENTS, ("documents",), "documents", self.errors):
            return ()
        kept = []
        for index, document in enumerate(given):
            country = _code(document.issuing_country) if document.issuing_country else None
            checked, found = check_document_draft(replace(document, issuing_country=country or None), self.policy)
            kept.append(checked)
            for problem in found:
                self.sort(problem.under("documents", str(index)))
        return tuple(kept)

    def verdict(self, checked: dict[str, Any], *, gave_identifier: bool) -> RowVerdict:
        """Close the row: add the attributes, and make sure that there is something to know the customer by."""
        if not gave_identifier:
            self.errors += check_identifiers(None, None, None)
        elif not self.errors and not (checked["external_id"] or checked["email"] or checked["phone"]):
            # The phone was all there was: leaving it out leaves nobody.
            of_phone = [problem for problem in self.warnings if problem.field == ("phone",)]
            self.errors += of_phone or check_identifiers(None, None, None)
            self.warnings = [problem for problem in self.warnings if problem not in of_phone]
        if self.attributes:
            taken = {attribute.key for attribute in checked["attributes"]}
            extra = [replace(attribute, key=_free(attribute.key, taken)) for attribute in self.attributes]
            checked["attributes"] = (*checked["attributes"], *extra)
        if checked["kind"] is None:
            checked["kind"] = kind_of_names(checked["company"], checked["first_name"], checked["last_name"])
        # Made once, here: a copy for every step would take longer than the rules.
        return RowVerdict(CustomerDraft(**checked), self.errors, self.warnings)


def _free(key: str, taken: set[str]) -> str:
    name, number = key, 1
    while name in taken:
        number += 1
        name = f"{key}_{number}"
    taken.add(name)
    return name


def _named(address: AddressDraft) -> AddressDraft:
    code = _code(address.country_code)
    return address if code == address.country_code else replace(address, country_code=code)


def _code(country: str) -> str:
    text = country.strip()
    return country_from_name(text) or text
