"""GET /asyncapi.json and /events/schemas/…: what consumers build against, for everybody."""

import httpx
import pytest

from events.contract import json_schemas


async def test_the_asyncapi_document_is_for_everybody(http: httpx.AsyncClient) -> None:
    answer = await http.get("/asyncapi.json")

    assert (200, "application/vnd.aai.asyncapi+json;version=3.0.0") == (answer.status_code, answer.headers["content-type"])
    assert "3.0.0" == answer.json()["asyncapi"]
    assert "customer.created" == answer.json()["channels"]["customerCreated"]["address"]


@pytest.mark.parametrize("name", sorted(json_schemas()))
async def test_so_is_the_schema_of_each_event(http: httpx.AsyncClient, name: str) -> None:
    answer = await http.get(f"/events/schemas/{name}.json")

    assert (200, "application/schema+json") == (answer.status_code, answer.headers["content-type"])
    assert json_schemas()[name] == answer.json()


@pytest.mark.parametrize("name", ["customer.renamed", "../asyncapi", "x" * 101])
async def test_there_are_no_others(http: httpx.AsyncClient, name: str) -> None:
    answer = await http.get(f"/events/schemas/{name}.json")

    assert answer.status_code in {404, 422}
