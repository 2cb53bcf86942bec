"""One development stack: servers first, then the service's own processes, and everything away again."""

import asyncio
import contextlib
import json
import shutil
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from embedded import stack_file
from embedded.clamd import Clamd
from embedded.environment import PREFIX, Places, beside_the_api, for_services, is_given
from embedded.errors import AlreadyRunning, NoRoom
from embedded.identities import Mint, ensure_key_file, write_private
from embedded.locks import FileLock
from embedded.openid import OpenId
from embedded.options import Options
from embedded.orphans import ProcessList
from embedded.ports import LOOPBACK, demand
from embedded.processes import Child, Command, python_module, run_to_end, start_until_ready
from embedded.screen import Screen
from embedded.servers import Running, ServerSet, start_all
from embedded.supervisor import Role, Supervisor
from embedded.traces import Traces

_READY_SECONDS = 60
_PREPARE_SECONDS = 120
_SERVICE_GRACE = 25.0
_SERVER_GRACE = 15.0
_ORPHAN_GRACE = 5.0
_POLL_SECONDS = 0.1
_LEAST_ROOM = 500_000_000
"""Bytes. A new stack takes 305 MB, most of it room that MongoDB keeps for its journal."""


@dataclass(frozen=True, slots=True)
class Programs:
    """The command lines of the service. *seed* is given the file to write its answer to."""

    serve: tuple[str, ...] = python_module("app", "serve")
    worker: tuple[str, ...] = python_module("app", "worker")
    relay: tuple[str, ...] = python_module("app", "relay")
    database: tuple[str, ...] = python_module("app", "database", "prepare")
    seed: tuple[str, ...] = python_module("app.cli.dev_seed")


class Stack:
    """Starts, watches and stops everything; one per run directory at a time."""

    def __init__(self, options: Options, environ: Mapping[str, str], programs: Programs, screen: Screen) -> None:
        self._options = options
        self._environ = environ
        self._programs = programs
        self._screen = screen
        self._places = Places(options.run_directory)
        self._lock = FileLock(options.run_directory / "lock")
        self._processes = ProcessList(options.run_directory / "processes.json")
        self._servers = ServerSet.under(options.run_directory)
        callback = f"http://{LOOPBACK}:{options.port}/auth/operator/callback"
        self._openid = OpenId(self._places.log("openid"), self._places.openid_key_file, callback)
        self._collector = Traces(self._places.log("traces"))
        self._scanner = Clamd(self._places.log("clamd"))
        self._supervisor = Supervisor(changed=self._write_stack_file, say=screen.say)
        self._environment: dict[str, str] = {}
        self._queue_url = ""
        self._traces = ""
        self._tokens: dict[str, str] = {}
        self._demo: dict[str, Any] = {}

    def claim(self, pid: int) -> None:
        """Take the run directory for process *pid*, end what an earlier crash left, and check the ports.

        Raises:
            NoRoom: when the run directory cannot be made, or its disk is nearly full.
            AlreadyRunning: when another stack is alive in this run directory.
            AddressTaken: when the port of the API or of the metrics is in use.
        """
        self._make_room()
        if not self._lock.try_take():
            raise AlreadyRunning(self._options.run_directory, self._lock.read())
        self._lock.write(f"{pid}\n")
        self._places.stack_file.unlink(missing_ok=True)
        survivors = self._processes.end_survivors(grace=_ORPHAN_GRACE)
        if survivors:
            self._screen.say(f"Ended what an earlier run left behind: {', '.join(sorted(survivors))}")
        demand(self._options.port, variable="PORT", purpose="the API")
        demand(self._options.metrics_port, variable="METRICS_PORT", purpose="the metrics of the API")

    def _make_room(self) -> None:
        directory = self._options.run_directory
        try:
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise NoRoom(directory, error.strerror or str(error)) from error
        free = shutil.disk_usage(directory).free
        if free < _LEAST_ROOM:
            raise NoRoom(directory, f"{free / 1e9:.1f} GB are free, a new stack takes {_LEAST_ROOM / 1e9:.1f}")

    async def start(self) -> None:
        """Bring everything up, and announce it in ``stack.json`` and on the screen.

        Raises:
            StackError: when a part does not come up. Call `stop` then as well.
        """
        ensure_key_file(self._places.openid_key_file)
        everything = (*self._servers.all(), self._openid, self._collector, self._scanner)
        wanted = [server for server in everything if not is_given(server.name, self._environ)]
        self._screen.say(f"Starting {', '.join(server.name for server in wanted) or 'no servers: all are given by address'}")
        if self._servers.mongod.is_new() and self._servers.mongod in wanted:
            self._places.demo_file.unlink(missing_ok=True)
        running = await start_all(wanted, self._processes.note)
        for one in running.values():
            self._supervisor.adopt(self._server_role(one), one.child)
        self._environment = for_services(self._environ, self._options, self._servers, running)
        self._queue_url = self._servers.aws.queue_url(running["aws"].port) if "aws" in running else ""
        self._traces = self._collector.address(running["traces"].port) if "traces" in running else ""
        self._places.otp_outbox.touch(mode=0o600)
        self._screen.say("Preparing the database")
        await run_to_end(self._command("database", self._programs.database), self._processes.note, within=_PREPARE_SECONDS)
        self._screen.say(f"Starting the API, {self._options.workers} x worker, and the relay")
        await self._start_services()
        self._demo = json.loads(self._places.demo_file.read_text(encoding="utf-8"))
        self._tokens = self._mint().for_stack(self._demo["customer_id"])
        self._supervisor.watch()
        self._write_stack_file()
        self._screen.ready(json.loads(self._places.stack_file.read_text(encoding="utf-8")), self._places.stack_file)

    async def stop(self) -> None:
        """Stop everything that was started: the API and the workers, then the relay, then the servers."""
        self._places.stack_file.unlink(missing_ok=True)
        front = [name for name in self._supervisor.pids() if name == "serve" or name.startswith("worker-")]
        await self._supervisor.stop([front, ["relay"]])
        self._processes.clear()
        self._lock.release()

    async def _start_services(self) -> None:
        beside = beside_the_api(self._environment)
        names = [f"worker-{number}" for number in range(1, self._options.workers + 1)]
        roles = [
            self._role("serve", self._programs.serve, self._environment, self._is_ready),
            *(self._role(name, self._programs.worker, beside) for name in names),
            self._role("relay", self._programs.relay, beside),
        ]
        try:
            async with asyncio.TaskGroup() as group:
                for role in roles:
                    group.create_task(self._supervisor.start(role))
                group.create_task(self._seed())
        except BaseExceptionGroup as failures:
            raise failures.exceptions[0] from None

    async def _seed(self) -> None:
        if self._places.demo_file.exists():
            return
        answer = self._places.demo_file.with_suffix(".new")
        arguments = (*self._programs.seed, str(answer))
        await run_to_end(self._command("seed", arguments), self._processes.note, within=_PREPARE_SECONDS)
        write_private(self._places.demo_file, answer.read_text(encoding="utf-8"))
        answer.unlink()

    def _mint(self) -> Mint:
        security = f"{PREFIX}SECURITY__"
        return Mint(
            Path(self._environment[f"{security}KEY_FILE"]),
            issuer=self._environment[f"{security}ISSUER"],
            audience=self._environment[f"{security}AUDIENCE"],
        )

    def _server_role(self, running: Running) -> Role:
        async def start() -> Child:
            await running.start_again(self._processes.note)
            return running.child

        # The broker forgets everything with its process, and producers hold on to what they knew of it.
        return Role(running.server.name, start, _SERVER_GRACE, ("relay",) if running.server.name == "kafka" else ())

    def _role(
        self,
        name: str,
        arguments: tuple[str, ...],
        environment: Mapping[str, str],
        ready: Callable[[], Awaitable[None]] | None = None,
    ) -> Role:
        command = Command(name, arguments, self._places.log(name), environment)

        async def start() -> Child:
            if ready is None:
                return await Child.start(command, self._processes.note)
            port = self._options.port
            return await start_until_ready(command, ready, self._processes.note, port=port, within=_READY_SECONDS)

        return Role(name, start, _SERVICE_GRACE)

    async def _is_ready(self) -> None:
        async with httpx.AsyncClient(trust_env=False, timeout=5) as client:
            while True:
                with contextlib.suppress(httpx.HTTPError):
                    if (await client.get(f"http://{LOOPBACK}:{self._options.port}/readyz")).status_code == httpx.codes.OK:
                        return
                await asyncio.sleep(_POLL_SECONDS)

    def _command(self, name: str, arguments: tuple[str, ...]) -> Command:
        return Command(name, arguments, self._places.log(name), self._environment)

    def _write_stack_file(self) -> None:
        document = stack_file.describe(
            self._options,
            self._environment,
            queue_url=self._queue_url,
            traces=self._traces,
            tokens=self._tokens,
            demo=self._demo,
            pids=self._supervisor.pids(),
        )
        stack_file.write(self._places, document)
