"""Selection sets: columns of fields in, objects out."""

from collections.abc import Sequence
from typing import Any

from compiled_graphql.failures import Failed, first
from compiled_graphql.fields import SelectedField
from compiled_graphql.places import Level
from compiled_graphql.rows import FEW, PlainFields, Rows, is_plain
from compiled_graphql.run import Run
from compiled_graphql.waiting import Column, Later, Values, discard, together


class Selection:
    """What is selected of the objects of one type."""

    def __init__(self, fields: Sequence[SelectedField]) -> None:
        self.fields = fields
        self._keys = [field.key for field in fields]
        plain = [field for field in fields if field.in_row is not None and is_plain(field.definition.type)]
        self._plain = PlainFields([(field.in_row, field.definition.type) for field in plain if field.in_row is not None])
        self._places = [fields.index(field) for field in plain]

    def objects(self, run: Run, sources: Sequence[Any], level: Level) -> Column:
        """Return an object for each source. Where a field failed that must not be null, it is that field's `Failed`."""
        before = run.failures.carried
        columns: list[Column] = []
        failed: dict[int, Failed] = {}
        read = self._read(sources)
        try:
            for place, field in enumerate(self.fields):
                if read is not None and (known := read[place]) is not None:
                    columns.append(known)
                    continue
                column = field.column(run, sources, level)
                columns.append(column)
                if run.failures.carried != before and isinstance(column, list):
                    failed = {row: value for row, value in enumerate(column) if isinstance(value, Failed)} | failed
                    if len(failed) == len(sources):
                        # Nothing more can come of any of them.
                        discard(columns)
                        return [failed[row] for row in range(len(sources))]
        except BaseException:
            discard(columns)
            raise
        later = [column for column in columns if isinstance(column, Later)]
        if not later:
            return self._joined(columns, failed, len(sources))

        async def joined() -> Values:
            found = iter(await together(run.failures, level, [(range(len(sources)), column) for column in later]))
            complete = [column if isinstance(column, list) else next(found) for column in columns]
            more = _failed(complete) if run.failures.carried != before else {}
            return self._joined(complete, more | failed, len(sources))

        return Later(joined, later)

    def _read(self, sources: Sequence[Any]) -> list[Values | None] | None:
        """Return the columns that are read off rows, if these are a few rows and nothing about them is odd."""
        if type(sources) is not Rows or len(sources) > FEW or not self._places:
            return None
        found = self._plain.columns(sources)
        if found is None:
            return None
        columns: list[Values | None] = [None] * len(self.fields)
        for place, column in zip(self._places, found, strict=True):
            columns[place] = column
        return columns

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
