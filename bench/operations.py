"""What the servers are asked, each with the variables of many different calls.

The same documents go to every server; the names are those of the table. Everything is about the customers that
`bench.records` stored for `bench.stage.SELLER`.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bench.records import email_of, id_of, last_name_of
from bench.stage import SELLER
from core.ids import IdKind

UNIQUE = "__UNIQUE__"
"""Stands in the body of a mutation for eight digits that differ from call to call."""

CALLS = 400
"""How many different bodies there are of each operation."""

Variables = dict[str, Any]

_WHOLE = """
  id fullName email phone status version tags createdAt
  addresses { id kind isDefault line1 city postalCode countryCode }
  documents { id type status number }
"""
_SHORT = "id fullName email addresses { id kind line1 city } documents { id type status }"


@dataclass(frozen=True, slots=True)
class Operation:
    """A document, and how to make the variables of one call: from a source of chance, and the cursors of Q2's pages."""

    name: str
    says: str
    document: str
    variables: Callable[[random.Random, Sequence[str]], Variables]
    errors: bool = False
    """Whether a right answer has errors beside its data."""


def _known(order: random.Random) -> int:
    return order.randrange(PEOPLE)


def _customer_id(order: random.Random) -> str:
    return id_of(SELLER, _known(order))


PEOPLE = 50_000
_UNKNOWN = "cus_00000000000000000000000000"


def _one(order: random.Random, _: Sequence[str]) -> Variables:
    return {"id": _customer_id(order)}


def _page(order: random.Random, cursors: Sequence[str]) -> Variables:
    return {"first": 50, "after": order.choice(cursors)}


def _creation(order: random.Random, _: Sequence[str]) -> Variables:
    return {
        "input": {
            "email": f"new-{UNIQUE}@shop.example",
            "phone": f"+49160{UNIQUE}",
            "firstName": "Grace",
            "lastName": last_name_of(_known(order)),
            "tags": ["new"],
            "addresses": [
                {
                    "kind": "SHIPPING",
                    "line1": f"{order.randrange(1, 999)} Main Street",
                    "city": "Mountain View",
                    "region": "CA",
                    "postalCode": "94043",
                    "countryCode": "US",
                }
            ],
        }
    }


def _switches(order: random.Random, _: Sequence[str]) -> Variables:
    return {"first": 20, "places": order.random() < 0.5, "bare": order.random() < 0.5}  # noqa: PLR2004 - a coin


def _ids(order: random.Random, _: Sequence[str]) -> Variables:
    numbers = [_known(order) for _ in range(20)]
    kinds = [IdKind.CUSTOMER, IdKind.ADDRESS, IdKind.DOCUMENT]
    parts = {IdKind.CUSTOMER: "", IdKind.ADDRESS: "SHIPPING", IdKind.DOCUMENT: ""}
    return {"ids": [id_of(SELLER, number, kind, parts[kind]) for number in numbers for kind in [order.choice(kinds)]]}


def _mixed(order: random.Random, _: Sequence[str]) -> Variables:
    return {
        "known": _customer_id(order),
        "unknown": _UNKNOWN,
        "ids": [_customer_id(order), _UNKNOWN, _customer_id(order)],
        "email": email_of(_known(order)),
    }


OPERATIONS = (
    Operation(
        "Q1",
        "customer by id, with addresses and documents",
        f"query One($id: ID!) {{ customer(id: $id) {{ {_WHOLE} }} }}",
        _one,
    ),
    Operation(
        "Q2",
        "page of 50, with addresses and documents",
        "query Page($first: Int!, $after: String) { customers(first: $first, after: $after) "
        f"{{ edges {{ cursor node {{ {_WHOLE} }} }} pageInfo {{ hasNextPage endCursor }} }} }}",
        _page,
    ),
    Operation("field", "one field of one customer", "query Name($id: ID!) { customer(id: $id) { fullName } }", _one),
    Operation(
        "aliases",
        "two customers by alias, aliases down to the owner of an address",
        "query Two($a: ID!, $b: ID!) {"
        + "".join(
            f" {name}: customer(id: ${name}) {{ id fullName email places: addresses {{ id street: line1 city "
            "owner: customer { id called: fullName } } papers: documents { id sort: type } }"
            for name in "ab"
        )
        + " }",
        lambda order, _: {name: _customer_id(order) for name in "ab"},
    ),
    Operation(
        "fragments",
        "20 customers through six fragments, some inside others",
        "query Some($first: Int!) { customers(first: $first) { edges { ...Item } pageInfo { hasNextPage } } } "
        "fragment Item on CustomerEdge { cursor node { ...Person ...Reach } } "
        "fragment Person on Customer { id fullName ...Reach addresses { ...Place } documents { ...Paper } } "
        "fragment Paper on Document { id type ... on Document { status } } "
        "fragment Reach on Customer { email phone tags } "
        "fragment Place on Address { id ... on Node { id } line1 city ...Country } fragment Country on Address { countryCode }",
        lambda _, __: {"first": 20},
    ),
    Operation(
        "variables",
        "20 customers, relations switched by @include and @skip",
        "query Maybe($first: Int!, $places: Boolean!, $bare: Boolean!) { customers(first: $first) { nodes { id fullName "
        "addresses @include(if: $places) { id line1 city } documents @skip(if: $bare) { id type number } } } }",
        _switches,
    ),
    Operation(
        "hundred",
        "page of 100, with addresses and documents",
        f"query Hundred($after: String) {{ customers(first: 100, after: $after) {{ nodes {{ {_SHORT} }} "
        "pageInfo { endCursor } } }",
        lambda order, cursors: {"after": order.choice(cursors)},
    ),
    Operation(
        "connections",
        "the lists of addresses and of documents, 20 of each",
        "query Both { addresses(first: 20) { edges { cursor node { id kind isDefault line1 city } } pageInfo { endCursor } } "
        "documents(first: 20) { edges { cursor node { id type status number } } pageInfo { endCursor } } }",
        lambda _, __: {},
    ),
    Operation(
        "nodes",
        "20 ids of three kinds",
        "query Nodes($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on Customer { fullName email status } "
        "... on Address { line1 city countryCode } ... on Document { type state: status number } } }",
        _ids,
    ),
    Operation(
        "mixed",
        "found, unknown and forbidden in one answer",
        "query Mixed($known: ID!, $unknown: ID!, $ids: [ID!]!, $email: String!) { known: customer(id: $known) { id fullName "
        "addresses { id city } } unknown: customer(id: $unknown) { id } nodes(ids: $ids) { id } "
        'forbidden: customerBy(key: {email: $email}, sellerId: "another") { id } by: customerBy(key: {email: $email}) { id } }',
        _mixed,
        errors=True,
    ),
    Operation(
        "search",
        "two beginnings of words, 20 customers",
        "query Search($text: String!) { customers(filter: {search: $text}, first: 20) { nodes { id fullName email phone } "
        "pageInfo { hasNextPage } } }",
        lambda order, _: {"text": f"ad {last_name_of(_known(order))[:5]}"},
    ),
    Operation(
        "customerBy",
        "customer by e-mail address, with addresses",
        "query By($email: String!) { customerBy(key: {email: $email}) { id fullName phone addresses { id kind line1 city } } }",
        lambda order, _: {"email": email_of(_known(order))},
    ),
    # Last, because it adds to what all others read.
    Operation(
        "M1",
        "create with an address, one transaction",
        "mutation Create($input: CustomerInput!) { createCustomer(input: $input) "
        "{ customer { id email status version } userErrors { code } } }",
        _creation,
    ),
)


def calls(operation: Operation, cursors: Sequence[str]) -> list[dict[str, Any]]:
    """Return the bodies of `CALLS` calls, the same ones at every run; *cursors* are places in the list of customers."""
    order = random.Random(operation.name)
    document = " ".join(operation.document.split())
    return [{"query": document, "variables": operation.variables(order, cursors)} for _ in range(CALLS)]
