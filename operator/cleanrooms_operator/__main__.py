"""The command line: `cleanrooms-operator run | manifests`, and where the parts are put together."""

import asyncio
import gc
import os
import random
import socket
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial
from itertools import chain
from pathlib import Path
from urllib.parse import urlsplit

import click

from cleanrooms_operator.aws.gateway import Gateway
from cleanrooms_operator.aws.rates import Rate
from cleanrooms_operator.aws.settings import Observer
from cleanrooms_operator.aws.settings import Settings as GatewaySettings
from cleanrooms_operator.aws.settings import Surroundings as GatewaySurroundings
from cleanrooms_operator.core.references import ACCOUNT
from cleanrooms_operator.core.resource import Key, Resource
from cleanrooms_operator.kinds import BY_NAME, DEFINITIONS
from cleanrooms_operator.kube import logs, manifests
from cleanrooms_operator.kube.api import FORBIDDEN, NOT_FOUND, Api, ApiError
from cleanrooms_operator.kube.cache import Cache
from cleanrooms_operator.kube.cluster import CachedCluster
from cleanrooms_operator.kube.events import Poster
from cleanrooms_operator.kube.handlers import Informer, is_pattern
from cleanrooms_operator.kube.lease import Election, Terms, always
from cleanrooms_operator.kube.login import Login, LoginError, find
from cleanrooms_operator.kube.metrics import Metrics, new_metrics
from cleanrooms_operator.kube.queue import WorkQueue
from cleanrooms_operator.kube.replica import Parts, Replica, Rules
from cleanrooms_operator.kube.schedule import Schedule
from cleanrooms_operator.kube.shares import by_account
from cleanrooms_operator.kube.system import RandomIds, SystemClock
from cleanrooms_operator.kube.workers import Engine, Surroundings, Worker
from cleanrooms_operator.runtime.accounts import reconcile_account
from cleanrooms_operator.runtime.memory import Memories
from cleanrooms_operator.runtime.outcome import Outcome
from cleanrooms_operator.runtime.ports import Clock, Policy, Ports
from cleanrooms_operator.runtime.reconcile import reconcile
from cleanrooms_operator.settings import Settings, SettingsError, load, unknown_variables

BAD_SETTINGS = 2
ENDING_SECONDS = 10

SYSTEM_NAMESPACE = "kube-system"
"""Its UID is the cluster's id."""


# -- putting the parts together --------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Base:
    """What most parts need."""

    settings: Settings
    login: Login
    api: Api
    metrics: Metrics
    clock: SystemClock
    ids: RandomIds
    chance: random.Random
    identity: str
    """The name of this process among the replicas."""


async def operate(settings: Settings) -> int:
    """Run the operator until it is told to stop; return the process's exit code."""
    login = find(settings.kubeconfig, settings.context)
    host = urlsplit(login.connection.server).netloc
    metrics = new_metrics(host, settings.workers, each_resource=settings.metrics_per_resource)
    ids = RandomIds()
    async with login.session() as session:
        base = Base(
            settings=settings,
            login=login,
            api=Api(login.connection.server, session, metrics.cluster.answered),
            metrics=metrics,
            clock=SystemClock(),
            ids=ids,
            chance=random.Random(),  # noqa: S311  it spreads load, it guards nothing
            identity=f"{socket.gethostname()}_{ids.attempt()[:12]}",
        )
        policy = settings.policy(settings.owner or await cluster_id(base.api))
        parts = _parts(base, policy)
        rules = Rules(settings.metrics_address, settings.drain_seconds, settings.audit_interval)
        code = await Replica(parts, rules).run()
    # Tasks of kopf may ignore that they are cancelled; nothing of ours is left to lose.
    asyncio.get_running_loop().call_later(ENDING_SECONDS, os._exit, code)
    return code


def _parts(base: Base, policy: Policy) -> Parts:
    cache = Cache()
    shares = by_account(cache, base.settings.workers)
    queue = WorkQueue(base.clock.elapsed, base.chance, base.metrics.queue, shares=shares)
    memories = Memories()
    schedule = Schedule(queue, cache, policy.pace, base.metrics, saw=_noting(memories, base.clock))
    cluster = CachedCluster(base.api, cache, schedule, secret_sources=base.settings.secret_sources)
    election = _election(base) if base.settings.leader_election else None
    held = always if election is None else election.held
    poster = Poster(base.api, base.clock, base.ids, base.identity, base.metrics)
    around = Surroundings(queue, cache, poster, base.metrics, base.clock, base.ids, base.chance)
    ports = Ports(cluster, _gateway(base, held), base.clock, base.ids, policy)
    engine = _engine(ports, memories, held)
    _sample(base, queue, cache)
    return Parts(
        cluster=cluster,
        schedule=schedule,
        queue=queue,
        workers=tuple(Worker(engine, around) for _ in range(base.settings.workers)),
        informer=Informer(base.login, cluster, base.settings.watch_namespaces),
        poster=poster,
        metrics=base.metrics,
        election=election,
        namespaces=partial(namespaces, base.api, base.settings.watch_namespaces),
        elapsed=base.clock.elapsed,
    )


def _noting(memories: Memories, clock: Clock) -> Callable[[Resource], object]:
    """Return what remembers since when a resource is known."""
    return lambda resource: memories.of(resource, clock.elapsed())


def _engine(ports: Ports, memories: Memories, held: Callable[[], bool]) -> Engine:
    async def run_pass(key: Key) -> Outcome:
        if key.kind == ACCOUNT:
            return await reconcile_account(key, tuple(BY_NAME), ports, memories)
        return await reconcile(BY_NAME[key.kind], key, ports, memories)

    return Engine(run_pass, memories.forget, held)


def _election(base: Base) -> Election:
    settings = base.settings
    terms = Terms(
        namespace=settings.lease_namespace or base.login.namespace,
        name=settings.lease_name,
        identity=base.identity,
        duration=settings.lease_duration,
        deadline=settings.lease_renew_deadline,
        renew_interval=settings.lease_renew_interval,
        retry_interval=settings.lease_retry_interval,
    )
    return Election(base.api, terms, base.clock, base.metrics)


def _gateway(base: Base, held: Callable[[], bool]) -> Gateway:
    profiles = {
        name: {str(service): str(url).rstrip("/") for service, url in urls.items()}
        for name, urls in base.settings.endpoint_profiles.items()
    }
    rates = {pattern: Rate(each, max(each, 1)) for pattern, each in base.settings.rates.items()}
    aws = base.metrics.aws
    surroundings = GatewaySurroundings(
        base.clock.elapsed, held, Observer(on_request=aws.requested, on_wait=aws.waited)
    )
    return Gateway(GatewaySettings(endpoint_profiles=profiles, rates=rates), surroundings)


def _sample(base: Base, queue: WorkQueue, cache: Cache) -> None:
    """Have the state of queue and cache told when metrics are scraped."""

    def sample() -> None:
        now = base.clock.elapsed()
        base.metrics.queue.sample(queue.depth, [now - since for since in queue.running.values()])
        resources = (cache.list(definition.name) for definition in DEFINITIONS)
        moment = base.clock.now().timestamp()
        base.metrics.resources.sample(tuple(chain.from_iterable(resources)), moment)

    base.metrics.samplers.append(sample)


async def cluster_id(api: Api) -> str:
    """Return the id of this cluster: that of a namespace that no cluster is without."""
    try:
        namespace = await api.get(f"/api/v1/namespaces/{SYSTEM_NAMESPACE}")
    except ApiError as error:
        if error.status not in {FORBIDDEN, NOT_FOUND}:
            raise
        message = f"owner is not set, and namespace {SYSTEM_NAMESPACE} cannot be read: set owner"
        raise SettingsError(message) from error
    uid: str = namespace["metadata"]["uid"]
    return uid


async def namespaces(api: Api, patterns: tuple[str, ...]) -> tuple[str | None, ...]:
    """Return the namespaces that the patterns mean now; None in it is all of them."""
    if not patterns:
        return (None,)
    if not any(map(is_pattern, patterns)):
        return patterns
    names = [
        item["metadata"]["name"]
        async for page in api.pages("/api/v1/namespaces")
        for item in page["items"]
    ]
    return tuple(n for n in names if any(fnmatchcase(n, pattern) for pattern in patterns))


# -- the command line ------------------------------------------------------------------------


@click.group()
@click.version_option(package_name="cleanrooms-operator")
def main() -> None:
    """Reconcile AWS Clean Rooms resources declared in Kubernetes."""


@main.command()
@click.option("--config", help="A YAML file with settings.")
@click.option("--kubeconfig", help="A kubeconfig. Default: KUBECONFIG, the pod's, the user's.")
@click.option("--context", help="A context of the kubeconfig.")
@click.option("--namespaces", "watch_namespaces", help="Namespaces to serve, joined by commas.")
@click.option("--owner", help="This cluster's id in the tags of AWS objects.")
@click.option("--workers", help="How many passes may run at once.")
@click.option("--leader-election/--no-leader-election", default=None, help="Share a Lease.")
@click.option("--metrics-address", help="host:port of metrics and probes.")
@click.option("--log-format", help="json or plain.")
@click.option("--log-level", help="debug, info, warning or error.")
def run(**options: str | bool | None) -> None:
    """Run the operator. Every setting can also be given as CLEANROOMS_<NAME>."""
    try:
        settings = load({name: given for name, given in options.items() if given is not None})
        logs.configure(settings.log_level, settings.log_format)
        for told in unknown_variables():
            logs.LOG.warning("Ignored a variable: %s", told)
        # Thousands of long-lived resources: a collection is only worth it after much more.
        gc.set_threshold(100_000, 50, 100)
        code = asyncio.run(operate(settings))
    except (SettingsError, LoginError) as error:
        click.echo(f"cannot run with these settings:\n{error}", err=True)
        code = BAD_SETTINGS
    except (ApiError, OSError) as error:
        click.echo(f"cannot run: {error}", err=True)
        code = 1
    raise SystemExit(code)


@main.command("manifests")
@click.argument(
    "directory", type=click.Path(file_okay=False, exists=True, path_type=Path), default=Path()
)
def write_manifests(directory: Path) -> None:
    """Write the resource definitions and all else that is generated, under DIRECTORY."""
    manifests.write(directory)


if __name__ == "__main__":
    main()
