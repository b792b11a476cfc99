"""R-37: `external-id: none` buys one run beside what exists, and the guard sees to that."""

import pytest

from cleanrooms_operator.core.ownership import SharedSignature, Signature
from cleanrooms_operator.core.resource import Key
from cleanrooms_operator.kinds import BY_NAME
from simulation.invariants import check_rest
from simulation.specs import PARTNER, RUNS
from simulation.test_ran_before import REFUSED, started
from simulation.test_running import ready
from simulation.world import World

PUBLISHED = 1200.0
EVERY_RUN = pytest.mark.parametrize("name", RUNS)


def bought(name: str) -> World:
    """Return a world in which a run of which only a record was left has been bought once more."""
    names = list(RUNS)
    world, key = ready(*names[: names.index(name) + 1], rules=REFUSED), RUNS[name].key
    empty(world, key)
    world.annotate(key, external_id="none")
    lose(world, key)
    assert started(world, key) == 2
    return world


def empty(world: World, key: Key) -> None:
    """Let only a record be left of a run: delete by hand what it has made."""
    kind, status = BY_NAME[key.kind], world.resources[key].status
    if kind.delete is not None:
        scope = {name: status[name] for name in kind.scope}
        named = {**scope, kind.handle.parameter: status["arn"]}
        world.ask(PARTNER, kind.service, kind.delete, **named)
    world.rest(PUBLISHED)


def lose(world: World, key: Key) -> None:
    """Lose all that the cluster knows of a run, but for its spec and annotations."""
    world.kubernetes.restore(key)
    world.crash()
    world.settle(seconds=6000.0)


@EVERY_RUN
def test_r_37_one_word_buys_one_run_whatever_is_lost(name: str) -> None:
    world, key = bought(name), RUNS[name].key
    empty(world, key)
    for _ in range(2):
        lose(world, key)
    assert started(world, key) == 2
    check_rest(world)


@EVERY_RUN
def test_r_37_a_second_run_by_one_word_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug on purpose: what was bought by word is not known again."""
    world, key = bought(name), RUNS[name].key
    empty(world, key)
    for signature in (Signature, SharedSignature):
        monkeypatch.setattr(signature, "is_beside", lambda *_: False)
    with pytest.raises(AssertionError, match="is bought twice by one word"):
        lose(world, key)
