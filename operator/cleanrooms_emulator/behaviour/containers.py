"""What trainings and inference jobs have in common: containers, channels, metrics and logs."""

import hashlib
from collections.abc import Mapping
from typing import Any

from cleanrooms_emulator.behaviour.ml_access import under_membership
from cleanrooms_emulator.behaviour.ml_objects import (
    Algorithm,
    Association,
    Channel,
    Computation,
    TrainedModel,
)
from cleanrooms_emulator.behaviour.objects import Member, Membership
from cleanrooms_emulator.behaviour.world import World, conflict, denied, invalid
from cleanrooms_emulator.request import Document
from cleanrooms_emulator.store import Failure


def digest_of(world: World, association: Association, container: str) -> str:
    """Return the digest of the image that an association offers for training or inference."""
    algorithm = world.store.get(Algorithm, association.algorithm)
    config = algorithm.given.get(container) if algorithm else None
    if config is None:
        message = f"the algorithm of association {association.name} has no {container}"
        raise invalid(message)
    return f"sha256:{hashlib.sha256(config['imageUri'].encode()).hexdigest()}"


def check_channel(world: World, membership: Membership, arn: str) -> Failure | None:
    """Refuse a channel that is not ACTIVE, or return how its user fails (ER-23)."""
    channel = under_membership(world, Channel, membership, arn)
    return None if channel.status == "ACTIVE" else _unready(world, arn, channel.status)


def check_model(world: World, model: TrainedModel) -> Failure | None:
    """Refuse a model that is not ACTIVE, as a channel would be."""
    return None if model.status == "ACTIVE" else _unready(world, model.arn, model.status)


def check_receiver(
    world: World, membership: Membership, parameters: Mapping[str, Any], ability: str
) -> Failure | None:
    """Refuse a receiver without the ability, or return how the run fails (ER-25)."""
    account = parameters["outputConfiguration"]["members"][0]["accountId"]
    member = world.store.get(Member, f"{membership.collaboration}/{account}")
    if member and member.is_present and ability in (member.ml_abilities or ()):
        return None
    message = f"account {account} does not have {ability}"
    match world.rules.unentitled_receiver:
        case "invalid":
            raise invalid(message)
        case "denied":
            raise denied(message)
        case "fail":
            return Failure("output", "RECEIVER_NOT_ENTITLED", message)


def log_readers(association: Association, policy: str) -> frozenset[str]:
    """Return the accounts that a privacy policy of an association lets read logs."""
    logs = association.policies.get(policy, {}).get("containerLogs", ())
    return frozenset(account for each in logs for account in each["allowedAccountIds"])


def publication_of(world: World, run: Computation, viewer: str) -> Document:
    """Return metricsStatus and logsStatus, which are each viewing account's own.

    Assumption: metrics go to whoever has an ML configuration when the run ends; logs besides
    only to accounts that the association names.
    """
    if run.published is None or world.now < run.published:
        return {}
    has_metrics = viewer == run.account or viewer in run.configured
    return {
        **(_published("metrics", run, viewer) if has_metrics else {}),
        **(_published("logs", run, viewer) if viewer in run.readers else {}),
    }


def _published(what: str, run: Computation, viewer: str) -> Document:
    if viewer in run.configured:
        return {f"{what}Status": "PUBLISH_SUCCEEDED"}
    details = f"Account {viewer} has no ML configuration, and so no role to publish {what} with."
    return {f"{what}Status": "PUBLISH_FAILED", f"{what}StatusDetails": details}


def _unready(world: World, arn: str, status: str) -> Failure:
    message = f"{arn} is {status}"
    match world.rules.inactive_channel:
        case "invalid":
            raise invalid(message)
        case "conflict":
            raise conflict(message, "INPUT", arn, "INVALID_STATE")
        case "fail":
            return Failure("input", "INPUT_NOT_ACTIVE", message)
