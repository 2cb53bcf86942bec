"""How much work something is, in calls of Python functions: the same on every machine, however busy that is."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Effort:
    """What was called so far; `calls` counts functions written in Python and in C."""

    def __init__(self) -> None:
        self.calls = 0

    def note(self, frame: FrameType, event: str, argument: object) -> None:
        """Count a call, as a profile function."""
        if event in {"call", "c_call"}:
            self.calls += 1


@contextmanager
def effort() -> Iterator[Effort]:
    """Count what this thread calls inside the block."""
    counted = Effort()
    before = sys.getprofile()
    sys.setprofile(counted.note)
    try:
        yield counted
    finally:
        sys.setprofile(before)
