"""The stage of a measurement: a MongoDB of its own and one process of the service, as in production, and nothing else."""

import asyncio
import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.machine import LOAD_CORE, SERVER_CORE, on_core
from core.vocabulary import PrincipalKind
from embedded.environment import MONGODB_URI, PREFIX, Places, for_services
from embedded.identities import AUDIENCE, Mint
from embedded.mongod import Mongod
from embedded.options import Options
from embedded.ports import LOOPBACK, choose
from embedded.processes import ROOT, python_module
from embedded.servers import DATABASE, ServerSet

SELLER = "bench"
_START_SECONDS = 60.0
# A load generator spends far more than any client may; everything else is as it is delivered.
_WITHOUT_QUOTA = {
    f"{PREFIX}GRAPHQL__SELLER_POINTS": str(10**12),
    f"{PREFIX}GRAPHQL__SELLER_POINTS_PER_SECOND": str(10**12),
    f"{PREFIX}GRAPHQL__CONNECTIONS_PER_CALLER": "100000",
    # One load ends with a request of each connection unanswered, which keeps its place while the next load begins.
    f"{PREFIX}SERVER__MAX_CONCURRENT_REQUESTS": "100",
}


@dataclass(frozen=True, slots=True)
class Database:
    """A MongoDB that was started for a measurement."""

    uri: str
    pid: int
    name: str = DATABASE


@dataclass(frozen=True, slots=True)
class Service:
    """A running ``customer-service serve``. *environment* is what its own command line needs to speak to the same database."""

    port: int
    metrics_port: int
    pid: int
    environment: Mapping[str, str]
    _mint: Mint

    @property
    def url(self) -> str:
        """The address of GraphQL."""
        return f"http://{LOOPBACK}:{self.port}/graphql"

    def token(self, seller_id: str = SELLER, subject: str = "bench-operator") -> str:
        """Return the token of an operator of a seller."""
        return self._mint.mint(PrincipalKind.OPERATOR, subject, seller_id)


@contextmanager
def database(directory: Path, *, cache_gigabytes: float = 2) -> Iterator[Database]:
    """Run mongod as a replica set of one node in *directory*, on the core of those who ask; stop it at the end."""
    server = Mongod(directory / "mongod", directory / "mongod.log")
    port = choose(0, reserved={0})
    arguments = list(server.command(port).arguments)
    arguments[arguments.index("--wiredTigerCacheSizeGB") + 1] = str(cache_gigabytes)
    with process(arguments, directory / "mongod.out", LOAD_CORE) as pid:
        asyncio.run(asyncio.wait_for(server.ready(port), _START_SECONDS))
        yield Database(server.uri(port), pid)


@contextmanager
def service(directory: Path, at: Database) -> Iterator[Service]:
    """Run the API on *at*, prepared for this version, pinned to a core of its own; stop it at the end."""
    port = choose(0, reserved={0})
    metrics_port = choose(0, reserved={0, port})
    options = Options(port=port, metrics_port=metrics_port, run_directory=directory)
    environ = {**os.environ, **_WITHOUT_QUOTA, MONGODB_URI: at.uri, "PYTHONPATH": str(ROOT)}
    # Nothing here needs the object store or the queue, and nothing is sent to them before it is needed.
    environment = for_services(environ, options, ServerSet.under(directory), {})
    subprocess.run(python_module("app", "database", "prepare"), env=environment, cwd=ROOT, check=True, capture_output=True)
    mint = Mint(Places(directory).key_file, issuer=environment[f"{PREFIX}SECURITY__ISSUER"], audience=AUDIENCE)
    with process(python_module("app", "serve"), directory / "serve.log", SERVER_CORE, environment) as pid:
        wait_until_answered(f"http://{LOOPBACK}:{port}/readyz")
        yield Service(port, metrics_port, pid, environment, mint)


@contextmanager
def process(
    command: list[str] | tuple[str, ...], log: Path, core: int, environment: Mapping[str, str] | None = None
) -> Iterator[int]:
    """Run *command* on one core from the program's folder, and yield its process id; end it afterwards, whatever happens."""
    with log.open("ab") as output, on_core(core):
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment,
            cwd=ROOT,
            start_new_session=True,
        )
    try:
        yield child.pid
        if child.poll() is not None:
            message = f"A server ended while it was measured (exit code {child.returncode}); see {log}."
            raise RuntimeError(message)
    finally:
        _end(child)


def wait_until_answered(url: str) -> None:
    """Wait until somebody answers at *url*, with anything but an error of the server.

    Raises:
        TimeoutError: when nobody does within a minute.
    """
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - our own address
                return
        except urllib.error.HTTPError as error:
            if error.code < 500:  # noqa: PLR2004 - it is there, and does not like the question
                return
        except OSError:
            pass
        time.sleep(0.1)
    message = f"Nobody answered at {url} within {_START_SECONDS:.0f} s."
    raise TimeoutError(message)


def _end(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(30)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
