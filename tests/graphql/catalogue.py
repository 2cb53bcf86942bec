"""Every root field of the schema with arguments to call it by. What is missing here fails the tests that walk the schema."""

import itertools
import json
from collections.abc import Iterator
from typing import Any

from graphql import (
    GraphQLAbstractType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    get_named_type,
    is_composite_type,
    is_leaf_type,
    is_required_argument,
)

from app.graphql.schema import build_schema
from core.ids import IdKind, new_id
from tests.api import Json
from tests.graphql.operations import BERLIN, announced

SCHEMA = build_schema()._schema
_ROOTS = {"Query": SCHEMA.query_type, "Mutation": SCHEMA.mutation_type, "Subscription": SCHEMA.subscription_type}
ROOT_FIELDS: dict[str, GraphQLField] = {
    f"{root}.{name}": field for root, type_ in _ROOTS.items() if type_ is not None for name, field in type_.fields.items()
}
"""``Query.customer`` and so on."""

CUS, ADR, DOC, IMP, SES, EXP = (
    f"<{kind.value}>"
    for kind in (
        *(IdKind.CUSTOMER, IdKind.ADDRESS, IdKind.DOCUMENT, IdKind.BULK_IMPORT, IdKind.SESSION),
        IdKind.DATA_EXPORT,
    )
)
ANY = (CUS, ADR, DOC, IMP, SES, EXP)
NOBODY = new_id(IdKind.CUSTOMER)
"""A customer that there is not, for fields that take two: the same one twice would be a mistake of its own."""
UNIQUE = "<unique>"
"""Stands for a text that is new with every call."""

ARGUMENTS: dict[str, tuple[Json, ...]] = {
    "Query.node": tuple({"id": one} for one in ANY),
    "Query.nodes": tuple({"ids": [one]} for one in ANY),
    "Query.viewer": ({},),
    "Query.me": ({},),
    "Query.customer": ({"id": CUS},),
    "Query.customerBy": ({"key": {"id": CUS}},),
    "Query.customerExists": ({"email": f"{UNIQUE}@example.com"},),
    "Query.customers": ({"filter": {"ids": [CUS]}},),
    "Query.mergePreview": ({"into": CUS, "from": NOBODY}, {"into": NOBODY, "from": CUS}),
    "Query.erasureReceipt": ({"customerId": CUS},),
    "Query.customerDataExport": ({"id": EXP},),
    "Query.address": ({"id": ADR},),
    "Query.addresses": ({"filter": {"customerId": CUS}},),
    "Query.document": ({"id": DOC},),
    "Query.documents": ({"filter": {"customerId": CUS}},),
    "Query.bulkImport": ({"id": IMP},),
    "Query.previewBulkImport": ({"id": IMP}, {"id": IMP, "patch": {"delimiter": ";"}}),
    "Query.bulkImports": ({},),
    "Query.sessions": ({},),
    "Query._entities": tuple(
        {"representations": [{"__typename": type_, "id": id_}]}
        for type_, id_ in (("Customer", CUS), ("Address", ADR), ("Document", DOC))
    ),
    "Query._service": ({},),
    "Mutation.createCustomer": ({"input": {"email": f"{UNIQUE}@example.com"}},),
    "Mutation.updateCustomer": (
        {"id": CUS, "patch": {"firstName": "Eve"}},
        {"id": CUS, "patch": {"firstName": "Eve"}, "expectedVersion": 9},
        {"id": CUS, "patch": {"email": "eve@"}},
    ),
    "Mutation.upsertCustomer": ({"key": {"id": CUS}, "input": {"firstName": "Eve"}},),
    "Mutation.deleteCustomer": ({"id": CUS},),
    "Mutation.eraseCustomer": ({"id": CUS},),
    "Mutation.cancelErasure": ({"id": CUS},),
    "Mutation.exportCustomerData": ({"id": CUS},),
    "Mutation.recordConsent": (
        {"customerId": CUS, "input": {"channel": "EMAIL", "purpose": "MARKETING", "textVersion": "2026-01"}},
        {"customerId": CUS, "input": {"channel": "EMAIL", "purpose": "no key"}},
    ),
    "Mutation.withdrawConsent": ({"customerId": CUS, "input": {"channel": "EMAIL", "purpose": "MARKETING"}},),
    "Mutation.setLegalHold": ({"id": CUS, "reason": "Case 7/2026"}, {"id": CUS, "reason": ""}),
    "Mutation.liftLegalHold": ({"id": CUS, "reason": "Settled"},),
    "Mutation.mergeCustomers": ({"into": CUS, "from": NOBODY}, {"into": NOBODY, "from": CUS}),
    "Mutation.unmergeCustomers": ({"id": CUS},),
    "Mutation.createAddress": (
        {"customerId": CUS, "input": BERLIN},
        {"customerId": CUS, "input": {**BERLIN, "line1": ""}},
    ),
    "Mutation.updateAddress": (
        {"id": ADR, "patch": {"label": "Eve"}},
        {"id": ADR, "patch": {"label": "Eve"}, "expectedVersion": 9},
        {"id": ADR, "patch": {"line1": None}},
    ),
    "Mutation.deleteAddress": ({"id": ADR},),
    "Mutation.setDefaultAddress": ({"id": ADR},),
    "Mutation.createDocument": (
        {"customerId": CUS, "input": {"type": "PASSPORT"}},
        {"customerId": CUS, "input": {"type": "PASSPORT", "issuingCountry": "ZZ"}},
    ),
    "Mutation.requestDocumentUpload": ({"id": DOC, "file": announced()}, {"id": DOC, "file": announced(name="")}),
    "Mutation.completeDocumentUpload": ({"id": DOC},),
    "Mutation.reviewDocument": (
        {"id": DOC, "approve": False, "reason": "It cannot be read."},
        {"id": DOC, "approve": True},
        {"id": DOC, "approve": False},
    ),
    "Mutation.deleteDocument": ({"id": DOC},),
    "Mutation.createBulkImport": ({"input": {"fileName": "customers.csv"}},),
    "Mutation.updateBulkImport": ({"id": IMP, "patch": {"dryRun": True}}, {"id": IMP, "patch": {"delimiter": "x"}}),
    "Mutation.startBulkImport": ({"id": IMP},),
    "Mutation.cancelBulkImport": ({"id": IMP},),
    "Mutation.retryBulkImport": ({"id": IMP},),
    "Mutation.requestOtp": ({"sellerId": "seller-of-nobody", "channel": "EMAIL", "destination": f"{UNIQUE}@example.com"},),
    "Mutation.login": ({"challengeId": UNIQUE, "code": "000000"},),
    "Mutation.refreshTokens": ({"refreshToken": UNIQUE},),
    "Mutation.logout": ({},),
    "Mutation.revokeSession": ({"id": SES},),
    "Subscription.bulkImportProgress": ({"id": IMP},),
    "Subscription.bulkImportsProgress": ({},),
    "Subscription.customerEvents": ({"customerId": CUS},),
}
"""Arguments for each field; where it takes ids, one set for each way in which they could matter, the way that works first."""

NO_TENANT = {
    "Mutation.login.challengeId": "names no record of a seller: the id is a secret of whoever asked for the code",
}
"""Arguments of type ID that name nothing of anybody's. A field's own sellerId is none of them: see `seller_argument`."""

NESTED_ARGUMENTS = {"Customer.defaultAddress": "(kind: SHIPPING)"}
"""Required arguments of fields below the root."""

HOW_TO_ADD = "Give it arguments in tests/graphql/catalogue.py (ARGUMENTS)"

_unique = itertools.count()


def id_arguments(name: str) -> set[str]:
    """Return the paths of all arguments of a root field that take ids, but for sellers': ``Query.customers.filter.ids``."""

    def below(type_: GraphQLNamedType, path: str, seen: frozenset[str]) -> Iterator[str]:
        if type_.name == "ID" and not path.endswith(".sellerId"):
            yield path
        if type_.name == "_Any":
            # Objects of a gateway's, with the id of what is wanted.
            yield f"{path}.id"
        if isinstance(type_, GraphQLInputObjectType) and type_.name not in seen:
            for key, field in type_.fields.items():
                yield from below(get_named_type(field.type), f"{path}.{key}", seen | {type_.name})

    found: set[str] = set()
    for key, argument in ROOT_FIELDS[name].args.items():
        found.update(below(get_named_type(argument.type), f"{name}.{key}", frozenset()))
    return found - NO_TENANT.keys()


def ids_given(name: str) -> set[str]:
    """Return the paths at which `ARGUMENTS` has ids for a root field."""

    def below(value: object, path: str) -> Iterator[str]:
        if isinstance(value, dict):
            for key, inner in value.items():
                yield from below(inner, f"{path}.{key}")
        elif isinstance(value, list):
            for inner in value:
                yield from below(inner, path)
        elif value in ANY:
            yield path

    return {path for arguments in ARGUMENTS.get(name, ()) for path in below(arguments, name)}


def seller_argument(name: str) -> bool:
    """Say whether a root field lets a service name the seller it means."""
    return "sellerId" in ROOT_FIELDS[name].args and not is_required_argument(ROOT_FIELDS[name].args["sellerId"])


def filled(arguments: Json, ids: dict[str, str]) -> Json:
    """Return arguments with the ids of *ids* (by prefix: ``cus``) and new texts in the places kept for them."""
    text = json.dumps(arguments)
    for prefix, id_ in ids.items():
        text = text.replace(f'"<{prefix}>"', json.dumps(id_))
    while UNIQUE in text:
        text = text.replace(UNIQUE, f"unique-{next(_unique)}", 1)
    result: Json = json.loads(text)
    return result


def operation(name: str, arguments: Json, selection: str | None = None) -> tuple[str, Json]:
    """Return the document that calls one root field with *arguments*, and its variables."""
    field = ROOT_FIELDS[name]
    root, _, called = name.partition(".")
    given = {key: value for key, value in arguments.items() if key in field.args}
    declared = ", ".join(f"${key}: {field.args[key].type}" for key in given)
    passed = ", ".join(f"{key}: ${key}" for key in given)
    chosen = everything(get_named_type(field.type)) if selection is None else selection
    head = f"{root.lower()}({declared})" if declared else root.lower()
    return f"{head} {{ {called}{f'({passed})' if passed else ''} {chosen} }}", given


def everything(type_: GraphQLNamedType, depth: int = 1) -> str:
    """Return a selection of all plain fields of a type, and of what is *depth* steps below it."""
    if not is_composite_type(type_):
        return ""
    chosen = ["__typename"]
    fields = type_.fields if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType) else {}
    for key, field in fields.items():
        if any(is_required_argument(argument) for argument in field.args.values()):
            continue
        inner = get_named_type(field.type)
        if is_leaf_type(inner):
            chosen.append(key)
        elif depth:
            chosen.append(f"{key} {everything(inner, depth - 1)}")
    return f"{{ {' '.join(chosen)} }}"


Path = tuple[str, ...]
"""Names of fields from a root field on; ``... on Customer`` for a step into one type of an interface."""


def paths_to(wanted: str) -> Iterator[tuple[str, Path]]:
    """Yield every way from a root field to a field ``Type.field`` that meets no type twice: the root field and the steps."""
    owner, _, target = wanted.partition(".")

    def below(type_: GraphQLNamedType, seen: frozenset[str]) -> Iterator[Path]:
        if isinstance(type_, GraphQLAbstractType):
            for inner in SCHEMA.get_possible_types(type_):
                yield from ((f"... on {inner.name}", *path) for path in below(inner, seen))
        if not isinstance(type_, GraphQLObjectType) or type_.name in seen:
            return
        if type_.name == owner:
            yield (target,)
        for key, field in type_.fields.items():
            for path in below(get_named_type(field.type), seen | {type_.name}):
                yield (key, *path)

    for name, field in ROOT_FIELDS.items():
        for path in below(get_named_type(field.type), frozenset()):
            yield name, path


def select(wanted: str, path: Path) -> str:
    """Return the selection that follows *path* to the field *wanted*."""
    owner, _, target = wanted.partition(".")
    owner_type = SCHEMA.type_map[owner]
    assert isinstance(owner_type, GraphQLObjectType)
    leaf = get_named_type(owner_type.fields[target].type)
    # No more than it takes to see that it is there: a field below that is refused would hide it.
    below = "{ __typename }" if is_composite_type(leaf) else ""
    text = f"{{ {target}{NESTED_ARGUMENTS.get(wanted, '')} {below} }}"
    for step in reversed(path[:-1]):
        text = f"{{ {step} {text} }}"
    return text


def found_at(data: Any, path: Path) -> list[Any]:
    """Return what an answer has at the end of *path*, through all lists; null is nothing."""
    if isinstance(data, list):
        return [one for inner in data for one in found_at(inner, path)]
    if data is None:
        return []
    if not path:
        return [data]
    if path[0].startswith("... on "):
        return found_at(data, path[1:])
    return found_at(data.get(path[0]), path[1:]) if isinstance(data, dict) else []
