"""Everything the contract names is served, under its name, with its nullability and its defaults."""

import pytest
from graphql import GraphQLSchema, build_schema

from app.graphql.schema import build_schema as build_served
from schema.sdl import client_sdl
from tests.graphql.contract import differences
from tests.house import ROOT

PROMISED = (ROOT / "tests" / "graphql" / "contract.graphql").read_text(encoding="utf-8")
CONTRACT = build_schema(PROMISED)


def test_everything_in_the_contract_is_served() -> None:
    assert [] == differences(CONTRACT, build_schema(client_sdl(build_served())))


def test_the_contract_keeps_itself() -> None:
    assert [] == differences(CONTRACT, CONTRACT)
    assert len(CONTRACT.type_map) > 80


def changed(old: str, new: str, text: str = PROMISED) -> GraphQLSchema:
    """Return the schema of the contract after a change of its text in one place."""
    assert text.count(old) == 1, f"{text.count(old)} places for {old!r}"
    return build_schema(text.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        pytest.param("  fullName: String! ", "  # ", "Customer.fullName is missing", id="field dropped"),
        pytest.param("  fullName: String! ", "  wholeName: String! ", "Customer.fullName is missing", id="field renamed"),
        pytest.param(
            "emailVerified: Boolean!",
            "emailVerified: Boolean",
            "Customer.emailVerified is Boolean instead of Boolean!",
            id="null",
        ),
        pytest.param("me: Customer  ", "me: Customer!  ", "Query.me is Customer! instead of Customer", id="null never"),
        pytest.param(
            "  formatted: [String!]!",
            "  formatted: [String]!",
            "Address.formatted is [String]! instead of [String!]!",
            id="null inside",
        ),
        pytest.param("fileSize: Int\n", "fileSize: Float\n", "BulkImport.fileSize is Float instead of Int", id="other type"),
        pytest.param(
            "address(id: ID!): Address\n", "address: Address\n", "Query.address(id) is missing", id="argument dropped"
        ),
        pytest.param(
            "deleteAddress(id: ID!)",
            "deleteAddress(id: ID!, reason: String!)",
            "Mutation.deleteAddress(reason) is new and has to be given",
            id="argument demanded",
        ),
        pytest.param(
            "node(id: ID!): Node", "node(id: ID): Node", "Query.node(id) is ID instead of ID!", id="argument may be null"
        ),
        pytest.param(
            "customerEvents(sellerId: ID, customerId: ID)",
            "customerEvents(sellerId: ID!, customerId: ID)",
            "Subscription.customerEvents(sellerId) is ID! instead of ID",
            id="argument must not be null",
        ),
        pytest.param(
            "history(first: Int = 20,",
            "history(first: Int = 10,",
            "Customer.history(first) is 10 by default instead of 20",
            id="default changed",
        ),
        pytest.param(
            "logout(everywhere: Boolean = false)",
            "logout(everywhere: Boolean)",
            "Mutation.logout(everywhere) is nothing by default instead of false",
            id="default dropped",
        ),
        pytest.param(
            "sort: CustomerSort = CREATED_AT_DESC",
            "sort: CustomerSort = NAME_ASC",
            "Query.customers(sort) is NAME_ASC by default instead of CREATED_AT_DESC",
            id="default of an enum changed",
        ),
        pytest.param(
            "defaultAddress(kind: AddressKind!)",
            "defaultAddress(kind: AddressKind! = SHIPPING)",
            "Customer.defaultAddress(kind) is SHIPPING by default instead of nothing",
            id="default added",
        ),
        pytest.param(
            "dryRun: Boolean = false\n",
            "dryRun: Boolean = true\n",
            "BulkImportInput.dryRun is true by default instead of false",
            id="default of an input field changed",
        ),
        pytest.param(
            "PENDING ACTIVE SUSPENDED", "PENDING ACTIVE", "CustomerStatus.SUSPENDED is missing", id="enum value dropped"
        ),
        pytest.param(
            "type Session implements Node {", "type Session {", "Session implements Node is missing", id="interface dropped"
        ),
        pytest.param(
            "input CustomerKey @oneOf {", "input CustomerKey {", "CustomerKey is no longer @oneOf", id="oneOf dropped"
        ),
        pytest.param(
            "input CustomerFilter {", "input CustomerFilter @oneOf {", "CustomerFilter is now @oneOf", id="oneOf added"
        ),
        pytest.param("  search: String ", "  # ", "CustomerFilter.search is missing", id="input field dropped"),
        pytest.param(
            "fileName: String! size: Int mode",
            "fileName: String! size: Int! mode",
            "BulkImportInput.size is Int! instead of Int",
            id="input field must not be null",
        ),
        pytest.param(
            "input ColumnMapping { ",
            "input ColumnMapping { at: Int! ",
            "ColumnMapping.at is new and has to be given",
            id="input field demanded",
        ),
        pytest.param("scalar Date\n", "enum Date { TODAY }\n", "Date is of kind enum instead of scalar", id="other kind"),
        pytest.param(
            "interface Node { id: ID! }", "interface Node { id: ID }", "Node.id is ID instead of ID!", id="interface weakened"
        ),
    ],
)
def test_every_weakening_is_one_line(old: str, new: str, line: str) -> None:
    assert [line] == differences(CONTRACT, changed(old, new))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("  fullName: String! ", "  age: Int  fullName: String! ", id="field"),
        pytest.param("deleteAddress(id: ID!)", "deleteAddress(id: ID!, reason: String)", id="argument that may be null"),
        pytest.param("deleteAddress(id: ID!)", "deleteAddress(id: ID!, times: Int! = 1)", id="argument with a default"),
        pytest.param("PENDING ACTIVE SUSPENDED", "PENDING ACTIVE SUSPENDED CLOSED", id="enum value"),
        pytest.param("input ColumnMapping { ", "input ColumnMapping { at: Int ", id="input field"),
        pytest.param("scalar Date\n", "scalar Date scalar Time\n", id="type"),
        pytest.param("type Header {", "interface Named { name: String! } type Header implements Named {", id="interface"),
    ],
)
def test_additions_are_none(old: str, new: str) -> None:
    assert [] == differences(CONTRACT, changed(old, new))


def test_types_roots_and_members_of_unions_are_missed() -> None:
    small = """union Owner = Person | Company type Person { name: String! } type Company { name: String! }
      type Query { owner: Owner } type Mutation { sell: Owner } type Subscription { sold: Owner }"""

    def lost(old: str, new: str) -> list[str]:
        return differences(build_schema(small), changed(old, new, small))

    assert ["Owner = Company is missing"] == lost("= Person | Company", "= Person")
    assert ["the mutation type is missing instead of Mutation", "Mutation is missing"] == lost(
        "type Mutation { sell: Owner }", ""
    )
    assert ["the subscription type is missing instead of Subscription", "Subscription is missing"] == lost(
        "type Subscription { sold: Owner }", ""
    )
    assert ["the query type is Everything instead of Query", "Query is missing"] == differences(
        build_schema(small),
        build_schema(
            small.replace("Query", "Everything") + " schema { query: Everything mutation: Mutation subscription: Subscription }"
        ),
    )
