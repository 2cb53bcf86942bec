"""All that an import leaves behind, in a form in which two imports of one file by two sellers can be compared."""

import random
from typing import Any

from models.bulk_import import BulkImport
from tests.imports import Bench


async def left_behind(bench: Bench, record: BulkImport) -> dict[str, Any]:
    """Return the state, counts, problems, reports, customers, addresses and events of a seller who made this import last.

    Ids are replaced by the row that made the customer; times are left out.
    """
    of_seller = {"seller_id": record.seller_id}
    customers = await bench.stored("customers", **of_seller)
    names = {one["_id"]: f"{one['source']['row']}:{one.get('external_id', '')}" for one in customers}
    outcomes = await bench.database["import_row_outcomes"].find({"import_id": record.id}).sort("row", 1).to_list()
    results = "" if record.result_report_key is None else await bench.read(record.result_report_key)
    for id_, name in names.items():
        results = results.replace(id_, name)
    return {
        "status": record.status,
        "counts": record.counts.model_dump(),
        "total": record.total_rows,
        "bytes": record.bytes_done,
        "problems": [(one["row"], one["severity"], [problem["message"] for problem in one["problems"]]) for one in outcomes],
        "errors": None if record.error_report_key is None else await bench.read(record.error_report_key),
        "results": results,
        "customers": sorted(
            (names[one["_id"]], one.get("email"), one.get("phone"), one.get("first_name"), one["version"]) for one in customers
        ),
        "addresses": sorted((names[one["customer_id"]], one["line1"]) for one in await bench.stored("addresses", **of_seller)),
        "events": sorted(
            (names[one["customer_id"]], one["version"], one["type"], *one.get("changed", ()))
            for one in await bench.stored("customer_events", **of_seller)
        ),
    }


async def nothing_is_left_over(bench: Bench, record: BulkImport) -> None:
    """Of an import that is over, what it worked with is gone, and every segment is done and in nobody's hands."""
    for name in ("import_batch_results", "import_digests", "import_deferred_rows", "import_keys"):
        assert [] == await bench.stored(name, import_id=record.id), name
    assert all(one["done"] for one in await bench.stored("import_segments", import_id=record.id))


def quarrelsome_csv(rows: int, seed: int, *, people: int) -> bytes:
    """Return rows that claim each other's identifiers: so many *people* have one of each kind, often somebody else's."""
    chance = random.Random(seed)

    def somebody() -> int:
        return chance.randrange(people)

    lines = [b"external_id,email,phone,first_name,line1,city,region,postal_code,country"]
    for number in range(rows):
        who = somebody()
        email = f"user{who if chance.random() < 0.7 else somebody()}@example.com" if chance.random() < 0.8 else ""
        phone = f"+1202555{somebody():04d}" if chance.random() < 0.3 else ""
        if chance.random() < 0.1:
            email = "nobody"
        name = f'"Name\n{number}"' if chance.random() < 0.1 else f"Name{number}"
        lines.append(f"c{who},{email},{phone},{name},{who} Main Street,Springfield,IL,62701,US".encode())
        if chance.random() < 0.05:
            lines.append(b"")
    return b"\n".join(lines) + b"\n"
