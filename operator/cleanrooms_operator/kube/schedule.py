"""Which resource is looked at when: what changed at once, what is at rest now and then."""

from collections.abc import Callable

from cleanrooms_operator.core.pace import Pace, Urgency, spread
from cleanrooms_operator.core.resource import Key, Resource
from cleanrooms_operator.kinds import DEFINITIONS
from cleanrooms_operator.kube.cache import Cache
from cleanrooms_operator.kube.metrics import Metrics
from cleanrooms_operator.kube.passes import CURRENT
from cleanrooms_operator.kube.queue import WorkQueue
from cleanrooms_operator.kube.waking import Waking
from cleanrooms_operator.runtime.memory import is_settled
from cleanrooms_operator.runtime.view import unanswered_request


def is_at_rest(resource: Resource) -> bool:
    """Whether an earlier process left nothing to do for a resource but to watch for drift."""
    return (
        is_settled(resource)
        and resource.is_true("Ready")
        and resource.condition("Paused") is None
        and unanswered_request(resource) is None
    )


class Schedule:
    """Hears of every change, and queues what it concerns.

    `saw` is told of each resource before its turn comes: a List that is asked for after that
    does for all that were seen before, however many wait for their turns.
    """

    def __init__(
        self,
        queue: WorkQueue,
        cache: Cache,
        pace: Pace,
        metrics: Metrics,
        *,
        saw: Callable[[Resource], object],
    ) -> None:
        self._queue = queue
        self._cache = cache
        self._pace = pace
        self._metrics = metrics
        self._saw = saw
        self._waking = Waking(self._is_deleting)
        self._has_begun = False

    def changed(self, before: Resource | None, after: Resource | None, *, own: bool) -> None:
        """Queue a resource that somebody else changed, and those that the change concerns."""
        concerned = self._waking.update(before, after)
        resource = after or before
        if not self._has_begun or resource is None:
            return
        if after is not None:
            self._saw(after)
        if not own:
            self._queue.add(resource.key, Urgency.CHANGE)
        for key in concerned:
            self._queue.add(key, Urgency.PROGRESS)

    def wrote(self, key: Key, verb: str) -> None:
        """Count a write."""
        self._metrics.cluster.wrote(key.kind, verb)
        current = CURRENT.get()
        if current is not None:
            current.writes += 1

    def begin(self) -> None:
        """Queue all that is known, once the cache is filled: before, everything seems to be new.

        What is at rest is spread over the interval in which it would be looked at anyway, so
        that a restart does not ask AWS for everything at once.
        """
        self._has_begun = True
        for definition in DEFINITIONS:
            for resource in self._cache.list(definition.name):
                self._saw(resource)
                if is_at_rest(resource):
                    seconds = spread(resource.uid) * self._pace.list_interval
                    self._queue.add_after(resource.key, seconds, Urgency.DRIFT)
                else:
                    self._queue.add(resource.key, _first_urgency(resource))

    def _is_deleting(self, key: Key) -> bool:
        resource = self._cache.get(key)
        return resource is not None and resource.deleting


def _first_urgency(resource: Resource) -> Urgency:
    is_new = resource.status.get("observedGeneration") != resource.generation
    return Urgency.CHANGE if resource.deleting or is_new else Urgency.PROGRESS
