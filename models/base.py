"""What every stored document has. The only module that knows Beanie's `Document`."""

from datetime import datetime
from typing import TYPE_CHECKING

import beanie
from beanie.odm.fields import ExpressionField
from pydantic import ConfigDict


class _Unread:
    """Stands in a model's class for one of its fields: a record that was read without the field does not have it.

    What Beanie leaves there, for queries, is a text, which would pass for the value.
    """

    def __init__(self, name: str, expression: ExpressionField) -> None:
        self._name = name
        self._expression = expression

    def __get__(self, record: object, model: type) -> ExpressionField:
        if record is None:
            return self._expression
        message = f"This {model.__name__} was read without its {self._name}."
        raise AttributeError(message)


class _ModelClass(type(beanie.Document)):  # type: ignore[misc]  # Pydantic's, by whatever name
    """The class of the models' classes."""

    def __setattr__(cls, name: str, value: object) -> None:
        super().__setattr__(name, _Unread(name, value) if isinstance(value, ExpressionField) else value)


class StoredModel(beanie.Document, metaclass=_ModelClass):
    """A document of one seller, with a typed text id.

    `version` counts changes from 1; `live` is false once deleted, and every unique index covers live documents only.
    """

    model_config = ConfigDict(extra="ignore")

    if not TYPE_CHECKING:
        # Beanie's own, for documents of which fields are parsed when they are looked at, is written in Python and takes part in
        # each look at each attribute. We have no such documents, and a page of customers has a thousand looks.
        __getattribute__ = object.__getattribute__

    id: str  # type: ignore[assignment]  # Beanie declares an ObjectId; ours are typed strings
    seller_id: str
    version: int = 1
    live: bool = True
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None


class OwnedModel(StoredModel):
    """A document that belongs to a customer."""

    customer_id: str
