"""The cache never goes back, and does not revive the dead."""

from cleanrooms_operator.core.resource import GROUP, Key
from cleanrooms_operator.kube.cache import REMEMBERED_DEAD, Cache, parse
from kube_world import a_document, a_resource

KEY = Key("Collaboration", "ns", "study")


def test_a_later_version_replaces_an_earlier_one_and_never_the_reverse() -> None:
    cache = Cache()
    newer = a_resource("Collaboration", "study", version=10)
    assert cache.put(a_resource("Collaboration", "study", version=9))
    assert cache.put(newer)
    assert not cache.put(a_resource("Collaboration", "study", version=9))
    assert not cache.put(a_resource("Collaboration", "study", version=10))
    assert cache.get(KEY) is newer


def test_a_late_event_of_a_deleted_resource_does_not_revive_it() -> None:
    cache = Cache()
    resource = a_resource("Collaboration", "study", version=5)
    cache.put(resource)
    assert cache.remove(a_resource("Collaboration", "study", version=7)) is resource
    assert not cache.put(a_resource("Collaboration", "study", version=6))
    assert cache.get(KEY) is None
    assert cache.list("Collaboration") == ()


def test_the_end_of_a_resource_does_not_take_its_successor_along() -> None:
    cache = Cache()
    successor = a_resource("Collaboration", "study", version=8, uid="second")
    cache.put(a_resource("Collaboration", "study", version=5, uid="first"))
    assert cache.put(successor)
    assert cache.remove(a_resource("Collaboration", "study", version=7, uid="first")) is None
    assert cache.get(KEY) is successor
    assert not cache.put(a_resource("Collaboration", "study", version=6, uid="first"))


def test_lists_are_of_one_namespace_or_of_all_and_always_current() -> None:
    cache = Cache()
    here = a_resource("Membership", "m", namespace="here")
    there = a_resource("Membership", "m", namespace="there", uid="other")
    cache.put(here)
    assert cache.list("Membership") == (here,)
    cache.put(there)
    assert cache.list("Membership") == (here, there)
    assert cache.list("Membership", "there") == (there,)
    assert cache.list("Collaboration") == ()
    newer = a_resource("Membership", "m", namespace="here", version=2)
    cache.put(newer)
    assert cache.list("Membership", "here") == (newer,)
    cache.remove(newer)
    assert cache.list("Membership") == (there,)


def test_what_is_remembered_of_the_dead_is_bounded() -> None:
    cache = Cache()
    for number in range(REMEMBERED_DEAD + 5):
        cache.remove(a_resource("Membership", "m", uid=str(number)))
    assert len(cache._dead) == REMEMBERED_DEAD
    assert "4" not in cache._dead


def test_what_nobody_reads_is_not_kept() -> None:
    document = a_document(
        "Collaboration",
        "study",
        annotations={f"{GROUP}/paused": "true", "kubectl.kubernetes.io/last-applied": "long"},
        managedFields=[{"manager": "kubectl"}],
        deletionTimestamp="2026-01-02T00:00:00Z",
    )
    resource = parse("Collaboration", document)
    assert resource.annotations == {f"{GROUP}/paused": "true"}
    assert resource.deleting
    assert resource.held
    assert not hasattr(resource, "managedFields")
