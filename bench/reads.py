"""Ours against Apollo Server, Mercurius and the bare floor: the same database, data, documents and answers.

``python -m bench.reads --seconds 5 --rounds 5 --only Q1,Q2,M1``. One process each on one core, MongoDB and wrk on another;
rounds alternate between the servers and begin with another one each time, so that whatever else the machine does hits all
alike. A ratio is the median over rounds of (server / Apollo) in requests a second. ``--check`` compares our ratios with the
recorded ones, ``--record`` replaces those.
"""

import argparse
import random
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from pymongo import MongoClient
from rich.console import Console
from rich.table import Table

from bench import load, recorded
from bench.contenders import APOLLO, FLOOR, OURS, Contender, compare, contenders
from bench.load import Cell, Load, ask
from bench.machine import describe
from bench.operations import OPERATIONS, PEOPLE, Operation, calls
from bench.records import People, created, id_of, store
from bench.stage import SELLER, Database, database, service
from core.filters import CustomerSort
from core.paging import Position, encode_cursor
from embedded.environment import Places
from embedded.identities import ensure_master_key

_ALSO_ALONE = ("Q1", "Q2", "M1")
"""What is also asked by one connection after the other, where there is nothing to share between requests."""
_WARM_SECONDS = 3
_ANSWERS = 3
_LONGEST_SECONDS = 12
_PACKAGES = ("strawberry-graphql", "fastapi", "beanie", "pymongo", "uvicorn")
_HEADINGS = ("server", "req/s", "ratio", "per round", "p50 ms", "p99 ms", "CPU µs/req", "core", "mongod", "others", "MB")


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how often each server is asked what, and by how many connections."""

    operations: Sequence[Operation]
    seconds: float = 3
    rounds: int = 3
    connections: Sequence[int] = (32, 1)


@dataclass(frozen=True, slots=True)
class Result:
    """The rounds of one operation at one number of connections, by server."""

    operation: Operation
    connections: int
    cells: dict[str, list[Cell]]

    @property
    def key(self) -> str:
        """What the record calls it."""
        return f"{self.operation.name} x{self.connections}"

    def ratios(self, name: str, base: str) -> list[float]:
        """Return how many times as fast as *base* a server was, round by round; empty when one of them was not there."""
        pairs = zip(self.cells.get(name, ()), self.cells.get(base, ()), strict=False)
        return [one.per_second / other.per_second for one, other in pairs]


def measure(plan: Plan, console: Console) -> list[Result]:
    """Start everything, make sure that all answer alike, and print a table for each operation."""
    with tempfile.TemporaryDirectory(prefix="bench-reads-") as folder:
        directory = Path(folder)
        with database(directory) as at:
            master_key = ensure_master_key(Places(directory).master_key_file)
            store(at.uri, at.name, master_key, [People(SELLER, PEOPLE)])
            cursors = _cursors()
            with service(directory, at) as ours, contenders(directory, at, ours) as everybody:
                compare(everybody, plan.operations, cursors, at)
                results = []
                for connections in plan.connections:
                    for operation in plan.operations:
                        if connections == max(plan.connections) or operation.name in _ALSO_ALONE:
                            result = _rounds(plan, operation, connections, everybody, at)
                            console.print(_table(result))
                            results.append(result)
            with MongoClient[dict[str, Any]](at.uri) as client:
                console.print(describe(_PACKAGES, client.server_info()["version"]))
    return results


def _rounds(plan: Plan, operation: Operation, connections: int, everybody: Sequence[Contender], at: Database) -> Result:
    bodies = calls(operation, _cursors())
    able = [contender for contender in everybody if contender.answers(operation)]
    cells: dict[str, list[Cell]] = {contender.name: [] for contender in able}
    seconds: dict[str, float] = {}
    for number in range(-1, plan.rounds):
        for contender in able[number % len(able) :] + able[: number % len(able)]:
            target = contender.target(operation)
            # Unmeasured: at first to warm up, and later to bring back into the caches what the others drove out.
            moments = _WARM_SECONDS if number < 0 else 1
            warm = ask(target, Load(bodies, connections, moments, next(_NUMBERS), operation.errors), at.pid)
            if number < 0:
                # Each connection is to be answered some times, also by whoever is slow.
                long = _ANSWERS * connections / warm.per_second
                seconds[contender.name] = min(max(plan.seconds, long), _LONGEST_SECONDS)
                continue
            asked = Load(bodies, connections, seconds[contender.name], next(_NUMBERS), operation.errors)
            cells[contender.name].append(ask(target, asked, at.pid))
    return Result(operation, connections, cells)


# Each load has 20,000 numbers of its own for what has to be unique.
_NUMBERS = iter(range(0, 98_000_000, 20_000))


def _cursors() -> list[str]:
    """Return places in the list of customers, newest first, with at least 100 behind each."""
    order, sort = random.Random(6), CustomerSort.CREATED_AT_DESC
    numbers = [order.randrange(100, PEOPLE) for _ in range(200)]
    return [encode_cursor(sort.value, Position(created(number), id_of(SELLER, number))) for number in numbers]


def _table(result: Result) -> Table:
    base = APOLLO if APOLLO in result.cells else FLOOR
    table = Table(*_HEADINGS, title=f"{result.key}: {result.operation.says} (ratio to {base})")
    for name, cells in sorted(result.cells.items(), key=lambda one: -median(cell.per_second for cell in one[1])):
        middle = Cell(*(median(values) for values in zip(*map(astuple, cells), strict=True)))
        ratios = result.ratios(name, base)
        table.add_row(
            name,
            f"{middle.per_second:,.0f}",
            f"{median(ratios):.2f}" if ratios else "",
            " ".join(f"{ratio:.2f}" for ratio in ratios),
            f"{middle.p50:.1f}",
            f"{middle.p99:.1f}",
            f"{middle.server_microseconds:,.0f}",
            f"{middle.server_core:.0%}",
            f"{middle.mongod_core:.0%}",
            f"{middle.others_core:.0%}",
            f"{middle.memory:.0f}",
        )
    return table


def ratios(results: Sequence[Result]) -> dict[str, dict[str, float]]:
    """Return our median ratios, by who they are to and what was asked."""
    found = {
        base: {one.key: round(median(of_rounds), 3) for one in results if (of_rounds := one.ratios(OURS, base))}
        for base in (APOLLO, FLOOR)
    }
    return {base: of_base for base, of_base in found.items() if of_base}


def main() -> None:
    """Measure, print, and compare with the record."""
    parser = argparse.ArgumentParser(prog="python -m bench.reads", description="Ours against Node servers and the floor.")
    parser.add_argument("--seconds", type=int, default=5, help="of one round (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="(default: %(default)s)")
    parser.add_argument("--connections", default="32,1", help="(default: %(default)s)")
    parser.add_argument("--only", help=f"some of {','.join(one.name for one in OPERATIONS)}")
    parser.add_argument("--check", action="store_true", help="end with status 1 when a ratio fell by more than 15 %%")
    parser.add_argument("--record", action="store_true", help="write the ratios to bench/recorded.json")
    given = parser.parse_args()
    if not load.is_there():
        sys.exit(load.MISSING)
    names = given.only.split(",") if given.only else [one.name for one in OPERATIONS]
    chosen = [one for one in OPERATIONS if one.name in names]
    plan = Plan(chosen, given.seconds, given.rounds, [int(text) for text in given.connections.split(",")])
    console = Console(width=150)
    found = ratios(measure(plan, console))
    warnings = recorded.fallen(found)
    for warning in warnings:
        console.print(warning)
    if given.record:
        recorded.write(found)
    if given.check and warnings:
        sys.exit(1)


if __name__ == "__main__":
    main()
