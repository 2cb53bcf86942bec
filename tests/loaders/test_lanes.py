"""Lanes: what several operations ask for at one moment is asked once, and none of them notices the others."""

import asyncio
import contextvars
from collections.abc import Collection, Mapping

import pytest

from core.ids import IdKind, new_id
from core.tenancy import EverySeller, Tenant
from loaders.batch import MAX_BATCH, MAX_UNDER_WAY, Lane, Loader
from loaders.registry import Lanes, Loaders
from tests.api import Api, Commands, Tokens
from tests.graphql.operations import BERLIN, READ, UPDATE, create


class Database:
    """Answers every key with itself in capitals, when it is told to, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.ended: list[list[str]] = []
        self.answering = asyncio.Event()
        self.values: dict[str, str] = {}

    async def fetch(self, keys: Collection[str]) -> Mapping[str, str]:
        self.asked.append(list(keys))
        found = {key: self.values.get(key, key.upper()) for key in keys}
        try:
            await self.answering.wait()
        finally:
            self.ended.append(list(keys))
        if "bad" in keys:
            raise ValueError("bad")
        return found


async def turns(number: int = 3) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


async def test_operations_of_one_turn_share_a_query_and_each_gets_its_own() -> None:
    database = Database()
    database.answering.set()
    lane = Lane(database.fetch)

    found = await asyncio.gather(Loader(lane).load("a"), Loader(lane).load_many(["b", "a", "b"]), Loader(lane).load("c"))

    assert [["a", "b", "c"]] == database.asked
    assert ("A", ["B", "A", "B"], "C") == tuple(found)


async def test_a_load_that_finds_nobody_goes_out_in_the_next_turn() -> None:
    database = Database()
    waiting = asyncio.ensure_future(Loader(Lane(database.fetch)).load("a"))

    await turns(2)

    assert [["a"]] == database.asked
    database.answering.set()
    assert "A" == await waiting


async def test_what_is_known_from_elsewhere_is_not_asked_for_and_replaces_nothing() -> None:
    database = Database()
    database.answering.set()
    loader = Loader(Lane(database.fetch))
    earlier = await loader.load("a")

    loader.know({"a": "another", "b": "B from elsewhere"})

    assert ["A", "B from elsewhere", "C"] == await loader.load_many(["a", "b", "c"])
    assert "A" == earlier
    assert [["a"], ["c"]] == database.asked


async def test_two_queries_are_under_way_at_most_and_whoever_comes_later_joins_the_next() -> None:
    database = Database()
    lane = Lane(database.fetch)
    waiting = []
    for key in "abcde":
        waiting.append(asyncio.ensure_future(Loader(lane).load(key)))
        await turns()

    assert [["a"], ["b"]] == database.asked
    assert MAX_UNDER_WAY == len(database.asked)

    database.answering.set()
    assert list("ABCDE") == await asyncio.gather(*waiting)
    assert [["a"], ["b"], ["c", "d", "e"]] == database.asked


async def test_a_query_has_no_more_keys_than_it_may() -> None:
    database = Database()
    database.answering.set()
    lane = Lane(database.fetch)
    keys = [str(number) for number in range(MAX_BATCH - 1)]

    await asyncio.gather(Loader(lane).load_many(keys), Loader(lane).load_many(["x", "y"]), Loader(lane).load("z"))

    assert [MAX_BATCH - 1, 3] == [len(asked) for asked in database.asked]


async def test_whoever_asks_later_reads_what_is_true_later() -> None:
    """
    A query that has begun may have read already: the second operation must not be answered by it.
    """
    database = Database()
    lane = Lane(database.fetch)
    database.values["a"] = "before"
    first = asyncio.ensure_future(Loader(lane).load("a"))
    await turns()

    database.values["a"] = "after"
    second = asyncio.ensure_future(Loader(lane).load("a"))
    await turns()
    database.answering.set()

    assert ["before", "after"] == [await first, await second]


async def test_an_operation_keeps_what_it_loaded_and_nobody_else_does() -> None:
    database = Database()
    database.answering.set()
    lane = Lane(database.fetch)
    loader = Loader(lane)
    database.values["a"] = "before"
    assert "before" == await loader.load("a")

    database.values["a"] = "after"

    assert ["before", "after"] == [await loader.load("a"), await Loader(lane).load("a")]
    assert [["a"], ["a"]] == database.asked


async def test_one_operation_that_is_cancelled_leaves_the_query_to_the_others() -> None:
    database = Database()
    lane = Lane(database.fetch)
    gone, stays = (asyncio.ensure_future(Loader(lane).load(key)) for key in "ab")
    await turns()

    gone.cancel()
    await turns()
    database.answering.set()

    assert "B" == await stays
    assert gone.cancelled()
    assert [["a", "b"]] == database.asked == database.ended


async def test_a_query_that_nobody_waits_for_any_more_ends_and_makes_room() -> None:
    database = Database()
    lane = Lane(database.fetch)
    gone = [asyncio.ensure_future(Loader(lane).load("a")), asyncio.ensure_future(Loader(lane).load("b"))]
    await turns()

    for one in gone:
        one.cancel()
    await turns(5)
    assert [["a", "b"]] == database.ended

    database.answering.set()
    assert "C" == await Loader(lane).load("c")


async def test_keys_of_an_operation_that_has_gone_are_not_asked_for() -> None:
    database = Database()
    lane = Lane(database.fetch)
    gone, stays = (asyncio.ensure_future(Loader(lane).load(key)) for key in "ab")
    gone.cancel()
    await turns()
    database.answering.set()

    assert "B" == await stays
    assert [["b"]] == database.asked


async def test_what_goes_wrong_reaches_everybody_of_the_query_and_nobody_of_the_next() -> None:
    database = Database()
    database.answering.set()
    lane = Lane(database.fetch)

    found = await asyncio.gather(Loader(lane).load("a"), Loader(lane).load("bad"), return_exceptions=True)

    assert [ValueError, ValueError] == [type(one) for one in found]
    assert "A" == await Loader(lane).load("a")


async def test_a_query_runs_in_nobodys_context() -> None:
    whose = contextvars.ContextVar("whose", default="nobody's")
    seen = []

    async def fetch(keys: Collection[str]) -> Mapping[str, str]:
        seen.append(whose.get())
        return dict.fromkeys(keys, "x")

    whose.set("the first one's")
    await Loader(Lane(fetch)).load("a")

    assert ["nobody's"] == seen


async def test_what_cannot_be_a_key_is_nobodys_without_asking() -> None:
    database = Database()
    lane = Lane(database.fetch)
    loader = Loader(lane, possible=str.isalpha)

    assert [None, None] == await loader.load_many(["\ud800", "1"])
    assert await loader.load("1") is None
    assert [] == database.asked


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        (Tenant("acme"), Tenant("acme"), True),
        (Tenant("acme"), Tenant("other"), False),
        (Tenant("acme"), Tenant("acme", "cus_1"), False),
        (Tenant("acme", "cus_1"), Tenant("acme", "cus_2"), False),
        (Tenant("acme"), EverySeller("service:oms"), False),
        (EverySeller("service:oms"), EverySeller("service:wms"), False),
    ],
    ids=["one seller", "two sellers", "a seller and its customer", "two customers", "seller and service", "two services"],
)
def test_only_one_tenant_is_in_a_lane(one: Tenant | EverySeller, other: Tenant | EverySeller, shared: bool) -> None:
    lanes, database = Lanes(), Database()
    first, second = (lanes.of("customers", tenant, lambda: database.fetch) for tenant in (one, other))

    assert shared is (first is second)
    assert first is not lanes.of("addresses", one, lambda: database.fetch)


def test_a_lane_that_nobody_uses_is_forgotten() -> None:
    lanes, database = Lanes(), Database()
    lane = lanes.of("customers", Tenant("acme"), lambda: database.fetch)
    assert 1 == len(lanes._lanes)

    del lane

    assert 0 == len(lanes._lanes)


async def test_requests_of_one_moment_cost_fewer_finds_than_requests(execute: Api, commands: Commands) -> None:
    customers = [await create(execute, addresses=[BERLIN], documents=[{"type": "PASSPORT"}]) for _ in range(8)]
    commands.forget()

    found = await asyncio.gather(*(execute.data(READ, {"id": one["id"]}) for one in customers))

    assert [one["id"] for one in customers] == [one["customer"]["id"] for one in found]
    assert [[one["addresses"][0]["id"]] for one in customers] == [
        [a["id"] for a in one["customer"]["addresses"]] for one in found
    ]
    reads = commands.of_requests("find", "aggregate")
    assert {"customers"} == set(reads)
    assert len(reads) < len(customers)


async def test_two_sellers_who_ask_at_one_moment_for_one_id_get_what_is_theirs(execute: Api, tokens: Tokens) -> None:
    mine = await create(execute, addresses=[BERLIN])
    stranger = tokens.operator("seller-stranger")

    found = await asyncio.gather(*(execute.data(READ, {"id": mine["id"]}, as_=token) for token in ("", stranger) * 8))

    assert [mine["id"], None] * 8 == [one["customer"] and one["customer"]["id"] for one in found]


async def test_a_made_up_id_spoils_nobodys_query(execute: Api) -> None:
    mine = await create(execute)
    ids = [mine["id"], "\x00", "x" * 50_000, new_id(IdKind.ADDRESS), mine["id"]]
    query = "query($id: ID!) { customer(id: $id) { id } }"

    found = await asyncio.gather(*(execute(query, {"id": one}) for one in ids))

    assert mine["id"] == found[0]["data"]["customer"]["id"] == found[4]["data"]["customer"]["id"]
    assert [None] * 2 == [one["data"]["customer"] for one in found[2:4]]


async def test_who_writes_reads_what_he_wrote_while_others_read_all_the_time(execute: Api) -> None:
    mine = await create(execute)

    async def others() -> None:
        while True:
            await execute.data(READ, {"id": mine["id"]})

    reading = [asyncio.ensure_future(others()) for _ in range(4)]
    try:
        for number in range(10):
            await execute.data(UPDATE, {"id": mine["id"], "patch": {"firstName": f"Ada {number}"}})
            assert f"Ada {number}" == (await execute.data(READ, {"id": mine["id"]}))["customer"]["firstName"]
    finally:
        for one in reading:
            one.cancel()
        await asyncio.gather(*reading, return_exceptions=True)


async def test_the_loaders_of_one_operation_are_made_when_they_are_needed() -> None:
    lanes = Lanes()
    loaders = Loaders(Tenant("acme"), lanes)

    assert 0 == len(lanes._lanes)
    assert loaders.customer_by_id is loaders.customer_by_id
    assert 1 == len(lanes._lanes)
