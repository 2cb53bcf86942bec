"""What journeys do to the processes of a stack, and how they wait for what follows."""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    """Stop a process from doing anything: its connections stand, and nobody answers on them."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def until(look: Callable[[], Awaitable[T]], satisfied: Callable[[T], object], within: float) -> tuple[T, float]:
    """Look again and again until what is there is satisfying; return that, and the seconds it took."""
    began = time.monotonic()
    found = await look()
    while not satisfied(found):
        assert time.monotonic() - began < within, f"not within {within} s: {found!r:.2000}"
        await asyncio.sleep(0.1)
        found = await look()
    return found, time.monotonic() - began
