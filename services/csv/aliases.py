"""The names that shops and spreadsheets give to our columns.

Compared without case, blanks and punctuation: "First Name", "first_name", "firstName" and "FIRST-NAME" are one spelling.
The lists cover the customer exports of Shopify, WooCommerce, Magento and HubSpot, and the Chinook and Northwind databases.
"""

import unicodedata
from collections.abc import Mapping
from typing import NamedTuple


class Meaning(NamedTuple):
    """What a column is for. Of two columns for one target, the one with the lower rank is taken, then the first."""

    target: str
    rank: int


ADDRESS_FIELDS = ("recipient", "company", "line1", "line2", "city", "region", "postal_code", "country", "phone")
CUSTOMER_FIELDS = (
    "external_id", "email", "phone", "first_name", "last_name", "full_name", "company", "kind", "status", "date_of_birth",
    "locale", "tags",
)  # fmt: skip
DOCUMENT_FIELDS = ("document_type", "document_number", "document_country", "document_expires_on")
NAME_PARTS = ("first_name", "last_name")
"""Shops name the recipient of an address in two columns; together they make `recipient`."""

TARGETS = frozenset(
    (
        *CUSTOMER_FIELDS,
        *DOCUMENT_FIELDS,
        *(f"{kind}_{field}" for kind in ("shipping", "billing") for field in (*ADDRESS_FIELDS, *NAME_PARTS)),
    )
)
"""Every canonical column name but the `attribute.<key>` family."""

REPORT_COLUMNS = ("_row", "_column", "_code", "_message")
"""What our error report adds to a file, and what reading it back leaves out."""

_CUSTOMER = {
    "external_id": ("externalid externalreference externalkey", "customerid customernumber customerno customercode customerref",
                    "recordid userid entityid contactid clientid", "id"),
    "email": ("email emailaddress useremail customeremail primaryemail", "mail emailid contactemail workemail", "billingemail"),
    "phone": ("phone phonenumber telephone telephonenumber tel customerphone primaryphone userphone",
              "phone1 contactphone workphone",
              "mobile mobilephone mobilephonenumber mobilenumber cell cellphone"),
    "first_name": ("firstname givenname forename fname customerfirstname", "contactfirstname"),
    "last_name": ("lastname surname familyname lname customerlastname", "contactlastname"),
    "full_name": ("fullname name customername", "contactname contactperson", "displayname"),
    "company": ("company companyname customercompany", "organization organisation organizationname businessname"),
    "kind": ("kind customerkind customertype",),
    "status": ("status customerstatus accountstatus",),
    "date_of_birth": ("dateofbirth dob birthdate birthday birthdayymd",),
    "locale": ("locale customerlocale languagecode", "language lang preferredlanguage"),
    "tags": ("tags customertags", "tag labels"),
    "document_type": ("documenttype",),
    "document_number": ("documentnumber documentno",),
    "document_country": ("documentcountry documentissuingcountry documentcountrycode",),
    "document_expires_on": ("documentexpireson documentexpiry documentexpirydate documentexpirationdate",),
}  # fmt: skip
_ADDRESS = {
    "recipient": ("recipient name fullname attention attn",),
    "first_name": ("firstname",),
    "last_name": ("lastname",),
    "company": ("company companyname",),
    "line1": ("line1 address1 addressline1 street1", "address street streetaddress streetaddress1 1"),
    "line2": ("line2 address2 addressline2 street2", "streetaddress2 2"),
    "city": ("city town", "locality"),
    "region": ("regioncode provincecode statecode", "region province state stateregion stateprovince", "county"),
    "postal_code": ("postalcode postcode zip zipcode", "zippostalcode postalzip"),
    "country": ("countrycode countryid countrycodev2", "country countryregion countryname"),
    "phone": ("phone telephone phonenumber tel",),
}
# Without a prefix these mean the customer, or nothing in particular.
_NEEDS_PREFIX = frozenset({"recipient", "first_name", "last_name", "company", "phone"})
_BARE_RANK = 10
# Longer prefixes first: "shippingaddresscity" is "shippingaddress" and "city".
_PREFIXES = (
    ("defaultaddress", "shipping"),
    ("shippingaddress", "shipping"),
    ("deliveryaddress", "shipping"),
    ("billingaddress", "billing"),
    ("invoiceaddress", "billing"),
    ("shipping", "shipping"),
    ("delivery", "shipping"),
    ("shipto", "shipping"),
    ("billing", "billing"),
    ("invoice", "billing"),
    ("billto", "billing"),
    ("address", "shipping"),
)
# Never taken from a file: whose customer it is, who may do what, and secrets that shops put into their exports.
_IGNORED = frozenset(
    {
        "sellerid", "tenant", "tenantid", "role", "roles", "userrole", "version",
        "password", "passwordhash", "userpass", "rptoken", "rptokencreatedat", "sessiontokens",
    }
)  # fmt: skip


def _spelt(table: Mapping[str, tuple[str, ...]]) -> dict[str, Meaning]:
    return {
        word: Meaning(target, rank)
        for target, tiers in table.items()
        for rank, words in enumerate(tiers)
        for word in words.split()
    }


_OF_CUSTOMER = _spelt(_CUSTOMER)
_OF_ADDRESS = _spelt(_ADDRESS)


def squeezed(name: str) -> str:
    """Return the letters and digits of *name*, without case: what all its spellings share."""
    return "".join(letter for letter in unicodedata.normalize("NFKC", name).casefold() if letter.isalnum())


def is_ignored(name: str) -> bool:
    """Say whether a column of this name is left out on purpose."""
    return name.strip() in {"_id", "__v"} or squeezed(name) in _IGNORED


def is_report_column(name: str) -> bool:
    """Say whether the error report added this column."""
    return name.strip() in REPORT_COLUMNS


def attribute_key(name: str) -> str | None:
    """Return the key of a column called ``attribute.<key>``, or None."""
    prefix, dot, key = name.partition(".")
    return key.strip() or None if dot and squeezed(prefix) in {"attribute", "attributes"} else None


def meaning_of(name: str) -> Meaning | None:
    """Return what a column of this name is for, or None when nobody knows."""
    key = attribute_key(name)
    if key:
        return Meaning(f"attribute.{key}", 0)
    if name.strip() == "_entity_id":
        return None  # Magento's list of addresses numbers those, not the customers
    word = squeezed(name)
    if word in _OF_CUSTOMER:
        return _OF_CUSTOMER[word]
    bare = _OF_ADDRESS.get(word)
    if bare and bare.target not in _NEEDS_PREFIX and not word.isdigit():
        return Meaning(f"shipping_{bare.target}", _BARE_RANK + bare.rank)
    for prefix, kind in _PREFIXES:
        if word.startswith(prefix):
            rest = word.removeprefix(prefix)
            if not rest and prefix.endswith("address"):
                return Meaning(f"{kind}_line1", 1)
            if rest in _OF_ADDRESS:
                found = _OF_ADDRESS[rest]
                return Meaning(f"{kind}_{found.target}", found.rank)
    return None
