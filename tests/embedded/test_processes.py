"""Children, ports, locks and the list of processes: the parts that a crash puts to the test."""

import asyncio
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from embedded.errors import AddressTaken, BadOption, ProcessFailed
from embedded.locks import FileLock
from embedded.options import Options
from embedded.orphans import ProcessList, identity_of
from embedded.ports import choose, demand, is_free
from embedded.processes import ROOT, Child, Command, run_to_end, start_until_ready
from embedded.supervisor import Role, Supervisor
from tests.embedded.stacks import wait_until

SLEEP = (sys.executable, "-c", "import time; time.sleep(60)")
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG is a call of Linux")


@pytest.fixture(name="log")
def _log(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "child.log"


def test_the_usual_port_is_taken_when_it_is_free() -> None:
    port = choose(0, reserved={0})

    assert port == choose(port)
    assert port != choose(port, reserved={port})


def test_another_port_is_found_when_the_usual_one_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        assert not is_free(port)
        assert port != choose(port)
        with pytest.raises(AddressTaken, match=rf"Port {port} .* choose another port: PORT=\d+ make run"):
            demand(port, variable="PORT", purpose="the API")


def test_a_port_that_was_used_a_moment_ago_is_free() -> None:
    """
    Connections in TIME_WAIT would otherwise make a quick restart fail.
    """
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            server.accept()[0].close()

    assert is_free(port)


@pytest.mark.parametrize(
    ("variable", "value"), [("PORT", "http"), ("PORT", "70000"), ("METRICS_PORT", "-1"), ("WORKERS", "1.5")]
)
def test_an_option_that_is_no_number_is_refused_by_name(variable: str, value: str) -> None:
    with pytest.raises(BadOption, match=f"{variable}='{value}' has to be a whole number"):
        Options.of({variable: value})


def test_options_have_defaults_and_an_absolute_directory() -> None:
    assert Options(8084, 9090, ROOT / ".run", 1) == Options.of({"PORT": ""})


async def test_a_child_is_stopped_gently_first_and_then_for_certain(log: Path) -> None:
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    gentle = await Child.start(Command("gentle", SLEEP, log))
    stubborn = await Child.start(Command("stubborn", (sys.executable, "-c", deaf), log))
    await asyncio.to_thread(wait_until, lambda: "deaf" in log.read_text(), 20)

    await asyncio.gather(gentle.stop(grace=10), stubborn.stop(grace=0.2))

    assert (-signal.SIGTERM, -signal.SIGKILL) == (gentle.exit_code, stubborn.exit_code)


async def test_what_a_child_started_goes_with_it(log: Path) -> None:
    grandchild = f"import subprocess, time; print(subprocess.Popen({SLEEP!r}).pid, flush=True); time.sleep(60)"
    child = await Child.start(Command("family", (sys.executable, "-c", grandchild), log))
    await asyncio.to_thread(wait_until, lambda: log.read_text().endswith("\n"), 20)

    await child.stop(grace=5)

    await asyncio.to_thread(wait_until, lambda: identity_of(int(log.read_text())) is None, 5)


async def test_a_program_that_fails_shows_its_last_words_and_no_older_ones(log: Path) -> None:
    await run_to_end(Command("job", (sys.executable, "-c", "print('an earlier run')"), log), within=20)

    with pytest.raises(ProcessFailed) as failed:
        await run_to_end(Command("job", (sys.executable, "-c", "print('why'); raise SystemExit(7)"), log), within=20)

    assert "job ended with exit code 7" in str(failed.value)
    assert "| why" in str(failed.value)
    assert "an earlier run" not in str(failed.value)


async def test_a_child_that_is_never_ready_does_not_stay(log: Path) -> None:
    pids: list[int] = []

    with pytest.raises(ProcessFailed, match="slow was not ready within 0 s"):
        await start_until_ready(Command("slow", SLEEP, log), asyncio.Event().wait, lambda _, pid: pids.append(pid), within=0.1)

    assert [None] == [identity_of(pid) for pid in pids]


@linux_only
def test_children_die_with_a_supervisor_that_is_killed(log: Path) -> None:
    program = f"""
import asyncio
from pathlib import Path
from embedded.processes import Child, Command

async def main():
    child = await Child.start(Command("child", {SLEEP!r}, Path({str(log)!r})))
    print(child.pid, flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as supervisor:
        assert supervisor.stdout is not None
        pid = int(supervisor.stdout.readline())
        supervisor.kill()

    wait_until(lambda: identity_of(pid) is None, 5)


def test_listed_processes_of_an_earlier_run_are_ended(tmp_path: Path) -> None:
    path = tmp_path / "processes.json"
    with subprocess.Popen(SLEEP) as orphan:
        ProcessList(path).note("worker-1", orphan.pid)

        assert ["worker-1"] == ProcessList(path).end_survivors(grace=5)
        assert -signal.SIGTERM == orphan.wait()
    assert not path.exists()


def test_a_process_that_only_has_the_same_id_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "processes.json"
    with subprocess.Popen(SLEEP) as stranger:
        ProcessList(path).note("worker-1", stranger.pid)
        entries = json.loads(path.read_text())
        path.write_text(json.dumps([entry | {"identity": entry["identity"] + "1"} for entry in entries]))

        assert [] == ProcessList(path).end_survivors(grace=5)
        assert stranger.poll() is None
        stranger.kill()


@pytest.mark.parametrize("content", ["", "[", "{}", '[{"pid": "x"}]', "[1]"])
def test_a_list_that_makes_no_sense_ends_nobody(tmp_path: Path, content: str) -> None:
    path = tmp_path / "processes.json"
    path.write_text(content)

    assert [] == ProcessList(path).end_survivors(grace=1)


def test_processes_that_ended_leave_the_list(tmp_path: Path) -> None:
    listed = ProcessList(tmp_path / "processes.json")
    with subprocess.Popen([sys.executable, "-c", ""]) as short:
        listed.note("short", short.pid)
    listed.note("me", os.getpid())

    assert ["me"] == [entry["name"] for entry in json.loads(listed.path.read_text())]


def test_a_lock_is_given_back_when_its_holder_is_killed(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "lock")
    program = f"""
import time
from pathlib import Path
from embedded.locks import FileLock
FileLock(Path({str(tmp_path / "lock")!r})).take().write("holder")
print("held", flush=True)
time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert "held\n" == holder.stdout.readline()
        assert not lock.try_take()
        assert "holder" == lock.read()
        holder.kill()

    assert lock.try_take()
    lock.release()


def test_a_lock_on_a_file_that_was_removed_excludes_nobody(tmp_path: Path) -> None:
    first, second = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
    assert first.try_take()
    (tmp_path / "lock").unlink()

    assert second.try_take()
    first.release()
    assert not FileLock(tmp_path / "lock").try_take()
    second.release()


async def test_a_role_that_keeps_failing_is_tried_less_and_less_often_and_says_why(log: Path) -> None:
    said: list[str] = []
    starts: list[float] = []
    supervisor = Supervisor(changed=lambda: None, say=said.append)

    async def start() -> Child:
        starts.append(time.monotonic())
        return await Child.start(Command("worker-1", (sys.executable, "-c", "print('no database'); raise SystemExit(2)"), log))

    await supervisor.start(Role("worker-1", start, grace=5))
    supervisor.watch()
    await asyncio.to_thread(wait_until, lambda: len(starts) == 4, 20)
    await supervisor.stop([])

    pauses = [later - earlier for earlier, later in itertools.pairwise(starts)]
    assert pauses == sorted(pauses)
    assert any("worker-1 ended with exit code 2" in line and "| no database" in line for line in said)
    assert {} == supervisor.pids()
