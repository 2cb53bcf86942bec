"""Settings: every key, from the models that read them. What a field means is the docstring below it in the source."""

import ast
import inspect
import types
from collections.abc import Iterator
from datetime import timedelta
from enum import Enum
from functools import cache
from itertools import pairwise
from textwrap import dedent
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from app.reference.markdown import flowing, page, table
from app.settings import ENV_PREFIX, Settings

_INTRODUCTION = (
    "Keys of [config.yaml](../../config.yaml), and the variable of the environment that overrides each. Lists and sections are "
    "given as JSON there: `CUSTOMER_SERVICE_KAFKA__BROKERS='[\"kafka-1:9092\"]'`. A key that nobody reads is an error. Which "
    "other file is read says `CUSTOMER_SERVICE_CONFIG`."
)


def settings_page() -> str:
    """Return the page for everything that can be configured."""
    parts = ["## Top level", _keys(Settings, ())]
    for path, model in _sections(Settings, ()):
        title = ".".join(to_camel(step) for step in path)
        parts.extend([f"## {title}", flowing(inspect.getdoc(model)), _keys(model, path)])
    return page("Settings", _INTRODUCTION, *parts)


def _sections(model: type[BaseModel], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], type[BaseModel]]]:
    """Yield each section below *model* with its path; the elements of a list of sections stand behind an ``[]``."""
    for name, field in model.model_fields.items():
        inner, listed = _section_of(field.annotation)
        if inner is not None:
            here = (*path, f"{name}[]" if listed else name)
            yield here, inner
            yield from _sections(inner, here)


def _section_of(annotation: Any) -> tuple[type[BaseModel] | None, bool]:
    """Return the section that a type leads to, and whether there is a list of them."""
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        return annotation, False
    listed = get_origin(annotation) is list
    for inner in get_args(annotation):
        found, deeper = _section_of(inner)
        if found is not None:
            return found, listed or deeper
    return None, False


def _keys(model: type[BaseModel], path: tuple[str, ...]) -> str:
    said = _docstrings(model)
    return table(
        ("Key", "Values", "Default", "Means, and the variable that overrides it"),
        (
            (f"`{to_camel(name)}`", _values(field), _default(field), f"{said.get(name, '')} {_variable((*path, name))}")
            for name, field in model.model_fields.items()
            if _section_of(field.annotation) == (None, False)
        ),
    )


def _variable(path: tuple[str, ...]) -> str:
    # What is inside a list has no variable of its own.
    return "" if any(step.endswith("[]") for step in path) else f"`{ENV_PREFIX}{'__'.join(path).upper()}`"


def _values(field: FieldInfo) -> str:
    words = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}
    bounds = [f"{word} {getattr(one, name)}" for one in field.metadata for name, word in words.items() if hasattr(one, name)]
    return ", ".join([_type(field.annotation), *bounds])


def _type(annotation: Any) -> str:
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return ", ".join(f"`{word}`" for word in inner)
    if origin in {Union, types.UnionType}:
        return " or ".join(_type(one) for one in inner if one is not type(None))
    if origin is list:
        return f"list of {_type(inner[0])}"
    if hasattr(annotation, "__metadata__"):
        return _type(inner[0])
    if inspect.isclass(annotation) and issubclass(annotation, Enum):
        return ", ".join(f"`{one.value}`" for one in annotation)
    names = {"str": "text", "int": "number", "float": "number", "bool": "`true`, `false`", "SecretStr": "secret text",
             "timedelta": "duration (`PT10M`)", "Path": "path"}  # fmt: skip
    return names.get(getattr(annotation, "__name__", ""), str(annotation))


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**required**"
    value = field.get_default(call_default_factory=True)
    if value is None or value is PydanticUndefined:
        return ""
    if isinstance(value, timedelta):
        return f"`{value}`"
    if isinstance(value, list):
        return f"`[{', '.join(str(getattr(one, 'value', one)) for one in value)}]`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


@cache
def _docstrings(model: type[BaseModel]) -> dict[str, str]:
    """Return the docstrings below the fields of a model and of what it inherits from; Python itself drops them."""
    found: dict[str, str] = {}
    for base in reversed(model.__mro__):
        if not (issubclass(base, BaseModel) and base.__module__.startswith("app.")):
            continue
        (definition,) = ast.parse(dedent(inspect.getsource(base))).body
        body = getattr(definition, "body", [])
        for statement, behind in pairwise(body):
            is_docstring = isinstance(behind, ast.Expr) and isinstance(behind.value, ast.Constant)
            if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name) and is_docstring:
                found[statement.target.id] = str(behind.value.value)
    return found
