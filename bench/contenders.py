"""Who is measured: our service, the bare floor, and, where Node.js is, Apollo Server and Mercurius. All read one database."""

import json
import os
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from bench.load import Target
from bench.machine import SERVER_CORE
from bench.operations import UNIQUE, Operation, calls
from bench.stage import SELLER, Database, Service, process, wait_until_answered
from embedded.ports import LOOPBACK, choose
from embedded.processes import ROOT

OURS, FLOOR, APOLLO, MERCURIUS = "ours", "floor", "apollo", "mercurius"
PEERS = ROOT / "bench" / "peers"
_PACKAGES = ROOT / ".peers"
_AS_IT_IS = ("Q1", "Q2", "M1")

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Contender:
    """A server, what its requests carry, and whether it speaks GraphQL (the floor has a path for each operation instead)."""

    name: str
    address: str
    pid: int
    headers: Mapping[str, str]

    def answers(self, operation: Operation) -> bool:
        """Say whether it can be asked this."""
        return self.name != FLOOR or operation.name in _AS_IT_IS

    def target(self, operation: Operation) -> Target:
        """Return where to ask."""
        return Target(self.address + (f"/{operation.name}" if self.name == FLOOR else ""), self.headers, self.pid)


def node_is_there() -> bool:
    """Say whether Node.js and npm are installed."""
    return shutil.which("node") is not None and shutil.which("npm") is not None


def prepare_node() -> None:
    """Install what the Node servers are made of, as their lock file says; a moment when nothing has changed."""
    names = ("package.json", "package-lock.json", ".npmrc")
    stamp = _PACKAGES / ".prepared"
    wanted = "".join((PEERS / name).read_text(encoding="utf-8") for name in names)
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
        _PACKAGES.mkdir(exist_ok=True)
        for name in names:
            shutil.copy(PEERS / name, _PACKAGES / name)
        npm = str(shutil.which("npm"))
        subprocess.run([npm, "ci", "--prefix", str(_PACKAGES), "--no-progress", "--loglevel=error"], check=True)
        stamp.write_text(wanted, encoding="utf-8")
    link = PEERS / "node_modules"
    link.unlink(missing_ok=True)
    # Beside the project's folders, not among them: what looks through bench/ for modules should not find those of npm.
    link.symlink_to(Path("../../.peers/node_modules"))


@contextmanager
def contenders(directory: Path, at: Database, ours: Service) -> Iterator[list[Contender]]:
    """Start everybody but ours, which runs already, each pinned to the same core; they take turns."""
    token = {"Authorization": f"Bearer {ours.token()}"}
    started = [Contender(OURS, ours.url, ours.pid, token)]
    programs = {FLOOR: [sys.executable, "-P", "-m", "bench.peers.floor"]}
    if node_is_there():
        prepare_node()
        programs |= {name: [str(shutil.which("node")), str(PEERS / f"{name}.mjs")] for name in (APOLLO, MERCURIUS)}
    with ExitStack() as stack:
        for name, command in programs.items():
            port = choose(0, reserved={0, ours.port, ours.metrics_port})
            environment = {
                **os.environ,
                "PORT": str(port),
                "MONGODB_URI": at.uri,
                "MONGODB_DATABASE": at.name,
                "SELLER": SELLER,
                "PYTHONPATH": str(ROOT),
                "NODE_ENV": "production",
            }
            pid = stack.enter_context(process(command, directory / f"{name}.log", SERVER_CORE, environment))
            path = {FLOOR: "", APOLLO: "/"}.get(name, "/graphql")
            wait_until_answered(f"http://{LOOPBACK}:{port}{path}")
            started.append(Contender(name, f"http://{LOOPBACK}:{port}{path}", pid, {}))
        yield started


def compare(everybody: Sequence[Contender], operations: Sequence[Operation], cursors: Sequence[str], at: Database) -> None:
    """Insist that all give the same answers.

    Raises:
        RuntimeError: with the operation, who differs, and both answers.
    """
    for operation in operations:
        for number, body in enumerate(calls(operation, cursors)[:25]):
            expected: Answer | None = None
            for contender in everybody:
                if not contender.answers(operation):
                    continue
                found = _ask(contender, operation, body, number)
                if operation.name == "M1":
                    _insist_on_all_of_it(found, contender, at)
                    continue
                expected = expected or found
                if found != expected:
                    message = f"{contender.name} answers {operation.name} differently: {found}, not {expected}"
                    raise RuntimeError(message)


def _ask(contender: Contender, operation: Operation, body: Mapping[str, Any], number: int) -> Answer:
    """Return the data, and of errors what servers may be expected to agree on."""
    target = contender.target(operation)
    # Beyond what loads use, and different for everybody.
    unique = f"{99_000_000 + 1000 * number + sum(contender.name.encode()):08d}"
    request = urllib.request.Request(  # noqa: S310 - our own address
        target.url,
        json.dumps(body).replace(UNIQUE, unique).encode(),
        {"Content-Type": "application/json", **target.headers},
    )
    with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310 - our own address
        answer = json.load(response)
    errors = [(error.get("path"), error["extensions"]["code"]) for error in answer.get("errors", [])]
    if bool(errors) is not operation.errors:
        message = f"{contender.name} did not answer {operation.name} as it should: {answer}"
        raise RuntimeError(message)
    return {"data": answer["data"], "errors": errors}


def _insist_on_all_of_it(found: Answer, contender: Contender, at: Database) -> None:
    """Look whether a created customer was stored with its address and its event."""
    created = found["data"]["createCustomer"]
    id_ = created["customer"]["id"]
    with MongoClient[dict[str, Any]](at.uri) as client:
        stored = client[at.name]
        owned = {"seller_id": SELLER, "customer_id": id_}
        counts = [
            stored.customers.count_documents({"_id": id_, "seller_id": SELLER, "version": 1}),
            stored.addresses.count_documents({**owned, "is_default": True}),
            stored.customer_events.count_documents({**owned, "type": "CREATED", "pending": True}),
        ]
    if created["userErrors"] or counts != [1, 1, 1]:
        message = f"{contender.name} did not create a customer as it should: {created}, stored {counts}"
        raise RuntimeError(message)
