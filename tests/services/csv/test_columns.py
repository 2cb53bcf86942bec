import pytest

from core.drafts import AddressDraft, AttributeDraft, CustomerDraft
from core.errors import ErrorCode, Problem, Refused
from core.vocabulary import AddressKind
from services.csv.aliases import TARGETS, meaning_of
from services.csv.columns import ColumnPlan, map_columns

SHOPIFY = (
    "Customer ID,First Name,Last Name,Email,Accepts Email Marketing,Default Address Company,Default Address Address1,"
    "Default Address Address2,Default Address City,Default Address Province Code,Default Address Country Code,"
    "Default Address Zip,Default Address Phone,Phone,Accepts SMS Marketing,Total Spent,Total Orders,Note,Tax Exempt,Tags"
)
WOOCOMMERCE = (
    "ID,customer_id,user_login,user_pass,user_email,role,first_name,last_name,billing_first_name,billing_last_name,billing_company,"
    "billing_email,billing_phone,billing_address_1,billing_address_2,billing_postcode,billing_city,billing_state,billing_country,"
    "shipping_first_name,shipping_last_name,shipping_company,shipping_address_1,shipping_address_2,shipping_postcode,shipping_city,"
    "shipping_state,shipping_country"
)
MAGENTO = (
    "email,_website,_store,dob,firstname,gender,lastname,password_hash,rp_token,taxvat,_address_city,_address_company,"
    "_address_country_id,_address_firstname,_address_lastname,_address_postcode,_address_region,_address_street,"
    "_address_telephone,_address_default_billing_,_address_default_shipping_"
)
HUBSPOT = (
    "Record ID,First Name,Last Name,Email,Phone Number,Mobile Phone Number,Company name,Street Address,City,State/Region,"
    "Postal Code,Country/Region,Date of birth,Lifecycle Stage"
)
CHINOOK = "CustomerId,FirstName,LastName,Company,Address,City,State,Country,PostalCode,Phone,Fax,Email,SupportRepId"
NORTHWIND = "customerID,companyName,contactName,contactTitle,address,city,region,postalCode,country,phone,fax"


def plan_of(header: str, *overrides: tuple[str, str]) -> ColumnPlan:
    return map_columns(header.split(","), overrides)


def problems_of(header: str, *overrides: tuple[str, str]) -> list[Problem]:
    with pytest.raises(Refused) as refused:
        plan_of(header, *overrides)
    return list(refused.value.problems)


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_every_canonical_name_means_itself(target: str) -> None:
    assert target == getattr(meaning_of(target), "target", None)


@pytest.mark.parametrize(
    ("spelling", "target"),
    [
        ("E-mail", "email"),
        ("E-Mail Address", "email"),
        ("EMAIL", "email"),
        ("First name", "first_name"),
        ("firstName", "first_name"),
        ("FIRST-NAME", "first_name"),
        ("\uff25mail", "email"),
        ("Name", "full_name"),
        ("address1", "shipping_line1"),
        ("Address Line 2", "shipping_line2"),
        ("city", "shipping_city"),
        ("state", "shipping_region"),
        ("zip", "shipping_postal_code"),
        ("country_code", "shipping_country"),
        ("Shipping Address City", "shipping_city"),
        ("Billing Street", "billing_line1"),
        ("Billing Address", "billing_line1"),
        ("Birthday", "date_of_birth"),
        ("attribute.Loyalty Level", "attribute.Loyalty Level"),
        ("documentExpiresOn", "document_expires_on"),
    ],
)
def test_plain_spellings_are_understood(spelling: str, target: str) -> None:
    """Case 7: case, blanks and punctuation do not matter."""
    assert target == getattr(meaning_of(spelling), "target", None)


def test_shopify() -> None:
    plan = plan_of(SHOPIFY)

    assert (
        "external_id", "first_name", "last_name", "email", "attribute.Accepts Email Marketing", "shipping_company",
        "shipping_line1", "shipping_line2", "shipping_city", "shipping_region", "shipping_country",
        "shipping_postal_code", "shipping_phone", "phone", "attribute.Accepts SMS Marketing", "attribute.Total Spent",
        "attribute.Total Orders", "attribute.Note", "attribute.Tax Exempt", "tags",
    ) == plan.targets  # fmt: skip
    assert (
        "Accepts Email Marketing",
        "Accepts SMS Marketing",
        "Total Spent",
        "Total Orders",
        "Note",
        "Tax Exempt",
    ) == plan.unknown


def test_woocommerce() -> None:
    plan = plan_of(WOOCOMMERCE)

    assert (
        "attribute.ID", "external_id", "attribute.user_login", None, "email", None, "first_name", "last_name",
        "billing_first_name", "billing_last_name", "billing_company", "attribute.billing_email", "billing_phone",
        "billing_line1", "billing_line2", "billing_postal_code", "billing_city", "billing_region", "billing_country",
        "shipping_first_name", "shipping_last_name", "shipping_company", "shipping_line1", "shipping_line2",
        "shipping_postal_code", "shipping_city", "shipping_region", "shipping_country",
    ) == plan.targets  # fmt: skip
    assert (("ID", "billing_email"), ("user_pass", "role")) == (plan.shadowed, plan.ignored)


def test_magento() -> None:
    plan = plan_of(MAGENTO)

    assert (
        "email", "attribute._website", "attribute._store", "date_of_birth", "first_name", "attribute.gender",
        "last_name", None, None, "attribute.taxvat", "shipping_city", "shipping_company", "shipping_country",
        "shipping_first_name", "shipping_last_name", "shipping_postal_code", "shipping_region", "shipping_line1",
        "shipping_phone", "attribute._address_default_billing_", "attribute._address_default_shipping_",
    ) == plan.targets  # fmt: skip
    assert ("password_hash", "rp_token") == plan.ignored


def test_hubspot() -> None:
    assert (
        "external_id", "first_name", "last_name", "email", "phone", "attribute.Mobile Phone Number", "company",
        "shipping_line1", "shipping_city", "shipping_region", "shipping_postal_code", "shipping_country",
        "date_of_birth", "attribute.Lifecycle Stage",
    ) == plan_of(HUBSPOT).targets  # fmt: skip


def test_chinook_and_northwind() -> None:
    chinook, northwind = plan_of(CHINOOK), plan_of(NORTHWIND)

    assert (
        "external_id", "first_name", "last_name", "company", "shipping_line1", "shipping_city", "shipping_region",
        "shipping_country", "shipping_postal_code", "phone", "attribute.Fax", "email", "attribute.SupportRepId",
    ) == chinook.targets  # fmt: skip
    assert (
        "external_id", "company", "full_name", "attribute.contactTitle", "shipping_line1", "shipping_city",
        "shipping_region", "shipping_postal_code", "shipping_country", "phone", "attribute.fax",
    ) == northwind.targets  # fmt: skip
    assert (("Fax", "SupportRepId"), ("contactTitle", "fax")) == (chinook.unknown, northwind.unknown)


@pytest.mark.parametrize("name", ["seller_id", "sellerId", "Tenant", "tenant_id", "_id", "role", "version", "password"])
def test_columns_that_a_file_may_not_decide_are_left_out_and_named(name: str) -> None:
    """Case 16."""
    plan = plan_of(f"email,{name}")

    assert (("email", None), (name,)) == (plan.targets, plan.ignored)


def test_the_columns_of_our_own_error_report_are_left_out_silently() -> None:
    plan = plan_of("email,_row,_column,_code,_message")

    assert (("email", None, None, None, None), (), (), ()) == (plan.targets, plan.ignored, plan.unknown, plan.shadowed)


def test_the_second_column_for_one_target_becomes_an_attribute() -> None:
    plan = plan_of("email,E-Mail,fax,attribute.fax")

    assert ("email", "attribute.E-Mail", "attribute.fax (2)", "attribute.fax") == plan.targets
    assert (("E-Mail",), ("fax",)) == (plan.shadowed, plan.unknown)


def test_a_country_code_is_taken_before_a_country_name_and_a_named_address_before_a_bare_one() -> None:
    plan = plan_of("email,Country,Country Code,city,shipping_city")

    assert ("email", "attribute.Country", "shipping_country", "attribute.city", "shipping_city") == plan.targets


def test_overrides_beat_names() -> None:
    plan = plan_of("Kunde,Mail,fax,role", ("Kunde", "external_id"), (" fax ", "Phone"), ("role", "attribute.position"))

    assert ("external_id", "email", "phone", "attribute.position") == plan.targets


def test_overrides_that_cannot_be_followed_are_all_named() -> None:
    problems = problems_of(
        "email,x", ("Kunde", "email"), ("x", "seller_id"), ("x", "first_name"), ("email", "first_name"), ("X", "tags")
    )

    assert [
        (ErrorCode.MISSING_COLUMN, ("columns", "0", "from")),
        (ErrorCode.INVALID, ("columns", "1", "to")),
        (ErrorCode.INVALID, ("columns", "3", "to")),
        (ErrorCode.INVALID, ("columns", "4", "from")),
    ] == [(problem.code, problem.field) for problem in problems]
    assert problems[0].message == "The file has no column 'Kunde'. Its columns are: 'email', 'x'."


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("name,city", "Found: 'name', 'city'."),
        ("\u0435mail,name", "mixes letters of several alphabets"),
        ("email;name", "separated by ';'"),
        ("attribute.email", "one of external_id, email or phone is needed"),
    ],
)
def test_a_file_that_identifies_nobody_is_refused(header: str, words: str) -> None:
    """Case 7: missing, a homoglyph, the wrong delimiter."""
    (problem,) = problems_of(header)

    assert (ErrorCode.MISSING_COLUMN, ("columns",)) == (problem.code, problem.field)
    assert words in problem.message


def test_a_field_leads_back_to_its_column() -> None:
    plan = plan_of("E-Mail,Name,Billing City,Billing First Name,zip,ship,Document No,Labels", ("ship", "attribute.boat"))
    draft = CustomerDraft(
        attributes=(AttributeDraft(key="boat", value="x"),),
        addresses=(
            AddressDraft(kind=AddressKind.SHIPPING, line1="", country_code=""),
            AddressDraft(kind=AddressKind.BILLING, line1="", country_code=""),
        ),
    )
    paths = {
        ("email",): "E-Mail",
        ("firstName",): "Name",
        ("lastName",): "Name",
        ("addresses", "0", "postalCode"): "zip",
        ("addresses", "0"): "zip",
        ("addresses", "0", "city"): None,
        ("addresses", "1", "city"): "Billing City",
        ("addresses", "1", "recipient"): "Billing First Name",
        ("addresses", "1", "countryCode"): None,
        ("addresses", "7", "city"): None,
        ("attributes", "0", "value"): "ship",
        ("documents", "0", "number"): "Document No",
        ("documents", "0", "expiresOn"): None,
        ("tags", "3"): "Labels",
        ("phone",): None,
        (): None,
    }

    assert paths == {path: plan.column_of(path, draft) for path in paths}
    assert " 0123 " == plan.text_of(("addresses", "0", "postalCode"), draft, ["", "", "", "", " 0123 "])
