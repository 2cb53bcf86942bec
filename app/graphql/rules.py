"""What operations may do here, as far as it is configured."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationRules:
    """The rules of a development machine, unless told otherwise. What cannot be configured is in `docs/limits.md`."""

    open_introspection: bool = True
    """Whether everybody may ask for the schema; else operators and services only."""
    deadline: timedelta = timedelta(seconds=10)
    """How long a query, a mutation or one event of a subscription may take."""
    seller_points: int = 1_000_000
    """Cost that one seller may spend at once, in this process."""
    seller_points_per_second: int = 500_000
    """How fast that comes back."""
