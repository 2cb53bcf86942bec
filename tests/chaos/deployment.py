"""The service's own processes on servers that are given: for tests that end them, or cut their ways off."""

import asyncio
import json
import os
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from core.vocabulary import PrincipalKind
from embedded.environment import PREFIX, Places, for_services
from embedded.identities import AUDIENCE, Mint
from embedded.options import Options
from embedded.ports import LOOPBACK, choose
from embedded.processes import ROOT, python_module
from embedded.servers import ServerSet
from tests.api import fresh
from tests.servers import Servers

_PATIENCE = 180.0


class Deployment:
    """Processes on a database, topics, a bucket and queues of their own. *variables* are settings: ``SERVER__READ_TIMEOUT``."""

    def __init__(self, directory: Path, servers: Servers, **variables: str) -> None:
        self.servers = servers
        self.database = fresh("chaos")
        self.topics = [f"{kind}-{self.database}" for kind in ("created", "updated", "deleted")]
        self.port = choose(0, reserved={0})
        self.directory = directory
        self._processes: list[subprocess.Popen[bytes]] = []
        given: dict[str, str] = {
            "MONGODB__URI": servers.mongodb_uri,
            "MONGODB__DATABASE": self.database,
            "KAFKA__BROKERS": json.dumps(servers.kafka_brokers.split(",")),
            # So that events say what was changed, and not only that something was.
            "KAFKA__PERSONAL_DATA": "full",
            "MONITORING__PROMETHEUS__ENABLED": "false",
            "AWS__S3__BUCKET": self.database,
            "AWS__SQS__QUEUES__CUSTOMER_QUEUE": self.database,
            "GRAPHQL__SELLER_POINTS": str(10**12),
            "GRAPHQL__SELLER_POINTS_PER_SECOND": str(10**12),
        }
        given |= {
            f"KAFKA__TOPICS__CUSTOMER_{kind}": topic
            for kind, topic in zip(("CREATE", "UPDATE", "DELETE"), self.topics, strict=True)
        }
        for system in ("S3", "SQS"):
            given |= {
                f"AWS__{system}__ENDPOINT": servers.aws_endpoint,
                f"AWS__{system}__REGION": servers.aws_region,
                f"AWS__{system}__ACCESS_KEY": servers.aws_access_key,
                f"AWS__{system}__SECRET_KEY": servers.aws_secret_key,
            }
        given |= variables
        directory.mkdir(parents=True, exist_ok=True)
        options = Options(port=self.port, metrics_port=choose(0, reserved={0, self.port}), run_directory=directory)
        environ = {**os.environ, "PYTHONPATH": str(ROOT), **{f"{PREFIX}{name}": value for name, value in given.items()}}
        self.environment = for_services(environ, options, ServerSet.under(directory), {})
        self._mint = Mint(Places(directory).key_file, issuer=self.environment[f"{PREFIX}SECURITY__ISSUER"], audience=AUDIENCE)

    @property
    def url(self) -> str:
        """The address of the API."""
        return f"http://{LOOPBACK}:{self.port}"

    def token(self, seller_id: str) -> str:
        """Return the token of an operator of a seller."""
        return self._mint.mint(PrincipalKind.OPERATOR, "ada", seller_id)

    async def prepare(self) -> None:
        """Make indexes, bucket and queues."""
        command = python_module("app", "database", "setup")
        # Beside this loop: the ways to the servers may be in it.
        done = await asyncio.to_thread(
            subprocess.run, command, env=self.environment, cwd=ROOT, check=False, capture_output=True, text=True
        )
        assert 0 == done.returncode, done.stderr[-3000:]

    def start(self, role: str) -> "subprocess.Popen[bytes]":
        """Start ``serve``, ``worker`` or ``relay``, and do not wait."""
        with (self.directory / f"{role}.log").open("ab") as log:
            process = subprocess.Popen(
                python_module("app", role), env=self.environment, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self._processes.append(process)
        return process

    async def ready(self) -> None:
        """Wait until the API can work."""
        deadline = time.monotonic() + _PATIENCE
        async with httpx.AsyncClient(trust_env=False) as http:
            while True:
                try:
                    if (await http.get(f"{self.url}/readyz", timeout=10)).is_success:
                        return
                except httpx.HTTPError:
                    pass
                assert time.monotonic() < deadline, (self.directory / "serve.log").read_text("utf-8")[-2000:]
                await asyncio.sleep(0.05)

    def end(self) -> None:
        """End everything that was started."""
        for process in self._processes:
            if process.poll() is None:
                process.kill()
            process.wait()


@asynccontextmanager
async def deployed(directory: Path, servers: Servers, **variables: str) -> AsyncIterator[Deployment]:
    """Prepare everything for processes, and end those that are started."""
    deployment = Deployment(directory, servers, **variables)
    try:
        await deployment.prepare()
        yield deployment
    finally:
        deployment.end()
