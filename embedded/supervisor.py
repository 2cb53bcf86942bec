"""Keeps processes alive: one that ends is started again, sooner at first, later when it keeps failing."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from embedded.errors import StackError
from embedded.processes import Child

_FIRST_DELAY = 0.2
_LONGEST_DELAY = 10.0
_HEALTHY_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Role:
    """A process that has to run: how to start it so that it serves, and how long it may take to stop.

    When it had to be started again, the roles named in *restarts* are as well: they hold on to something that died with it.
    """

    name: str
    start: Callable[[], Awaitable[Child]]
    grace: float
    restarts: tuple[str, ...] = ()


class Supervisor:
    """Watches the children of all roles until it is told to stop them."""

    def __init__(self, *, changed: Callable[[], None], say: Callable[[str], None]) -> None:
        self._changed = changed
        self._say = say
        self._children: dict[str, Child] = {}
        self._roles: dict[str, Role] = {}
        self._watchers: dict[str, asyncio.Task[None]] = {}

    def adopt(self, role: Role, child: Child) -> None:
        """Take responsibility for stopping *child*."""
        self._roles[role.name] = role
        self._children[role.name] = child

    async def start(self, role: Role) -> None:
        """Start *role* and take responsibility for stopping it.

        Raises:
            StackError: when it does not come up.
        """
        self.adopt(role, await role.start())

    def watch(self) -> None:
        """From now on, start again what ends.

        Raises:
            ProcessFailed: when something ended before.
        """
        for child in self._children.values():
            if child.exit_code is not None:
                raise child.failed(how_it_ended(child.exit_code))
        for role in self._roles.values():
            self._watchers[role.name] = asyncio.create_task(self._keep_alive(role), name=f"keep {role.name} alive")

    def pids(self) -> dict[str, int]:
        """Return the process id of every role."""
        return {name: child.pid for name, child in self._children.items()}

    async def stop(self, order: Sequence[Sequence[str]]) -> None:
        """Stop all roles, group by group; those that *order* does not name come last."""
        for watcher in self._watchers.values():
            watcher.cancel()
        await asyncio.gather(*self._watchers.values(), return_exceptions=True)
        named = {name for group in order for name in group}
        for group in (*order, [name for name in self._children if name not in named]):
            await asyncio.gather(*(self._stop(name) for name in group if name in self._children))

    async def _stop(self, name: str) -> None:
        await self._children.pop(name).stop(grace=self._roles[name].grace)

    async def _keep_alive(self, role: Role) -> None:
        delay = _FIRST_DELAY
        while True:
            started = time.monotonic()
            child = self._children[role.name]
            how = how_it_ended(await child.wait())
            if time.monotonic() - started > _HEALTHY_SECONDS:
                delay = _FIRST_DELAY
            # Who was killed has nothing to say; who failed said why.
            self._say(f"{child.failed(how)}" if (child.exit_code or 0) > 0 else f"{role.name} {how}; starting it again")
            delay = await self._start_again(role, delay)
            self._changed()
            self._say(f"{role.name} is back (process {self._children[role.name].pid})")
            for dependant in role.restarts:
                self._end(dependant)

    async def _start_again(self, role: Role, delay: float) -> float:
        while True:
            await asyncio.sleep(delay)
            delay = min(delay * 2, _LONGEST_DELAY)
            try:
                self._children[role.name] = await role.start()
            except StackError as error:
                self._say(f"{role.name} does not come up and will be tried again in {delay:.1f} s. {error}")
            else:
                return delay

    def _end(self, name: str) -> None:
        child = self._children.get(name)
        if child is not None and child.exit_code is None:
            child.terminate()


def how_it_ended(code: int) -> str:
    """Return an exit code in words."""
    return f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
