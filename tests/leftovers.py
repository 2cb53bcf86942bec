"""What is left running: tasks whose coroutine is written here. Drivers and servers have tasks of their own that come and go."""

import asyncio
from pathlib import Path
from typing import Any

_REPOSITORY = str(Path(__file__).parents[1])
_PATIENCE = 10.0


def ours() -> set[asyncio.Task[Any]]:
    """Return the running tasks of this service and of its tests."""
    return {task for task in asyncio.all_tasks() if _is_ours(task)}


async def left_since(before: set[asyncio.Task[Any]]) -> list[str]:
    """Return the names of tasks of ours that came after *before* and do not end, once they have had time to."""
    async with asyncio.timeout(2 * _PATIENCE):
        for _ in range(int(_PATIENCE / 0.05)):
            if not (left := ours() - before):
                break
            await asyncio.sleep(0.05)
        return sorted(repr(task.get_coro()) for task in left)


def _is_ours(task: asyncio.Task[Any]) -> bool:
    code = getattr(task.get_coro(), "cr_code", None)
    return code is not None and code.co_filename.startswith(_REPOSITORY) and "site-packages" not in code.co_filename
