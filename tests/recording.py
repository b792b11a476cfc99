"""Every state that resources were seen in while the simulated world was kind to them, and was not.

`python tests/recording.py` writes one of each kind and sort as test data for Argo CD's own suite.
"""

import json
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import yaml

from cleanrooms_emulator.faults import Fault, FaultKind
from cleanrooms_emulator.store import Failure
from cleanrooms_operator.core.ownership import Owner
from cleanrooms_operator.core.resource import GROUP, VERSION, Key, Resource
from cleanrooms_playground import helm
from scripting import action, discovered, health
from simulation import specs, trainings, troubles
from simulation.specs import EXAMPLES, RUNS
from simulation.world import World

PROJECT = Path(__file__).parents[1]
FOLDER = PROJECT / helm.ARGOCD

Document = dict[str, Any]

DAY = 86_400.0
ACTIONS = ("check", "pause", "resume", "cancel")
DENIALS = ("Create*", "Get*", "List*", "*")


# -- histories -------------------------------------------------------------------------------


def everything() -> World:
    """Return a world in which all of both companies is ready, and a model is trained."""
    world = trainings.trained()
    specs.walkthrough(world)
    world.settle()
    return world


def edited() -> World:
    world = everything()
    for example in EXAMPLES.values():
        example.edit(world)
    world.settle()
    return world


def paused() -> World:
    world = everything()
    for key in list(world.resources):
        world.annotate(key, paused="true")
    world.settle()
    for example in EXAMPLES.values():
        example.edit(world)
    world.settle()
    for key in list(world.resources):
        world.annotate(key, paused=None)
    world.settle()
    return world


def deleted() -> World:
    world = everything()
    world.delete(*[key for key in world.resources if key.kind != "AWSAccount"])
    world.settle()
    specs.delete_all(world)
    world.settle()
    return world


def cancelled() -> World:
    """Return a world in which one training was cancelled while it ran, another before."""
    world = trainings.studio()
    base, further = trainings.BASE, replace(trainings.BASE, name="never")
    world.apply(base.kind, base.name, trainings.model(world), base.namespace)
    world.rest(60.0)
    world.annotate(base, cancel="true")
    world.apply(further.kind, further.name, trainings.model(world), further.namespace)
    world.annotate(further, cancel="true")
    world.settle()
    return world


def failed() -> World:
    world = trainings.studio()
    failure = Failure("TrainedModel", "ALGORITHM_ERROR", "The container exited with code 1.")
    world.aws.emulator.store.fail_next(failure)
    trainings.train(world, trainings.BASE, trainings.model(world))
    world.settle(seconds=30_000.0)
    return world


def denied(operation: str) -> World:
    """Return a world in which AWS refuses some calls, from the start."""
    world = World()
    world.aws.faults.add(Fault(kind=FaultKind.DENY, operation=operation))
    specs.walkthrough(world)
    world.settle()
    return world


def throttled() -> World:
    world = World()
    world.aws.faults.add(Fault(kind=FaultKind.THROTTLE, count=20))
    specs.walkthrough(world)
    world.settle()
    return world


def restored_elsewhere() -> World:
    """Return a world in which all that is restored belongs to another cluster."""
    world = everything()
    world.restore()
    world.owner = Owner("cluster-2")
    world = world.fork()
    world.tick(3600.0)
    world.settle()
    return world


def changed() -> World:
    """Return a world in which a member is added, which waits for people, and then goes on."""
    world = specs.settled()
    third = {"accountId": "333333333333", "displayName": "C", "memberAbilities": []}
    known = specs.collaboration()["members"]
    example = EXAMPLES["collaboration"]
    asked = specs.collaboration(members=[*known, third])
    world.apply(example.key.kind, example.key.name, asked, example.key.namespace)
    world.rest(1000.0)
    answers = specs.partners_membership(changeRequests={"autoApprove": ["ADD_MEMBER"]})
    world.apply(specs.PARTNERS.kind, specs.PARTNERS.name, answers, specs.PARTNERS.namespace)
    world.settle()
    return world


@cache
def _bought() -> World:
    return specs.finished()


def bought() -> World:
    """Return a world in which runs ended well, were edited, paused, expired and deleted."""
    world = _bought().fork()
    runs = [example.key for example in RUNS.values()]
    for example in RUNS.values():
        example.edit(world)
    world.settle()
    for key in runs:
        world.annotate(key, paused="true")
    world.settle()
    for key in runs:
        world.annotate(key, paused=None)
    world.settle()
    world.tick(29 * DAY)
    world.rest(2 * DAY)
    world.delete(*reversed(runs))
    world.settle()
    return world


def anew(ending: Callable[[World, Key], None], name: str) -> World:
    """Return a world in which one run is made once more, and ends otherwise."""
    world = _bought().fork()
    example = RUNS[name]
    key = replace(example.key, name=f"{example.key.name}-2")
    world.apply(key.kind, key.name, {**example.spec, "name": key.name}, key.namespace)
    ending(world, key)
    world.settle(seconds=6000.0)
    return world


def _fail(world: World, key: Key) -> None:
    kind = {"InferenceJob": "TrainedModelInferenceJob"}.get(key.kind, key.kind)
    world.aws.emulator.store.fail_next(Failure(kind, "INTERNAL_ERROR", "It did not work."))


def _cancel(world: World, key: Key) -> None:
    world.rest(30.0)
    world.annotate(key, cancel="true")


def _delete(world: World, key: Key) -> None:
    world.rest(30.0)
    world.delete(key)


def queued() -> World:
    """Return a world in which trainings wait for each other."""
    world = trainings.studio()
    rules = world.aws.emulator.rules
    world.aws.emulator.use_rules(replace(rules, quotas=replace(rules.quotas, trainings=1)))
    for name in ("one", "two"):
        world.apply(trainings.BASE.kind, name, trainings.model(world), trainings.BASE.namespace)
    world.settle(seconds=30_000.0)
    return world


def unpaid() -> World:
    """Return a world in which a training names a payer that is no candidate."""
    world, key = trainings.studio(), trainings.BASE
    spec = trainings.model(world, mlModelTrainingPayerAccountId=specs.PARTNER)
    world.apply(key.kind, key.name, spec, key.namespace)
    world.rest(1000.0)
    return world


HISTORIES: tuple[Callable[[], World], ...] = (
    everything,
    edited,
    paused,
    deleted,
    cancelled,
    failed,
    throttled,
    restored_elsewhere,
    changed,
    bought,
    queued,
    unpaid,
    *(partial(anew, ending, name) for ending in (_fail, _cancel, _delete) for name in RUNS),
    *(partial(denied, operation) for operation in DENIALS),
    *troubles.HISTORIES,
)


# -- what was seen in them -------------------------------------------------------------------


@cache
def states() -> tuple[Document, ...]:
    """Return every version of every resource in all these histories, as the API server shows it."""
    return tuple(
        shown(resource)
        for history in HISTORIES
        for past in history().kubernetes.past.values()
        for _, resource in past
        if resource is not None
    )


def shown(resource: Resource) -> Document:
    """Return a resource as a document of plain values."""
    metadata: Document = {
        "name": resource.key.name,
        "namespace": resource.key.namespace,
        "generation": resource.generation,
    }
    if resource.annotations:
        metadata["annotations"] = dict(resource.annotations)
    if resource.deleted is not None:
        metadata["deletionTimestamp"] = resource.deleted.strftime("%Y-%m-%dT%H:%M:%SZ")
    document = {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": resource.key.kind,
        "metadata": metadata,
        "spec": resource.spec,
        "status": resource.status,
    }
    copied: Document = json.loads(json.dumps(document, default=str))
    return copied


def sort(document: Document) -> tuple[str, ...]:
    """Return what tells states apart that a tool may judge differently."""
    status, metadata = document["status"], document["metadata"]
    seen = "current" if status["observedGeneration"] == metadata["generation"] else "unseen"
    going = "deleting" if "deletionTimestamp" in metadata else "wanted"
    conditions = sorted(
        f"{each['type']}={each['status']}:{each['reason']}" for each in status.get("conditions", ())
    )
    return (document["kind"], seen, going, *conditions)


def sorts() -> dict[tuple[str, ...], Document]:
    """Return one document of each kind and sort: the first that was seen."""
    found: dict[tuple[str, ...], Document] = {}
    for document in states():
        found.setdefault(sort(document), document)
    return dict(sorted(found.items()))


# -- test data for Argo CD's own suite -------------------------------------------------------


def files() -> dict[Path, str]:
    """Return the test data and what is expected of it, by path from the scripts' folder."""
    made: dict[Path, str] = {}
    verdicts: list[Document] = []
    names: Counter[str] = Counter()
    for document in sorts().values():
        verdict = health(document)
        what = f"{document['kind']}-{verdict['status']}".lower()
        names[what] += 1
        path = Path("testdata") / f"{what}-{names[what]}.yaml"
        made[path] = written(document)
        verdicts.append({"healthStatus": verdict, "inputPath": str(path)})
    made[Path("health_test.yaml")] = written({"tests": verdicts})
    return made | _actions()


def _actions() -> dict[Path, str]:
    """Return one test of each action, and what is offered of each kind when it is at rest."""
    made: dict[Path, str] = {}
    offered: list[Document] = []
    tests: list[Document] = []
    for kind, document in _at_rest().items():
        path = Path("testdata") / f"{kind.lower()}.yaml"
        made["actions" / path] = written(document)
        listed = [{"name": n, **each} for n, each in sorted(discovered(document).items())]
        offered.append({"inputPath": str(path), "result": listed})
        for name in ACTIONS:
            changed = Path("testdata") / f"{kind.lower()}-{name}.yaml"
            if name != "check":  # its result holds the time
                made["actions" / changed] = written(action(name, document))
                outcome = {"inputPath": str(path), "expectedOutputPath": str(changed)}
                tests.append({"action": name, **outcome})
    suite = {"discoveryTests": offered, "actionTests": tests}
    return made | {Path("actions/action_test.yaml"): written(suite)}


def _at_rest() -> dict[str, Document]:
    """Return a document of each kind that is healthy."""
    healthy = [each for each in sorts().values() if health(each)["status"] == "Healthy"]
    return {each["kind"]: each for each in healthy}


def written(document: Document) -> str:
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)


def write() -> None:
    """Replace the test data."""
    for folder in (FOLDER / "testdata", FOLDER / "actions" / "testdata"):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    for path, text in files().items():
        (FOLDER / path).write_text(text)


if __name__ == "__main__":
    write()
