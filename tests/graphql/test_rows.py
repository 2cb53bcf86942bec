"""Stored documents, whatever stands in them, are shown by compiled operations as the reference executor shows them."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from types import SimpleNamespace
from typing import Any, cast, get_args
from unittest.mock import patch

import orjson
import pytest
from graphql import GraphQLObjectType, get_named_type, is_leaf_type
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from app.graphql.response import body_of
from app.graphql.schema import build_schema
from auth.principal import SCOPES, Principal
from compiled_graphql.contract import IN_ROW, ROWS, Unsupported
from core.vocabulary import PrincipalKind
from models.row import Row, row_class
from models.stored import stored_name
from models.whole_customer import Whole
from repositories.address import AddressRepository
from repositories.base import LiveRepository
from repositories.customer import CustomerRepository
from repositories.document import DocumentRepository
from schema.context import Context
from services.registry import Services

COMPILED, REFERENCE = build_schema(), build_schema()
REPOSITORIES: dict[str, type[LiveRepository[Any]]] = {
    "Customer": CustomerRepository,
    "Address": AddressRepository,
    "Document": DocumentRepository,
}
OPERATOR = Principal(PrincipalKind.OPERATOR, "ada", SCOPES[PrincipalKind.OPERATOR], "acme")
ODD: st.SearchStrategy[Any] = st.sampled_from([None, "", 7, 2**31, -1.5, True, [], {}, "2026-02-30", "20260228", "NONE", b"x"])


def type_of(name: str) -> GraphQLObjectType:
    return cast("GraphQLObjectType", COMPILED._schema.type_map[name])


def leaves(name: str) -> list[str]:
    """Every field of a type that has no arguments and nothing below, but those that ask somebody else."""
    fields = type_of(name).fields.items()
    return [field for field, defined in fields if not defined.args and is_leaf_type(get_named_type(defined.type))]


QUERY = f"""query($id: ID!) {{ customer(id: $id) {{
  __typename {" ".join(leaves("Customer"))} attributes {{ key value }} defaultAddress(kind: SHIPPING) {{ id formatted }}
  addresses {{ {" ".join(leaves("Address"))} customer {{ id dateOfBirth }} }}
  documents(type: PASSPORT) {{ {" ".join(leaves("Document"))} file {{ name size }} }} }}
  node(id: $id) {{ id ... on Customer {{ kind tags }} }} }}"""


def values_of(annotation: Any) -> st.SearchStrategy[Any]:
    """Return values as they are stored for a field of a model."""
    for one in get_args(annotation) or (annotation,):
        if isinstance(one, type) and issubclass(one, Enum):
            return st.sampled_from([member.value for member in one])
        if one is datetime:
            return st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
        if one is bool:
            return st.booleans()
        if one is int:
            return st.integers(0, 2**31 - 1)
        if one is bytes:
            return st.binary(max_size=3)
    if annotation == list[str]:
        return st.lists(st.text(max_size=3), max_size=3)
    return st.text(max_size=5) | st.dates().map(lambda day: day.isoformat())


@st.composite
def documents(draw: st.DrawFn, /, name: str, **fixed: Any) -> dict[str, Any]:
    """Make up a document of a type: sound, but for one field in some of them."""
    stored = {}
    for field, info in REPOSITORIES[name].model.model_fields.items():
        if field in REPOSITORIES[name].UNREAD or field in {"file", "upload", "attributes", "number_sealed", "revision_id"}:
            continue
        if info.is_required() or draw(st.booleans()):
            stored[stored_name(field)] = draw(values_of(info.annotation))
    if name == "Customer":
        stored["attributes"] = draw(
            st.lists(st.fixed_dictionaries({"key": st.text(max_size=2), "value": st.text()}), max_size=2)
        )
    stored |= fixed
    if draw(st.integers(0, 3)) == 0:
        spoiled = draw(st.sampled_from(sorted(stored.keys() - fixed.keys())))
        stored[spoiled] = draw(ODD)
        if draw(st.booleans()):
            del stored[spoiled]
    return stored


ID = "cus_01m82c4ykgergbr9bz5f1r0xgf"
OF_ACME = {"seller_id": "acme", "live": True}


class AtHand:
    """A loader of what is there; what is none of the model's is met when it is loaded, as in a repository."""

    def __init__(
        self, name: str, documents: Sequence[dict[str, Any]], *, many: bool, alone: Callable[[Any], Any] = lambda row: row
    ) -> None:
        self._repository = REPOSITORIES[name]
        self._documents = documents
        self._many = many
        self._alone = alone

    def know(self, found: Mapping[Any, Any]) -> None:
        """Do nothing: it is there."""

    def load(self, _: Any) -> "asyncio.Future[Any]":
        return self._found(lambda rows: rows if self._many else self._alone(rows[0]))

    def load_many(self, keys: Sequence[Any]) -> "asyncio.Future[Any]":
        return self._found(lambda rows: [rows if self._many else self._alone(rows[0]) for _ in keys])

    def _found(self, shape: Callable[[list[Row[Any]]], Any]) -> "asyncio.Future[Any]":
        future = asyncio.get_running_loop().create_future()
        reader, class_ = self._repository.readers.of(None), row_class(self._repository.model)
        try:
            future.set_result(shape([reader.row(class_(document)) for document in self._documents]))
        except ValidationError as error:
            future.set_exception(error)
        return future


async def answer(schema: Any, customer: dict[str, Any], addresses: list[Any], papers: list[Any]) -> dict[str, Any]:
    numbers = SimpleNamespace(endings=lambda _viewer, found: list(found))
    context = Context(cast("Services", SimpleNamespace(documents=numbers)), request_id="rows", principal=OPERATOR)
    loaders = SimpleNamespace(
        customers=lambda _: AtHand("Customer", [customer], many=False),
        whole=lambda _: AtHand("Customer", [customer], many=False, alone=lambda row: Whole(row, None, None)),
        addresses_of=lambda _: AtHand("Address", addresses, many=True),
        documents_of=lambda _: AtHand("Document", papers, many=True),
        merged_into=AtHand("Customer", [], many=True),
    )
    with patch.object(Context, "loaders", loaders):
        result = await schema.execute(QUERY, variable_values={"id": ID}, context_value=context)
    body = body_of(result)
    body.pop("extensions", None)
    for error in body.get("errors", ()):
        error["extensions"].pop("errorId", None)
    return body


@settings(max_examples=60, deadline=None)
@given(
    documents("Customer", _id=ID, **OF_ACME),
    st.lists(documents("Address", customer_id=ID, **OF_ACME), max_size=2),
    st.lists(documents("Document", customer_id=ID, **OF_ACME), max_size=2),
)
async def test_whatever_is_stored_is_shown_alike(
    customer: dict[str, Any], addresses: list[dict[str, Any]], papers: list[dict[str, Any]]
) -> None:
    compiled = await answer(COMPILED, customer, addresses, papers)
    with patch("app.graphql.compiled_execution.CompiledOperation", side_effect=Unsupported("test")):
        reference = await answer(REFERENCE, customer, addresses, papers)

    assert orjson.dumps(reference) == orjson.dumps(compiled)


@pytest.mark.parametrize("name", REPOSITORIES)
def test_every_field_that_is_an_attribute_is_read_off_rows(name: str) -> None:
    """
    Those that are more than that (a number that is masked, an address as lines) are asked as objects are.
    """
    definition = type_of(name)
    asked = {field for field, defined in definition.fields.items() if IN_ROW not in defined.extensions}

    assert definition.extensions[ROWS].class_ is row_class(REPOSITORIES[name].model)
    assert (
        asked
        == {
            "Customer": {
                *("addresses", "consentHistory", "consents", "dataExports", "defaultAddress", "documents", "history"),
                *("legalHold", "mergedFrom", "onboarding", "possibleDuplicates", "retention"),
            },
            "Address": {"customer", "formatted"},
            "Document": {"customer", "file", "number", "rejectionCode", "scan"},
        }[name]
    )


def test_rows_are_not_mistaken_for_each_other() -> None:
    classes = {row_class(repository.model) for repository in REPOSITORIES.values()}

    assert len(REPOSITORIES) == len(classes)
