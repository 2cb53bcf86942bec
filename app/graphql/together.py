"""Queries that are alike and come in the same moment are executed as one.

    request ─┐                          ┌─ execution, under way
    request ─┼─ Lane (waiting calls) ───┤
    request ─┘                          └─ execution, under way

What an execution costs besides its objects is paid once for all of them: its columns, its loads, the tasks it waits in. Alike
are calls of one compiled operation by one caller that differ in arguments of root fields alone. Everything else (errors, what
has too many objects, whatever fails) is executed by itself, so that there is one place that says what went wrong.
"""

from collections.abc import Collection, Hashable, Mapping
from typing import Any
from weakref import WeakValueDictionary

from graphql import ExecutionResult, OperationType

from app.graphql.bounded_execution import Bounds
from app.graphql.compiled_execution import Compilation
from app.graphql.rules import OperationRules
from compiled_graphql.operation import Call
from loaders.batch import Lane, Loader
from schema.context import Context

MOST = 32
"""Calls in one execution. More would not be much cheaper for each, and keep the process busy for longer without a pause."""

_COMPANY = 64
"""Calls that came alone in a row after which the next one waits for nobody."""

_Data = dict[str, Any]


class Together:
    """Executes queries of one process."""

    def __init__(self, rules: OperationRules) -> None:
        self._rules = rules
        self._lanes: WeakValueDictionary[Hashable, Lane[Call, _Data]] = WeakValueDictionary()
        self._answering = 0
        self._company = 0

    async def execute(self, compilation: Compilation, context: Context, variables: dict[str, Any] | None) -> ExecutionResult:
        """Return the result of a query that is compiled."""
        bounds = Bounds(self._rules.deadline, OperationType.QUERY)
        self._company = _COMPANY if self._answering else max(0, self._company - 1)
        call = compilation.call(variables) if self._company and _shares(context) else None
        self._answering += 1
        try:
            if call is None:
                return await bounds.within(compilation.execute_within(bounds, context, variables))
            return await bounds.within(self._shared(compilation, context, variables, call, bounds))
        finally:
            self._answering -= 1

    async def _shared(
        self, compilation: Compilation, context: Context, variables: dict[str, Any] | None, call: Call, bounds: Bounds
    ) -> ExecutionResult:
        data = await Loader(self._lane(compilation, context, call)).load(call)
        if data is None:
            return await compilation.execute_within(bounds, context, variables)
        return ExecutionResult(data, None)

    def _lane(self, compilation: Compilation, context: Context, call: Call) -> Lane[Call, _Data]:
        # By value: whoever has the same name, the same seller and the same scopes gets the same answer.
        key = (compilation, context.principal, call.alike)
        lane = self._lanes.get(key)
        if lane is None:

            async def answer(calls: Collection[Call]) -> Mapping[Call, _Data]:
                bounds = Bounds(self._rules.deadline, OperationType.QUERY)
                some = list(calls)
                try:
                    found = await compilation.execute_together(bounds, context.for_operation(), some)
                except Exception:  # noqa: BLE001  whatever it is, each call meets it by itself
                    found = None
                return dict(zip(some, found, strict=True)) if found is not None else {}

            lane = self._lanes[key] = Lane(answer, "queries", most=MOST)
        return lane


def _shares(context: Context) -> bool:
    """Say whether a caller's queries may be executed together: one that reaches across all sellers leaves a line for each."""
    return context.principal is not None and context.principal.seller_id is not None
