"""What the user may choose, by environment variables: PORT, METRICS_PORT, RUN_DIR and WORKERS."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from embedded.errors import BadOption
from embedded.processes import ROOT

_LAST_PORT = 65535
_MOST_WORKERS = 64


@dataclass(frozen=True, slots=True)
class Options:
    """How to run one stack. Two stacks run side by side when all but the number of workers differ."""

    port: int = 8084
    metrics_port: int = 9090
    run_directory: Path = ROOT / ".run"
    workers: int = 1

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Self:
        """Read the options from *environ*; a relative RUN_DIR starts in the current directory, the default in the program's.

        Raises:
            BadOption: for a value that is no number, or out of range.
        """
        return cls(
            port=_number(environ, "PORT", 8084, 1, _LAST_PORT),
            metrics_port=_number(environ, "METRICS_PORT", 9090, 1, _LAST_PORT),
            run_directory=Path(environ.get("RUN_DIR") or ROOT / ".run").absolute(),
            workers=_number(environ, "WORKERS", 1, 0, _MOST_WORKERS),
        )


def _number(environ: Mapping[str, str], variable: str, default: int, lowest: int, highest: int) -> int:
    text = environ.get(variable) or str(default)
    if not text.isascii() or not text.isdigit() or not lowest <= int(text) <= highest:
        raise BadOption(variable, text, lowest, highest)
    return int(text)
