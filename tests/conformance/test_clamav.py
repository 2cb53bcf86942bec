"""The scanner's client against ClamAV itself, where its clamd is installed: `apt-get install clamav-daemon`.

The signatures are one, made by hand: that of the EICAR test file, wherever in a file it stands. No signature is fetched.
"""

import asyncio
import shutil
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from core.errors import Unavailable
from core.scanning import ScanFailed
from embedded.clamd_server import EICAR
from embedded.ports import LOOPBACK, choose, wait_for_listener
from embedded.processes import Command, start_until_ready
from infra.clamd import Clamd, ClamdAddress
from tests.graphql.operations import PDF
from tests.scanner import INFECTED_PDF

PROGRAM = shutil.which("clamd") or shutil.which("clamd", path="/usr/sbin:/usr/local/sbin")
NAME = "Eicar-Handmade"
STREAM_MAX = 12 << 20

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="needs clamd: apt-get install clamav-daemon")


async def pieces(*chunks: bytes) -> AsyncGenerator[bytes, None]:
    for chunk in chunks:
        yield chunk


@pytest_asyncio.fixture(scope="module", name="addresses", loop_scope="session")
async def _addresses(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[list[ClamdAddress]]:
    """A clamd that listens at a port and at a Unix socket."""
    directory = tmp_path_factory.mktemp("clamav")
    signatures = directory / "signatures"
    signatures.mkdir()
    (signatures / "handmade.ndb").write_text(f"{NAME}:0:*:{EICAR.hex()}\n", encoding="ascii")
    port, socket = choose(0, reserved={0}), directory / "clamd.ctl"
    config = directory / "clamd.conf"
    config.write_text(
        f"DatabaseDirectory {signatures}\nTCPAddr {LOOPBACK}\nTCPSocket {port}\nLocalSocket {socket}\nForeground yes\n"
        f"StreamMaxLength {STREAM_MAX}\nTemporaryDirectory {directory}\nUser {directory.owner()}\n",
        encoding="utf-8",
    )
    assert PROGRAM is not None
    command = Command("clamd", (PROGRAM, "--config-file", str(config)), directory / "log")
    child = await start_until_ready(command, lambda: wait_for_listener(port), within=60)
    yield [ClamdAddress(host=LOOPBACK, port=port), ClamdAddress(host="", port=0, socket=socket)]
    await child.stop(grace=10)


@pytest.fixture(name="clamd", params=[0, 1], ids=["tcp", "unix socket"])
def _clamd(request: pytest.FixtureRequest, addresses: list[ClamdAddress]) -> Clamd:
    return Clamd(addresses[request.param], within=60)


@pytest.mark.parametrize(
    ("chunks", "finding"),
    [
        ([PDF], None),
        ([], None),
        ([b"x" * (5 << 20), b"y" * (5 << 20)], None),
        ([EICAR], f"{NAME}.UNOFFICIAL"),
        ([INFECTED_PDF], f"{NAME}.UNOFFICIAL"),
        ([INFECTED_PDF[:100], INFECTED_PDF[100:]], f"{NAME}.UNOFFICIAL"),
    ],
    ids=["pdf", "empty", "10 MiB", "eicar", "inside a pdf", "in two pieces"],
)
async def test_clamav_gives_its_verdict(clamd: Clamd, chunks: list[bytes], finding: str | None) -> None:
    assert finding == await clamd.scan(pieces(*chunks))


async def test_clamav_says_what_it_is(clamd: Clamd) -> None:
    assert (await clamd.version()).startswith("ClamAV ")


async def test_what_is_larger_than_clamav_takes_is_no_verdict_and_no_outage(clamd: Clamd) -> None:
    with pytest.raises(ScanFailed):
        await clamd.scan(pieces(*[b"x" * (1 << 20)] * 16))

    assert await clamd.scan(pieces(b"x")) is None


async def test_many_files_at_once(clamd: Clamd) -> None:
    found = await asyncio.gather(*(clamd.scan(pieces(INFECTED_PDF if n % 2 else PDF)) for n in range(20)))

    assert [None, f"{NAME}.UNOFFICIAL"] * 10 == found


async def test_nobody_at_its_socket_is_an_outage(tmp_path: Path) -> None:
    clamd = Clamd(ClamdAddress(host="", port=0, socket=tmp_path / "nobody"), within=5)

    with pytest.raises(Unavailable, match="cannot be reached"):
        await clamd.scan(pieces(PDF))
