"""REST: operations and the shapes of bodies, from the description that is served at ``/openapi.json``."""

from collections.abc import Iterator, Mapping
from typing import Any

from app.reference.markdown import flowing, page, table
from app.reference.shapes import shape

_INTRODUCTION = (
    "Every operation and every body. How they hang together, with calls to copy, is in [REST](../rest.md). The same for "
    "programs: [openapi.json](../../rest/openapi.json)."
)


def rest_page(description: Mapping[str, Any]) -> str:
    """Return the page for a description in OpenAPI 3.1."""
    operations = [
        (tag["name"], path, method, operation)
        for tag in description["tags"]
        for path, methods in description["paths"].items()
        for method, operation in methods.items()
        if tag["name"] in operation["tags"]
    ]
    parts: list[str] = []
    last = ""
    for tag, path, method, operation in operations:
        if tag != last:
            parts.append(f"## {tag.capitalize()}")
            last = tag
        parts.extend(_operation(method, path, operation, description))
    shapes = description["components"]["schemas"]
    parts.append("## Shapes")
    for name, schema in sorted(shapes.items()):
        parts.extend([f"### {name}", flowing(schema.get("description")), shape(schema)])
    return page("REST", _INTRODUCTION, *parts)


def _operation(method: str, path: str, operation: Mapping[str, Any], description: Mapping[str, Any]) -> Iterator[str]:
    yield f"### {operation['operationId']}"
    yield f"`{method.upper()} {path}`"
    yield f"{operation['summary']}. {flowing(operation.get('description'))}"
    yield table(
        ("Parameter", "In", "", "Needed"),
        (
            (f"`{one['name']}`", one["in"], one.get("description", ""), "yes" if one.get("required") else "")
            for one in operation.get("parameters", ())
        ),
    )
    if body := operation.get("requestBody"):
        kinds = ", ".join(f"`{kind}` {_named(content['schema'])}".strip() for kind, content in body["content"].items())
        yield f"Body: {kinds}"
    yield table(
        ("Status", "", "Body"),
        ((status, *_answer(answer, description)) for status, answer in operation["responses"].items()),
    )


def _answer(answer: Mapping[str, Any], description: Mapping[str, Any]) -> tuple[str, str]:
    if reference := answer.get("$ref"):
        answer = description["components"]["responses"][reference.rpartition("/")[2]]
    bodies = (_named(content.get("schema", {})) for content in answer.get("content", {}).values())
    return flowing(answer.get("description")), ", ".join(dict.fromkeys(filter(None, bodies)))


def _named(schema: Mapping[str, Any]) -> str:
    reference = schema.get("$ref") or schema.get("items", {}).get("$ref")
    if reference is None:
        return ""
    name = reference.rpartition("/")[2]
    return f"[{name}](#{name.lower()})"
