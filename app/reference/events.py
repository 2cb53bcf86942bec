"""Events: channels, headers and bodies, from the AsyncAPI document that is served at ``/asyncapi.json``."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from app.reference.markdown import flowing, page, table
from app.reference.shapes import shape

_INTRODUCTION = (
    "Every topic, header and member. What a consumer can rely on and has to do is in [Events](../events.md). The same for "
    "programs: [asyncapi.json](../../events/schemas/asyncapi.json)."
)


def events_page(document: Mapping[str, Any]) -> str:
    """Return the page for a document in AsyncAPI 3.0."""
    topics = table(
        ("Topic", "", "Events"),
        (
            (f"`{one['address']}`", one["description"], ", ".join(_linked(document, name) for name in one["messages"]))
            for one in document["channels"].values()
        ),
    )
    messages = document["components"]["messages"]
    schemas = document["components"]["schemas"]
    parts = ["## Topics", topics, "## Events", *(part for one in messages.values() for part in _message(one)), "## Shapes"]
    for name, schema in sorted(schemas.items()):
        parts.extend([f"### {name}", flowing(schema.get("description")), shape(schema)])
    return page("Events", _INTRODUCTION, *parts)


def _linked(document: Mapping[str, Any], name: str) -> str:
    called = document["components"]["messages"][name]["name"]
    return f"[`{called}`](#{called.replace('.', '')})"


def _message(message: Mapping[str, Any]) -> Iterator[str]:
    body = message["payload"]["$ref"].rpartition("/")[2]
    yield f"### {message['name']}"
    yield f"{flowing(message['summary'])} Body: [{body}](#{body.lower()}), {message['contentType']}."
    yield shape(message["headers"]).replace("| Member |", "| Header |", 1)
    for example in message["examples"]:
        yield flowing(example["summary"])
        yield f"```json\n{json.dumps(example['payload'], indent=2, ensure_ascii=False)}\n```"
