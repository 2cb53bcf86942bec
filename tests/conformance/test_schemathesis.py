"""schemathesis: made-up operations for every root field, as an operator and as nobody; none of them is a server error."""

import logging
from http import HTTPStatus

import pytest
import schemathesis
from graphql import build_schema
from hypothesis import HealthCheck, Phase, given, settings

from tests.api import Api
from tests.conformance.node import SCHEMA

EXAMPLES = 50

SDL = SCHEMA.read_text(encoding="utf-8")
OPERATIONS = {found.label: found for found in (one.ok() for one in schemathesis.graphql.from_file(SDL).get_all_operations())}

ROOT_FIELDS = sorted(
    f"{type_.name}.{name}"
    for type_ in (build_schema(SDL).query_type, build_schema(SDL).mutation_type)
    if type_ is not None
    for name in type_.fields
)


def examples(root_field: str) -> list[str]:
    """Make up documents for a root field: the same in every run, so that a failure can be looked into."""
    documents: list[str] = []

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(OPERATIONS[root_field].as_strategy())
    def collect(case: schemathesis.Case) -> None:
        documents.append(str(case.body))

    collect()
    return documents


def test_every_root_field_is_tried() -> None:
    assert ROOT_FIELDS == sorted(OPERATIONS)


@pytest.mark.parametrize("root_field", ROOT_FIELDS)
async def test_no_made_up_operation_is_a_server_error(execute: Api, caplog: pytest.LogCaptureFixture, root_field: str) -> None:
    documents = examples(root_field)
    # Some fields have so few arguments and fields that there are not more documents than this.
    assert EXAMPLES // 2 <= len(documents)

    codes: set[str] = set()
    for document in documents:
        for caller in ("", None):
            answer = await execute.http.post("/graphql", json={"query": document}, headers=execute.headers(caller))
            assert answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR, (document, answer.text)
            body = answer.json()
            codes |= {error["extensions"]["code"] for error in body.get("errors", ())}
            assert "INTERNAL" not in codes, (document, body)
    # The driver's own remarks about a slow machine are no answers to anybody.
    told = [record for record in caplog.records if not record.name.startswith("pymongo")]
    faults = [record.getMessage() for record in told if record.levelno >= logging.ERROR or record.exc_info]

    assert [] == faults
    # Callers that are told to wait would have tried nothing.
    assert "RATE_LIMITED" not in codes
