"""What would bring a present object in line with its spec, one call at a time."""

from collections.abc import Iterator

from cleanrooms_operator.core.difference import differences
from cleanrooms_operator.core.kind import Kind
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.resource import Resource
from cleanrooms_operator.core.situation import Situation
from cleanrooms_operator.core.step import Apply, Change, Details, Drift, InSync, Present, Step


def next_step(kind: Kind, situation: Situation, present: Present) -> Step:
    """Return the first change that is due, or that nothing is."""
    change = next(_possible(kind, situation, present), None)
    return InSync(present, well(kind, present)) if change is None else Apply(change, present)


def well(kind: Kind, present: Present) -> Reason:
    """Return why an object that is as desired is ready."""
    return kind.ends.get(present.state or "", Reason.SUCCEEDED)


def _possible(kind: Kind, situation: Situation, present: Present) -> Iterator[Change]:
    """Yield the changes that are due and that AWS has not been seen to refuse (rule ER-38)."""
    for change in pending(kind, situation, present):
        tagging = change.operation in {"TagResource", "UntagResource"}
        if not (tagging and situation.untaggable):
            yield change


def pending(kind: Kind, situation: Situation, present: Present) -> Iterator[Change]:
    """Yield the changes that are due, in the order in which they are made."""
    if present.details is None:
        return
    for change in (
        _update(kind, situation, present),
        _tag(kind.service, situation, present),
        _untag(kind.service, situation, present),
        *(upkeep(situation, present) for upkeep in kind.upkeep),
    ):
        if change is not None:
            yield change


def drift(kind: Kind, situation: Situation, present: Present) -> tuple[Drift, ...]:
    """Return every leaf in which AWS differs from the spec, changeable or not."""
    changeable = (leaf for change in pending(kind, situation, present) for leaf in change.drift)
    return (*changeable, *fixed(kind, situation, present), *kind.unapplied(situation, present))


def fixed(kind: Kind, situation: Situation, present: Present) -> tuple[Drift, ...]:
    """Return where parameters differ that AWS lets nobody change."""
    if present.details is None:
        return ()
    answer = present.details.fields
    frozen = {
        name: value
        for name, value in situation.parameters.items()
        if name not in kind.in_place and name not in kind.by_request and name not in kind.parts
    }
    fields = {name: kind.answered_as.get(name, name) for name in frozen}
    shown = {name: answer[field] for name, field in fields.items() if field in answer}
    return differences({name: frozen[name] for name in shown}, shown, kind.unordered)


def _update(kind: Kind, situation: Situation, present: Present) -> Change | None:
    if present.details is None or kind.update is None:
        return None
    wanted = {n: v for n, v in situation.parameters.items() if n in kind.in_place}
    shown = {n: present.details.fields.get(kind.answered_as.get(n, n)) for n in wanted}
    found = differences(wanted, shown, kind.unordered)
    if not found:
        return None
    names = {leaf.path.partition(".")[0] for leaf in found}
    changes = {name: wanted[name] for name in sorted(names)}
    parameters = {**kind.handle.naming(present.name), **changes}
    return Change(kind.service, kind.update, parameters, found)


def _tag(service: str, situation: Situation, present: Present) -> Change | None:
    """Set the tags that are missing or differ, the operator's own among them."""
    shown = present.details.tags if present.details else {}
    wanted = situation.resource.spec.get("tags") or {}
    chosen = {key: value for key, value in wanted.items() if shown.get(key) != value}
    differing = {**chosen, **situation.signature.missing(shown)}
    if not differing:
        return None
    leaves = tuple(Drift(f"tags[{key}]", v, shown.get(key)) for key, v in chosen.items())
    keys = sorted({*(situation.resource.status.get("tagKeys") or ()), *chosen})
    return Change(
        service,
        "TagResource",
        {"resourceArn": present.arn, "tags": differing},
        leaves,
        record={"tagKeys": keys} if chosen else {},
    )


def _untag(service: str, situation: Situation, present: Present) -> Change | None:
    """Remove the tags that the spec had and has no more; those of others stay."""
    shown = present.details.tags if present.details else {}
    ours_before = situation.resource.status.get("tagKeys") or ()
    wanted = situation.resource.spec.get("tags") or {}
    surplus = sorted(key for key in ours_before if key in shown and key not in wanted)
    if not surplus:
        return None
    leaves = tuple(Drift(f"tags[{key}]", None, shown[key]) for key in surplus)
    return Change(
        service, "UntagResource", {"resourceArn": present.arn, "tagKeys": surplus}, leaves
    )


def tag_keys(resource: Resource, details: Details) -> list[str]:
    """Return the keys of those tags on the object that the spec has, or had.

    Those stay that are about to be set: AWS may not let them be set yet.
    """
    recorded, wanted = resource.status.get("tagKeys") or (), resource.spec.get("tags") or {}
    return sorted(({*recorded, *wanted} & details.tags.keys()) | ({*recorded} & wanted.keys()))


def claim(situation: Situation, present: Present) -> Step:
    """Write our owner tags on an object that is to become this resource's."""
    parameters = {"resourceArn": present.arn, "tags": situation.signature.marks()}
    return Apply(Change(situation.service, "TagResource", parameters), present)


def revive(situation: Situation, present: Present) -> Step:
    """Take away the mark of an earlier deletion from an object that a person adopts."""
    parameters = {"resourceArn": present.arn, "tagKeys": [situation.signature.release_key]}
    return Apply(Change(situation.service, "UntagResource", parameters), present)
