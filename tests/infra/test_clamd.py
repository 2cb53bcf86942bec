"""clamd's protocol as the client speaks it: with the embedded scanner, and with servers that misbehave."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from core.errors import Unavailable
from core.files import ObjectChanged
from core.scanning import ScanFailed
from embedded.clamd_server import EICAR, STREAM_MAX, answer
from infra.breaker import THRESHOLD
from infra.clamd import Clamd, ClamdAddress
from tests.scanner import embedded_scanner

Behave = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def pieces(*chunks: bytes) -> AsyncGenerator[bytes, None]:
    for chunk in chunks:
        yield chunk


@pytest_asyncio.fixture(scope="module", name="address")
async def _address(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ClamdAddress]:
    async with embedded_scanner(tmp_path_factory.mktemp("clamd") / "log") as address:
        yield address


@pytest.fixture(name="clamd")
def _clamd(address: ClamdAddress) -> Clamd:
    return Clamd(address, within=30)


@asynccontextmanager
async def daemon(behave: Behave, *, within: float = 30, well: bool = False) -> AsyncIterator[Clamd]:
    """Run a server that behaves like this on every connection; one that is *well* answers pings all the same."""

    serving = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.add(asyncio.current_task())
        try:
            if (await reader.readuntil(b"\0")) == b"zPING\0" and well:
                writer.write(b"PONG\0")
                await writer.drain()
            else:
                await behave(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield Clamd(ClamdAddress(host="127.0.0.1", port=server.sockets[0].getsockname()[1]), within=within)
    server.close()
    tasks = [task for task in serving if task is not None]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks)


def says(line: bytes) -> Behave:
    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readexactly(int.from_bytes(await reader.readexactly(4), "big")):
            pass
        writer.write(line)
        await writer.drain()

    return behave


async def says_nothing(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read()


async def takes_nothing(*_: object) -> None:
    await asyncio.Event().wait()


async def hangs_up(*_: object) -> None:
    return


@pytest.mark.parametrize(
    ("chunks", "finding"),
    [
        ([b"harmless"], None),
        ([], None),
        ([b""], None),
        ([b"x" * (3 << 20), b"y" * 5], None),
        ([EICAR], "Eicar-Test-Signature"),
        ([b"%PDF-1.7 ", EICAR, b" %%EOF"], "Eicar-Test-Signature"),
        ([EICAR[:30], EICAR[30:]], "Eicar-Test-Signature"),
        ([bytes([one]) for one in EICAR], "Eicar-Test-Signature"),
        ([EICAR[:-1]], None),
    ],
    ids=["harmless", "nothing", "an empty piece", "large", "eicar", "inside", "across two", "byte by byte", "all but one"],
)
async def test_what_is_in_a_file_is_found_however_it_is_cut(clamd: Clamd, chunks: list[bytes], finding: str | None) -> None:
    assert finding == await clamd.scan(pieces(*chunks))


async def test_many_files_at_once_get_a_verdict_each(clamd: Clamd) -> None:
    verdicts = await asyncio.gather(*(clamd.scan(pieces(b"x", EICAR if n % 2 else b"y")) for n in range(20)))

    assert [None, "Eicar-Test-Signature"] * 10 == verdicts


async def test_the_daemon_says_what_it_is(clamd: Clamd) -> None:
    assert (await clamd.version()).startswith("ClamAV ")


async def test_a_file_that_is_too_large_for_the_daemon_is_no_outage(clamd: Clamd) -> None:
    for _ in range(THRESHOLD + 1):
        with pytest.raises(ScanFailed, match=r"INSTREAM size limit exceeded. ERROR"):
            await clamd.scan(pieces(b"x" * (STREAM_MAX + 1)))

    assert await clamd.scan(pieces(b"small")) is None


async def test_an_error_of_the_daemon_is_no_verdict() -> None:
    async with daemon(says(b"stream: Can't allocate memory ERROR\0")) as clamd:
        with pytest.raises(ScanFailed, match="Can't allocate memory"):
            await clamd.scan(pieces(b"x"))


@pytest.mark.parametrize(
    ("line", "finding"),
    [
        (b"stream: OK\0", None),
        (b"stream: Win.Test.EICAR_HDB-1 FOUND\0", "Win.Test.EICAR_HDB-1"),
        (b"stream: A: B FOUND\0", "A: B"),
        (b"stream:  FOUND\0", "unnamed"),
    ],
)
async def test_answers_are_understood(line: bytes, finding: str | None) -> None:
    async with daemon(says(line)) as clamd:
        assert finding == await clamd.scan(pieces(b"x"))


@pytest.mark.parametrize(
    "behave",
    [says_nothing, hangs_up, takes_nothing, says(b"stream: OK"), says(b"x" * 10_000 + b"\0"), says(b"\xff\0")],
    ids=["silent", "hangs up", "takes nothing", "unfinished", "endless", "no text"],
)
@pytest.mark.parametrize(("well", "told"), [(False, Unavailable), (True, ScanFailed)], ids=["away", "well otherwise"])
async def test_a_daemon_without_a_verdict_is_away_unless_it_is_well_otherwise(
    behave: Behave, well: bool, told: type[Exception]
) -> None:
    """
    Then it is the file that it cannot deal with.
    """
    async with daemon(behave, within=0.3, well=well) as clamd:
        with pytest.raises(told):
            await clamd.scan(pieces(*[b"x" * (4 << 20)] * 4))


async def test_what_cannot_be_reached_is_left_alone_after_some_attempts(unused_tcp_port: int) -> None:
    clamd = Clamd(ClamdAddress(host="127.0.0.1", port=unused_tcp_port), within=5)

    for _ in range(THRESHOLD):
        with pytest.raises(Unavailable, match="cannot be reached"):
            await clamd.scan(pieces(b"x"))
    with pytest.raises(Unavailable, match="left alone"):
        await clamd.scan(pieces(b"x"))


@pytest.mark.parametrize("error", [ObjectChanged("another file"), Unavailable("the store is away")])
async def test_what_goes_wrong_with_the_file_itself_comes_through_and_is_not_the_daemons_fault(
    clamd: Clamd, error: Exception
) -> None:
    async def breaks() -> AsyncGenerator[bytes, None]:
        yield b"x"
        raise error

    for _ in range(THRESHOLD + 1):
        with pytest.raises(type(error), match=str(error)):
            await clamd.scan(breaks())

    assert await clamd.scan(pieces(b"x")) is None


async def test_a_file_is_closed_when_the_daemon_goes() -> None:
    closed = []

    async def endless() -> AsyncGenerator[bytes, None]:
        try:
            while True:
                yield b"x" * (1 << 20)
        finally:
            closed.append(True)

    async with daemon(hangs_up) as clamd:
        with pytest.raises(Unavailable):
            await clamd.scan(endless())

    assert [True] == closed


async def test_a_unix_socket_does_as_well(tmp_path: Path) -> None:
    path = tmp_path / "clamd"
    server = await asyncio.start_unix_server(answer, path)
    clamd = Clamd(ClamdAddress(host="", port=0, socket=path), within=30)

    assert "Eicar-Test-Signature" == await clamd.scan(pieces(EICAR))
    server.close()
