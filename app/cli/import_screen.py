"""What a person sees of an import: a progress bar on a terminal, lines elsewhere, and the outcome."""

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TaskProgressColumn, TextColumn
from rich.table import Table
from rich.text import Text

SHOWN_PROBLEMS = 20
"""Lines of grouped problems; the rest is in the error report and in the API."""

_SHOWN_ROWS = 30
_LINE_SECONDS = 5.0
_LINE_STEP = 0.25

_COUNTS = (
    ("created", "createdRows", "green"),
    ("updated", "updatedRows", "green"),
    ("unchanged", "unchangedRows", ""),
    ("refused", "failedRows", "red"),
    ("with warnings", "warningRows", "yellow"),
    ("not attempted", "unprocessedRows", "red"),
)


class ProgressScreen:
    """Shows how far something is: one moving bar on a terminal, a line now and then elsewhere."""

    def __init__(self, console: Console, *, silent: bool = False) -> None:
        self._console = console
        self._silent = silent
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._phase = ""
        self._shown_at = 0.0
        self._shown = 0.0

    def __enter__(self) -> Self:
        if self._console.is_terminal and not self._silent:
            self._bar = Progress(
                SpinnerColumn(),
                TextColumn("{task.description}"),
                BarColumn(),
                TaskProgressColumn(),
                TextColumn("{task.fields[detail]}", style="dim"),
                console=self._console,
            )
            self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.stop()

    def show(self, phase: str, done: float, detail: str) -> None:
        """Say that *phase* is *done* (0 to 1), with a few words more."""
        if self._bar is not None:
            if phase != self._phase:
                self._phase = phase
                self._task = self._bar.add_task(phase, total=1.0, detail=detail)
            if self._task is not None:
                self._bar.update(self._task, completed=done, detail=detail)
            return
        now = time.monotonic()
        due = now - self._shown_at > _LINE_SECONDS or done - self._shown >= _LINE_STEP or done >= 1 > self._shown
        if not self._silent and (phase != self._phase or due):
            self._console.print(Text(f"{phase}: {done:4.0%}  {detail}".rstrip()), soft_wrap=True)
            self._phase, self._shown_at, self._shown = phase, now, done


def import_detail(state: Mapping[str, Any], now: datetime | None = None) -> str:
    """Return rows, pace and remaining time of a running import, as far as they are known."""
    parts = [f"{state['processedRows']:,} rows"]
    if state["rowsPerSecond"]:
        parts.append(f"{state['rowsPerSecond']:,.0f} rows/s")
    if state["failedRows"]:
        parts.append(f"{state['failedRows']:,} refused")
    if state["estimatedCompletionAt"]:
        left = (datetime.fromisoformat(state["estimatedCompletionAt"]) - (now or datetime.now(UTC))).total_seconds()
        parts.append(f"{_duration(max(0.0, left))} left")
    return ", ".join(parts)


def upload_detail(sent: int, size: int, seconds: float) -> str:
    """Return bytes sent, and the pace once there is one."""
    pace = f", {_bytes(sent / seconds)}/s" if seconds > 1 else ""
    return f"{_bytes(sent)} of {_bytes(size)}{pace}"


def show_outcome(console: Console, state: Mapping[str, Any], problems: Sequence[Mapping[str, Any]], *, more: bool) -> None:
    """Print the final counts, and the first problems grouped by what they say."""
    console.print(Text(_headline(state), "bold"), soft_wrap=True)
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right")
    for name, field, style in _COUNTS:
        if state.get(field):
            table.add_row(Text(f"{state[field]:,}", style), Text(name))
    if state["totalRows"] is not None:
        table.add_row(Text(f"{state['totalRows']:,}", "bold"), Text("rows in all", "bold"))
    console.print(table)
    groups = grouped(problems)
    for severity, title in (("ERROR", "Refused:"), ("WARNING", "Taken, with a warning:")):
        lines = [line for found, line in groups[:SHOWN_PROBLEMS] if found == severity]
        if lines:
            console.print(Text(title, "bold"))
            for line in lines:
                console.print(Text(f"  {line}"), soft_wrap=True)
    if more or len(groups) > SHOWN_PROBLEMS:
        console.print(Text("  … and more; the API has them all: bulkImport(id) { errors }", "dim"), soft_wrap=True)


def grouped(problems: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Return severity and text of each kind of problem, errors first: which rows, which column, why."""
    rows: dict[tuple[str, str | None, str, str], list[int]] = {}
    for problem in problems:
        key = (problem["severity"], problem["column"], problem["message"], problem["code"])
        rows.setdefault(key, []).append(problem["row"])
    ordered = sorted(rows.items(), key=lambda group: (group[0][0], group[1][0]))
    return [
        (severity, f"{_rows(found)}{f', {column}' if column else ''}: {message} ({code})")
        for (severity, column, message, code), found in ordered
    ]


def show_report(console: Console, report: Path, retry: str) -> None:
    """Say where the error report is and what to do with it."""
    console.print(
        Text.assemble("The refused rows, with the reason beside each, are in ", (str(report), "bold")), soft_wrap=True
    )
    console.print(Text.assemble("Mend them there, then run: ", (retry, "bold")), soft_wrap=True)


def _headline(state: Mapping[str, Any]) -> str:
    if state["failure"]:
        return f"The import failed: {state['failure']['message']} ({state['failure']['code']})"
    began, ended = state["startedAt"], state["finishedAt"]
    took = ""
    if began and ended:
        seconds = (datetime.fromisoformat(ended) - datetime.fromisoformat(began)).total_seconds()
        took = f" in {seconds:.1f} s" if seconds < 60 else f" in {_duration(seconds)}"  # noqa: PLR2004  a minute
    what = "dry run (nothing was written)" if state["dryRun"] else "import"
    words = {
        "COMPLETED": f"The {what} is complete{took}: every row was taken.",
        "COMPLETED_WITH_ERRORS": f"The {what} is complete{took}; some rows were refused.",
        "CANCELED": f"The {what} was cancelled; what was taken stays.",
    }
    return words.get(state["status"], f"The {what} ended: {state['status']}.")


def _rows(rows: Sequence[int]) -> str:
    distinct = list(dict.fromkeys(rows))
    if len(distinct) == 1:
        return f"row {distinct[0]}"
    shown = ", ".join(map(str, distinct[:_SHOWN_ROWS]))
    return f"rows {shown}" + (f" and {len(distinct) - _SHOWN_ROWS} more" if len(distinct) > _SHOWN_ROWS else "")


def _bytes(count: float) -> str:
    for unit in ("bytes", "KB", "MB"):
        if count < 1000:  # noqa: PLR2004  SI units
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
