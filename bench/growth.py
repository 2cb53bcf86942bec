"""Whether a list of a million customers is as quick as one of ten thousand: every sort, filter, search and count.

``python -m bench.growth`` stores 1.2 million customers, a million of them of one seller, and asks the service for both
sellers' lists in turn. A ratio is p50 at a million divided by p50 at ten thousand, by one caller. What MongoDB planned is
read from its profiler, query by query, after the clock is off. ``--large 100000`` makes it smaller. Counts are asked for up to
a thousand, which must not grow, and exactly, which reads a key for each customer that is counted and is shown for that.
"""

import argparse
import http.client
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from pymongo import MongoClient
from rich.console import Console
from rich.table import Table

from bench import records
from bench.machine import describe, megabytes
from bench.records import People, id_of, store
from bench.stage import SELLER, Database, Service, database, service
from core.clock import rfc3339
from core.filters import CustomerSort
from core.paging import Position, SortValue, encode_cursor
from embedded.environment import Places
from embedded.identities import ensure_master_key
from embedded.ports import LOOPBACK

SMALL_SELLER = "bench-small"
TARGET = 1.5
_CALLS = 15
_PATIENCE = 2.0
"""Seconds that one call may take before its case is not repeated: it has failed, and there are many to come."""

_PAGE = """query Page($filter: CustomerFilter, $sort: CustomerSort, $first: Int, $after: String, $last: Int) {
  customers(filter: $filter, sort: $sort, first: $first, after: $after, last: $last) {
    nodes { id fullName email status } pageInfo { hasNextPage endCursor } } }"""
_COUNT = """query Count($filter: CustomerFilter, $atMost: Int) {
  customers(filter: $filter, first: 1) { totalCount(atMost: $atMost) } }"""

Variables = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Seller:
    """A seller, and how many customers it has."""

    id: str
    customers: int


@dataclass(frozen=True, slots=True)
class Case:
    """What is asked, with the variables of one call, about the customer with a number."""

    name: str
    document: str
    variables: Callable[[Seller, int], Variables]
    counts_all: bool = False
    """Whether it takes the longer the more there are, by its nature."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Milliseconds (p50) for either seller, and how the large one's query was answered."""

    case: Case
    small: float
    large: float
    plan: str
    keys: int
    documents: int
    sorts: bool

    @property
    def ratio(self) -> float:
        """How many times as long a million takes."""
        return self.large / self.small


def _filters() -> dict[str, Callable[[Seller, int], Variables]]:
    """Return every condition of the contract; what fits one in twenty or more, and what fits a handful at any size."""

    def between(low: Any, days: int) -> Variables:
        return {"from": rfc3339(low), "to": rfc3339(low + timedelta(days=days))}

    return {
        "ids": lambda seller, number: {"ids": [id_of(seller.id, (number + step) % seller.customers) for step in range(20)]},
        "email": lambda _, number: {"email": records.email_of(number)},
        "phone": lambda _, number: {"phone": records.phone_of(number)},
        "externalId": lambda _, number: {"externalId": f"ref-{number}"},
        "documentNumber": lambda _, number: {"documentNumber": records.document_number_of(number)},
        "status, 1 of 20": lambda _, __: {"status": ["SUSPENDED"]},
        "kind, 1 of 4": lambda _, __: {"kind": "BUSINESS"},
        "tag, 1 of 10": lambda _, __: {"tags": ["vip"]},
        "tag of ten": lambda _, number: {"tags": [f"wave-{number // 10}"]},
        "two tags": lambda _, number: {"tags": ["retail", f"wave-{number // 10}"]},
        "createdAt, a day": lambda _, number: {"createdAt": between(records.created(number), 1)},
        "createdAt, all later": lambda _, __: {"createdAt": {"from": rfc3339(records.created(5000))}},
        "updatedAt, a day": lambda _, number: {"updatedAt": between(records.updated(number), 1)},
        "search, 1 of 20": lambda _, __: {"search": "ada"},
        "search, one": lambda _, number: {"search": records.email_of(number).partition("@")[0]},
        "search, two words": lambda _, number: {
            "search": f"{records.first_name_of(number)[:2]} {records.last_name_of(number)}"
        },
        "status and tag": lambda _, __: {"status": ["ACTIVE"], "tags": ["vip"]},
    }


def cases() -> Iterator[Case]:
    """Yield every sort at three places, every filter in three orders, and what a count can be of."""
    for sort in CustomerSort:
        yield Case(f"{sort.value}, first page", _PAGE, _sorted(sort, lambda _, __: {"first": 20}))
        yield Case(f"{sort.value}, in the middle", _PAGE, partial(_after, sort))
        yield Case(f"{sort.value}, last page", _PAGE, _sorted(sort, lambda _, __: {"last": 20}))
    for name, chosen in _filters().items():
        for sort in (CustomerSort.CREATED_AT_DESC, CustomerSort.UPDATED_AT_ASC, CustomerSort.NAME_ASC):
            yield Case(f"{name}; {sort.value}", _PAGE, _filtered(chosen, {"sort": sort.value, "first": 20}))
    for name, chosen in {"all": _everybody, **_filters()}.items():
        yield Case(f"count of {name}, up to 1,000", _COUNT, _filtered(chosen, {"atMost": 1_000}))
        yield Case(f"count of {name}", _COUNT, _filtered(chosen, {}), counts_all=True)


def _everybody(_: Seller, __: int) -> Variables:
    return {}


def _sorted(sort: CustomerSort, place: Callable[[Seller, int], Variables]) -> Callable[[Seller, int], Variables]:
    return lambda seller, number: {"sort": sort.value, **place(seller, number)}


def _filtered(chosen: Callable[[Seller, int], Variables], rest: Variables) -> Callable[[Seller, int], Variables]:
    return lambda seller, number: {**rest, "filter": chosen(seller, number)}


def _after(sort: CustomerSort, seller: Seller, number: int) -> Variables:
    value: SortValue
    if sort.value.startswith("NAME"):
        value = f"{records.last_name_of(number)} {records.first_name_of(number)}".lower()
    else:
        value = records.created(number) if sort.value.startswith("CREATED") else records.updated(number)
    return {"sort": sort.value, "first": 20, "after": encode_cursor(sort.value, Position(value, id_of(seller.id, number)))}


class Caller:
    """One client of one seller, over one connection that stays open."""

    def __init__(self, at: Service, seller: Seller) -> None:
        self.seller = seller
        self._connection = http.client.HTTPConnection(LOOPBACK, at.port, timeout=60)
        self._headers = {"Authorization": f"Bearer {at.token(seller.id)}", "Content-Type": "application/json"}

    def ask(self, case: Case, number: int) -> float:
        """Return how many milliseconds an answer took.

        Raises:
            RuntimeError: when it was none, or had nothing in it.
        """
        body = json.dumps({"query": case.document, "variables": case.variables(self.seller, number)})
        begun = time.perf_counter()
        self._connection.request("POST", "/graphql", body, self._headers)
        answer = json.loads(self._connection.getresponse().read())
        took = (time.perf_counter() - begun) * 1000
        if any(error["extensions"]["code"] in {"TIMEOUT", "UNAVAILABLE"} for error in answer.get("errors", [])):
            return max(took, _PATIENCE * 1000)
        found = (answer.get("data") or {}).get("customers") or {}
        if "errors" in answer or not (found.get("nodes") or found.get("totalCount")):
            message = f"{case.name} of {self.seller.id} was not answered: {answer}"
            raise RuntimeError(message)
        return took


def measure(large: int, others: int, console: Console) -> list[Outcome]:
    """Store, ask, and return what came of every case, the slowest growth first; say what the process's memory did."""
    small_seller, large_seller = Seller(SMALL_SELLER, 10_000), Seller(SELLER, large)
    everybody = [small_seller, large_seller, *(Seller(f"other-{number}", 10_000) for number in range(others))]
    with tempfile.TemporaryDirectory(prefix="bench-growth-") as folder, database(Path(folder), cache_gigabytes=3) as at:
        begun = time.monotonic()
        people = [People(seller.id, seller.customers, with_belongings=False) for seller in everybody]
        store(at.uri, at.name, ensure_master_key(Places(Path(folder)).master_key_file), people)
        console.print(f"{sum(one.count for one in people):,} customers stored and indexed in {time.monotonic() - begun:.0f} s")
        with service(Path(folder), at) as ours:
            callers = (Caller(ours, small_seller), Caller(ours, large_seller))
            outcomes = []
            for number, case in enumerate(cases()):
                outcomes.append(_outcome(case, *callers, at))
                if number == 0:
                    before = megabytes(ours.pid)
            console.print(
                f"Memory of the process: {before:.0f} MB after the first case, {megabytes(ours.pid):.0f} MB after all"
            )
        with MongoClient[dict[str, Any]](at.uri) as client:
            console.print(describe(("strawberry-graphql", "beanie", "pymongo"), client.server_info()["version"]))
    return sorted(outcomes, key=lambda one: -one.ratio)


def _outcome(case: Case, small: Caller, large: Caller, at: Database) -> Outcome:
    order = random.Random(case.name)
    times: dict[Caller, list[float]] = {small: [], large: []}
    for _ in range(_CALLS):
        for caller in (small, large):
            # Numbers that either seller has, and neither end of its list.
            took = caller.ask(case, order.randrange(1_000, min(small.seller.customers, large.seller.customers) - 1_000))
            times[caller].append(took)
        if max(times[large][-1:]) >= _PATIENCE * 1000:
            break
    # The first call compiles and plans; it is nobody's usual one.
    small_time, large_time = (median(found[1:] or found) for found in times.values())
    with MongoClient[dict[str, Any]](at.uri) as client:
        stored = client[at.name]
        stored.command("profile", 2)
        large.ask(case, 5_000)
        stored.command("profile", 0)
        profiled = list(stored["system.profile"].find({"ns": f"{at.name}.customers"}))
        stored["system.profile"].drop()
    # What ran into its time limit is in the profile only once MongoDB has noticed, if at all.
    slowest = max(profiled, key=lambda one: one.get("keysExamined", 0), default={})
    return Outcome(
        case,
        small_time,
        large_time,
        plan=", ".join(sorted({one.get("planSummary", "ended by its time limit") for one in profiled})) or "not known",
        keys=slowest.get("keysExamined", 0),
        documents=slowest.get("docsExamined", 0),
        sorts=bool(slowest.get("hasSortStage")),
    )


def show(outcomes: Sequence[Outcome]) -> Table:
    """Lay out every case, the slowest growth first."""
    table = Table("asked", "p50 ms, small", "large", "ratio", "keys", "documents", "sorts", "plan", title="Growth")
    for one in outcomes:
        table.add_row(
            one.case.name,
            f"{one.small:.1f}",
            f"{one.large:.1f}",
            f"{one.ratio:.2f}",
            f"{one.keys:,}",
            f"{one.documents:,}",
            "yes" if one.sorts else "",
            one.plan,
        )
    return table


def main() -> None:
    """Measure and print; end with status 1 where something grows with the list, or is answered without an index."""
    parser = argparse.ArgumentParser(prog="python -m bench.growth", description="Lists at ten thousand and at a million.")
    parser.add_argument("--large", type=int, default=1_000_000, help="customers of the large seller (default: %(default)s)")
    parser.add_argument("--others", type=int, default=19, help="other sellers, of 10,000 each (default: %(default)s)")
    parser.add_argument("--check", action="store_true", help="end with status 1 when something grows, or uses no index")
    given = parser.parse_args()
    console = Console(width=180)
    outcomes = measure(given.large, given.others, console)
    console.print(show(outcomes))
    counts = [one for one in outcomes if one.case.counts_all]
    grown = [one for one in outcomes if one.ratio > TARGET and not one.case.counts_all]
    scans = [one for one in outcomes if "COLLSCAN" in one.plan]
    console.print(
        f"{len(outcomes)} cases: {len(grown)} of {len(outcomes) - len(counts)} grow by more than {TARGET}, and "
        f"{sum(one.ratio > TARGET for one in counts)} of {len(counts)} exact counts; {len(scans)} use no index."
    )
    if given.check and (grown or scans):
        sys.exit(1)


if __name__ == "__main__":
    main()
