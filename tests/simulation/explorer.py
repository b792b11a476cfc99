"""Every order in which the requests of two processes can be executed.

Orders that lead to the same state of everything are followed once from there on: Kubernetes, AWS,
and what each process remembers and has heard in its pass, on which alone its further course
depends. So two requests that do not touch each other cost one order rather than two, and none is
left out.

What a process asks its own cache is answered at once, in the product as here: such a read is done
together with the request before it, and nothing comes between.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

from cleanrooms_operator.core.resource import Key
from simulation.world import Pass, World

AT_ONCE = {"read", "list", "reserve"}

State: TypeAlias = tuple[object, ...]


@dataclass(frozen=True)
class Exploration:
    """What was looked at."""

    states: int
    endings: int
    """Different states at the end."""
    orders: int
    """Different orders of requests, all of which led to one of them."""


class Race:
    """Two processes that do some passes over the same resource."""

    def __init__(self, world: World, key: Key, passes: int) -> None:
        self.world = world.fork()
        self._key = key
        self.world.tick(1.0)
        self._left = [passes, passes]
        self._heard = [0, 0]

    def moves(self) -> list[int]:
        """Return the processes that have anything left to do."""
        return [p for p in (0, 1) if self._left[p] or self.world.in_flight(self._key, p)]

    def move(self, process: int) -> None:
        """Do the next request of a process, and run it on to the next that touches the world."""
        run = self.world.in_flight(self._key, process)
        if run is None:
            self._left[process] -= 1
            self._do(self.world.start(self._key, process))
        else:
            self._do(run)

    def _do(self, run: Pass) -> None:
        self._hear(run)
        while run.request is not None and run.request.port in AT_ONCE:
            self._hear(run)
        if run.over:
            held = self.world.process(run.process)
            self._heard[run.process] = hash(repr((held.memories, held.sightings)))

    def _hear(self, run: Pass) -> None:
        self.world.execute(run)
        heard = (self._heard[run.process], str(run.request), repr(run.answer))
        self._heard[run.process] = hash(heard)
        self.world.deliver(run)

    def state(self) -> State:
        """Return all that the future depends on; time stands still."""
        stored = hash(repr(self.world.resources))
        made = hash(repr(self.world.aws.emulator.store))
        return (*self._heard, *self._left, stored, made, self.world.attempts)


def explore(world: World, key: Key, passes: int, check: Callable[[World], None]) -> Exploration:
    """Let two processes do their passes in every order, and check each different ending."""
    following: dict[State, list[State]] = {}
    endings = 0
    todo: list[tuple[tuple[int, ...], State | None]] = [((), None)]
    while todo:
        path, before = todo.pop()
        race = _replayed(Race(world, key, passes), path)
        while True:
            state = race.state()
            if before is not None:
                following[before].append(state)
            if state in following:
                break
            following[state] = []
            first, *others = race.moves() or [None]
            if first is None:
                endings += 1
                check(race.world)
                break
            todo.extend(((*path, other), state) for other in others)
            race.move(first)
            path, before = (*path, first), state
    return Exploration(len(following), endings, _orders(following))


def _replayed(race: Race, path: tuple[int, ...]) -> Race:
    for process in path:
        race.move(process)
    return race


def _orders(following: dict[State, list[State]]) -> int:
    """Return how many paths lead from the first state to an end."""

    @cache
    def count(state: State) -> int:
        return sum(map(count, following[state])) or 1

    return count(next(iter(following)))
