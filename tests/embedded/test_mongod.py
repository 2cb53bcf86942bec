"""MongoDB: its data outlives ports, crashes and stops; a machine that cannot run it learns why."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest
from pymongo import AsyncMongoClient

from embedded.errors import MongodMissing, ProcessFailed
from embedded.mongod import Mongod, find_binary, missing_libraries, why_not
from embedded.ports import choose
from embedded.servers import Running, start
from tests.embedded.conftest import running


@pytest.fixture(name="mongod")
def _mongod(tmp_path: Path) -> Mongod:
    return Mongod(tmp_path / "mongod", tmp_path / "mongod.log")


async def store(mongod: Mongod, node: Running, number: int) -> None:
    """Insert one document in a transaction, which only a primary of a replica set accepts."""
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(mongod.uri(node.port))
    async with client, client.start_session() as session, await session.start_transaction():
        await client["test"]["numbers"].insert_one({"_id": number}, session=session)


async def stored(mongod: Mongod, node: Running) -> list[int]:
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(mongod.uri(node.port))
    async with client:
        return [document["_id"] async for document in client["test"]["numbers"].find().sort("_id")]


async def test_data_survives_a_move_to_another_port(mongod: Mongod) -> None:
    """
    The replica set remembers the port of its member and has to be told of the new one.
    """
    assert mongod.is_new()
    async with running(mongod) as first:
        await store(mongod, first, 1)

    async with running(mongod) as second:
        await store(mongod, second, 2)

        assert first.port != second.port
        assert [1, 2] == await stored(mongod, second)
    assert not mongod.is_new()


async def test_data_survives_kill_9_on_the_same_port(mongod: Mongod) -> None:
    async with running(mongod) as node:
        await store(mongod, node, 1)
        os.kill(node.child.pid, signal.SIGKILL)
        await node.child.wait()
        assert (mongod.directory / "mongod.lock").read_text()

        await node.start_again()

        assert [1] == await stored(mongod, node)


async def test_a_server_that_cannot_start_shows_the_end_of_its_log(mongod: Mongod) -> None:
    mongod.directory.mkdir()
    (mongod.directory / "storage.bson").write_text("not a database")

    with pytest.raises(ProcessFailed, match=r"mongod ended with exit code -?\d+. The end of .*mongod.log"):
        await start(mongod, choose(0, reserved={0}))


async def test_another_server_on_the_port_is_not_mistaken_for_ours(mongod: Mongod, tmp_path: Path) -> None:
    async with running(mongod) as node:
        with pytest.raises(ProcessFailed):
            await start(Mongod(tmp_path / "second", tmp_path / "second.log"), node.port)


def test_missing_libraries_are_found_in_what_the_loader_and_ldd_say() -> None:
    loader = "mongod: error while loading shared libraries: libcurl.so.4: cannot open shared object file: No such file\n"
    ldd = "\tlinux-vdso.so.1 (0x7ff)\n\tlibldap-2.5.so.0 => not found\n\tlibc.so.6 => /lib/libc.so.6\n"

    assert ["libcurl.so.4", "libldap-2.5.so.0"] == missing_libraries(loader + ldd)


def test_a_missing_library_comes_with_the_command_that_installs_it(tmp_path: Path) -> None:
    said = "mongod: error while loading shared libraries: libcurl.so.4: cannot open shared object file"
    binary = script(tmp_path, f"echo '{said}' >&2; exit 127")

    assert "system libraries are missing: libcurl.so.4; install with: sudo apt-get install -y libcurl4" == why_not(binary)


def test_a_processor_that_is_too_old_is_named(tmp_path: Path) -> None:
    assert "this processor cannot run it (MongoDB 5 and newer need AVX)" == why_not(script(tmp_path, "kill -ILL $$"))


def test_without_any_mongod_containers_are_the_advice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    binary = script(tmp_path, "echo 'version GLIBC_2.38 not found' >&2; exit 1")
    monkeypatch.setattr("embedded.mongod._candidates", lambda: iter([binary]))
    find_binary.cache_clear()

    with pytest.raises(MongodMissing) as missing:
        find_binary()

    assert f"{binary}: version GLIBC_2.38 not found" in str(missing.value)
    assert "docker compose up" in str(missing.value)


def script(directory: Path, text: str) -> Path:
    path = directory / "mongod"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path
