"""The embedded malware scanner for tests, and files that it takes for malware, which nobody else's scanner does."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from embedded.clamd import Clamd
from embedded.clamd_server import EICAR
from embedded.ports import LOOPBACK
from infra.clamd import ClamdAddress
from tests.embedded.conftest import running
from tests.graphql.operations import PDF

INFECTED_PDF = PDF + b"% " + EICAR + b"\n"
"""A file that passes for a PDF, and holds the test signature of all scanners."""


@asynccontextmanager
async def embedded_scanner(log: Path) -> AsyncIterator[ClamdAddress]:
    """Run the scanner of development on a free port."""
    async with running(Clamd(log)) as server:
        yield ClamdAddress(host=LOOPBACK, port=server.port)
