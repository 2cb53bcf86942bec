"""Stored documents as MongoDB returns them, for those who read a few fields of many."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

M = TypeVar("M", bound=BaseModel)


class Row(dict[str, Any], Generic[M]):
    """A stored document of one model: fields by their stored names, as BSON has them, without those that are absent.

    To be read and not changed: others may have the same one. It has the fields that were asked for, and `record` is the model's
    record of just these.
    """

    __slots__ = ("read",)

    read: Callable[[dict[str, Any]], M]
    """Makes a record of a document like this one, which it takes over. Set by the repository that found it."""

    @property
    def record(self) -> M:
        """The document as a record of its model, made anew each time."""
        return self.read(dict(self))

    @property
    def id(self) -> str:
        """Its id."""
        found: str = self["_id"]
        return found

    @property
    def seller_id(self) -> str:
        """The seller whose it is."""
        found: str = self["seller_id"]
        return found

    @property
    def customer_id(self) -> str:
        """The customer that it belongs to, if it belongs to one."""
        found: str = self["customer_id"]
        return found

    @property
    def owner(self) -> tuple[str, str]:
        """What belongs to it is kept under this key: of a customer."""
        return self["seller_id"], self["_id"]


_CLASSES: dict[Any, type[Row[Any]]] = {}


def row_class(model: type[M]) -> type[Row[M]]:
    """Return the class of a model's rows, always the same: whoever has a row knows by it what it is."""
    found = _CLASSES.get(model)
    if found is None:
        found = _CLASSES[model] = type(f"{model.__name__}Row", (Row,), {"__slots__": ()})
    return found
