"""Who sees what of a collaboration's ML objects."""

from typing import Any

import pytest

from cleanrooms_emulator.emulator import Emulator
from cleanrooms_emulator.request import Caller, Request
from lab import Lab
from parties import Party, refused

VIEWS = {
    "get_collaboration_configured_model_algorithm_association": (
        "configuredModelAlgorithmAssociationArn"
    ),
    "get_collaboration_ml_input_channel": "mlInputChannelArn",
    "get_collaboration_trained_model": "trainedModelArn",
    "list_collaboration_configured_model_algorithm_associations": None,
    "list_collaboration_ml_input_channels": None,
    "list_collaboration_trained_models": None,
    "list_collaboration_trained_model_inference_jobs": None,
    "list_collaboration_trained_model_export_jobs": "trainedModelArn",
}


@pytest.fixture
def looks(lab: Lab) -> list[tuple[str, dict[str, Any]]]:
    """Name each view with its parameters."""
    channel = lab.channel()
    arns = {
        "configuredModelAlgorithmAssociationArn": lab.association,
        "mlInputChannelArn": channel,
        "trainedModelArn": lab.train(channel)["trainedModelArn"],
    }
    where = {"collaborationIdentifier": lab.shared.id}
    return [
        (view, where if name is None else {**where, name: arns[name]})
        for view, name in VIEWS.items()
    ]


def see(party: Party, looks: list[tuple[str, dict[str, Any]]]) -> None:
    for view, parameters in looks:
        getattr(party.ml, view)(**parameters)


def test_every_active_member_has_all_views(lab: Lab, looks: Any) -> None:
    for party in (lab.alice, lab.bob):
        see(party, looks)


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("AccessDeniedException", id="denied"),
        pytest.param(
            "ResourceNotFoundException", id="missing", marks=pytest.mark.rules("ER-3=not-found")
        ),
    ],
)
def test_er_3_who_is_not_active_has_none(
    code: str, lab: Lab, carol: Party, party: Any, looks: Any
) -> None:
    """Lists do not model ResourceNotFoundException."""
    lab.bob.cleanrooms.list_members(collaborationIdentifier=lab.shared.id)
    elsewhere = party(lab.alice.account, region="eu-west-1")
    for outsider in (carol, elsewhere):
        for look in looks:
            with refused(code if look[0].startswith("get") else "AccessDeniedException"):
                see(outsider, [look])
    lab.alice.cleanrooms.delete_member(
        collaborationIdentifier=lab.shared.id, accountId=lab.bob.account
    )
    for look in looks:
        with refused(code if look[0].startswith("get") else "AccessDeniedException"):
            see(lab.bob, [look])


def test_an_invited_account_has_none(alice: Party, bob: Party, share: Any) -> None:
    shared = share(alice, bob)
    with refused("AccessDeniedException"):
        bob.ml.list_collaboration_trained_models(collaborationIdentifier=shared.id)


def test_what_is_not_there_is_not_found(lab: Lab, looks: Any) -> None:
    for view, parameters in looks:
        if view.startswith("get"):
            changed = {
                name: f"{value}0" if name.endswith("Arn") else value
                for name, value in parameters.items()
            }
            with refused("ResourceNotFoundException"):
                see(lab.alice, [(view, changed)])


def test_r_27_a_caller_in_process_cannot_reach_what_is_stored(emulator: Emulator, lab: Lab) -> None:
    caller = Caller(lab.bob.account, "", lab.bob.region)
    parameters = {"membershipIdentifier": lab.membership, "mlInputChannelArn": lab.channel()}
    request = Request(caller, "cleanroomsml", "GetMLInputChannel", parameters)
    first = emulator.handle(request)
    first["inputChannel"]["dataSource"].clear()
    assert emulator.handle(request)["inputChannel"]["dataSource"]
