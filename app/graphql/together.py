"""Queries that are alike and come in the same moment are executed as one.

    request ─┐                          ┌─ execution, under way
    request ─┼─ Lane (waiting calls) ───┤
    request ─┘                          └─ execution, under way

What an execution costs besides its objects is paid once for all of them: its columns, its loads, the tasks it waits in. Alike
are calls of one compiled operation by one caller that differ in arguments of root fields alone. Everything else (errors, what
has too many objects, whatever fails) is executed by itself, so that there is one place that says what went wrong.
"""

import time
from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import Any
from weakref import WeakValueDictionary

from graphql import ExecutionResult, OperationType

from app.graphql.bounded_execution import Bounds, nothing_but
from app.graphql.compiled_execution import Compilation
from app.graphql.rules import OperationRules
from auth.principal import Scope
from compiled_graphql.operation import Call
from core.errors import TimedOut
from loaders.batch import Lane, Loader
from schema.context import Context

MOST = 32
"""Calls in one execution. More would not be much cheaper for each, and keep the process busy for longer without a pause."""

_COMPANY = 64
"""Calls that came alone in a row after which the next one waits for nobody."""

_APART = 64
"""Calls that are executed by themselves after an execution of several had an error. As a rule the next ones have it too, and
would be executed twice."""

_MOST_APART = 1_000
"""Kinds of calls of which that is remembered."""

_Data = dict[str, Any]


class _Asked:
    """One call, and since when it waits."""

    __slots__ = ("call", "since")

    def __init__(self, call: Call) -> None:
        self.call = call
        self.since = time.monotonic()


class Together:
    """Executes queries of one process."""

    def __init__(self, rules: OperationRules) -> None:
        self._rules = rules
        self._lanes: WeakValueDictionary[Hashable, Lane[_Asked, _Data]] = WeakValueDictionary()
        # By hashes, so that no document or value is kept: who has the same by chance is executed by itself, no more.
        self._apart: dict[int, int] = {}
        self._answering = 0
        self._company = 0

    async def execute(self, compilation: Compilation, context: Context, variables: dict[str, Any] | None) -> ExecutionResult:
        """Return the result of a query that is compiled."""
        self._company = _COMPANY if self._answering else max(0, self._company - 1)
        call = compilation.call(variables) if self._company and _shares(context) else None
        # By value: whoever has the same name, the same seller and the same scopes gets the same answer.
        key = None if call is None else (compilation, context.principal, call.alike)
        self._answering += 1
        try:
            begun: float | None = None
            if call is not None and not self._is_apart(key):
                asked = _Asked(call)
                try:
                    data = await Loader(self._lane(key, compilation, context)).load(asked)
                except TimedOut as error:
                    return nothing_but(error)
                if data is not None:
                    return ExecutionResult(data, None)
                begun = asked.since
            bounds = Bounds(self._rules.deadline, OperationType.QUERY, begun)
            return await bounds.within(compilation.execute_within(bounds, context, variables))
        finally:
            self._answering -= 1

    def _is_apart(self, key: Hashable) -> bool:
        left = self._apart.pop(hash(key), 0)
        if left > 1:
            self._apart[hash(key)] = left - 1
        return left > 0

    def _lane(self, key: Hashable, compilation: Compilation, context: Context) -> Lane[_Asked, _Data]:
        lane = self._lanes.get(key)
        if lane is None:

            async def answer(asked: Collection[_Asked]) -> Mapping[_Asked, _Data]:
                found = await self._answers(compilation, context.for_others(), list(asked))
                if not found:
                    self._apart[hash(key)] = _APART
                    if len(self._apart) > _MOST_APART:
                        del self._apart[next(iter(self._apart))]
                return found

            lane = self._lanes[key] = Lane(answer, "operations together", most=MOST)
        return lane

    async def _answers(self, compilation: Compilation, context: Context, asked: Sequence[_Asked]) -> Mapping[_Asked, _Data]:
        """Return the data of calls; nothing when each has to be executed by itself.

        Raises:
            TimedOut: the one that has waited longest has waited for too long; the others began while it did.
        """
        bounds = Bounds(self._rules.deadline, OperationType.QUERY, min(one.since for one in asked))
        execution = compilation.execute_together(bounds, context, [one.call for one in asked])
        try:
            found = await bounds.enforced(execution)
        except TimedOut:
            raise
        except Exception:  # noqa: BLE001  whatever it is, each call meets it by itself
            found = None
        return {} if found is None else dict(zip(asked, found, strict=True))


def _shares(context: Context) -> bool:
    """Say whether a caller's queries may be executed together.

    One that reaches across all sellers leaves a line for each, and one that is given numbers in full an entry in a history.
    """
    principal = context.principal
    return principal is not None and principal.seller_id is not None and Scope.DOCUMENTS_READ_FULL not in principal.scopes
