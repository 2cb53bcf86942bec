"""``python -m bench`` (``make bench``): every benchmark, one after the other."""

from rich.console import Console
from rich.table import Table

from bench import drivers, execution, service

if __name__ == "__main__":
    drivers.main()
    execution.main()
    table = Table("measured", "figure", "unit", title="The service, everything on, on this machine as busy as it is")
    for figure in service.measure():
        table.add_row(figure.what, f"{figure.value:,.1f}", figure.unit)
    Console().print(table)
