"""docs/permissions.md says who may do what: every row is compared with the schema and tried with every kind of caller."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio
from graphql import GraphQLInterfaceType, GraphQLObjectType

from app.container import Container
from auth.principal import SCOPES, Scope
from core.ids import IdKind, new_id
from core.vocabulary import PrincipalKind
from tests.api import Api, Json, Tokens, some_email
from tests.exports import ASK
from tests.graphql.callers import CLOSED, Callers, error_codes
from tests.graphql.catalogue import (
    ADR,
    ARGUMENTS,
    CUS,
    DOC,
    EXP,
    HOW_TO_ADD,
    IMP,
    ROOT_FIELDS,
    SCHEMA,
    SES,
    Path,
    filled,
    found_at,
    paths_to,
    select,
)
from tests.graphql.lists import EXISTS
from tests.graphql.operations import (
    BERLIN,
    COMPLETE,
    CREATE_DOCUMENT,
    CREATE_IMPORT,
    PDF,
    announced,
    create,
    payload,
    read,
    send,
)
from tests.graphql.test_consent import GRANT
from tests.house import ROOT

KINDS = {"Customer": PrincipalKind.CUSTOMER, "Operator": PrincipalKind.OPERATOR, "Service": PrincipalKind.SERVICE}
NUMBER = "C01X00T47"
EVERYTHING = frozenset(Scope) - {Scope.CUSTOMERS_READ_MASKED}
"""The scope that is left out shows less than another one: tests/graphql/test_masking.py."""
ANYTHING = {"Query.node", "Query.nodes", "Query._entities"}
"""Where what a caller may not read is null, without an error."""


@dataclass(frozen=True)
class Row:
    """One row of the table of fields."""

    field: str
    note: str
    may: dict[str, str]
    scope: Scope | None

    @property
    def label(self) -> str:
        return f"{self.field}{self.note}"


def tables() -> list[list[dict[str, str]]]:
    """Return the tables of the document, each as a list of rows by the names of their columns."""
    found: list[list[dict[str, str]]] = []
    header: list[str] | None = None
    for line in (ROOT / "docs" / "permissions.md").read_text(encoding="utf-8").splitlines():
        if not line.startswith("|"):
            header = None
            continue
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if header is None:
            header = cells
            found.append([])
        elif set(line) - set("|-"):
            found[-1].append(dict(zip(header, cells, strict=True)))
    return found


_, FIELDS, SCOPE_TABLE = tables()
ROWS = [
    Row(
        field=re.sub(r" \(.*\)", "", row["Field"]),
        note="".join(re.findall(r" \(.*\)", row["Field"])),
        may={kind: row[kind] for kind in ("Anonymous", *KINDS)},
        scope=None if row["Scope"] == "—" else Scope(row["Scope"].strip("`")),
    )
    for row in FIELDS
]
ROOT_ROWS = [row for row in ROWS if row.field.split(".")[0] in {"Query", "Mutation", "Subscription"}]
NESTED = [row for row in ROWS if row not in ROOT_ROWS and not row.field.endswith(".*")]
BELOW = [row for row in NESTED if row.scope is not None and row.scope is not Scope.DOCUMENTS_READ_FULL]
EACH = pytest.mark.parametrize("row", ROOT_ROWS, ids=lambda row: row.label)
EACH_KIND = pytest.mark.parametrize("kind", KINDS)


# --------------------------------------------------------------------- against the schema


def test_every_root_field_of_the_schema_has_a_row_and_the_other_way_round() -> None:
    missing = ROOT_FIELDS.keys() - {row.field for row in ROOT_ROWS}
    assert set() == missing, "Say who may call it in docs/permissions.md (table Fields)."
    assert set() == {row.field for row in ROOT_ROWS} - ROOT_FIELDS.keys(), "docs/permissions.md names fields that are gone."
    assert len(ROWS) == len({row.label for row in ROWS})


def test_every_root_field_can_be_tried() -> None:
    assert set() == ROOT_FIELDS.keys() - ARGUMENTS.keys(), HOW_TO_ADD
    assert set() == ARGUMENTS.keys() - ROOT_FIELDS.keys(), "The catalogue names fields that are gone."


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.label)
def test_description_says_what_the_table_says(row: Row) -> None:
    owner, _, name = row.field.partition(".")
    type_ = SCHEMA.type_map[owner]
    assert isinstance(type_, GraphQLObjectType | GraphQLInterfaceType)
    said = (type_ if name == "*" else type_.fields[name]).description or ""

    if row.scope is not None:
        assert f"`{row.scope.value}`" in said
    elif row.may["Anonymous"] == "yes":
        assert "without a token" in said
    else:
        assert re.search("anybody with a token|your own", said)
    assert (row.may["Customer"] == "no") is ("not for customers" in said)
    assert ("without a token" in said) is (row.may["Anonymous"] == "yes")


def test_only_known_words_are_used() -> None:
    assert {"yes", "own", "null", "no"} >= {word for row in ROWS for word in row.may.values()}
    assert {"yes", "no"} >= {row.may["Anonymous"] for row in ROWS}
    assert {"no", "own"} == {row.may["Customer"] for row in ROWS if row.may["Anonymous"] == "no"}


def test_the_table_of_scopes_is_what_tokens_get() -> None:
    assert [f"`{scope.value}`" for scope in Scope] == [row["Scope"] for row in SCOPE_TABLE]
    for column, kind in KINDS.items():
        assert SCOPES[kind] == {Scope(row["Scope"].strip("`")) for row in SCOPE_TABLE if row[column] == "yes"}
    assert {"yes", "no"} == {row[column] for row in SCOPE_TABLE for column in KINDS}


# ------------------------------------------------------------------------ against the API


@pytest_asyncio.fixture(name="callers")
async def _callers(execute: Api, tokens: Tokens, served: str, seller: str) -> Callers:
    customer = await create(execute, addresses=[BERLIN])
    # So that whoever follows all imports has one to see.
    await payload(execute, CREATE_IMPORT, {"input": {"fileName": "some.csv"}})
    return Callers(execute, tokens, served, seller, customer["id"])


def unknown_ids() -> dict[str, str]:
    return {kind.value: new_id(kind) for kind in IdKind}


async def attempt(callers: Callers, row: Row, kind: str | None, scopes: Any = Scope) -> Json:
    """Return what a root field answers one kind of caller, asked for what does not exist."""
    token = callers.token(None if kind is None else KINDS[kind], scopes)
    arguments = filled(ARGUMENTS[row.field][0], unknown_ids())
    return await callers.call(row.field, arguments, token, spanning=kind == "Service", selection="{ __typename }")


@EACH
async def test_without_a_token(callers: Callers, row: Row) -> None:
    answer = await attempt(callers, row, None)

    if row.may["Anonymous"] == "yes":
        assert set() == error_codes(answer) & {"UNAUTHENTICATED", "FORBIDDEN"}
    else:
        assert {"UNAUTHENTICATED"} == error_codes(answer)
        if row.field.startswith("Subscription."):
            assert f"{CLOSED} 4403" == answer["errors"][0]["message"]


@EACH
@EACH_KIND
async def test_with_every_scope(callers: Callers, row: Row, kind: str) -> None:
    answer = await attempt(callers, row, kind)

    if row.may[kind] == "no":
        assert {"FORBIDDEN"} == error_codes(answer)
    else:
        assert set() == error_codes(answer) & {"UNAUTHENTICATED", "FORBIDDEN", "INTERNAL", "BAD_USER_INPUT"}
        assert "FORBIDDEN" not in str(answer)
    if row.may[kind] == "null":
        assert {"data": {row.field.split(".")[1]: None}} == answer


@pytest.mark.parametrize("row", [row for row in ROOT_ROWS if row.scope is not None], ids=lambda row: row.label)
@EACH_KIND
async def test_with_every_scope_but_the_one_it_needs(callers: Callers, row: Row, kind: str) -> None:
    if row.may[kind] == "null":
        return
    answer = await attempt(callers, row, kind, EVERYTHING - {row.scope})

    assert {"FORBIDDEN"} == error_codes(answer)
    if row.may[kind] != "no":
        assert row.scope is not None
        assert row.scope.value in answer["errors"][0]["message"]


# --------------------------------------------------------------- on whatever path it is reached


@dataclass(frozen=True)
class Owned:
    """A customer with everything that is sensitive, and what must not be seen of it."""

    callers: Callers
    ids: dict[str, str]
    secrets: tuple[str, ...]

    async def along(self, name: str, path: Path, wanted: str, token: str | None, *, spanning: bool = False) -> Json:
        """Return the answer to the operation that goes from a root field along *path*."""
        arguments = ARGUMENTS[name][0]
        if name in ANYTHING:
            kind = {"Customer": CUS, "Address": ADR, "Document": DOC, "BulkImport": IMP, "DataExport": EXP}.get(
                path[0].removeprefix("... on "), SES
            )
            arguments = next(one for one in ARGUMENTS[name] if kind in str(one))
        return await self.callers.call(
            name, filled(arguments, self.ids), token, spanning=spanning, selection=select(wanted, path)
        )


@pytest_asyncio.fixture(name="owned")
async def _owned(callers: Callers, container: Container) -> Owned:
    execute = callers.execute
    passport = {"type": "PASSPORT", "number": NUMBER, "issuingCountry": "DE"}
    made = await payload(
        execute, CREATE_DOCUMENT, {"customer": callers.customer, "input": {**passport, "file": announced(name="canary.pdf")}}
    )
    document = made["document"]["id"]
    await send(made["upload"], PDF)
    assert [] == (await payload(execute, COMPLETE, {"id": document}))["userErrors"]
    said = {"channel": "EMAIL", "purpose": "MARKETING", "textVersion": "1"}
    assert (await payload(execute, GRANT, {"id": callers.customer, "input": said}))["added"]
    customer = await read(execute, callers.customer)
    job = (await payload(execute, CREATE_IMPORT, {"input": {"fileName": "some.csv"}}))["bulkImport"]["id"]
    await container.mongo.database["bulk_imports"].update_one(
        {"_id": job}, {"$set": {"error_report_key": "errors.csv", "result_report_key": "results.csv"}}
    )
    await container.mongo.database["customers"].update_one(
        {"_id": customer["id"]}, {"$set": {"legal_hold_at": datetime.now(UTC), "legal_hold_reason": "Case 7/2026"}}
    )
    ids = {
        "cus": customer["id"],
        "adr": customer["addresses"][0]["id"],
        "doc": document,
        "imp": job,
        "exp": await archived(callers, container),
        "ses": new_id(IdKind.SESSION),
    }
    return Owned(callers, ids, (NUMBER, NUMBER[-4:], "canary.pdf", "X-Amz-Signature"))


async def archived(callers: Callers, container: Container) -> str:
    """Ask for an export of the customer, and pretend that it was made; return its id."""
    asked = await payload(callers.execute, ASK, {"id": callers.customer}, as_=callers.token(PrincipalKind.OPERATOR) or "")
    export: str = asked["dataExport"]["id"]
    made = {
        "status": "READY",
        "expires_at": datetime(2100, 1, 1, tzinfo=UTC),
        "archive": {"key": "k", "size": 1, "sha256": "0"},
    }
    await container.mongo.database["data_exports"].update_one({"_id": export}, {"$set": made})
    return export


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        (row, kind)
        for row in BELOW
        for kind in ("Operator", "Customer")
        if kind == "Operator" or row.scope is Scope.DOCUMENTS_READ
    ],
    ids=lambda one: getattr(one, "label", one),
)
async def test_no_path_leads_around_a_scope(owned: Owned, row: Row, kind: str) -> None:
    """
    Lists, nodes, owners of addresses and payloads of mutations included: all paths that the schema has.
    """
    paths = list(paths_to(row.field))
    everything = owned.callers.token(KINDS[kind])
    too_little = owned.callers.token(KINDS[kind], EVERYTHING - {row.scope})
    open_paths = 0

    for name, path in paths:
        refused = await owned.along(name, path, row.field, too_little)
        step = (name.split(".")[1], *path)
        assert [] == found_at(refused.get("data"), step), step
        assert [] == [secret for secret in owned.secrets if row.scope is Scope.DOCUMENTS_READ and secret in str(refused)], step
        answer = await owned.along(name, path, row.field, everything)
        if found_at(answer.get("data"), step):
            open_paths += 1
            assert name in ANYTHING or {"FORBIDDEN"} == error_codes(refused), step

    # Else the above has proved nothing.
    assert (open_paths > 0) is (row.may[kind] in {"own", "yes"})


@pytest.mark.parametrize("kind", ["Customer", "Operator", "Service"])
async def test_number_is_masked_on_every_path_without_the_scope_for_all_of_it(owned: Owned, kind: str) -> None:
    masked = owned.callers.token(KINDS[kind], set(Scope) - {Scope.DOCUMENTS_READ_FULL})
    full = owned.callers.token(KINDS[kind])
    shown = set()

    for name, path in paths_to("Document.number"):
        step = (name.split(".")[1], *path)
        answer = await owned.along(name, path, "Document.number", masked, spanning=kind == "Service")
        numbers = found_at(answer.get("data"), step)
        assert {f"••••{NUMBER[-4:]}"} >= set(numbers), step
        assert NUMBER not in str(answer), step
        if numbers:
            shown.add(name)
            answer = await owned.along(name, path, "Document.number", full, spanning=kind == "Service")
            assert [NUMBER] == found_at(answer.get("data"), step), step

    assert {"Query.customer", "Query.customerBy", "Query.document", *ANYTHING} <= shown
    assert {"Mutation.updateCustomer", "Mutation.updateAddress", "Mutation.completeDocumentUpload"} <= shown
    assert kind != "Operator" or {"Query.customers", "Query.addresses", "Query.documents", "Mutation.upsertCustomer"} <= shown


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("Query.customerBy", {"key": {"documentNumber": NUMBER}}),
        ("Query.customerExists", {"documentNumber": NUMBER}),
        ("Query.customers", {"filter": {"documentNumber": NUMBER}}),
        ("Mutation.upsertCustomer", {"key": {"documentNumber": NUMBER}, "input": {"firstName": "Eve"}}),
    ],
)
async def test_nobody_learns_whose_a_number_is_without_the_scope_for_documents(
    owned: Owned, name: str, arguments: Json
) -> None:
    token = owned.callers.token(PrincipalKind.OPERATOR, set(Scope) - {Scope.DOCUMENTS_READ})

    refused = await owned.callers.call(name, arguments, token, selection="{ __typename }")
    allowed = await owned.callers.call(name, arguments, owned.callers.token(PrincipalKind.OPERATOR), selection="{ __typename }")

    assert {"FORBIDDEN"} == error_codes(refused)
    assert "documents:read," in refused["errors"][0]["message"]
    assert "errors" not in allowed


@pytest.mark.parametrize("name", ["Mutation.createCustomer", "Mutation.upsertCustomer"])
async def test_documents_do_not_come_in_with_a_customer_without_their_scope(owned: Owned, name: str) -> None:
    token = owned.callers.token(PrincipalKind.OPERATOR, set(Scope) - {Scope.DOCUMENTS_WRITE})
    email = some_email()
    arguments: Json = {"input": {"email": email, "documents": [{"type": "PASSPORT"}]}, "key": {"email": email}}

    answer = await owned.callers.call(name, arguments, token, selection="{ __typename }")

    assert {"FORBIDDEN"} == error_codes(answer)
    assert [] == (await owned.callers.execute.data(EXISTS, {"email": email}))["customerExists"]
