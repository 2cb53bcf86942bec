"""What went wrong: located as the reference executor does it, carried to where null may stand, and told in order."""

from asyncio import Future, current_task, get_running_loop
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from graphql import FieldNode, GraphQLError, located_error

from compiled_graphql.places import Order, Place, Places, covers, nulled_by

_Moment = tuple[int, Order]
"""When something happened. What happens without a wait in between happens in the order of the answer."""

_NEVER: _Moment = (2**63, ())


class Failed:
    """Stands for a value that cannot be, and makes null of whatever is around it."""

    __slots__ = ("error", "moment")

    def __init__(self, error: GraphQLError | None = None, moment: _Moment = _NEVER) -> None:
        self.error = error
        self.moment = moment


GIVEN_UP = Failed()
"""Stands for a value that nobody waits for any more, because something around it is null already."""


class Failures:
    """The errors of one execution, and what is still waited for, which an error may make pointless."""

    def __init__(self) -> None:
        self.carried = 0
        """How many values have failed so far where null must not stand. While it stays the same, nobody has to look."""
        self._stretch = 0
        self._passing = False
        self._told: list[tuple[_Moment, Order, GraphQLError]] = []
        self._waiting: dict[Future[Any], tuple[Callable[[], Iterable[Place | None]], Future[Any] | None]] = {}
        self._given_up: set[Future[Any]] = set()

    @property
    def any(self) -> bool:
        """Whether anything has failed so far."""
        return self.carried > 0 or bool(self._told)

    def resumed(self) -> None:
        """Take note that time has passed: what fails from now on failed later, but for others that waited as long."""
        if not self._passing:
            self._passing = True
            self._stretch += 1
            get_running_loop().call_soon(self._passed)

    def fail(self, places: Places, index: int, error: Exception, nodes: list[FieldNode]) -> Failed | None:
        """Return what stands at a place instead of its value: null where it may, else what makes null of what is around."""
        order = places.order(index)
        located = located_error(error, nodes, places.path(index).as_list())
        if places.nullable:
            self._told.append(((self._stretch, order), order, located))
            return None
        self.carried += 1
        self.give_up((places, index))
        return Failed(located, (self._stretch, order))

    def settle(self, places: Places, index: int, failed: Failed) -> Failed | None:
        """Return what stands at a place inside of which something failed: null where it may, else the same."""
        if not places.nullable:
            return failed
        self.caught(failed, places.order(index))
        return None

    def caught(self, failed: Failed, order: Order = ()) -> None:
        """Tell of what made null of the place at *order*, by default the whole answer."""
        if failed.error is not None:
            self._told.append((failed.moment, order, failed.error))

    def told(self) -> list[GraphQLError]:
        """Return the errors as they happened, without those inside what was null already."""
        nulled: set[Order] = set()
        errors: list[GraphQLError] = []
        for _, place, error in sorted(self._told, key=lambda one: one[0]):
            if not any(place[:length] in nulled for length in range(len(place) + 1)):
                nulled.add(place)
                errors.append(error)
        return errors

    def wait_for(self, future: Future[Any], inside: Callable[[], Iterable[Place | None]]) -> None:
        """Take note of what is waited for, and inside of which places; None is the whole answer."""
        self._waiting[future] = inside, current_task()

    def done_with(self, future: Future[Any]) -> bool:
        """Forget what was waited for; say whether it was given up."""
        self._waiting.pop(future, None)
        was = future in self._given_up
        self._given_up.discard(future)
        return was

    def give_up(self, place: Place) -> None:
        """Cancel what is waited for only for the sake of what becomes null when there is no value at *place*."""
        if not self._waiting:
            return
        nulled = nulled_by(place)
        spared = self._given_up | self._bearers()
        for future, (inside, _) in list(self._waiting.items()):
            if future not in spared and all(covers(nulled, one) for one in inside()):
                self._given_up.add(future)
                future.cancel()

    def _passed(self) -> None:
        self._passing = False

    def _bearers(self) -> set[Future[Any]]:
        """Return the tasks that carry the error of this moment to where it is told."""
        bearers: set[Future[Any]] = set()
        task: Future[Any] | None = current_task()
        while task is not None and task in self._waiting:
            bearers.add(task)
            task = self._waiting[task][1]
        return bearers


def first(found: Sequence[Any]) -> Failed:
    """Return what failed first among values of which some have."""
    return min((one for one in found if isinstance(one, Failed)), key=lambda failed: failed.moment)
