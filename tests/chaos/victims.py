"""Processes that are killed and frozen, again and again, at moments that a seed decides."""

import asyncio
import random
import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self


@dataclass(slots=True)
class Victims:
    """So many processes; one that is killed is replaced, one that is frozen thaws after *frozen* seconds, or half, or twice."""

    start: "Callable[[], subprocess.Popen[bytes]]"
    chance: random.Random
    frozen: float
    number: int = 2
    killed: float = 0.8
    """How often it is death."""
    kills: int = 0
    freezes: int = 0
    _alive: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        self._alive = [self.start() for _ in range(self.number)]
        return self

    async def __aexit__(self, *_: object) -> None:
        for process in self._alive:
            process.send_signal(signal.SIGKILL)
            process.wait()

    async def harm(self) -> None:
        """Kill or freeze one of them."""
        place = self.chance.randrange(self.number)
        process = self._alive[place]
        if self.chance.random() < self.killed:
            process.send_signal(signal.SIGKILL)
            process.wait()
            self._alive[place] = self.start()
            self.kills += 1
        else:
            process.send_signal(signal.SIGSTOP)
            await asyncio.sleep(self.chance.uniform(0.5, 2) * self.frozen)
            process.send_signal(signal.SIGCONT)
            self.freezes += 1
