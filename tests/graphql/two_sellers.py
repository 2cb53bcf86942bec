"""Random operations of two sellers' callers, in which everything a seller has carries a word that only this seller uses."""

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.ids import IdKind, new_id
from tests.api import Json

ID = re.compile(r"\b(?:cus|adr|doc|imp|evt|ses|exp|con)_[0-7][0-9a-hjkmnp-tv-z]{25}\b")
CUSTOMER = """{ id sellerId externalId email firstName lastName company tags attributes { key value } version
  addresses { id label line1 city } documents { id number } }"""
ERRORS = "userErrors { code message field }"
CREATED = f"{{ customer {CUSTOMER} {ERRORS} }}"
CHANGED = f"{{ customer {{ id email firstName company }} {ERRORS} }}"
SHARED_KEYS = 40
"""Idempotency keys that both sellers use, with the same texts."""


@dataclass
class Seller:
    """What one seller has, as far as its own answers told."""

    name: str
    word: str
    operator: str
    customers: list[Json] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    documents: list[str] = field(default_factory=list)
    imports: list[str] = field(default_factory=list)
    cursors: dict[str, list[str]] = field(default_factory=dict)
    by_key: dict[str, set[str]] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Operation:
    """One field of a document. *own* says whether what it asks for is the caller's seller's, as far as it names anything."""

    name: str
    root: str
    text: str
    variables: dict[str, tuple[str, Any]]
    own: bool = True
    key: str | None = None


class Dice:
    """Makes operations for callers of *me*, who also know what the other seller has."""

    def __init__(self, dice: random.Random, me: Seller, other: Seller, number: int, who: str = "operator") -> None:
        self._dice = dice
        self._me = me
        self._other = other
        self._number = number
        self._who = who

    def text(self, more: str = "") -> str:
        """Return a text of this seller."""
        return f"{self._me.word}{more}{self._number}"

    def pick(self, what: Callable[[Seller], Sequence[str]], kind: IdKind) -> tuple[str, bool]:
        """Return an id, and whether it is the caller's seller's: mostly so, else the other seller's, seldom nobody's."""
        throw = self._dice.random()
        for limit, seller, own in ((0.65, self._me, True), (0.93, self._other, False)):
            if throw < limit and what(seller):
                return self._dice.choice(what(seller)), own
        return new_id(kind), False

    def customer(self) -> tuple[str, bool]:
        """Return a customer's id."""
        return self.pick(lambda seller: [one["id"] for one in seller.customers], IdKind.CUSTOMER)

    def draft(self, number: object) -> Json:
        """Return a new customer, every text of which is this seller's."""
        word = self._me.word
        return {
            "email": f"{word}{number}@example.com",
            "externalId": f"{word}-{number}",
            "firstName": f"{word} {number}",
            "lastName": word.capitalize(),
            "company": f"{word} ltd",
            "tags": [f"{word}-vip"],
            "attributes": [{"key": f"{word}key", "value": f"{word} value"}],
            "addresses": [self.address()],
            "documents": [{"type": "PASSPORT", "number": f"{word}{number}".upper()}],
        }

    def address(self) -> Json:
        """Return a new address."""
        return {
            "kind": self._dice.choice(["SHIPPING", "BILLING"]),
            "label": self.text("label"),
            "line1": f"{self._me.word} street {self._number}",
            "city": self._me.word.capitalize(),
            "postalCode": "10119",
            "countryCode": "DE",
        }

    def file(self) -> Json:
        """Return the announcement of a file."""
        return {"name": f"{self._me.word}.pdf", "contentType": "application/pdf", "size": 100}

    # ------------------------------------------------------------------------- reading

    def read(self) -> Operation:
        """Return a look-up by id."""
        name, kind, what, shape = self._dice.choice(
            [
                ("customer", IdKind.CUSTOMER, lambda one: [each["id"] for each in one.customers], CUSTOMER),
                ("address", IdKind.ADDRESS, lambda one: one.addresses, "{ id label customer { id email tags } }"),
                ("document", IdKind.DOCUMENT, lambda one: one.documents, f"{{ id number customer {CUSTOMER} }}"),
                (
                    "bulkImport",
                    IdKind.BULK_IMPORT,
                    lambda one: one.imports,
                    "{ id fileName requestedBy errors { nodes { message } } }",
                ),
            ]
        )
        id_, own = self.pick(what, kind)
        if self._dice.random() < 0.3:
            type_ = name[0].upper() + name[1:]
            return Operation("node", "query", f"node(id: $id) {{ id ... on {type_} {shape} }}", {"id": ("ID!", id_)}, own)
        return Operation(name, "query", f"{name}(id: $id) {shape}", {"id": ("ID!", id_)}, own)

    def nodes(self) -> Operation:
        """Return a look-up of many ids of both sellers at once."""
        ids = [self.customer()[0] for _ in range(3)]
        return Operation("nodes", "query", f"nodes(ids: $ids) {{ id ... on Customer {CUSTOMER} }}", {"ids": ("[ID!]!", ids)})

    def entities(self) -> Operation:
        """Return what a gateway asks for: things of both sellers at once."""
        wanted = [
            {"__typename": type_, "id": id_}
            for type_, (id_, _) in (
                ("Customer", self.customer()),
                ("Address", self.pick(lambda one: one.addresses, IdKind.ADDRESS)),
                ("Document", self.pick(lambda one: one.documents, IdKind.DOCUMENT)),
            )
        ]
        text = f"""_entities(representations: $wanted) {{ ... on Customer {CUSTOMER}
          ... on Address {{ id label customer {{ id tags }} }} ... on Document {{ id number customer {{ id email }} }} }}"""
        return Operation("_entities", "query", text, {"wanted": ("[_Any!]!", wanted)})

    def history(self) -> Operation:
        """Return a look at what happened to a customer."""
        id_, own = self.customer()
        text = "customer(id: $id) { id history(first: 5) { nodes { id actor changed } pageInfo { endCursor } } }"
        return Operation("history", "query", text, {"id": ("ID!", id_)}, own)

    def by(self) -> Operation:
        """Return a look-up by an identifier of its own."""
        own = self._dice.random() < 0.7 and bool(self._me.customers)
        pool = self._me.customers if own else self._other.customers
        if not pool:
            return self.read()
        one = self._dice.choice(pool)
        number = str(one["externalId"]).replace("-", "").upper()
        key = self._dice.choice([{"email": one["email"]}, {"externalId": one["externalId"]}, {"documentNumber": number}])
        if self._dice.random() < 0.5:
            return Operation("customerBy", "query", f"customerBy(key: $key) {CUSTOMER}", {"key": ("CustomerKey!", key)}, own)
        ((name, value),) = key.items()
        text = f"customerExists({name}: $value) {{ customerId matchedBy }}"
        return Operation("customerExists", "query", text, {"value": ("String", value)}, own)

    def page(self) -> Operation:
        """Return a list, perhaps from a cursor on, which may be the other seller's."""
        name, shape = self._dice.choice(
            [
                ("customers", "{ id email tags addresses { id label } }"),
                ("addresses", "{ id label }"),
                ("documents", "{ id number }"),
                ("bulkImports", "{ id fileName }"),
            ]
        )
        variables: dict[str, tuple[str, Any]] = {"first": ("Int", self._dice.randint(1, 5))}
        given = ["first: $first"]
        cursors = self._dice.choice([self._me, self._other]).cursors.get(name)
        if cursors and self._dice.random() < 0.5:
            variables["after"] = ("String", self._dice.choice(cursors))
            given.append("after: $after")
        if name in {"addresses", "documents"} and self._dice.random() < 0.5:
            variables["of"] = ("ID", self.customer()[0])
            given.append("filter: { customerId: $of }")
        if name == "customers" and self._dice.random() < 0.6:
            word = self._dice.choice([self._me, self._other]).word
            chosen: Json = self._dice.choice(
                [{"search": word}, {"tags": [f"{word}-vip"]}, {"ids": [self.customer()[0] for _ in range(3)]}]
            )
            variables["filter"] = ("CustomerFilter", chosen)
            given.append("filter: $filter")
        total = "totalCount " if name == "customers" else ""
        text = f"{name}({', '.join(given)}) {{ {total}nodes {shape} pageInfo {{ endCursor hasNextPage }} }}"
        return Operation(name, "query", text, variables)

    def mistake(self) -> Operation:
        """Return what cannot be answered."""
        return self._dice.choice(
            [
                Operation("mistake", "query", "customers(first: 1000) { totalCount }", {}),
                Operation("mistake", "query", "customers(after: $x) { totalCount }", {"x": ("String", self.text("cursor"))}),
                Operation("mistake", "query", "addresses(sellerId: $x) { nodes { id } }", {"x": ("ID", self._other.name)}),
                Operation("mistake", "query", "customer(id: $x) { id }", {"x": ("ID!", self.text("' OR 1=1 "))}, own=False),
                Operation(
                    "mistake",
                    "mutation",
                    f"deleteDocument(id: $x) {{ deletedId {ERRORS} }}",
                    {"x": ("ID!", self.text())},
                    own=False,
                ),
            ]
        )

    # ------------------------------------------------------------------------ changing

    def create(self) -> Operation:
        """Return a new customer, at times under a key that the other seller uses too, at times with a mistake."""
        throw = self._dice.random()
        key = None
        if throw < 0.4:
            number = self._dice.randrange(SHARED_KEYS)
            key = f"key-{number}"  # a key belongs to one caller of one seller, so each kind of caller has drafts of its own
            draft = {**self.draft(f"{self._who}{number}"), "addresses": [], "documents": []}
        else:
            draft = self.draft(f"n{self._number}")
            if throw > 0.9:
                draft["email"] = f"{self._me.word}@"
        variables = {"input": ("CustomerInput!", draft), "key": ("String", key)}
        text = f"createCustomer(input: $input, idempotencyKey: $key) {CREATED}"
        return Operation("createCustomer", "mutation", text, variables, key=key)

    def update(self) -> Operation:
        """Return a change of a customer."""
        id_, own = self.customer()
        patch = self._dice.choice(
            [{"firstName": self.text("first")}, {"company": self.text("co")}, {"email": f"{self._me.word} no address"}]
        )
        variables = {"id": ("ID!", id_), "patch": ("CustomerPatch!", patch)}
        return Operation("updateCustomer", "mutation", f"updateCustomer(id: $id, patch: $patch) {CHANGED}", variables, own)

    def upsert(self) -> Operation:
        """Return a change of a customer that is found by the seller's own reference."""
        number = f"u{self._dice.randrange(20)}"
        key = {"externalId": f"{self._me.word}-{number}"}
        draft = {"email": f"{self._me.word}{number}@example.com", "firstName": self.text("up")}
        variables = {"key": ("CustomerKey!", key), "input": ("CustomerInput!", draft)}
        return Operation("upsertCustomer", "mutation", f"upsertCustomer(key: $key, input: $input) {CHANGED}", variables)

    def below(self) -> Operation:
        """Return a change of an address, a document or an import."""
        customer, mine = self.customer()
        address, my_address = self.pick(lambda one: one.addresses, IdKind.ADDRESS)
        document, my_document = self.pick(lambda one: one.documents, IdKind.DOCUMENT)
        job, my_job = self.pick(lambda one: one.imports, IdKind.BULK_IMPORT)
        who, where = ("ID!", customer), ("AddressFields!", self.address())
        return self._dice.choice(
            [
                Operation(
                    "createAddress",
                    "mutation",
                    f"createAddress(customerId: $id, input: $input) {{ address {{ id label customer {CUSTOMER} }} {ERRORS} }}",
                    {"id": who, "input": where},
                    mine,
                ),
                Operation(
                    "updateAddress",
                    "mutation",
                    f"updateAddress(id: $id, patch: $patch) {{ address {{ id label }} {ERRORS} }}",
                    {"id": ("ID!", address), "patch": ("AddressPatch!", {"label": self.text("at")})},
                    my_address,
                ),
                Operation(
                    "deleteAddress",
                    "mutation",
                    f"deleteAddress(id: $id) {{ deletedId {ERRORS} }}",
                    {"id": ("ID!", address)},
                    my_address,
                ),
                Operation(
                    "createDocument",
                    "mutation",
                    f"createDocument(customerId: $id, input: $input) {{ document {{ id number }} {ERRORS} }}",
                    {"id": who, "input": ("DocumentFields!", {"type": "PASSPORT", "number": self.text("d").upper()})},
                    mine,
                ),
                Operation(
                    "requestDocumentUpload",
                    "mutation",
                    f"requestDocumentUpload(id: $id, file: $file) {{ document {{ id }} {ERRORS} }}",
                    {"id": ("ID!", document), "file": ("FileFields!", self.file())},
                    my_document,
                ),
                Operation(
                    "createBulkImport",
                    "mutation",
                    f"createBulkImport(input: $input) {{ bulkImport {{ id fileName }} {ERRORS} }}",
                    {"input": ("BulkImportInput!", {"fileName": f"{self.text()}.csv"})},
                ),
                Operation(
                    "cancelBulkImport",
                    "mutation",
                    f"cancelBulkImport(id: $id) {{ bulkImport {{ id }} {ERRORS} }}",
                    {"id": ("ID!", job)},
                    my_job,
                ),
            ]
        )

    def delete(self) -> Operation:
        """Return what makes a customer go: its deletion, its erasure, or a merge, perhaps with one of the other seller's.

        Or what belongs to a merge: a look at what it would do, and its undoing.
        """
        id_, own = self.customer()
        name = self._dice.choice(["deleteCustomer", "eraseCustomer", "mergeCustomers", "mergePreview", "unmergeCustomers"])
        if name == "mergePreview":
            into, _ = self.customer()
            text = "mergePreview(into: $into, from: $from) { into { id tags } from { id tags } tags blocks { code message } }"
            return Operation(name, "query", text, {"into": ("ID!", into), "from": ("ID!", id_)})
        if name == "unmergeCustomers":
            return Operation(name, "mutation", f"{name}(id: $id) {CHANGED}", {"id": ("ID!", id_)}, own)
        if name == "mergeCustomers":
            into, mine = self.customer()
            text = f"mergeCustomers(into: $into, from: $from) {CHANGED}"
            return Operation(name, "mutation", text, {"into": ("ID!", into), "from": ("ID!", id_)}, own and mine)
        return Operation(name, "mutation", f"{name}(id: $id) {{ deletedId {ERRORS} }}", {"id": ("ID!", id_)}, own)


def document_of(operations: Sequence[Operation], seller_id: str | None = None) -> tuple[str, Json]:
    """Join operations into one document, each under an alias of its own; a service names *seller_id* where it has to."""
    declared, variables, fields = [], {}, []
    for number, one in enumerate(operations):
        text = one.text
        for name, (type_, value) in one.variables.items():
            text = re.sub(rf"\${name}\b", f"$v{number}_{name}", text)
            declared.append(f"$v{number}_{name}: {type_}")
            variables[f"v{number}_{name}"] = value
        if seller_id is not None and one.name in SPANNING:
            text = re.sub(r"^(\w+)\((?!sellerId)", r"\1(sellerId: $seller, ", text)
        fields.append(f"a{number}: {text}")
    if any("$seller" in one for one in fields):
        declared.append("$seller: ID")
        variables["seller"] = seller_id
    head = operations[0].root + (f"({', '.join(declared)})" if declared else "")
    return f"{head} {{ {' '.join(fields)} }}", variables


SPANNING = {
    "customerBy", "customerExists", "customers", "addresses", "documents", "bulkImports", "createCustomer", "upsertCustomer",
    "createBulkImport",
}  # fmt: skip
