"""What Relay, and every other client with a normalised cache, expects of a schema, after the Relay server specification."""

from collections.abc import Iterator

import pytest
from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLObjectType,
    build_schema,
    get_named_type,
    get_nullable_type,
    is_introspection_type,
)

from app.graphql.schema import build_schema as build_served
from core.ids import IdKind
from core.vocabulary import OnboardingStep
from schema.sdl import client_sdl
from services.address import MAX_ADDRESSES
from services.consent import MAX_ENTRIES
from services.csv.format import MAX_COLUMNS
from services.document import MAX_DOCUMENTS
from services.rules.profile import MAX_ATTRIBUTES, MAX_TAGS
from tests.api import Api, Commands
from tests.graphql.operations import BERLIN, create

SCHEMA = build_schema(client_sdl(build_served()))
OBJECTS = [one for one in SCHEMA.type_map.values() if isinstance(one, GraphQLObjectType) and not is_introspection_type(one)]
CONNECTIONS = [one for one in OBJECTS if one.name.endswith("Connection")]
NODE = SCHEMA.type_map["Node"]

BOUNDED = {
    "Address.formatted": "lines of one postal address",
    "BulkImportFormat.header": f"at most {MAX_COLUMNS}: a file has no more columns",
    "BulkImportPreview.columns": f"at most {MAX_COLUMNS}: one for each column of the file",
    "BulkImportPreview.rows": "the first twenty",
    "BulkImportPreviewCustomer.attributes": f"at most {MAX_ATTRIBUTES}: the rules of a customer",
    "BulkImportPreviewCustomer.tags": f"at most {MAX_TAGS}: the rules of a customer",
    "BulkImportPreviewRow.problems": "what is wrong with the cells of one row",
    "Customer.addresses": f"at most {MAX_ADDRESSES}: a customer gets no more",
    "Customer.attributes": f"at most {MAX_ATTRIBUTES}: the rules of a customer",
    "Customer.consentHistory": f"at most {MAX_ENTRIES}: a customer gets no more",
    "Customer.consents": f"at most {MAX_ENTRIES}: those of them that hold",
    "Customer.dataExports": "at most five a day, and they are forgotten",
    "Customer.documents": f"at most {MAX_DOCUMENTS}: a customer gets no more",
    "Customer.mergedFrom": "those who were merged into one customer, one by one and by hand",
    "Customer.possibleDuplicates": "at most 100, as `first` says: the best of those that were looked at",
    "Customer.tags": f"at most {MAX_TAGS}: the rules of a customer",
    "MergeBlock.field": "a path into the arguments",
    "MergePreview.addresses": f"at most {MAX_ADDRESSES}: those of one customer",
    "MergePreview.attributes": f"at most {MAX_ATTRIBUTES}: those of one customer",
    "MergePreview.blocks": "one for each kind and customer",
    "MergePreview.conflicts": f"at most {MAX_ATTRIBUTES} attributes, and the fields of a customer",
    "MergePreview.documents": f"at most {MAX_DOCUMENTS}: those of one customer",
    "MergePreview.tags": f"at most {MAX_TAGS}: those of one customer",
    "MergePreview.takesOver": "fields of a customer",
    "PossibleDuplicate.reasons": "those that there are",
    "CustomerEvent.changed": "names of fields of one customer",
    "CustomerEvent.changes": "fields of one customer, of its addresses and documents",
    "CustomerEvent.reads": f"at most {MAX_DOCUMENTS}, and two things of each",
    "CustomerMatch.matchedBy": "the four kinds of identifiers",
    "CustomerPayload.documentUploads": "one for each document of the input, at most 20",
    "LogoutPayload.revokedSessionIds": "at most as many as one person has sessions: ten",
    "Onboarding.done": f"the {len(OnboardingStep)} steps there are",
    "Onboarding.remaining": f"the {len(OnboardingStep)} steps there are",
    "Query.customerExists": "one customer for each of the four identifiers asked for",
    "Query.nodes": "as many as ids are given, at most 100",
    "ErasureReceipt.swept": "one for each collection that holds something of a customer",
    "Query.sessions": "ten: the oldest ends when another begins",
    "UploadTarget.headers": "what one request to the object store needs",
    "UserError.field": "the steps of one path into the input",
    "Viewer.scopes": "the scopes there are",
}
"""Lists that are no connections, with what bounds them. `userErrors` are bounded by the input they speak of."""


def fields() -> Iterator[tuple[str, GraphQLField]]:
    """Yield every field that clients may select, by ``Type.field``."""
    for type_ in OBJECTS:
        yield from ((f"{type_.name}.{name}", field) for name, field in type_.fields.items())


# -------------------------------------------------------------------------------- nodes


def test_node_is_an_interface_of_one_id() -> None:
    assert isinstance(NODE, GraphQLInterfaceType)
    assert {"id": "ID!"} == {name: str(field.type) for name, field in NODE.fields.items()}


def test_anything_with_an_id_of_its_own_is_found_by_it() -> None:
    """
    But for entries of a customer's history and of its ledger of consents, which are no more than parts of it.
    """
    identified = {one.name for one in OBJECTS if "id" in one.fields} - {"CustomerEvent", "Consent"}

    assert {one.name for one in SCHEMA.get_implementations(NODE).objects} == identified  # type: ignore[arg-type]  # an interface, as shown above
    assert {"Customer", "Address", "Document", "BulkImport", "Session", "DataExport"} == identified
    query = SCHEMA.query_type
    assert query is not None
    assert ("Node", ["id: ID!"]) == written(query.fields["node"])
    assert ("[Node]!", ["ids: [ID!]!"]) == written(query.fields["nodes"])


def written(field: GraphQLField) -> tuple[str, list[str]]:
    """Return type and arguments of a field as SDL writes them."""
    return str(field.type), [f"{name}: {one.type}" for name, one in field.args.items()]


async def test_no_two_things_have_one_id(execute: Api) -> None:
    """
    A cache keeps things by their ids alone: what an id names is written in front of it.
    """
    customer = await create(execute, addresses=[BERLIN], documents=[{"type": "PASSPORT"}])
    ids = [customer["id"], customer["addresses"][0]["id"], customer["documents"][0]["id"]]

    assert [IdKind.CUSTOMER, IdKind.ADDRESS, IdKind.DOCUMENT] == [id_.split("_")[0] for id_ in ids]
    found = await execute.data(
        """query($ids: [ID!]!) { nodes(ids: $ids) { __typename id
          ... on Customer { addresses { __typename id customer { __typename id } } } } }""",
        {"ids": ids},
    )
    assert [("Customer", ids[0]), ("Address", ids[1]), ("Document", ids[2])] == [
        (node["__typename"], node["id"]) for node in found["nodes"]
    ]
    assert [{"__typename": "Address", "id": ids[1], "customer": {"__typename": "Customer", "id": ids[0]}}] == found["nodes"][0][
        "addresses"
    ]


# -------------------------------------------------------------------------- connections


def test_there_are_connections() -> None:
    assert {
        "AddressConnection",
        "BulkImportConnection",
        "BulkImportErrorConnection",
        "CustomerConnection",
        "CustomerEventConnection",
        "DocumentConnection",
    } == {one.name for one in CONNECTIONS}


@pytest.mark.parametrize("connection", CONNECTIONS, ids=lambda one: one.name)
def test_connection_has_edges_and_a_page(connection: GraphQLObjectType) -> None:
    item = connection.name.removesuffix("Connection")
    edge = SCHEMA.type_map[f"{item}Edge"]

    assert f"[{item}Edge!]!" == str(connection.fields["edges"].type)
    assert "PageInfo!" == str(connection.fields["pageInfo"].type)
    assert isinstance(edge, GraphQLObjectType)
    assert {"cursor": "String!", "node": f"{item}!"} == {name: str(field.type) for name, field in edge.fields.items()}


def test_page_says_where_it_lies() -> None:
    page = SCHEMA.type_map["PageInfo"]

    assert isinstance(page, GraphQLObjectType)
    assert {"hasNextPage": "Boolean!", "hasPreviousPage": "Boolean!", "startCursor": "String", "endCursor": "String"} == {
        name: str(field.type) for name, field in page.fields.items()
    }


def test_connections_are_read_page_by_page() -> None:
    paged = {name: field for name, field in fields() if get_named_type(field.type) in CONNECTIONS}

    for name, field in paged.items():
        given = {key: str(one.type) for key, one in field.args.items() if key in {"first", "after", "last", "before"}}
        assert given in (
            {"first": "Int", "after": "String"},
            {"first": "Int", "after": "String", "last": "Int", "before": "String"},
        ), name
        assert f"{get_named_type(field.type).name}!" == str(field.type)
    assert {"Query.customers", "Query.addresses", "Query.documents", "Customer.history", "BulkImport.errors"} < paged.keys()


def test_every_list_is_a_connection_or_bounded() -> None:
    plain = {
        name
        for name, field in fields()
        if isinstance(get_nullable_type(field.type), GraphQLList)
        and not name.split(".")[0].endswith("Connection")
        and not name.endswith(".userErrors")
    }

    assert set() == plain - BOUNDED.keys(), "Make it a connection, or say in BOUNDED what bounds it."
    assert set() == BOUNDED.keys() - plain, "BOUNDED names fields that are gone."


@pytest.mark.parametrize("root", ["customers", "addresses", "documents", "bulkImports"])
async def test_pages_meet_without_a_gap(execute: Api, root: str) -> None:
    """
    As a Relay client reads them: by the cursor of the last edge, until there is no more.
    """
    for number in range(3):
        await create(execute, addresses=[BERLIN], documents=[{"type": "PASSPORT"}])
        await execute.data(f'mutation {{ createBulkImport(input: {{ fileName: "{number}.csv" }}) {{ bulkImport {{ id }} }} }}')
    query = f"""query($first: Int, $after: String) {{ {root}(first: $first, after: $after) {{
      edges {{ cursor node {{ id __typename }} }} nodes {{ id }}
      pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }}"""
    whole = (await execute.data(query, {"first": 100}))[root]["nodes"]
    read, after = [], None

    for number in range(3):
        page = (await execute.data(query, {"first": 1, "after": after}))[root]
        (edge,) = page["edges"]
        after = edge["cursor"]
        assert {
            "hasNextPage": number < 2, "hasPreviousPage": number > 0, "startCursor": after, "endCursor": after
        } == page["pageInfo"]  # fmt: skip
        read.append({"id": edge["node"]["id"]})

    assert whole == read


async def test_nothing_is_counted_unless_it_is_asked_for(execute: Api, commands: Commands) -> None:
    """
    Nor when the answer is to leave it out.
    """
    await create(execute, addresses=[BERLIN])
    query = """query($counted: Boolean!) { customers { totalCount @include(if: $counted) edges { node { id } } }
      addresses { edges { node { id } } } documents { edges { node { id } } } }"""

    commands.forget()
    without = await execute.data(query, {"counted": False})
    assert [] == commands.collections("count", "aggregate")
    assert "totalCount" not in without["customers"]

    commands.forget()
    counted = await execute.data(query, {"counted": True})
    assert 1 == counted["customers"]["totalCount"]
    assert ["customers"] == commands.collections("count", "aggregate")
