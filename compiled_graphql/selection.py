"""Selection sets: columns of fields in, objects out."""

from collections.abc import Iterable, Sequence
from typing import Any

from compiled_graphql.failures import Failed, first
from compiled_graphql.fields import SelectedField
from compiled_graphql.places import Level
from compiled_graphql.rows import FEW, PlainFields, Rows, is_plain
from compiled_graphql.run import Run
from compiled_graphql.waiting import Column, Later, Values, discard, together


class _RowPlan:
    """Which fields of a selection set are read off rows at once, and which are others. Made for those of which rows come."""

    __slots__ = ("others", "places", "plain")

    def __init__(self, fields: Sequence[SelectedField]) -> None:
        plain = [field for field in fields if field.in_row is not None and is_plain(field.definition.type)]
        self.plain = PlainFields([(field.in_row, field.definition.type) for field in plain if field.in_row is not None])
        self.places = [place for place, field in enumerate(fields) if field in plain]
        self.others = [(place, field) for place, field in enumerate(fields) if field not in plain]


class Selection:
    """What is selected of the objects of one type."""

    def __init__(self, fields: Sequence[SelectedField]) -> None:
        self.fields = fields
        self._keys = [field.key for field in fields]
        self._plan: _RowPlan | None = None

    def objects(self, run: Run, sources: Sequence[Any], level: Level) -> Column:
        """Return an object for each source. Where a field failed that must not be null, it is that field's `Failed`."""
        before = run.failures.carried
        columns: list[Any] = [None] * len(self.fields)
        failed: dict[int, Failed] = {}
        later: list[tuple[int, Later]] = []
        try:
            left = self._read(sources, columns) if type(sources) is Rows and len(sources) <= FEW else enumerate(self.fields)
            for place, field in left:
                column = columns[place] = field.column(run, sources, level)
                if isinstance(column, Later):
                    later.append((place, column))
                elif run.failures.carried != before:
                    failed = {row: value for row, value in enumerate(column) if isinstance(value, Failed)} | failed
                    if len(failed) == len(sources):
                        # Nothing more can come of any of them.
                        discard(columns)
                        return [failed[row] for row in range(len(sources))]
        except BaseException:
            discard(columns)
            raise
        if not later:
            return self._joined(columns, failed, len(sources))

        async def joined() -> Values:
            rows = range(len(sources))
            found = await together(run.failures, level, [(rows, column) for _, column in later])
            for (place, _), column in zip(later, found, strict=True):
                columns[place] = column
            more = _failed(columns) if run.failures.carried != before else {}
            return self._joined(columns, more | failed, len(sources))

        return Later(joined, [column for _, column in later])

    def _read(self, rows: Rows, columns: list[Any]) -> Iterable[tuple[int, SelectedField]]:
        """Put into *columns* what can be read off a few rows, and return the fields that are left, with their places."""
        if self._plan is None:
            self._plan = _RowPlan(self.fields)
        found = self._plan.plain.columns(rows) if self._plan.places else None
        if found is None:
            return enumerate(self.fields)
        for place, column in zip(self._plan.places, found, strict=True):
            columns[place] = column
        return self._plan.others

    async def object_serially(self, run: Run, source: Any) -> Any:
        """Return the root object, one field after the other."""
        result: dict[str, Any] = {}
        level = Level()
        for field in self.fields:
            column = field.column(run, [source], level)
            (value,) = column if isinstance(column, list) else await column.values()
            if isinstance(value, Failed):
                return value
            result[field.key] = value
        return result

    def _joined(self, columns: Sequence[Any], failed: dict[int, Failed], count: int) -> Values:
        keys = self._keys
        objects: Values = (
            [dict(zip(keys, values, strict=True)) for values in zip(*columns, strict=True)]
            if columns
            else [{} for _ in range(count)]
        )
        for row, error in failed.items():
            objects[row] = error
        return objects


def _failed(columns: Sequence[Values]) -> dict[int, Failed]:
    """Return by row what failed first in it."""
    rows = enumerate(zip(*columns, strict=True))
    return {row: first(values) for row, values in rows if any(isinstance(value, Failed) for value in values)}
