"""From what MongoDB returns to rows and records, without checking again what was checked when it was written.

The shape has one definition, the Beanie model: its fields, their defaults and their types are read off once, and a record
made here is a record of that model, to be read like any other. A row stays the document that it is; what a record of it
would say, `in_row` says where to find.
"""

from collections.abc import Callable, Collection, Mapping
from copy import copy
from datetime import datetime
from enum import Enum
from types import UnionType
from typing import Any, Generic, NamedTuple, TypeVar, Union, get_args, get_origin
from uuid import UUID

from pydantic import BaseModel

from models.row import Row, row_class

M = TypeVar("M", bound=BaseModel)

Convert = Callable[[Any], Any]

_AS_STORED = frozenset({str, int, float, bool, bytes, datetime, UUID})  # the last is Beanie's revision, which we do not keep

_set = object.__setattr__


Fields = frozenset[str] | None
"""Which fields of records a caller needs; None for all that anybody is shown."""

MOST_READERS = 256
"""Of one model. Whoever needs yet another set of fields is given all."""


class Readers(Generic[M]):
    """The readers of a model, one for each set of fields that is read of it: those a caller needs and those *always* read."""

    def __init__(self, model: type[M], unread: Collection[str] = (), always: Collection[str] = ()) -> None:
        self._model = model
        self._always = frozenset(always)
        self._whole = Reader(model, unread)
        self._some: dict[frozenset[str], Reader[M]] = {}

    def of(self, fields: Fields) -> "Reader[M]":
        """Return what reads *fields*."""
        if fields is None:
            return self._whole
        found = self._some.get(fields)
        if found is None:
            if len(self._some) == MOST_READERS:
                return self._whole
            wanted = fields | self._always
            found = Reader(self._model, self._model.model_fields.keys() - wanted)
            found.projection = {"_id": True, **dict.fromkeys(sorted(wanted - {"id"}), True)}
            self._some[fields] = found
        return found


class Reader(Generic[M]):
    """Makes records of *model* out of stored documents, which it takes over. Fields that are *unread* are not there at all.

    For reading only: what such a record leaves out cannot be stored, and nobody has to look for it in vain: using a field
    that was not read is an `AttributeError`.
    """

    def __init__(self, model: type[M], unread: Collection[str] = ()) -> None:
        self.projection: Mapping[str, bool] | None = dict.fromkeys(sorted(unread), False) or None
        self._model = model
        fields = {name: field for name, field in model.model_fields.items() if name not in unread}
        self._names = frozenset(fields)
        optional = {name: field for name, field in fields.items() if not field.is_required()}
        self._defaults = {name: field.get_default(call_default_factory=True) for name, field in optional.items()}
        # A list that several records share would be everybody's as soon as one is changed.
        self._own = tuple(name for name, value in self._defaults.items() if isinstance(value, list | BaseModel))
        conversions = ((name, _conversion(field.annotation)) for name, field in fields.items())
        self._conversions = tuple((name, convert) for name, convert in conversions if convert is not None)
        self._required = frozenset(stored_name(name) for name, field in fields.items() if field.is_required())

    def __call__(self, stored: dict[str, Any]) -> M:
        """Return the record that *stored* is.

        Raises:
            ValidationError: it is none of the model's, and says where.
        """
        if "_id" in stored:
            stored["id"] = stored.pop("_id")
        values = {**self._defaults, **stored}
        if values.keys() != self._names:
            # Written by a newer version, which knows more fields, or not by us.
            values = {name: value for name, value in values.items() if name in self._names}
            if len(values) < len(self._names):
                return self._model.model_validate(stored)
        try:
            for name, convert in self._conversions:
                value = values[name]
                if value is not None:
                    values[name] = convert(value)
        except (KeyError, TypeError, AttributeError):
            return self._model.model_validate(stored)
        for name in self._own:
            if name not in stored:
                values[name] = copy(values[name])
        record = self._model.__new__(self._model)
        # As Pydantic's own model_construct does it, but for looking at every field again.
        _set(record, "__dict__", values)
        _set(record, "__pydantic_fields_set__", self._names)
        _set(record, "__pydantic_extra__", None)
        _set(record, "__pydantic_private__", None)
        return record

    def row(self, stored: Row[M]) -> Row[M]:
        """Return the row that *stored* is: of each field that is read, it has what its record has.

        Raises:
            ValidationError: it is none of the model's, and says where.
        """
        stored.read = self
        if not self._required <= stored.keys():
            return self._mended(stored)
        try:
            for name, convert in self._conversions:
                value = stored.get(name)
                if value is not None:
                    convert(value)
        except (KeyError, TypeError, AttributeError):
            return self._mended(stored)
        return stored

    def _mended(self, stored: Row[M]) -> Row[M]:
        """Return a row of what the model makes of a document that is not quite one of its own."""
        plain = self(dict(stored)).model_dump(exclude_none=True)
        row = row_class(self._model)((stored_name(name), value) for name, value in plain.items())
        row.read = self
        return row


def stored_name(field: str) -> str:
    """Return the name that a field of a model has in a document."""
    return "_id" if field == "id" else field


class InRow(NamedTuple):
    """Where a field of records stands in rows, what is there *otherwise*, and what makes of the stored value the record's."""

    name: str
    otherwise: Any
    convert: Convert | None


def in_row(model: type[BaseModel], field: str, then: Convert | None = None) -> InRow:
    """Return how a field is read off rows of *model*: what the records have there, or what *then* makes of it."""
    info = model.model_fields[field]
    otherwise = None if info.is_required() else info.get_default(call_default_factory=True)
    if then is not None and not info.is_required():
        otherwise = then(otherwise)
    return InRow(stored_name(field), otherwise, _chained(_conversion(info.annotation), then))


def _chained(first: Convert | None, then: Convert | None) -> Convert | None:
    """Return what converts a stored value that may be null: a record has it as it is then."""
    if first is None:
        return then
    if then is None:
        return lambda value: None if value is None else first(value)
    return lambda value: then(None if value is None else first(value))


def _conversion(annotation: Any) -> Convert | None:
    """Return what makes a field's value out of what is stored of it; None for what is stored as it is."""
    origin = get_origin(annotation)
    if origin in {Union, UnionType}:
        (annotation,) = (one for one in get_args(annotation) if one is not type(None))
        return _conversion(annotation)
    if origin is list:
        each = _conversion(*get_args(annotation))
        return None if each is None else lambda values: [each(value) for value in values]
    if annotation in _AS_STORED:
        return None
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return {member.value: member for member in annotation}.__getitem__
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return Reader(annotation)
    message = f"A field of the type {annotation} cannot be read from what is stored: say how in {__name__}."
    raise TypeError(message)
