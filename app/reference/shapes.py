"""JSON Schemas as tables."""

from collections.abc import Iterator, Mapping
from typing import Any

from app.reference.markdown import table


def shape(schema: Mapping[str, Any]) -> str:
    """Return the members of an object, or the words of an enumeration, as a table; nothing for other schemas."""
    if "enum" in schema:
        return table(("Word",), ((f"`{word}`",) for word in schema["enum"]))
    required = set(schema.get("required", ()))
    return table(
        ("Member", "Type", "", "Always there"),
        (
            (f"`{name}`", kind_of(one), one.get("description", ""), "yes" if name in required else "")
            for name, one in schema.get("properties", {}).items()
        ),
    )


def kind_of(schema: Mapping[str, Any]) -> str:
    """Return what a member is: a type, a shape with a link to it, or several with "or" between them."""
    return " or ".join(dict.fromkeys(_kinds(schema)))


def _kinds(schema: Mapping[str, Any]) -> Iterator[str]:
    if reference := schema.get("$ref"):
        name = reference.rpartition("/")[2]
        yield f"[{name}](#{name.lower()})"
    elif choices := schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf"):
        for one in choices:
            yield from _kinds(one)
    elif "const" in schema:
        yield f"`{schema['const']}`"
    elif "enum" in schema:
        yield " ".join(f"`{word}`" for word in schema["enum"])
    elif schema.get("type") == "array":
        yield f"list of {kind_of(schema.get('items', {})) or 'anything'}"
    elif isinstance(schema.get("type"), list):
        yield from schema["type"]
    elif "type" in schema:
        yield f"{schema['type']} ({schema['format']})" if "format" in schema else schema["type"]
