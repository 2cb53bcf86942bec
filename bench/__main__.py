"""``python -m bench`` (``make bench``): every benchmark, one after the other. Some can do more when they are called alone."""

import uvloop
from rich.console import Console
from rich.table import Table

from bench import drivers, execution, growth, import_stages, imports, load, reads, recorded, relay, service, subscriptions
from bench.operations import OPERATIONS

if __name__ == "__main__":
    console = Console(width=150)
    drivers.main()
    execution.main()
    table = Table("measured", "figure", "unit", title="The service, everything on, on this machine as busy as it is")
    for figure in service.measure():
        table.add_row(figure.what, f"{figure.value:,.1f}", figure.unit)
    console.print(table)
    console.print(import_stages.show(import_stages.measure()))
    uvloop.run(imports.measure(imports.Plan(), console, large=0, two=True))
    if load.is_there():
        results = reads.measure(reads.Plan(OPERATIONS, seconds=2, rounds=2), console)
        for warning in recorded.fallen(reads.ratios(results)):
            console.print(warning)
    else:
        console.print(load.MISSING)
    watching = subscriptions.Plan()
    for line in subscriptions.lines(watching, subscriptions.measure(watching)):
        console.print(line)
    for line in relay.lines(*relay.measure(relay.Plan())):
        console.print(line)
    # A tenth of what `python -m bench.growth` stores, which takes as many minutes.
    console.print(growth.show(growth.measure(large=100_000, others=2, console=console)))
