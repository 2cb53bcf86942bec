"""One broker of Apache Kafka, in KRaft mode, that tests may stop, kill and start again."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

from embedded.ports import choose

CLUSTER = "customer-service-test0"  # 22 characters: a cluster id is a UUID in base 64
_START_SECONDS = 40

_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
"""


class Broker:
    """A broker with its data in *folder*; what it has taken is there again when it is started again."""

    def __init__(self, classpath: str, folder: Path) -> None:
        self._java = ["java", "-Xms64m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", classpath]
        self._properties = folder / "server.properties"
        self._log = folder / "server.log"
        port = choose(0, reserved={0})
        self.address = f"127.0.0.1:{port}"
        self._process: subprocess.Popen[bytes] | None = None
        self._properties.write_text(
            _PROPERTIES.format(port=port, controller=choose(0, reserved={0, port}), data=folder / "data"), encoding="utf-8"
        )
        self._run("kafka.tools.StorageTool", "format", "-t", CLUSTER, "-c", str(self._properties))

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self._java, "kafka.Kafka", str(self._properties)], stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        host, _, port = self.address.rpartition(":")
        deadline = time.monotonic() + _START_SECONDS
        while True:
            assert self._process.poll() is None, self._log.read_text(encoding="utf-8")[-2000:]
            assert time.monotonic() < deadline, self._log.read_text(encoding="utf-8")[-2000:]
            try:
                socket.create_connection((host, int(port)), timeout=1).close()
            except OSError:
                time.sleep(0.1)
            else:
                return

    def kill(self) -> None:
        """Be gone at once, without a word."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        """Stop as an operator stops it."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.kill()

    def _run(self, *command: str) -> None:
        finished = subprocess.run([*self._java, *command], capture_output=True, text=True, timeout=60, check=False)
        assert 0 == finished.returncode, finished.stdout + finished.stderr
