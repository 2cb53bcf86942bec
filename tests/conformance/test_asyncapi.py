"""The official parser of AsyncAPI finds nothing wrong with the document of our events. Examples: `tests/events`."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.api import Json
from tests.conformance.node import script
from tests.house import ROOT

DOCUMENT: Json = json.loads((ROOT / "events" / "schemas" / "asyncapi.json").read_text(encoding="utf-8"))


async def parsed(document: Json) -> tuple[list[Json], Json]:
    """Return what is wrong with a document, and what was read of it."""
    told = await script("asyncapi", document=json.dumps(document))
    return [one for one in told if one["what"] == "diagnostic"], next((one for one in told if one["what"] == "document"), {})


async def test_the_document_is_read_without_a_complaint() -> None:
    complaints, read = await parsed(DOCUMENT)

    # 3.1.0 is out; what reads 3.0 is what our consumers have.
    assert ["asyncapi-latest-version"] == [one["code"] for one in complaints], complaints
    assert ("3.0.0", ["customer.created", "customer.updated", "customer.deleted"]) == (read["version"], read["channels"])
    sent = ["customer.created", "customer.updated", "customer.document_expiring", "customer.deleted", "customer.erased"]
    assert sent == read["sent"]


def no_such_type(document: Any) -> None:
    document["components"]["schemas"]["Customer"]["properties"]["email"]["type"] = "text"


def no_such_message(document: Any) -> None:
    document["operations"]["publishCustomerCreated"]["messages"][0]["$ref"] = "#/channels/customerCreated/messages/none"


def no_action(document: Any) -> None:
    del document["operations"]["publishCustomerCreated"]["action"]


@pytest.mark.parametrize("spoil", [no_such_type, no_such_message, no_action])
async def test_faults_are_found_where_there_are_some(spoil: Callable[[Any], None]) -> None:
    """
    The test above could not fail if the parser looked at nothing.
    """
    document = json.loads(json.dumps(DOCUMENT))
    spoil(document)

    complaints, _ = await parsed(document)

    assert [] != [one for one in complaints if one["level"] == "error"]
