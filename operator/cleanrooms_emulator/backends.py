"""The operations that behave, by service: what is not here, the emulator does not do yet.

A backend has one method for each, named like boto3's, which takes the caller and validated
parameters and returns the members of the output. A List answers one page.
"""

from collections.abc import Callable, Mapping
from functools import partial
from types import SimpleNamespace
from typing import Any

from cleanrooms_emulator.behaviour import (
    algorithms,
    associations,
    change_requests,
    channels,
    collaborations,
    exports,
    jobs,
    members,
    memberships,
    ml_configuration,
    models,
    tags,
    templates,
    trainings,
)
from cleanrooms_emulator.behaviour.world import World
from cleanrooms_emulator.request import Caller, Clock, Document, Ids
from cleanrooms_emulator.rules import Rules
from cleanrooms_emulator.store import Store

Operation = Callable[[World, Caller, Mapping[str, Any]], Document]

_TAGGING: tuple[Operation, ...] = (
    tags.list_tags_for_resource,
    tags.tag_resource,
    tags.untag_resource,
)
OPERATIONS: Mapping[str, tuple[Operation, ...]] = {
    "cleanrooms": (
        collaborations.create_collaboration,
        collaborations.get_collaboration,
        collaborations.update_collaboration,
        collaborations.delete_collaboration,
        collaborations.list_collaborations,
        members.list_members,
        members.delete_member,
        memberships.create_membership,
        memberships.get_membership,
        memberships.update_membership,
        memberships.delete_membership,
        memberships.list_memberships,
        change_requests.create_collaboration_change_request,
        change_requests.get_collaboration_change_request,
        change_requests.list_collaboration_change_requests,
        change_requests.update_collaboration_change_request,
        templates.create_analysis_template,
        templates.get_analysis_template,
        templates.list_analysis_templates,
        templates.delete_analysis_template,
        templates.get_collaboration_analysis_template,
        templates.list_collaboration_analysis_templates,
        *_TAGGING,
    ),
    "cleanroomsml": (
        ml_configuration.put_ml_configuration,
        ml_configuration.get_ml_configuration,
        ml_configuration.delete_ml_configuration,
        algorithms.create_configured_model_algorithm,
        algorithms.get_configured_model_algorithm,
        algorithms.list_configured_model_algorithms,
        algorithms.delete_configured_model_algorithm,
        associations.create_configured_model_algorithm_association,
        associations.get_configured_model_algorithm_association,
        associations.list_configured_model_algorithm_associations,
        associations.delete_configured_model_algorithm_association,
        associations.get_collaboration_configured_model_algorithm_association,
        associations.list_collaboration_configured_model_algorithm_associations,
        channels.create_ml_input_channel,
        channels.get_ml_input_channel,
        channels.list_ml_input_channels,
        channels.delete_ml_input_channel_data,
        channels.get_collaboration_ml_input_channel,
        channels.list_collaboration_ml_input_channels,
        trainings.create_trained_model,
        models.get_trained_model,
        models.list_trained_models,
        models.list_trained_model_versions,
        models.cancel_trained_model,
        models.delete_trained_model_output,
        models.get_collaboration_trained_model,
        models.list_collaboration_trained_models,
        exports.start_trained_model_export_job,
        exports.list_collaboration_trained_model_export_jobs,
        jobs.start_trained_model_inference_job,
        jobs.get_trained_model_inference_job,
        jobs.list_trained_model_inference_jobs,
        jobs.list_collaboration_trained_model_inference_jobs,
        jobs.cancel_trained_model_inference_job,
        *_TAGGING,
    ),
}


def backends(clock: Clock, rules: Rules, ids: Ids, store: Store) -> Mapping[str, SimpleNamespace]:
    """Return what answers the operations of each service, over one store."""
    world = World(clock, rules, ids, store)
    return {
        service: SimpleNamespace(**{each.__name__: partial(each, world) for each in operations})
        for service, operations in OPERATIONS.items()
    }
