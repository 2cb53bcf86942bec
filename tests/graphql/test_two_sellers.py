"""Ten thousand random operations of two sellers, interleaved: nothing of one reaches the other, anywhere."""

import asyncio
import json
import logging
import os
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from prometheus_client import generate_latest

from app.container import Container
from core.clock import SystemClock
from events.customer import CustomerEvent, EventTopics
from infra.kafka import Received, consume, open_producer
from models.customer_event import CustomerEvent as StoredEvent
from repositories.customer_event import MongoOutbox, read_event
from tests.api import Api, Json, Tokens, fresh
from tests.graphql.two_sellers import CREATED, ID, Dice, Operation, Seller, document_of
from workers.relay import Relay

OPERATIONS = int(os.environ.get("TWO_SELLERS_OPERATIONS", "10000"))
SEED = int(os.environ.get("TWO_SELLERS_SEED", "20261122"))
AT_ONCE = 25
LONGEST_DOCUMENT = 8
BY_ID = frozenset({"node", "nodes", "_entities", "customer", "address", "document", "bulkImport", "history", "mergePreview"})


class Lines(logging.Handler):
    """Keeps every line of the log, as it is written."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.setFormatter(logging.Formatter())
        self.written: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.name != "httpx":  # the tests' own client, which says every URL
            self.written.append(self.format(record))


@pytest.fixture(name="lines")
def _lines() -> Iterator[list[str]]:
    root, handler = logging.getLogger(), Lines()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield handler.written
    root.setLevel(level)
    root.removeHandler(handler)


class Run:
    """One run: callers of two sellers send documents, and every answer is looked at as it comes."""

    def __init__(self, execute: Api, tokens: Tokens) -> None:
        self.execute = execute
        self.tokens = tokens
        self.dice = random.Random(SEED)
        self.sellers = [self._seller("zqxalpha"), self._seller("zqxbravo")]
        self.count = 0
        self.sent = 0
        self.leaks: list[str] = []
        self.outcomes: Counter[tuple[str, str]] = Counter()

    def _seller(self, word: str) -> Seller:
        name = fresh("seller")
        return Seller(name, word, self.tokens.operator(name))

    async def seed(self) -> None:
        """Give each seller something to begin with, and misfile an address and a document of each with the other."""
        for me, other in (self.sellers, self.sellers[::-1]):
            for number in range(20):
                dice = Dice(self.dice, me, other, number)
                given = {"input": ("CustomerInput!", dice.draft(f"s{number}"))}
                created = Operation("createCustomer", "mutation", f"createCustomer(input: $input) {CREATED}", given)
                await self.send(me, "operator", me.operator, [created])
            await self.send(me, "operator", me.operator, [Dice(self.dice, me, other, 9000 + n).below() for n in range(8)])
            assert 20 == len(me.customers)

    async def step(self) -> None:
        """Send one document of a random caller: several operations of one shape, so that documents repeat as clients' do."""
        me, other = self.sellers if self.dice.random() < 0.5 else self.sellers[::-1]
        who = self.dice.choices(["operator", "customer", "service"], [65, 20, 15])[0]
        shape = self.dice.choices(["mistake", "read", "change"], [5, 65, 30])[0]
        names = {
            "mistake": ["mistake"],
            "read": self.dice.choices(["read", "by", "page", "nodes", "entities", "history"], [32, 20, 25, 8, 7, 8]),
            "change": self.dice.choices(["create", "update", "upsert", "below", "delete"], [20, 20, 10, 48, 2]),
        }[shape]
        if who == "customer" and names[0] in {"create", "upsert", "delete"}:
            names = ["update"]
        if who == "service" and shape == "mistake":
            # Naming the other seller is none for it.
            who = "operator"
        # Errors of a whole field take all the answer with them, and one deletion is enough.
        size = 1 if names[0] in {"mistake", "delete"} else LONGEST_DOCUMENT
        made: list[Operation] = []
        for number in range(4 * size):
            one: Operation = getattr(Dice(self.dice, me, other, self.count + number, who), names[0])()
            # A service would succeed, and one seller's words would rightly stand in the other's records.
            allowed = one.own or one.root == "query" or who != "service"
            if allowed and len(made) < size and (not made or one.text == made[0].text):
                made.append(one)
        self.count += 4 * size
        self.sent += len(made)
        if made:
            await self.send(me, who, self._token(who, me), made)

    def _token(self, who: str, me: Seller) -> str:
        if who == "customer":
            return self.tokens.customer(self.dice.choice(me.customers)["id"], me.name)
        return me.operator if who == "operator" else self.tokens.service()

    async def send(self, me: Seller, who: str, token: str, operations: Sequence[Operation]) -> None:
        """Send a document and look at its answer."""
        query, variables = document_of(operations, me.name if who == "service" else None)
        answer = await self.execute(query, variables, as_=token)
        for number, one in enumerate(operations):
            value = (answer.get("data") or {}).get(f"a{number}")
            self._judge(me, who, one, value, query)
        for error in answer.get("errors") or ():
            code = error["extensions"]["code"]
            self.outcomes[who, code] += 1
            if code == "INTERNAL":
                self.leaks.append(f"an internal error: {query}")
            self._scan(me, who, json.dumps(error), query)

    def _judge(self, me: Seller, who: str, one: Operation, value: Any, query: str) -> None:
        text = json.dumps(value, ensure_ascii=False)
        if who == "service" and one.name in BY_ID:
            # It sees both; but each thing is one seller's, with all that hangs from it.
            for each in value if isinstance(value, list) else [value]:
                words = whose(self, json.dumps(each))
                self.outcomes[who, "found" if words else "nothing"] += 1
                if len(words) > 1:
                    self.leaks.append(f"a service saw both sellers in one thing: {each}")
            return
        refused = value in (None, []) or (isinstance(value, dict) and bool(value.get("userErrors")))
        self.outcomes[who, "nothing" if refused else "found"] += 1
        if not one.own:
            self.outcomes[who, "foreign"] += 1
            if not refused:
                self.leaks.append(f"{who} of {me.word} got somebody else's {one.name}: {text}")
        self._scan(me, who, text, query)
        if one.key is not None and value is not None:
            self._expect_replay(me, f"{who} {one.key}", value)
        if who == "operator" and isinstance(value, dict):
            self._remember(me, one, value)

    def _expect_replay(self, me: Seller, key: str, value: Json) -> None:
        """A key that this seller used is replayed; were it another seller's, the answer would be a refusal."""
        if value["customer"] is not None:
            me.by_key.setdefault(key, set()).add(value["customer"]["id"])
        elif {error["code"] for error in value["userErrors"]} - {"NOT_FOUND", "MERGED"}:
            self.leaks.append(f"a key that {me.word} used itself was refused: {value}")

    def _scan(self, me: Seller, who: str, text: str, query: str) -> None:
        (other,) = (seller for seller in self.sellers if seller is not me)
        if other.word in text.lower() or other.name in text:
            self.leaks.append(f"{who} of {me.word} saw {other.word}: {text[:500]} <- {query}")
        me.seen.update(ID.findall(text))

    def _remember(self, me: Seller, one: Operation, value: Json) -> None:
        if value.get("pageInfo", {}).get("endCursor"):
            me.cursors.setdefault(one.name, []).append(value["pageInfo"]["endCursor"])
        customer = value.get("customer")
        if one.name == "createCustomer" and customer is not None and one.key is None:
            me.customers.append(customer)
            me.addresses += [each["id"] for each in customer["addresses"]]
            me.documents += [each["id"] for each in customer["documents"]]
        for name, ids in (("address", me.addresses), ("document", me.documents), ("bulkImport", me.imports)):
            if one.name.startswith("create") and value.get(name):
                ids.append(value[name]["id"])
        gone = value.get("deletedId")
        if one.name == "mergeCustomers" and customer is not None:
            gone = one.variables["from"][1]
        if gone is not None and len(me.customers) > 5:
            me.customers[:] = [each for each in me.customers if each["id"] != gone]


async def misfile(container: Container, run: Run) -> None:
    """Store addresses and documents of each seller that name the other seller's customers, as a bug could have done it."""
    database = container.mongo.database
    for me, other in (run.sellers, run.sellers[::-1]):
        for place in ("addresses", "documents"):
            for number, theirs in enumerate(await database[place].find({"seller_id": other.name}).to_list(10)):
                stray = {**theirs, "_id": f"{theirs['_id'][:-3]}{number:03}", "customer_id": me.customers[number]["id"]}
                await database[place].insert_one({**stray, "is_default": False})


class OutboxOfTwo(MongoOutbox):
    """The outbox, as far as it holds events of two sellers; those of other tests stay where they are."""

    def __init__(self, sellers: Sequence[Seller]) -> None:
        super().__init__(SystemClock(), holder=fresh("relay"))
        self._sellers = [seller.name for seller in sellers]

    async def pending(self, limit: int) -> Sequence[CustomerEvent]:
        query = {"pending": True, "seller_id": {"$in": self._sellers}}
        found = StoredEvent.get_pymongo_collection().find(query).sort([("occurred_at", 1), ("_id", 1)]).limit(limit)
        return [read_event(StoredEvent.model_validate(one)) for one in await found.to_list()]

    def still_ours(self) -> bool:
        return True


async def published(container: Container, sellers: Sequence[Seller], expected: int) -> list[Received]:
    """Let a real relay publish the sellers' events to a real broker; return what a consumer gets."""
    topics = EventTopics(created=fresh("created"), updated=fresh("updated"), deleted=fresh("deleted"))
    brokers = container.settings.kafka.brokers
    async with open_producer(brokers, client_id="two-sellers") as producer:
        relay = Relay(OutboxOfTwo(sellers), producer, topics)
        while await relay.step():
            pass
        async with (
            asyncio.timeout(60),
            consume(brokers, [topics.created, topics.updated, topics.deleted], from_beginning=True) as records,
        ):
            return [await anext(records) for _ in range(expected)]


def whose(run: Run, text: str) -> list[str]:
    """Return the sellers of whom a text tells: their names, their words, their ids."""
    words = text.lower()
    ids = set(ID.findall(text))
    return [one.word for one in run.sellers if one.word in words or one.name in text or ids & one.seen]


@pytest.mark.timeout(300)
async def test_two_sellers_never_meet(execute: Api, tokens: Tokens, container: Container, lines: list[str]) -> None:
    """
    Not in answers, errors, cursors, idempotency records, the log, metrics, or on Kafka.
    """
    run = Run(execute, tokens)
    await run.seed()
    await misfile(container, run)

    async def caller() -> None:
        while run.sent < OPERATIONS:
            await run.step()

    await asyncio.gather(*(caller() for _ in range(AT_ONCE)))

    alpha, bravo = run.sellers
    assert [] == run.leaks[:1]
    assert set() == alpha.seen & bravo.seen
    # Both used the same keys, and each got its own customer, always the same one.
    assert {1} == {len(ids) for seller in run.sellers for ids in seller.by_key.values()}
    assert min(len(alpha.by_key), len(bravo.by_key)) > OPERATIONS / 1000
    # It has proved something: every caller found much, and asked much for what is not its own.
    for who, least in (("operator", 20), ("customer", 100), ("service", 50)):
        assert OPERATIONS / least < run.outcomes[who, "found"], run.outcomes
    assert OPERATIONS / 20 < run.outcomes["operator", "foreign"], run.outcomes
    assert {"BAD_USER_INPUT", "FORBIDDEN"} <= {code for _, code in run.outcomes}

    await look_at_what_is_stored(container, run)
    # No line tells of two sellers; and no line, whoever's, tells what a seller has.
    assert [] == [line for line in lines if any(seller.word in line.lower() for seller in run.sellers)]
    assert [] == [line for line in lines if len(whose(run, line)) > 1]
    assert len(lines) > OPERATIONS / 100
    assert [] == whose(run, generate_latest().decode())


async def look_at_what_is_stored(container: Container, run: Run) -> None:
    """Look at idempotency records and at events: in the database, and as Kafka's consumers get them."""
    database = container.mongo.database
    events = 0
    for me in run.sellers:
        for place in ("idempotency_records", "customer_events", "bulk_imports", "customers"):
            found = await database[place].find({"seller_id": me.name}).to_list()
            assert [] != found
            assert [] == [one for one in found if [me.word] != whose(run, str(one))], place
            events += len(found) if place == "customer_events" else 0
    records = await published(container, run.sellers, events)
    for record in records:
        headers = {name: value.decode() for name, value in record.headers}
        (me,) = (seller for seller in run.sellers if seller.name == headers["seller_id"])
        assert [me.word] == whose(run, f"{record.key!r} {record.value!r} {headers}")
    assert events == len({value for record in records for name, value in record.headers if name == "ce_id"})
