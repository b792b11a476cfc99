"""What was there some seconds ago, for reads that lag behind."""

from collections import deque

from cleanrooms_emulator.store import Store


class History:
    """Copies of a store, each as of a moment of the wall."""

    def __init__(self) -> None:
        """Start with none."""
        self._copies: deque[tuple[float, Store]] = deque()

    def record(self, wall: float, store: Store, span_seconds: float) -> None:
        """Keep what the store holds now, and what is needed to look back over the span.

        A span of zero keeps nothing: nobody looks back.
        """
        if not span_seconds:
            self._copies.clear()
            return
        if not self._copies or self._copies[-1][1].changes != store.changes:
            self._copies.append((wall, store.copy()))
        while len(self._copies) > 1 and self._copies[1][0] <= wall - span_seconds:
            self._copies.popleft()

    def copy(self) -> "History":
        """Return a history that later records of this one do not reach."""
        made = History()
        made._copies.extend(self._copies)
        return made

    def as_of(self, wall: float) -> Store | None:
        """Return what was there at that moment, or the oldest that is known; None for nothing."""
        seen = None
        for recorded, store in self._copies:
            if seen is not None and recorded > wall:
                break
            seen = store
        return seen
