"""The description of REST: served as committed, complete, and true."""

import json
import re
from collections.abc import Iterator

import httpx
import pytest
from fastapi import FastAPI
from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLNonNull, GraphQLObjectType
from jsonschema import Draft202012Validator

from app.container import Container
from app.graphql.schema import build_schema
from rest.examples import ANSWERED, SENT
from tests.api import Json, Tokens, fresh
from tests.house import ROOT
from tests.promised import PROMISED
from tests.rest.calls import Calls, made

COMMITTED: Json = json.loads((ROOT / "rest" / "openapi.json").read_text(encoding="utf-8"))
SCHEMAS: Json = COMMITTED["components"]["schemas"]
METHODS = ("get", "post", "put", "delete", "patch", "head", "options")

LOOKED_UP = {
    "POST /internal/api/v1/sellers/{seller_id}/customer-lookups",
    "POST /internal/api/v1/default-addresses",
    "GET /internal/api/v1/sellers/{seller_id}/settings",
    "PUT /internal/api/v1/sellers/{seller_id}/settings",
}
"""What other services need besides."""


def operations() -> dict[str, Json]:
    return {
        f"{method.upper()} {path}": told for path, methods in COMMITTED["paths"].items() for method, told in methods.items()
    }


async def test_what_is_served_is_what_is_committed(http: httpx.AsyncClient) -> None:
    answer = await http.get("/openapi.json")

    assert (200, COMMITTED) == (answer.status_code, answer.json())
    assert "3.1.0" == COMMITTED["openapi"]


def test_every_endpoint_that_was_promised_is_there_and_no_unknown_one() -> None:
    described = {name for name in operations() if "/api/v1/" in name}

    assert PROMISED | LOOKED_UP == described


async def test_every_route_is_described(app: FastAPI, http: httpx.AsyncClient) -> None:
    """
    A method that the description does not have is not served, whatever its path.
    """
    for path in COMMITTED["paths"]:
        if path.startswith(("/api/v1/", "/internal/")):
            # What comes after "customers" may always be the id of one.
            also = COMMITTED["paths"].get(re.sub("(bulk|upsert)$", "{customer_id}", path), {})
            filled = path.format(seller_id="demo", customer_id="cus_1", address_id="adr_1")
            for method in METHODS:
                answer = await http.request(method, filled)
                assert (answer.status_code == 405) == (method not in {**COMMITTED["paths"][path], **also}), (method, path)


def test_every_operation_is_described_in_full() -> None:
    ids = [told["operationId"] for told in operations().values()]

    assert len(ids) == len(set(ids))
    for name, told in operations().items():
        assert told["summary"], name
        assert told["description"], name
        assert told["tags"], name
        for parameter in told.get("parameters", ()):
            assert parameter["description"], (name, parameter["name"])
        if "/api/v1/" in name:
            assert {"400", "401", "406", "429", "500", "503", "504"} <= told["responses"].keys(), name
            assert ({"408", "413", "415"} <= told["responses"].keys()) == ("requestBody" in told), name


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_every_member_of_every_object_is_described(name: str) -> None:
    schema = SCHEMAS[name]

    assert schema.get("description") or "enum" in schema or "Listed" in name, name
    for member, told in schema.get("properties", {}).items():
        # Where they would be the same words, the member leaves them to what it refers to.
        assert told.get("description") or SCHEMAS[next(references(told))]["description"], member


def faults(name: str, value: object) -> list[str]:
    """Return in what *value* differs from a schema of the description."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": COMMITTED["components"]}
    return [f"{list(error.path)}: {error.message}" for error in Draft202012Validator(schema).iter_errors(value)]


@pytest.mark.parametrize("name", sorted({**SENT, **ANSWERED}))
def test_every_example_has_the_shape_that_it_is_an_example_of(name: str) -> None:
    (example,) = SCHEMAS[name]["examples"]

    assert [] == faults(name, example)


@pytest.mark.parametrize(("name", "answer"), sorted(COMMITTED["components"]["responses"].items()))
def test_every_example_of_a_refusal_is_a_problem(name: str, answer: Json) -> None:
    (content,) = answer["content"].values()

    assert [] == faults("ProblemDetails", content["example"])


async def test_what_the_examples_send_is_taken(rest: Calls, tokens: Tokens, container: Container) -> None:
    """
    A reader who copies an example gets the success that stands beside it.
    """
    seller = fresh("seller")
    calls = rest.as_(tokens.operator(seller))
    path = f"/api/v1/sellers/{seller}/customers"
    created = await calls.post(path, SENT["CustomerInput"])
    address = await calls.post("/api/v1/addresses", {**SENT["NewAddress"], "customerId": created.json()["id"]})
    file = f"imports/{seller}/customers.csv"
    async with container.store.write(file, content_type="text/csv") as writer:
        await writer.write(b"external_id\nwalk-9\n")
    own = {"bucket": container.settings.aws.s3.bucket, "filePath": file}

    answers = {
        "create": (201, created),
        "update": (200, await calls.put(f"{path}/{created.json()['id']}", SENT["CustomerPatch"])),
        "address": (201, address),
        "address patch": (200, await calls.put(f"/api/v1/addresses/{address.json()['id']}", SENT["AddressPatch"])),
        "bulk": (200, await calls.post(f"{path}/bulk", SENT["CustomersInCall"])),
        "file": (202, await calls.post(f"{path}/bulk", {**SENT["CustomersInFile"], **own})),
        "otp": (202, await calls.post("/api/v1/auth/otp", {**SENT["OtpRequest"], "sellerId": seller})),
        "upsert": (
            200,
            await rest.as_(tokens.service()).post(f"/internal{path}/upsert", SENT["CustomerUpsert"]),
        ),
    }

    assert {name: status for name, (status, _) in answers.items()} == {
        name: answer.status_code for name, (_, answer) in answers.items()
    }
    assert SENT.keys() - {"LoginInput", "LogoutInput", "RefreshInput"} == {
        "CustomerInput", "CustomerPatch", "NewAddress", "AddressPatch", "CustomersInCall", "CustomersInFile", "OtpRequest",
        "CustomerUpsert",
    }  # fmt: skip


GRAPHQL = build_schema()._schema.type_map
SAME = {
    "Customer": (
        "Customer",
        {
            *("defaultAddress", "onboarding", "history", "retention", "legalHold", "mergedFrom", "possibleDuplicates"),
            *("consents", "consentHistory", "dataExports"),
        },
    ),
    "Address": ("Address", {"customer"}),
    "Document": ("Document", {"customer"}),
    "DocumentFile": ("DocumentFile", {"download", "downloadUrl", "downloadUrlExpiresAt"}),
    "UploadTarget": ("UploadTarget", set()),
    "DocumentUpload": ("DocumentUpload", set()),
    "PageInfo": ("PageInfo", set()),
    "FieldProblem": ("UserError", set()),
    "TokenPair": ("TokenPair", set()),
    "CustomerInput": ("CustomerInput", set()),
    "CustomerPatch": ("CustomerPatch", set()),
    "CustomerKey": ("CustomerKey", set()),
    "AddressInput": ("AddressFields", set()),
    "AddressPatch": ("AddressPatch", set()),
    "DocumentInput": ("DocumentFields", set()),
    "FileInput": ("FileFields", set()),
    "ColumnMapping": ("ColumnMapping", set()),
}
"""Objects that are the same in GraphQL: what they are called there, and which fields only GraphQL has."""


@pytest.mark.parametrize("name", sorted(SAME))
def test_objects_are_spelled_as_in_graphql(name: str) -> None:
    there, only_there = SAME[name]
    type_ = GRAPHQL[there]
    assert isinstance(type_, GraphQLObjectType | GraphQLInputObjectType)

    assert type_.fields.keys() - only_there == SCHEMAS[name]["properties"].keys()
    if isinstance(type_, GraphQLInputObjectType):
        needed = {field for field, told in type_.fields.items() if isinstance(told.type, GraphQLNonNull)}
        assert needed == set(SCHEMAS[name].get("required", ()))


ENUMS = sorted(name for name, told in SCHEMAS.items() if "enum" in told)


@pytest.mark.parametrize("name", ENUMS)
def test_enumerations_have_the_values_that_they_have_in_graphql(name: str) -> None:
    type_ = GRAPHQL[name]
    assert isinstance(type_, GraphQLEnumType)

    assert set(type_.values) == set(SCHEMAS[name]["enum"])


def references(value: object) -> Iterator[str]:
    """Yield the names of all schemas that a part of the description refers to."""
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"].rpartition("/")[2]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def test_no_schema_is_left_over() -> None:
    assert SCHEMAS.keys() <= set(references(COMMITTED))


async def test_made_customers_have_the_shape_of_the_description(rest: Calls, seller: str) -> None:
    found = await made(rest, seller, **SENT["CustomerInput"])

    assert [] == faults("CreatedCustomer", found)
