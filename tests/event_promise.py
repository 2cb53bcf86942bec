"""Events held against the JSON Schemas that consumers are given, more strictly than consumers may."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import orjson
from jsonschema import Draft202012Validator, FormatChecker

from events.contract import json_schemas
from events.customer import CustomerEvent, wire
from repositories.customer_event import event_of_stored
from services import customer_creating
from services.new_customers import NewCustomer, new_customer
from services.records import RecordMaker


def closed(schema: Any) -> Any:
    """Return a schema that also refuses what it does not list: an event may not say what nobody has written down."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {key: closed(value) for key, value in schema.items()}
    return inner | {"additionalProperties": False} if inner.get("type") == "object" else inner


_FORMATS = FormatChecker(formats=())


@_FORMATS.checks("date-time")
def _is_moment(value: object) -> bool:
    return not isinstance(value, str) or _MOMENT.fullmatch(value) is not None


_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")
_STRICT = {name: Draft202012Validator(closed(schema), format_checker=_FORMATS) for name, schema in json_schemas().items()}


def faults(value: bytes) -> list[str]:
    """Return what is wrong with the body of an event, a line each."""
    body = orjson.loads(value)
    return [f"{error.json_path}: {error.message}" for error in _STRICT[body["type"]].iter_errors(body)]


@contextmanager
def every_event_as_promised() -> Iterator[list[str]]:
    """Check each event that the service makes, when it is made: what does not keep the promise fails whoever made it.

    Yields the names of those that were made.
    """
    made: list[str] = []
    original = RecordMaker.event

    def checked(self: RecordMaker, *arguments: Any, **named: Any) -> CustomerEvent:
        event = original(self, *arguments, **named)
        check(event)
        return event

    def checked_plain(*arguments: Any, **named: Any) -> NewCustomer:
        customer = new_customer(*arguments, **named)
        check(event_of_stored(customer.event))
        return customer

    def check(event: CustomerEvent) -> None:
        written = wire(event)
        assert [] == faults(written.value)
        made.append(written.headers[0][1].decode())

    with patch.object(RecordMaker, "event", checked), patch.object(customer_creating, "new_customer", checked_plain):
        yield made
