"""What a test plays on: an API server, an emulated AWS, operators, and companies in both."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Self

import pods
from cleanrooms_operator.core.resource import GROUP, VERSION, Document, Key, Resource
from cleanrooms_operator.kinds import DEFINITIONS
from cleanrooms_operator.kube.cache import parse
from cleanrooms_playground.cluster import Cluster
from cleanrooms_playground.control_plane import ControlPlane
from cleanrooms_playground.processes import Process
from cleanrooms_playground.servers import AWSIdentity, Emulator
from e2e import declared
from e2e.declared import Spec
from e2e.emulated import AWS, REGION, check_creates
from e2e.watched import Watch
from parties import Party
from pods import Operator

ACCOUNTS = itertools.count(200_000_000_001)
OPERATOR_ACCOUNT = "999999999999"

SETTINGS: Mapping[str, Any] = {
    "roles": {"*": ["arn:aws:iam::*:role/cleanrooms-operator"]},
    "rates": {"*": 1000},
    "leader_election": False,
    "progress_interval": 0.5,
    "list_interval": 2,
    "settle": 4,
    "send_window": 2,
    "log_format": "plain",
}
"""What operators are started with, unless a test says otherwise: times are seconds."""

VALUES: Mapping[str, tuple[str, str]] = {
    "roles": ("aws", "roles"),
    "rates": ("aws", "rates"),
    "owner": ("owner", "id"),
    "owner_inherits": ("owner", "inherits"),
    "leader_election": ("leaderElection", "enabled"),
    "workers": ("reconcile", "maxConcurrent"),
    "progress_interval": ("reconcile", "progressIntervalSeconds"),
    "list_interval": ("reconcile", "listIntervalSeconds"),
    "detail_interval": ("reconcile", "detailIntervalSeconds"),
    "settle": ("reconcile", "settleSeconds"),
    "send_window": ("reconcile", "sendWindowSeconds"),
    "log_format": ("log", "format"),
}
"""Where the chart has a setting."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What stages stand on for a whole run: a cluster in which the chart is installed."""

    cluster: Cluster
    control_plane: ControlPlane


@dataclass(frozen=True, slots=True)
class Company:
    """A namespace, and the account that its resources live in."""

    namespace: str
    account: str
    stage: "Stage"

    @property
    def party(self) -> Party:
        """What the company's own people ask AWS with."""
        return self.stage.aws.party(self.account)

    def key(self, kind: str, name: str) -> Key:
        return Key(kind, self.namespace, name)

    def apply(
        self, kind: str, name: str, spec: Spec, annotations: Mapping[str, str] | None = None
    ) -> Key:
        """Apply a resource as a person does; annotations come without their prefix."""
        metadata: dict[str, Any] = {"name": name, "namespace": self.namespace}
        if annotations:
            metadata["annotations"] = {f"{GROUP}/{n}": v for n, v in annotations.items()}
        head = {"apiVersion": f"{GROUP}/{VERSION}", "kind": kind, "metadata": metadata}
        shown = self.stage.cluster.apply({**head, "spec": spec})
        if shown["metadata"]["generation"] > 1:
            self.stage.saw(kind, shown)
        return self.key(kind, name)

    def found(self, name: str = "study", **more: Any) -> tuple[Key, Key]:
        """Declare a Collaboration of this company alone, and its Membership of it."""
        return (
            self.apply("Collaboration", name, declared.collaboration(**more)),
            self.apply("Membership", name, declared.creators_membership(self.account, name)),
        )

    def open_account(self, **more: Any) -> Key:
        """Declare the AWSAccount that the company's resources use."""
        role = f"arn:aws:iam::{self.account}:role/cleanrooms-operator"
        spec = {"accountID": self.account, "region": REGION, "roleARN": role, **more}
        return self.apply("AWSAccount", "default", spec)


@dataclass(frozen=True, slots=True)
class Study:
    """A collaboration of two companies, each a member."""

    creator: Company
    partner: Company
    collaboration: Key
    creators: Key
    """The creator's Membership."""
    partners: Key
    """The partner's Membership."""

    @property
    def keys(self) -> tuple[Key, Key, Key]:
        return (self.collaboration, self.creators, self.partners)


class Stage:
    """An emulator of its own, a watch of the cluster, and the operators that a test starts."""

    def __init__(self, ground: Ground, directory: Path, *emulator_arguments: str) -> None:
        self.cluster = ground.cluster
        self.processes: list[Process] = []
        self._ground = ground
        self._directory = directory
        self._arguments = emulator_arguments
        self._ends = ExitStack()

    def __enter__(self) -> Self:
        self._clear()
        with ExitStack() as ends:
            self.watch = ends.enter_context(Watch(self._ground.control_plane.kubeconfig))
            emulator = Emulator(self._directory, self._arguments)
            ends.callback(emulator.process.stop)
            emulator.start()
            self.processes.append(emulator.process)
            self.aws = AWS(emulator.url)
            self._ends = ends.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.close()

    # -- who plays ---------------------------------------------------------------------------

    def company(self) -> Company:
        """Make a namespace with an account of its own, which the operator can act in."""
        account = str(next(ACCOUNTS))
        company = Company(f"company-{account[-3:]}", account, self)
        self.cluster.create_namespace(company.namespace)
        company.open_account()
        return company

    def study(self, **collaboration: Any) -> Study:
        """Declare all that two companies need to work together."""
        creator, partner = self.company(), self.company()
        spec = declared.collaboration(partner.account, **collaboration)
        own = declared.creators_membership(creator.account, "study")
        theirs = declared.partners_membership(partner.account, creator.account, "study")
        return Study(
            creator,
            partner,
            creator.apply("Collaboration", "study", spec),
            creator.apply("Membership", "study", own),
            partner.apply("Membership", "study", theirs),
        )

    def operator(self, name: str = "operator", **settings: Any) -> Operator:
        """Make an operator, not started yet, that is ended with the stage; see SETTINGS.

        It is a pod of the chart with these settings, and has the rights that the chart gives.
        """
        deployment = pods.rendered(values(self.aws.url, SETTINGS | settings), self._directory)
        ground = self._ground
        node = pods.Node(ground.control_plane, ground.cluster, self._directory)
        made = Operator(node.process(name, deployment, pods.ONE_ADDRESS))
        self._ends.callback(made.process.stop)
        self.processes.append(made.process)
        return made

    def run_operator(self, **settings: Any) -> Operator:
        """Make an operator and start it; what waits for its work waits for its start, too."""
        made = self.operator(**settings)
        made.start()
        return made

    # -- what is seen of it ------------------------------------------------------------------

    def resource(self, key: Key) -> Resource:
        """Return a resource as it is now."""
        found = self.watch.wait(f"{key} to be there", lambda: self.watch.get(key))
        assert found is not None
        return found

    def status(self, key: Key, field: str) -> Any:
        """Return a field of a resource's status as it is now; None where it is not there."""
        return self.resource(key).status.get(field)

    def wait_ready(self, *keys: Key, timeout_seconds: float = 60) -> list[Resource]:
        """Wait until all are Ready as they are asked for now."""
        self._wait_for_all("Ready", keys, is_ready, timeout_seconds)
        return [self.resource(key) for key in keys]

    def wait_gone(self, *keys: Key, timeout_seconds: float = 60) -> None:
        """Wait until none of these is there any more."""
        self._wait_for_all("gone", keys, lambda resource: resource is None, timeout_seconds)

    def _wait_for_all(
        self,
        what: str,
        keys: Sequence[Key],
        holds: Callable[[Resource | None], bool],
        timeout_seconds: float,
    ) -> None:
        def all_hold() -> bool:
            return all(holds(self.watch.get(key)) for key in keys)

        try:
            self.watch.wait(f"all to be {what}", all_hold, timeout_seconds)
        except AssertionError as error:
            for resource in map(self.watch.get, keys):
                if resource is not None and not holds(resource):
                    error.add_note(f"{resource.key}: {resource.status}")
            raise

    def check_one_each(self, *keys: Key) -> None:
        """Assert that AWS holds exactly what these resources have recorded, one object each."""
        check_creates(self.aws.creates())
        recorded = {key: self.resource(key).status["arn"] for key in keys}
        accounts = {self.resource(key).status["accountID"] for key in keys}
        held = [self.aws.arns(account) for account in accounts]
        for kind in ("Collaboration", "Membership"):
            theirs = sorted(arn for each in held for arn in each[kind])
            assert theirs == sorted(arn for key, arn in recorded.items() if key.kind == kind)

    def delete(self, *keys: Key) -> None:
        """Ask for the deletion of resources, in this order."""
        for key in keys:
            self.cluster.delete(key.kind, key.name, namespace=key.namespace)

    def edit(self, key: Key, **spec: Any) -> Resource:
        """Change fields of a spec; None removes one."""
        return self._patch(key, {"spec": spec})

    def annotate(self, key: Key, **annotations: str | None) -> Resource:
        """Set annotations of our group, with `_` for `-`; None removes one."""
        named = {f"{GROUP}/{n.replace('_', '-')}": value for n, value in annotations.items()}
        return self._patch(key, {"metadata": {"annotations": named}})

    def let_go(self, key: Key) -> None:
        """Take the finalizers off by hand, as an impatient person does."""
        change = {"metadata": {"finalizers": None}}
        self.cluster.patch(key.kind, key.name, change, namespace=key.namespace)

    def forbidden(self) -> list[str]:
        """Return what operators had no right to do in the cluster, by their own logs.

        Nobody may put anything into a namespace that is going, which is no matter of rights.
        """
        lines = (line for process in self.processes for line in process.output().splitlines())
        return [line for line in lines if "forbidden" in line.lower() and "cannot" in line]

    def saw(self, kind: str, shown: Document) -> Resource:
        """Wait until the watch shows what a write has answered; return that."""
        written = parse(kind, shown)

        def seen() -> bool:
            current = self.watch.get(written.key)
            return current is not None and int(current.version) >= int(written.version)

        self.watch.wait(f"{written.key} to be seen", seen)
        return written

    def _patch(self, key: Key, change: Document) -> Resource:
        shown = self.cluster.patch(key.kind, key.name, change, namespace=key.namespace)
        return self.saw(key.kind, shown)

    def _clear(self) -> None:
        """Leave nothing in the cluster of earlier tests, for an operator looks at all there is."""
        for definition in DEFINITIONS:
            for resource in map(
                partial(parse, definition.name), self.cluster.list(definition.name)
            ):
                if resource.finalizers:
                    self.let_go(resource.key)
                self.delete(resource.key)


def values(url: str, settings: Mapping[str, Any]) -> Document:
    """Return the chart's values for an operator of these settings, and of the AWS at a URL."""
    identity = AWSIdentity(url, OPERATOR_ACCOUNT, REGION)
    variables = [{"name": name, "value": value} for name, value in identity.variables().items()]
    made: dict[str, Any] = {"replicaCount": 1, "extraEnv": variables}
    for setting, value in settings.items():
        section, name = VALUES[setting]
        made.setdefault(section, {})[name] = value
    return made


def is_ready(resource: Resource | None) -> bool:
    """Tell whether a resource is there, wanted, and Ready as it is asked for now."""
    return resource is not None and not resource.deleting and resource.is_true("Ready")
