"""The AsyncAPI document; the official parser reads it in `make conformance`."""

from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator

from events.asyncapi import asyncapi
from events.contract import json_schemas
from events.customer import EventTopics

TOPICS = EventTopics(created="c", updated="u", deleted="d")
DOCUMENT: dict[str, Any] = asyncapi(TOPICS)


def follow(reference: str) -> Any:
    """Return what a reference in the document points at."""
    found: Any = DOCUMENT
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    return found


def references(part: Any) -> list[str]:
    if isinstance(part, dict):
        own = [part["$ref"]] if "$ref" in part else []
        return own + [inner for value in part.values() for inner in references(value)]
    return [inner for value in part for inner in references(value)] if isinstance(part, list) else []


def test_every_reference_leads_somewhere() -> None:
    assert [] != references(DOCUMENT)
    for reference in references(DOCUMENT):
        assert isinstance(follow(reference), dict), reference


def test_channels_are_the_configured_topics() -> None:
    assert {"customerCreated": "c", "customerUpdated": "u", "customerDeleted": "d"} == {
        name: channel["address"] for name, channel in DOCUMENT["channels"].items()
    }


def test_erasures_go_where_deletions_go() -> None:
    assert {"customerDeleted", "customerErased"} == set(DOCUMENT["channels"]["customerDeleted"]["messages"])


@pytest.mark.parametrize("operation", sorted(DOCUMENT["operations"]))
def test_operations_send_what_their_channel_has(operation: str) -> None:
    described = DOCUMENT["operations"][operation]

    assert "send" == described["action"]
    assert list(follow(described["channel"]["$ref"])["messages"].values()) == [
        follow(message["$ref"]) for message in described["messages"]
    ]


@pytest.mark.parametrize("message", sorted(DOCUMENT["components"]["messages"]))
def test_bodies_and_headers_of_the_examples_are_as_described(message: str) -> None:
    described = DOCUMENT["components"]["messages"][message]
    (shown,) = described["examples"]
    payload = {**follow(described["payload"]["$ref"]), "components": DOCUMENT["components"]}

    assert [] == [error.message for error in Draft202012Validator(payload).iter_errors(shown["payload"])]
    assert [] == [error.message for error in Draft202012Validator(described["headers"]).iter_errors(shown["headers"])]
    assert described["name"] == shown["headers"]["event"]


def test_bodies_are_those_of_the_json_schemas() -> None:
    """
    Said twice, in two ways of referring; they may not drift apart.
    """

    def plain(part: object) -> str:
        return orjson.dumps(part).decode().replace("#/components/schemas/", "#/$defs/")

    schemas: dict[str, Any] = json_schemas()
    for message in DOCUMENT["components"]["messages"].values():
        payload = follow(message["payload"]["$ref"])
        schema = schemas[message["name"]]
        assert plain(schema["properties"]) == plain(payload["properties"])
        assert {name: plain(part) for name, part in schema["$defs"].items()} == {
            name: plain(DOCUMENT["components"]["schemas"][name]) for name in schema["$defs"]
        }
