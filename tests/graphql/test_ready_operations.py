"""Every operation below examples/operations fits the schema, and works where it stands, flow by flow."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from graphql import OperationDefinitionNode, OperationType, build_schema, parse, validate

from app.graphql.document_guard import MAX_COMMENTS
from app.graphql.ready_operations import FOLDER, ReadyOperation, load_ready_operations
from app.graphql.schema import build_schema as build_served_schema
from tests.api import Api, Json, Tokens
from tests.graphql.event_stream import open_stream
from tests.graphql.operations import send
from tests.house import ROOT
from tests.outbox import Outbox

OPERATIONS = load_ready_operations()
SDL = build_schema((ROOT / "schema" / "schema.graphql").read_text(encoding="utf-8"))
FLOWS = ["Start", "Onboarding", "Sessions", "Documents", "Customers", "Imports", "Federation"]
AS_THE_CUSTOMER = {"Me", "Sessions", "ExportMyData", "SignOut"}
"""What only somebody who has signed in gets an answer from."""

_ID = re.compile(r"(cus|adr|doc|imp|ses|exp|con)_[0-9a-z]+")
_PLACEHOLDER = re.compile(r"<(.+?)( before)?>")

every_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.name)


def definition(operation: ReadyOperation) -> OperationDefinitionNode:
    (found,) = parse(operation.query).definitions
    assert isinstance(found, OperationDefinitionNode)
    return found


def name_of(operation: ReadyOperation) -> str:
    name = definition(operation).name
    assert name is not None
    return name.value


@every_operation
def test_operation_fits_the_schema(operation: ReadyOperation) -> None:
    schema = build_served_schema()._schema if operation.flow == "Federation" else SDL

    assert [] == validate(schema, parse(operation.query))
    assert operation.title
    assert operation.query.count("#") <= MAX_COMMENTS


def test_names_are_those_of_tabs_and_of_generated_types_so_each_is_there_once() -> None:
    names = [name_of(operation) for operation in OPERATIONS]

    assert sorted(set(names)) == sorted(names)


def test_flows_come_in_the_order_in_which_one_needs_them() -> None:
    assert FLOWS == list(dict.fromkeys(operation.flow for operation in OPERATIONS))


def test_every_file_of_variables_belongs_to_an_operation() -> None:
    assert [] == [path.name for path in FOLDER.glob("*/*.json") if not path.with_suffix(".graphql").exists()]


def test_an_image_without_examples_has_no_operations(tmp_path: Path) -> None:
    assert [] == load_ready_operations(tmp_path / "operations")


class Walk:
    """Somebody who goes through the flows, and begins each operation with what was seen before, as the playground does."""

    def __init__(self, execute: Api, outbox: Outbox, url: str, operator: str) -> None:
        self.answers: dict[str, Json] = {}
        self._execute = execute
        self._outbox = outbox
        self._url = url
        self._operator = operator
        self._seen: dict[str, list[Any]] = {}

    async def go(self, operation: ReadyOperation) -> None:
        """Run one operation, send the file that its answer waits for, and keep what it says."""
        name = name_of(operation)
        if name == "SignIn":
            self._note("code", await self._outbox.code(self._seen["challengeId"][0]))
        as_ = self._seen["accessToken"][0] if name in AS_THE_CUSTOMER else self._operator
        variables = self._filled(operation.variables)
        if definition(operation).operation is OperationType.SUBSCRIPTION:
            data = await self._follow(operation, variables, as_)
        else:
            data = await self._execute.data(operation.query, variables, as_=as_)
        self.answers[name] = data
        for key, value in reversed(list(scalars(data))):
            self._note(key, value)
        for payload in data.values():
            if isinstance(payload, dict) and payload.get("upload"):
                (file,) = [one for key, one in scalars(variables) if key in {"name", "fileName"}]
                assert 200 == await send(payload["upload"], (ROOT / "examples" / file).read_bytes())

    async def _follow(self, operation: ReadyOperation, variables: Json, as_: str) -> Json:
        """Return the last state of what has an end, and the first of what has none."""
        async with open_stream(self._url, operation.query, variables, token=as_) as stream:
            if name_of(operation) == "FollowImport":
                result = (await stream.until_complete())[-1]
            else:
                result = await stream.next()
        assert "errors" not in result, result
        data: Json = result["data"]
        return data

    def _note(self, key: str, value: Any) -> None:
        if isinstance(value, str) and _ID.fullmatch(value):
            key = f"{value[:4]}…"
        self._seen[key] = [value, *(one for one in self._seen.get(key, []) if one != value)]

    def _filled(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._filled(one) for key, one in value.items()}
        if isinstance(value, list):
            return [self._filled(one) for one in value]
        found = _PLACEHOLDER.fullmatch(value) if isinstance(value, str) else None
        return self._seen[found[1]][1 if found[2] else 0] if found else value


def scalars(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every scalar with the name of its field, in the order of the answer."""
    if isinstance(value, list):
        for one in value:
            yield from scalars(one, name)
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from scalars(one, key)
    elif value is not None:
        yield name, value


def refusals(answer: Json) -> list[str]:
    return [
        error["code"] for payload in answer.values() if isinstance(payload, dict) for error in payload.get("userErrors", [])
    ]


async def test_operations_work_one_after_the_other(
    execute: Api, served: str, tokens: Tokens, seller: str, outbox: Outbox, import_worker: None
) -> None:
    """
    The last import is over before anybody could cancel it; following all of them needs one that is not.
    """
    walk = Walk(execute, outbox, served, tokens.operator(seller))
    by_name = {name_of(operation): operation for operation in OPERATIONS}

    for operation in OPERATIONS:
        if name_of(operation) == "FollowImports":
            await walk.go(by_name["CreateImport"])
        if name_of(operation) == "Entities":
            await walk.go(by_name["SearchCustomers"])
        await walk.go(operation)

    answers = walk.answers
    assert {"CancelImport": ["STATE"]}.items() >= {
        name: codes for name, answer in answers.items() if (codes := refusals(answer))
    }.items()
    assert True is answers["OnboardingOfCustomer"]["customer"]["onboarding"]["complete"]
    assert "Katherine Johnson" == answers["Me"]["me"]["fullName"]
    assert [True] == [session["current"] for session in answers["Sessions"]["sessions"]]
    assert 1 == len(answers["SignOut"]["logout"]["revokedSessionIds"])
    assert ["vip"] == answers["ChangeCustomer"]["updateCustomer"]["customer"]["tags"]
    assert True is answers["PreviewMerge"]["mergePreview"]["possible"]
    assert "onboarding-1" == answers["MergeCustomers"]["mergeCustomers"]["customer"]["externalId"]
    undone = answers["UnmergeCustomers"]["unmergeCustomers"]
    told = answers["PreviewMerge"]["mergePreview"]
    assert [told["from"]["id"], told["into"]["id"]] == [undone["customer"]["id"], undone["survivor"]["id"]]
    assert answers["DeleteCustomer"]["deleteCustomer"]["deletedId"] == answers["EraseCustomer"]["eraseCustomer"]["deletedId"]
    assert "UPDATED" == answers["FollowCustomers"]["customerEvents"]["type"]
    assert "VERIFIED" == answers["ApproveDocument"]["reviewDocument"]["document"]["status"]
    assert ("COMPLETED_WITH_ERRORS", 67, 24) == tuple(
        answers["FollowImport"]["bulkImportProgress"][key] for key in ("status", "createdRows", "failedRows")
    )
    assert 24 == answers["RefusedRows"]["bulkImport"]["failedRows"]
    assert 50 == len(answers["RefusedRows"]["bulkImport"]["errors"]["nodes"])
    assert None not in answers["ImportReports"]["bulkImport"].values()
    assert "northwind-customers.csv" == answers["FollowImports"]["bulkImportsProgress"]["fileName"]
    assert "Customer" == answers["Entities"]["_entities"][0]["__typename"]
    assert "@key" in answers["Subgraph"]["_service"]["sdl"]
