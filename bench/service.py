"""The service as its users meet it: start, import, reads, sign-in. Run on embedded servers, with everything switched on."""

import asyncio
import csv
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp

from bench import sign_in
from bench.figure import Figure

ROOT = Path(__file__).resolve().parents[1]
ROWS = 50_000
CONNECTIONS = 32
SECONDS = 10.0

_CUSTOMER = """
query Customer($id: ID!) {
  customer(id: $id) {
    id fullName email phone status version
    addresses { id kind isDefault line1 city postalCode countryCode }
    documents { id type status number }
  }
}
"""


def measure() -> list[Figure]:
    """Start the stack twice (cold and warm), import a file, read customers, and sign some in."""
    with tempfile.TemporaryDirectory(prefix="customer-service-bench-") as directory:
        run_dir = Path(directory) / "run"
        with _stack(run_dir) as (_, cold):
            pass
        with _stack(run_dir) as (stack, warm):
            rows = _import(Path(directory), run_dir)
            reads = asyncio.run(_reads(stack))
            signing_in = asyncio.run(sign_in.measure(stack))
    return [
        Figure("start of the stack, nothing there yet", cold, "s"),
        Figure("start of the stack, data there", warm, "s"),
        Figure(f"import of {ROWS:,} rows, one worker", rows, "rows/s"),
        Figure(f"customer(id) with addresses and documents, {CONNECTIONS} connections", reads, "requests/s"),
        *signing_in,
    ]


@contextmanager
def _stack(run_dir: Path) -> Iterator[tuple[dict[str, Any], float]]:
    """Run the development stack; give what it wrote down, and how many seconds it took to be ready."""
    environment = {**os.environ, "RUN_DIR": str(run_dir), "PORT": str(_free_port()), "METRICS_PORT": str(_free_port())}
    begun = time.monotonic()
    process = subprocess.Popen(
        [str(ROOT / "customer-service"), "dev"], env=environment, stdout=subprocess.DEVNULL, start_new_session=True
    )
    try:
        found = run_dir / "stack.json"
        while not found.exists():
            if process.poll() is not None:
                message = f"The stack did not start; see {run_dir / 'logs'}."
                raise RuntimeError(message)
            time.sleep(0.05)
        yield json.loads(found.read_text(encoding="utf-8")), time.monotonic() - begun
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def _import(directory: Path, run_dir: Path) -> float:
    """Import a file of sound rows with addresses; return rows per second from the first worker's start to the end."""
    file = directory / "customers.csv"
    with file.open("w", newline="", encoding="utf-8") as opened:
        rows = csv.writer(opened)
        rows.writerow(
            [
                "external_id",
                "email",
                "phone",
                "first_name",
                "last_name",
                "line1",
                "city",
                "region",
                "postal_code",
                "country_code",
            ]
        )
        for number in range(ROWS):
            phone = f"+1650{2_530_000 + number:07d}"
            name = (f"First{number % 700}", f"Last{number % 3000}")
            place = (f"{number % 999 + 1} Main Street", "Mountain View", "CA", "94043", "US")
            rows.writerow([f"bench-{number}", f"customer{number}@shop{number % 97}.example", phone, *name, *place])
    done = subprocess.run(
        [sys.executable, "-P", "-m", "app", "import", str(file), "--json"],
        env={**os.environ, "RUN_DIR": str(run_dir), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    return float(json.loads(done.stdout)["rowsPerSecond"])


async def _reads(stack: dict[str, Any]) -> float:
    """Ask for one customer after the other over many connections; return answers per second."""
    headers = {"authorization": f"Bearer {stack['tokens']['operator']}"}
    body = {"query": _CUSTOMER, "variables": {"id": stack["customer_id"]}}
    answered = 0

    async def client(session: aiohttp.ClientSession, until: float) -> None:
        nonlocal answered
        while time.monotonic() < until:
            async with session.post(stack["graphql"], json=body) as response:
                answer = await response.json()
                if answer.get("data", {}).get("customer") is None:
                    message = f"The service did not answer: {answer}"
                    raise RuntimeError(message)
            answered += 1

    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    async with aiohttp.ClientSession(headers=headers, connector=connector) as session:
        await asyncio.gather(*(client(session, time.monotonic() + 2) for _ in range(CONNECTIONS)))
        answered = 0
        begun = time.monotonic()
        await asyncio.gather(*(client(session, begun + SECONDS) for _ in range(CONNECTIONS)))
        return answered / (time.monotonic() - begun)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
