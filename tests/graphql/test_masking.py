"""The same query by three callers gives three answers: in GraphQL, in REST, in events and in what is told of imports."""

import asyncio
import csv
import io
from typing import Any

import pytest

from app.container import Container
from auth.principal import OPERATOR_SCOPES, Scope
from core.paging import decode_cursor
from tests.api import Api, Json, Tokens
from tests.graphql.event_stream import open_stream
from tests.graphql.imports import finished, start, upload
from tests.graphql.operations import BERLIN, UPDATE, create, fetch, payload
from tests.graphql.socket import open_socket

LIST = """{ customers(first: 10) { totalCount edges { cursor node { email phone dateOfBirth fullName firstName externalId
  attributes { key value } documents { number } } } } }"""
ONE = "query($id: ID!) { customer(id: $id) { email phone dateOfBirth fullName documents { number } } }"
NUMBER = "C01X00T47"
MASKED_SCOPES = [Scope.CUSTOMERS_READ_MASKED, Scope.DOCUMENTS_READ]


@pytest.fixture(name="callers")
def _callers(tokens: Tokens, seller: str) -> dict[str, str]:
    """Somebody who needs to know who customers are, somebody who works with them, somebody who checks their documents."""
    return {
        "support": tokens.operator(seller, MASKED_SCOPES),
        "operator": tokens.operator(seller),
        "auditor": tokens.operator(seller, OPERATOR_SCOPES | {Scope.DOCUMENTS_READ_FULL}),
    }


async def ada(execute: Api, **more: Any) -> Json:
    return await create(
        execute,
        email="ada.canary@example.com",
        phone="+4930901842",
        dateOfBirth="1915-12-10",
        documents=[{"type": "PASSPORT", "number": NUMBER}],
        **more,
    )


async def test_three_callers_see_three_customers(execute: Api, callers: dict[str, str]) -> None:
    customer = await ada(execute, firstName="Ada", lastName="Lovelace", externalId="shop-1")
    plain = {"email": "ada.canary@example.com", "phone": "+4930901842", "dateOfBirth": "1915-12-10", "fullName": "Ada Lovelace"}
    expected = {
        "support": {
            "email": "a***@example.com", "phone": "***42", "dateOfBirth": None, "fullName": "Ada Lovelace",
            "documents": [{"number": "••••0T47"}],
        },
        "operator": {**plain, "documents": [{"number": "••••0T47"}]},
        "auditor": {**plain, "documents": [{"number": NUMBER}]},
    }  # fmt: skip

    for who, token in callers.items():
        listed = (await execute.data(LIST, as_=token))["customers"]
        single = (await execute.data(ONE, {"id": customer["id"]}, as_=token))["customer"]
        node = listed["edges"][0]["node"]
        assert expected[who] == single, who
        assert expected[who] == {name: node[name] for name in single}, who
        assert (1, "Ada", "shop-1") == (listed["totalCount"], node["firstName"], node["externalId"])


async def test_rest_shows_the_same(execute: Api, callers: dict[str, str], seller: str) -> None:
    customer = await ada(execute, firstName="Ada", addresses=[BERLIN])
    seen = {}
    for who, token in callers.items():
        headers = {"authorization": f"Bearer {token}"}
        one = await execute.http.get(f"/api/v1/customers/{customer['id']}", headers=headers)
        some = await execute.http.get(f"/api/v1/sellers/{seller}/customers", headers=headers)
        assert (200, 200) == (one.status_code, some.status_code), one.text
        assert one.json() == some.json()["nodes"][0]
        seen[who] = one.json()

    assert ["a***@example.com", "ada.canary@example.com", "ada.canary@example.com"] == [one["email"] for one in seen.values()]
    assert [None, "1915-12-10", "1915-12-10"] == [one["dateOfBirth"] for one in seen.values()]
    assert ["••••0T47", "••••0T47", NUMBER] == [one["documents"][0]["number"] for one in seen.values()]
    assert [None, 1, 1] == [one["addresses"] and len(one["addresses"]) for one in seen.values()]


async def test_what_stands_for_a_name_or_is_written_elsewhere_is_masked_as_well(execute: Api, callers: dict[str, str]) -> None:
    await ada(execute, externalId="ada.canary@example.com", attributes=[{"key": "second phone", "value": "+4930901842"}])

    edge = (await execute.data(LIST, as_=callers["support"]))["customers"]["edges"][0]

    node = edge["node"]
    assert ("a***@example.com", "a***@example.com") == (node["fullName"], node["externalId"])
    assert [{"key": "second phone", "value": "•••"}] == node["attributes"]
    assert "canary" not in f"{node} {decode_cursor('CREATED_AT_DESC', edge['cursor'])}"


@pytest.mark.parametrize(
    "query",
    [
        '{ customers(first: 1, filter: {search: "ada"}) { nodes { id } } }',
        "{ customers(first: 1, sort: NAME_ASC) { nodes { id } } }",
        '{ customers(first: 1, filter: {search: "ada"}) { totalCount } }',
        '{ customerBy(key: {email: "ada.canary@example.com"}) { email } }',
        '{ customerExists(email: "ada.canary@example.com") { customerId } }',
        "{ customers(first: 1) { nodes { addresses { line1 } } } }",
        "{ addresses(first: 1) { nodes { line1 customer { email } } } }",
        "{ documents(first: 1) { nodes { customer { email } } } }",
    ],
)
async def test_ways_around_the_mask_are_closed(execute: Api, callers: dict[str, str], query: str) -> None:
    await ada(execute, addresses=[BERLIN])

    answer = await execute(query, as_=callers["support"])

    assert {"FORBIDDEN"} == {error["extensions"]["code"] for error in answer["errors"]}
    assert "canary" not in str(answer.get("data"))


async def test_a_node_is_null_for_a_masked_reader(execute: Api, callers: dict[str, str]) -> None:
    customer = await ada(execute)

    found = await execute.data("query($id: ID!) { node(id: $id) { id } }", {"id": customer["id"]}, as_=callers["support"])

    assert {"node": None} == found


async def test_what_is_masked_is_stored_as_it_was(execute: Api, callers: dict[str, str]) -> None:
    customer = await ada(execute, firstName="Ada")
    await execute.data(LIST, as_=callers["support"])

    changed = await payload(execute, UPDATE, {"id": customer["id"], "patch": {"lastName": "Byron"}})

    assert ("ada.canary@example.com", "+4930901842", "1915-12-10") == tuple(
        changed["customer"][name] for name in ("email", "phone", "dateOfBirth")
    )


# -------------------------------------------------------------------------------------- events


async def test_a_customer_that_is_reached_by_its_history_is_masked_as_well(execute: Api, callers: dict[str, str]) -> None:
    await ada(execute)
    query = "{ customers(first: 1) { nodes { history { nodes { customer { email phone } } } } } }"

    seen = {who: (await execute.data(query, as_=token))["customers"]["nodes"][0] for who, token in callers.items()}

    assert {"email": "a***@example.com", "phone": "***42"} == seen["support"]["history"]["nodes"][0]["customer"]
    assert "ada.canary@example.com" == seen["operator"]["history"]["nodes"][0]["customer"]["email"]


FOLLOW = """subscription($id: ID) { customerEvents(customerId: $id) { type changed reason changes { field before after }
  customer { email phone dateOfBirth fullName } } }"""


async def followed(served: str, token: str, id_: str) -> list[Any]:
    """Return the first event of a customer over both transports."""
    async with open_socket(served) as socket:
        await socket.init(token)
        await socket.subscribe(FOLLOW, {"id": id_})
        over_socket = (await socket.receive())["payload"]
    async with open_stream(served, FOLLOW, {"id": id_}, token=token) as stream:
        return [over_socket, await stream.next()]


async def test_three_callers_follow_three_customers(execute: Api, callers: dict[str, str], served: str) -> None:
    """
    At once, so that nobody is given what was made for somebody else.
    """
    customer = await ada(execute, firstName="Ada")
    answers = await asyncio.gather(*(followed(served, token, customer["id"]) for token in callers.values()))

    whole = {"email": "ada.canary@example.com", "phone": "+4930901842", "dateOfBirth": "1915-12-10", "fullName": "Ada"}
    masked = {"email": "a***@example.com", "phone": "***42", "dateOfBirth": None, "fullName": "Ada"}
    for who, seen in zip(callers, answers, strict=True):
        expected = masked if who == "support" else whole
        assert [expected] * 2 == [one["data"]["customerEvents"]["customer"] for one in seen], who
        assert ["CREATED"] * 2 == [one["data"]["customerEvents"]["type"] for one in seen]
        assert (who != "support") is ("canary" in str(seen)), who


async def test_whoever_may_not_see_customers_follows_none(execute: Api, tokens: Tokens, served: str, seller: str) -> None:
    customer = await ada(execute)

    answers = await followed(served, tokens.operator(seller, [Scope.IMPORTS_READ]), customer["id"])

    assert ["FORBIDDEN"] * 2 == [(one if isinstance(one, list) else one["errors"])[0]["extensions"]["code"] for one in answers]


# ------------------------------------------------------------------------------------- reports


ROWS = (
    "external_id,email,phone,first_name,date_of_birth,note,shipping_line1,shipping_city,shipping_country,document_number\n"
    "c-1,ada.canary@example.com,+4930901842,Ada,1915-12-10,canary,Canary 1,Berlin,DE,C01X00T47\n"
    "c-2,canary at example,+4930901843,canary@example.com,1915-13-10,canary,Canary 2,Berlin,DE,C01X00T48\n"
    "c-3,c3.canary@example.com,12 canary,Ada 0049309018,,canary,,,,\n"
    "c-4,canary,one,cell,too,many,for,this,row,canary,canary\n"
)
PREVIEW = """query($id: ID!) { previewBulkImport(id: $id) { rows { row problems { column code message } customer {
  email phone dateOfBirth firstName attributes { value } shippingAddress { line1 } document { number } } } } }"""
PROBLEMS = """query($id: ID!) { bulkImport(id: $id) { status errorReport { url }
  errors(first: 50) { nodes { row column severity code message } } } }"""


@pytest.fixture(name="readers")
def _readers(tokens: Tokens, seller: str) -> dict[str, str]:
    """Callers that may follow imports: without any sight of customers, with a masked one, and with all of it."""
    return {
        "nothing": tokens.operator(seller, [Scope.IMPORTS_READ]),
        "masked": tokens.operator(seller, [Scope.IMPORTS_READ, Scope.CUSTOMERS_READ_MASKED]),
        "all": tokens.operator(seller),
    }


async def test_rejected_rows_are_masked_for_who_may_not_see_customers(
    execute: Api, readers: dict[str, str], import_worker: None
) -> None:
    id_ = await start(execute, ROWS.encode(), validation="STRICT")
    await finished(execute, id_)
    found = {who: (await execute.data(PROBLEMS, {"id": id_}, as_=token))["bulkImport"] for who, token in readers.items()}
    reports = {who: (await fetch(one["errorReport"]["url"])).text for who, one in found.items()}
    tables = {who: list(csv.reader(io.StringIO(text))) for who, text in reports.items()}

    assert "canary" in reports["all"]
    assert reports["nothing"] == reports["masked"]
    header, *masked = tables["masked"]
    assert header == tables["all"][0]
    assert [row[:3] for row in masked] == [row[:3] for row in tables["all"][1:]]
    assert [len(row) for row in masked] == [len(row) for row in tables["all"][1:]]
    values = {row[0]: row[4:] for row in masked}
    assert ["c-2", "•••", "***43", "•••", "•••", "•••", "•••", "•••", "•••", "•••"] == values["2"]
    assert ["c-3", "c***@example.com", "•••", "•••", "", "•••", "", "", "", ""] == values["3"]
    assert ["•••"] * 11 == values["4"]
    for who in ("nothing", "masked"):
        said = f"{found[who]['errors']} {reports[who]}".replace("canary@example.com", "canary")
        assert [] == [
            word for word in ("canary", "Canary", "0049", "1915", "X00T") if word in said.replace("c***@example.com", "")
        ]
        assert [one["code"] for one in found["all"]["errors"]["nodes"]] == [
            one["code"] for one in found[who]["errors"]["nodes"]
        ]


async def test_a_preview_is_masked_for_who_may_not_see_customers(execute: Api, readers: dict[str, str]) -> None:
    id_ = await upload(execute, ROWS.replace("document_number", "document_country").replace(",C01X00T47", ",").encode())
    seen = {
        who: (await execute.data(PREVIEW, {"id": id_}, as_=token))["previewBulkImport"]["rows"]
        for who, token in readers.items()
    }

    assert "canary" in str(seen["all"])
    assert seen["nothing"] == seen["masked"]
    assert {
        "email": "a***@example.com", "phone": "***42", "dateOfBirth": None, "firstName": "Ada",
        "attributes": [{"value": "•••"}], "shippingAddress": None, "document": None,
    } == seen["masked"][0]["customer"]  # fmt: skip
    assert [] == [word for word in ("canary", "Canary", "0049", "1915", "X00T", "0T47") if word in str(seen["masked"])]
    assert [len(one["problems"]) for one in seen["all"]] == [len(one["problems"]) for one in seen["masked"]]


async def test_a_report_that_has_no_masked_form_is_not_shown(
    execute: Api, readers: dict[str, str], container: Container
) -> None:
    """
    An earlier version has written it.
    """
    id_ = await upload(execute, ROWS.encode())
    await container.mongo.database["bulk_imports"].update_one({"_id": id_}, {"$set": {"error_report_key": "errors.csv"}})

    assert "FORBIDDEN" == await execute.code(PROBLEMS, {"id": id_}, as_=readers["masked"])
    assert (await execute.data(PROBLEMS, {"id": id_}, as_=readers["all"]))["bulkImport"]["errorReport"]
