"""All customers of a seller as lines: read a page at a time, written as they come, taken up again where it broke off."""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO, Any

import orjson

from app.cli import customer_rows
from app.cli.endpoint import Endpoint
from app.cli.graphql_client import GraphQLClient, GraphQLFailed, NotReachable, open_client
from app.cli.import_screen import ProgressScreen

ATTEMPTS = 6
"""How often a page is asked for while nobody answers, half a second and then twice as long apart."""

_ADDRESS = "kind isDefault label recipient company line1 line2 city region postalCode countryCode phone"
_CSV = f"{customer_rows.PROFILE} tags attributes {{ key value }} addresses {{ {_ADDRESS} }}"
_OF_ITS_OWN = f"{customer_rows.PROFILE} tags attributes {{ key value }}"
_MASKED = f"id sellerId {_OF_ITS_OWN} fullName emailVerified phoneVerified version createdAt updatedAt"
"""What a token sees of customers that has `customers:read_masked` and not `customers:read`: no addresses, no documents."""

_NDJSON = f"""id sellerId {_CSV} fullName emailVerified phoneVerified version createdAt updatedAt
  documents {{ id type status number issuingCountry issuedOn expiresOn }}"""
# 90 customers with attributes, addresses and documents cost 901 of the 1,000 points of an operation; search and tags 50 each.
_PAGE = """query Export($filter: CustomerFilter, $after: String, $seller: ID) {
  customers(filter: $filter, sort: CREATED_AT_ASC, first: 90, after: $after, sellerId: $seller) {
    nodes { %s } pageInfo { endCursor hasNextPage } } }"""
_COUNT = """query Count($filter: CustomerFilter, $seller: ID) {
  customers(filter: $filter, first: 1, sellerId: $seller) { totalCount } }"""
_SCOPES = "query Scopes { viewer { scopes } }"
_MOST_COLUMNS = 150
"""How many attributes have columns: a file that is imported has 200 columns at most."""


class Format(StrEnum):
    """How customers are written."""

    NDJSON = "ndjson"
    CSV = "csv"


class Interrupted(Exception):
    """Some customers were written and the next page did not come; the message says why."""


class Unwritable(Exception):
    """The file cannot be written; the message says why."""


@dataclass(slots=True)
class Export:
    """What is to be written, where to, and how far that is: `place` is behind the last whole page."""

    endpoint: Endpoint
    filter: Mapping[str, Any]
    seller: str | None
    form: Format
    output: Path | None
    attributes: Sequence[str]
    place: str | None
    written: int = 0
    crowded: int = 0
    late: int = 0
    masked: bool = False

    def told(self) -> dict[str, Any]:
        """Return what a script may want to know."""
        return {
            "file": None if self.output is None else str(self.output),
            "customers": self.written,
            "attributes": list(self.attributes),
            "withMoreAddresses": self.crowded,
            "withOtherAttributes": self.late,
        }

    def remarks(self) -> Iterator[str]:
        """Yield what a reader of the file should know that it does not say."""
        if self.masked:
            yield "This token sees customers masked: contact data is shortened, addresses and documents are left out."
        if self.crowded:
            yield f"Customers with more addresses than a row holds: {self.crowded:,}. NDJSON has them all."
        if self.late:
            yield f"Customers with attributes that have no column: {self.late:,}. Name them with --attribute, or take NDJSON."


async def export_customers(task: Export, screen: ProgressScreen) -> None:
    """Write every customer that *task* is about.

    Raises:
        Interrupted: it broke off; `task.place` says where to go on.
        Unwritable: the file cannot be written.
        GraphQLFailed: it could not begin.
    """
    going_on = task.place is not None
    async with open_client(task.endpoint.url, task.endpoint.token) as client:
        fields = await _fields(client, task)
        total = (await client.execute(_COUNT, {"filter": task.filter, "seller": task.seller}))["customers"]["totalCount"]
        if task.form is Format.CSV and not task.attributes and not going_on:
            task.attributes = await _attributes_of_all(client, task)
        with screen, _opened(task.output, append=going_on) as file:
            if task.form is Format.CSV and not going_on:
                file.write(customer_rows.header(task.attributes))
            async for page in _pages(client, task, fields):
                for customer in page["nodes"]:
                    if task.masked:
                        # So that the lines have the same members, and the rows the same columns.
                        customer |= {"addresses": [], "documents": []}
                    file.write(_written(customer, task))
                file.flush()
                task.written += len(page["nodes"])
                task.place = page["pageInfo"]["endCursor"]
                screen.show("Exporting", min(1.0, task.written / max(total, 1)), f"{task.written:,} of {total:,} customers")


async def _attributes_of_all(client: GraphQLClient, task: Export) -> list[str]:
    """Return the keys of all attributes, in the order in which customers got them, `_MOST_COLUMNS` at most."""
    keys: dict[str, None] = {}
    looking = Export(task.endpoint, task.filter, task.seller, task.form, None, (), None)
    async for page in _pages(client, looking, "attributes { key }"):
        keys.update(dict.fromkeys(one["key"] for customer in page["nodes"] for one in customer["attributes"]))
    return list(keys)[:_MOST_COLUMNS]


async def _fields(client: GraphQLClient, task: Export) -> str:
    """Return what is asked of each customer: as much as the token lets it be."""
    scopes = (await client.execute(_SCOPES, {}))["viewer"]["scopes"]
    task.masked = "customers:read_masked" in scopes and "customers:read" not in scopes
    if task.masked:
        return _MASKED
    return _CSV if task.form is Format.CSV else _NDJSON


async def _pages(client: GraphQLClient, task: Export, fields: str) -> AsyncIterator[Mapping[str, Any]]:
    after = task.place
    while True:
        variables = {"filter": task.filter, "after": after, "seller": task.seller}
        try:
            page = (await _patiently(client, _PAGE % fields, variables))["customers"]
        except GraphQLFailed as error:
            if after is None:
                raise
            raise Interrupted(str(error)) from error
        yield page
        if not page["pageInfo"]["hasNextPage"]:
            return
        after = page["pageInfo"]["endCursor"]


async def _patiently(client: GraphQLClient, document: str, variables: Mapping[str, Any]) -> dict[str, Any]:
    for attempt in range(ATTEMPTS - 1):
        try:
            return await client.execute(document, variables)
        except NotReachable:
            await asyncio.sleep(0.5 * 2**attempt)
    return await client.execute(document, variables)


def _written(customer: Mapping[str, Any], task: Export) -> bytes:
    if task.form is Format.NDJSON:
        return orjson.dumps(customer) + b"\n"
    task.crowded += not customer_rows.holds_all_addresses(customer)
    task.late += any(one["key"] not in task.attributes for one in customer["attributes"])
    return customer_rows.row(customer, task.attributes)


@contextmanager
def _opened(output: Path | None, *, append: bool) -> Iterator[IO[bytes]]:
    """Open where the lines go. A file is called ``<name>.part`` until it is whole; going on appends to that."""
    if output is None:
        yield sys.stdout.buffer
        return
    arriving = output.with_name(f"{output.name}.part")
    try:
        with arriving.open("ab" if append else "wb") as file:
            yield file
        arriving.replace(output)
    except OSError as error:
        raise Unwritable(f"{arriving} cannot be written: {error.strerror}.") from error
