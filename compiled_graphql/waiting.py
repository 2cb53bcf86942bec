"""Values that are not there yet: either a list, or a `Later` that becomes one."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from functools import lru_cache, partial
from types import CoroutineType, GeneratorType
from typing import Any

from graphql.pyutils import is_awaitable

from compiled_graphql.failures import GIVEN_UP, Failures
from compiled_graphql.places import Level, Place, Places

Values = list[Any]


class Later:
    """A column that has to be waited for. Whoever has one either begins it or discards it.

    Of one that was asked for already, *promise* is the future that is waited for, and what returns the column afterwards.
    """

    __slots__ = ("_begin", "_held", "promise")

    def __init__(
        self,
        begin: Callable[[], Coroutine[Any, Any, Values]],
        held: Sequence[Any],
        promise: "tuple[asyncio.Future[Any], Callable[[], Column]] | None" = None,
    ) -> None:
        self._begin = begin
        self._held = held
        self.promise = promise

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
            _drop(one)
        elif isinstance(one, list):
            discard(one)


def _drop(future: "asyncio.Future[Any]") -> None:
    """Cancel a future, or take note of what has become of it, so that nobody is told of an error that nobody wants."""
    if not future.cancel() and not future.cancelled():
        future.exception()


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


@lru_cache(maxsize=1024)
def _may_be_awaitable(type_: type) -> bool:
    return issubclass(type_, CoroutineType | GeneratorType) or hasattr(type_, "__await__")


async def together(failures: Failures, level: Level, columns: Sequence[tuple[Sequence[int], Later]]) -> list[Values]:
    """Wait for several columns at a time, each of some rows of a level. When one ends with an exception, none goes on.

    A column that was given up consists of `GIVEN_UP`.
    """
    if len(columns) == 1:
        return [await columns[0][1].values()]
    if all(column.promise is not None for _, column in columns):
        return await _promised(failures, level, columns)
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


async def _promised(failures: Failures, level: Level, columns: Sequence[tuple[Sequence[int], Later]]) -> list[Values]:
    """Wait for columns that were asked for already, which takes no tasks. One that fails is completed before the others."""
    found: dict[int, Column] = {}
    left = {number: column.promise for number, (_, column) in enumerate(columns) if column.promise is not None}
    for number, (future, _) in left.items():
        failures.wait_for(future, partial(_places, level, columns[number][0]))
    try:
        while left:
            futures = [future for future, _ in left.values()]
            await _until_all_or_one_fails(futures)
            failures.resumed()
            is_over = all(future.done() for future in futures)
            for number, (future, finish) in list(left.items()):
                if is_over or _failed(future):
                    del left[number]
                    given_up = failures.done_with(future) and future.cancelled()
                    found[number] = [GIVEN_UP] * len(columns[number][0]) if given_up else finish()
    finally:
        for future, _ in left.values():
            _drop(future)
            failures.done_with(future)
        for column in found.values():
            if left and isinstance(column, Later):
                column.discard()
    later = [(columns[number][0], column) for number, column in found.items() if isinstance(column, Later)]
    complete = iter(await together(failures, level, later) if later else ())
    for number, column in found.items():
        if isinstance(column, Later):
            found[number] = next(complete)
    return [found[number] for number in range(len(columns))]  # type: ignore[misc]  # they are lists by now


async def _until_all_or_one_fails(futures: "Sequence[asyncio.Future[Any]]") -> None:
    """Wait until all *futures* are done, or one of them has failed: `asyncio.wait`, in a third of its time."""
    left = [future for future in futures if not future.done()]
    if not left or (len(left) < len(futures) and any(_failed(future) for future in futures)):
        return
    waiter, count = asyncio.get_running_loop().create_future(), len(left)

    def note(future: "asyncio.Future[Any]") -> None:
        nonlocal count
        count -= 1
        if (count == 0 or _failed(future)) and not waiter.done():
            waiter.set_result(None)

    for future in left:
        future.add_done_callback(note)
    try:
        await waiter
    finally:
        for future in left:
            future.remove_done_callback(note)


def _failed(future: "asyncio.Future[Any]") -> bool:
    return future.done() and (future.cancelled() or future.exception() is not None)


def outcome(future: "asyncio.Future[Any]", finish: Callable[[Any], Any]) -> Any:
    """Return what *finish* makes of what a future has become, or the error of either."""
    try:
        return finish(future.result())
    except Exception as error:  # noqa: BLE001  whatever it is, it is the error of a field
        return error


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
