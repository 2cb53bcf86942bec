"""POST /graphql, whatever bytes arrive: the answer is GraphQL, never a traceback."""

import pytest
import structlog

from app.graphql.documents import Documents
from core.ids import IdKind, new_id
from repositories.customer import CustomerRepository
from repositories.whole_customer import WholeCustomers
from tests.api import Api, error_code
from tests.graphql.operations import READ


@pytest.mark.parametrize(
    "query",
    [
        "{",
        "{ nothing }",
        "{ customer { id } }",
        "query A { viewer { kind } } query B { viewer { kind } }",
        "fragment F on Query { viewer { kind } }",
        "{ ...F } fragment F on Query { ...F }",
        "{ viewer { kind } } \u0000",
        "{" * 2000,
    ],
    ids=lambda text: text[:30],
)
async def test_document_that_is_none_is_refused(execute: Api, query: str) -> None:
    answer = await execute.http.post("/graphql", json={"query": query}, headers=execute.headers())

    assert {"BAD_USER_INPUT"} == {error["extensions"]["code"] for error in answer.json()["errors"]}
    assert answer.status_code in {200, 400}


# ---------------------------------------------------------------------------- our own faults


async def test_fault_of_ours_shows_no_cause_and_can_be_found_in_the_log(execute: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise RuntimeError("password=hunter2 at mongodb://10.0.0.1")

    monkeypatch.setattr(CustomerRepository, "read_many", fail)
    monkeypatch.setattr(WholeCustomers, "read_many", fail)
    with structlog.testing.capture_logs() as log:
        answer = await execute.http.post(
            "/graphql",
            json={"query": READ, "variables": {"id": new_id(IdKind.CUSTOMER)}},
            headers={**execute.headers(), "x-request-id": "req-17"},
        )

    (error,) = answer.json()["errors"]
    assert ("INTERNAL", "req-17") == (error["extensions"]["code"], error["extensions"]["requestId"])
    assert "hunter2" not in answer.text
    assert {"code", "requestId", "errorId"} == error["extensions"].keys()
    (entry,) = [one for one in log if one["log_level"] == "error"]
    assert error["extensions"]["errorId"] == entry["errorId"]
    assert "hunter2" in str(entry["exc_info"])


async def test_fault_in_one_field_leaves_the_others(execute: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise KeyError("x")

    monkeypatch.setattr(CustomerRepository, "read_many", fail)
    monkeypatch.setattr(WholeCustomers, "read_many", fail)

    answer = await execute(f'{{ viewer {{ kind }} customer(id: "{new_id(IdKind.CUSTOMER)}") {{ id }} }}')

    assert {"viewer": {"kind": "OPERATOR"}, "customer": None} == answer["data"]
    assert ["customer"] == answer["errors"][0]["path"]


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "<script>"])
async def test_request_id_that_is_not_harmless_is_replaced(execute: Api, given: str) -> None:
    answer = await execute.http.post(
        "/graphql", json={"query": "{ viewer { kind } }"}, headers={**execute.headers(), "x-request-id": given}
    )

    assert given != answer.headers["x-request-id"]
    assert answer.headers["x-request-id"].isalnum()


@pytest.mark.parametrize("accept", ["application/json", "application/graphql-response+json", "text/event-stream"])
async def test_fault_around_graphql_is_answered_and_logged_once_too(
    execute: Api, monkeypatch: pytest.MonkeyPatch, accept: str
) -> None:
    """
    Nothing is known to lead here. Should there be something, it shows no cause either.
    """

    def fail(*_: object, **__: object) -> str:
        raise RuntimeError("password=hunter2 at mongodb://10.0.0.1")

    monkeypatch.setattr(Documents, "text", fail)
    with structlog.testing.capture_logs() as log:
        answer = await execute.http.post(
            "/graphql", json={"query": "{ viewer { kind } }"}, headers={**execute.headers(), "accept": accept}
        )

    assert (500, "INTERNAL") == (answer.status_code, error_code(answer))
    assert "hunter2" not in answer.text
    (entry,) = [one for one in log if one["log_level"] == "error"]
    assert answer.json()["errors"][0]["extensions"]["errorId"] == entry["errorId"]


@pytest.mark.parametrize(("body", "status"), [(b"{", 400), (b'{"query": "{"}', 200)], ids=["no request", "no operation"])
async def test_what_a_client_did_wrong_is_one_line_of_the_log(execute: Api, body: bytes, status: int) -> None:
    """
    MUST 22.
    """
    with structlog.testing.capture_logs() as log:
        answer = await execute.http.post(
            "/graphql", content=body, headers={**execute.headers(), "content-type": "application/json"}
        )

    assert status == answer.status_code
    (entry,) = log
    assert ("refused", "info", answer.headers["x-request-id"]) == (entry["event"], entry["log_level"], entry["requestId"])
