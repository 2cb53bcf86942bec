"""Values that are not there yet: either a list, or a `Later` that becomes one."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from functools import partial
from types import CoroutineType, GeneratorType
from typing import Any

from graphql.pyutils import is_awaitable

from compiled_graphql.failures import GIVEN_UP, Failures
from compiled_graphql.places import Level, Place, Places

Values = list[Any]


class Later:
    """A column that has to be waited for. Whoever has one either begins it or discards it."""

    __slots__ = ("_begin", "_held")

    def __init__(self, begin: Callable[[], Coroutine[Any, Any, Values]], held: Sequence[Any]) -> None:
        self._begin = begin
        self._held = held

    async def values(self) -> Values:
        """Wait for the column."""
        return await self._begin()

    def discard(self) -> None:
        """Let nothing of it run that has not begun."""
        discard(self._held)


Column = Values | Later


def discard(held: Sequence[Any]) -> None:
    """Let nothing run of what has not begun among *held*, and among lists in it."""
    for one in held:
        if isinstance(one, Later):
            one.discard()
        elif isinstance(one, CoroutineType):
            one.close()
        elif isinstance(one, asyncio.Future):
            one.cancel()
        elif isinstance(one, list):
            discard(one)


def then(column: Column, finish: Callable[[Values], Column]) -> Column:
    """Return what *finish* makes of a column, at once if it is there."""
    if isinstance(column, list):
        return finish(column)

    async def finished() -> Values:
        found = finish(await column.values())
        return found if isinstance(found, list) else await found.values()

    return Later(finished, [column])


def awaitables(values: Values) -> Values:
    """Return what has to be awaited among *values*."""
    if not any(map(_may_be_awaitable, set(map(type, values)))):
        return []
    return [value for value in values if is_awaitable(value)]


def _may_be_awaitable(type_: type) -> bool:
    return issubclass(type_, CoroutineType | GeneratorType) or hasattr(type_, "__await__")


async def together(failures: Failures, level: Level, columns: Sequence[tuple[Sequence[int], Later]]) -> list[Values]:
    """Wait for several columns at a time, each of some rows of a level. When one ends with an exception, none goes on.

    A column that was given up consists of `GIVEN_UP`.
    """
    if len(columns) == 1:
        return [await columns[0][1].values()]
    tasks = [asyncio.create_task(column.values()) for _, column in columns]
    for task, (rows, _) in zip(tasks, columns, strict=True):
        failures.wait_for(task, partial(_places, level, rows))
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            if not task.cancelled() and (error := task.exception()) is not None:
                raise error
        return [
            [GIVEN_UP] * len(rows) if failures.done_with(task) and task.cancelled() else task.result()
            for task, (rows, _) in zip(tasks, columns, strict=True)
        ]
    finally:
        await end(tasks)
        for task, (_, column) in zip(tasks, columns, strict=True):
            failures.done_with(task)
            column.discard()


async def awaited(failures: Failures, places: Places, values: Values) -> Values:
    """Return the *values* at some places with what is awaitable among them awaited, all at a time.

    What an awaitable raises stands in its place. One that is pointless, because another one has failed, is given up.
    """
    rows = [row for row, value in enumerate(values) if is_awaitable(value)]
    try:
        if len(rows) == 1:
            await _one(values, rows[0])
            failures.resumed()
        else:
            await _several(failures, places, values, rows)
    except BaseException:
        discard(values)
        raise
    return values


async def _one(values: Values, row: int) -> None:
    """Await one value where it stands, without a task of its own."""
    try:
        values[row] = await values[row]
    except Exception as error:  # noqa: BLE001  whatever a resolver raises is the error of its field
        values[row] = error


async def _several(failures: Failures, places: Places, values: Values, rows: Sequence[int]) -> None:
    futures = {row: asyncio.ensure_future(values[row]) for row in rows}
    for row, future in futures.items():
        failures.wait_for(future, partial(_only, (places, row)))
    left = set(futures.values())
    try:
        while left:
            done, left = await asyncio.wait(left, return_when=asyncio.FIRST_EXCEPTION)
            failures.resumed()
            if left and not places.nullable:
                for row, future in futures.items():
                    if future in done and not future.cancelled() and future.exception() is not None:
                        failures.give_up((places, row))
        for row, future in futures.items():
            values[row] = _outcome(future, given_up=failures.done_with(future))
    finally:
        await end(futures.values())
        for future in futures.values():
            failures.done_with(future)


def _places(level: Level, rows: Sequence[int]) -> Iterable[Place | None]:
    return (level.place(row) for row in rows)


def _only(place: Place) -> tuple[Place]:
    return (place,)


async def end(futures: "Iterable[asyncio.Future[Any]]") -> None:
    """Cancel what has not ended, and wait until it has."""
    unfinished = [future for future in futures if not future.done()]
    for future in unfinished:
        future.cancel()
    if unfinished:
        await asyncio.gather(*unfinished, return_exceptions=True)


def _outcome(future: "asyncio.Future[Any]", *, given_up: bool) -> Any:
    if future.cancelled() and given_up:
        return GIVEN_UP
    error = None if future.cancelled() else future.exception()
    if isinstance(error, Exception):
        return error
    return future.result()
