"""What an account may have, as documented defaults that a setting can change."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Quotas:
    """Counts in an account and region, or in a membership where the name says so.

    Source: the services' quota pages of the user guide, 2026.
    """

    collaborations: int = 500
    memberships: int = 500
    members: int = 5
    analysis_templates_per_membership: int = 100
    algorithms: int = 1000
    associations_per_membership: int = 1000
    channels_per_membership: int = 100
    synthetic_channels: int = 2
    versions_per_model: int = 100
    trainings: int = 10
    trainings_per_membership: int = 5
    training_instances: int = 10
    common_instances_per_type: int = 3
    other_instances_per_type: int = 0
    inference_jobs: int = 10
    inference_jobs_per_membership: int = 5


NAMES: Mapping[str, str] = {
    "collaborations": "Collaborations created per account",
    "memberships": "Memberships per account",
    "members": "Members invited per collaboration",
    "analysis_templates_per_membership": "Analysis templates per membership",
    "algorithms": "Configured model algorithms per account",
    "associations_per_membership": "Active configured model algorithm associations per membership",
    "channels_per_membership": "Active ML input channels per membership",
    "synthetic_channels": "Pending or in-progress synthetic ML input channels per account",
    "versions_per_model": "Versions per trained model",
    "trainings": "Pending or in-progress training jobs per account",
    "trainings_per_membership": "Pending or in-progress training jobs per membership",
    "training_instances": "Active training instances per account",
    "common_instances_per_type": "{} for training per account",
    "other_instances_per_type": "{} for training per account",
    "inference_jobs": "Pending or in-progress inference jobs per account",
    "inference_jobs_per_membership": "Pending or in-progress inference jobs per membership",
}
"""What a 402 calls each. Assumption: AWS's own words are not known."""
