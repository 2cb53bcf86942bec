"""The servers that all tests share: there while anybody uses them, and gone with the last one, however it ends."""

import subprocess
import sys
from pathlib import Path

import pytest

from embedded.orphans import identity_of
from embedded.processes import ROOT
from tests.embedded.stacks import wait_until

USER = """
import sys, time
from pathlib import Path
from tests.servers import shared_servers
with shared_servers(Path(sys.argv[1])) as servers:
    print(servers.mongodb_uri, flush=True)
    time.sleep(60)
"""


def use(directory: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen([sys.executable, "-c", USER, directory], cwd=ROOT, stdout=subprocess.PIPE, text=True)


def said_by(user: "subprocess.Popen[str]") -> str:
    assert user.stdout is not None
    return user.stdout.readline()


def test_servers_are_shared_and_go_with_their_last_user_even_after_kill_9(tmp_path: Path) -> None:
    directory = tmp_path / "servers"
    with use(directory) as first, use(directory) as second:
        assert said_by(first) == said_by(second)
        first.kill()
        first.wait()
        with pytest.raises(subprocess.TimeoutExpired):
            second.wait(timeout=1)
        mongod = int((directory / "mongod" / "mongod.lock").read_text())
        assert identity_of(mongod) is not None

        second.kill()

    wait_until(lambda: not directory.exists(), 15)
    assert identity_of(mongod) is None
