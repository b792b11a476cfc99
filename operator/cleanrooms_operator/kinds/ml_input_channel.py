"""MLInputChannel: the result of a query over the collaboration's tables, kept to train and infer.

Making one runs a query, which costs money and privacy budget. Nothing stops the query; what can be
deleted is its result, and AWS removes that by itself when its retention is over.
"""

from cleanrooms_operator.core import channels, kind, runs, shared, specs
from cleanrooms_operator.core.permissions import PASSING
from cleanrooms_operator.core.step import Lifecycle
from cleanrooms_operator.core.values import Structure


class MLInputChannelSpec(specs.MemberSpec):
    """Parameters of CreateMLInputChannel."""

    configured_model_algorithm_associations: list[str] | None = None
    configured_model_algorithm_association_refs: channels.AssociationRefs = None
    shared_configured_model_algorithm_associations: channels.SharedAssociations = None
    input_channel: channels.InputChannel
    description: str | None = None
    retention_in_days: int
    kms_key_arn: str | None = None
    payer_configuration: Structure | None = None


KIND = kind.Kind(
    definition=kind.Definition(
        name="MLInputChannel",
        plural="mlinputchannels",
        short_name="crchannel",
        description="Data for training and inference in AWS Clean Rooms ML: a query's result.",
        spec=MLInputChannelSpec,
        status=channels.ChannelStatus,
        columns=(
            kind.Column("State", ".status.state", "State in AWS Clean Rooms ML."),
            kind.Column("Membership", ".spec.membershipRef.name", "The Membership it belongs to."),
            kind.Column("Records", ".status.numberOfRecords", "How much it holds.", "integer"),
            kind.Column("Payer", ".status.payer", "Who pays for the query."),
            kind.Column("Expires", ".status.expiresAt", "When its data goes, or later.", wide=True),
            kind.Column("ARN", ".status.arn", "ARN of the channel.", wide=True),
        ),
        rules=(kind.ACCOUNT_OF_MEMBERSHIP,),
    ),
    service="cleanroomsml",
    create="CreateMLInputChannel",
    read="GetMLInputChannel",
    delete="DeleteMLInputChannelData",
    listing=kind.Listing(
        "cleanroomsml",
        "ListMLInputChannels",
        "mlInputChannelsList",
        scope=("membershipIdentifier",),
        handle=("mlInputChannelArn",),
    ),
    everybodys=shared.CHANNELS,
    handle=kind.Handle.by_arn("mlInputChannelArn"),
    lifecycle={
        **dict.fromkeys(runs.CREATING, Lifecycle.CHANGING),
        **runs.BEING_DELETED,
        "ACTIVE": Lifecycle.READY,
        "CREATE_FAILED": Lifecycle.GONE,
        "INACTIVE": Lifecycle.DONE,
    },
    ends=runs.CHANNEL_ENDS,
    costs=channels.COSTS,
    facts=channels.facts,
    report=channels.report,
    actions=("iam:PassRole", *PASSING),
)
