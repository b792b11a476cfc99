"""Who pays for a run: decided when it is submitted, and recorded with it."""

from typing import Any

import pytest

from lab import CHANNEL_SECONDS, Lab
from parties import Party, member, payment, refused, update

EVERY = ("queryCompute", "modelTraining", "modelInference")


@pytest.fixture
def paid_lab(alice: Party, bob: Party, lab: Lab, share: Any) -> Lab:
    """Set up a lab in which alice alone is assigned, and pays."""
    return shared_costs(lab, share, alice, bob)


def shared_costs(lab: Lab, share: Any, alice: Party, bob: Party, **changes: Any) -> Lab:
    pays = payment(*EVERY)
    lab.shared = share(alice, bob, creatorPaymentConfiguration=pays, **changes)
    lab.shared.join(alice, paymentConfiguration=pays)
    lab.shared.join(bob)
    lab.association = lab.associate()
    lab.receive(alice)
    return lab


@pytest.fixture
def contested_lab(alice: Party, bob: Party, lab: Lab, share: Any) -> Lab:
    """Set up a lab in which both may pay for everything."""
    invited = [member(bob, paymentConfiguration=payment(*EVERY))]
    return shared_costs(lab, share, alice, bob, members=invited)


def test_the_only_candidate_pays_for_each_kind_of_run(paid_lab: Lab) -> None:
    channel = paid_lab.channel()
    shown = paid_lab.see_channel(channel)["payerConfiguration"]
    assert shown == {"computePayerAccountId": paid_lab.alice.account}
    model = paid_lab.train(channel)["trainedModelArn"]
    shown = paid_lab.see_model(model)["mlModelTrainingPayerAccountId"]
    assert shown == paid_lab.alice.account
    job = paid_lab.see_job(paid_lab.infer(model, channel))
    assert job["mlModelInferencePayerAccountId"] == paid_lab.alice.account


def test_of_several_candidates_the_named_one_pays(contested_lab: Lab) -> None:
    lab, alice = contested_lab, contested_lab.alice.account
    channel = lab.channel(payerConfiguration={"computePayerAccountId": alice})
    assert lab.see_channel(channel)["payerConfiguration"] == {"computePayerAccountId": alice}
    model = lab.train(channel, mlModelTrainingPayerAccountId=alice)["trainedModelArn"]
    assert lab.see_model(model)["mlModelTrainingPayerAccountId"] == alice
    job = lab.infer(model, channel, mlModelInferencePayerAccountId=lab.bob.account)
    assert lab.see_job(job)["mlModelInferencePayerAccountId"] == lab.bob.account


def views(lab: Lab) -> list[Any]:
    """Return who pays, as each view of each kind of run shows it, of runs that name nobody."""
    channel = lab.channel()
    model = lab.train(channel)["trainedModelArn"]
    job = lab.infer(model, channel)
    shared = {"collaborationIdentifier": lab.shared.id}
    channels = lab.alice.ml.list_collaboration_ml_input_channels(**shared)
    models = lab.alice.ml.list_collaboration_trained_models(**shared)
    jobs = lab.alice.ml.list_collaboration_trained_model_inference_jobs(**shared)
    return [
        *(
            shown.get("payerConfiguration", {}).get("computePayerAccountId")
            for shown in (
                lab.see_channel(channel),
                *channels["collaborationMLInputChannelsList"],
            )
        ),
        *(
            shown.get("mlModelTrainingPayerAccountId")
            for shown in (lab.see_model(model), *models["collaborationTrainedModels"])
        ),
        *(
            shown.get("mlModelInferencePayerAccountId")
            for shown in (lab.see_job(job), *jobs["collaborationTrainedModelInferenceJobs"])
        ),
    ]


def test_er_39_every_view_shows_who_pays(paid_lab: Lab) -> None:
    assert views(paid_lab) == [paid_lab.alice.account] * 6


@pytest.mark.rules("ER-39=named")
def test_er_39_by_the_other_reading_only_who_was_named_is_shown(paid_lab: Lab) -> None:
    assert views(paid_lab) == [None] * 6
    alice = paid_lab.alice.account
    arn = paid_lab.channel(payerConfiguration={"computePayerAccountId": alice})
    assert paid_lab.see_channel(arn)["payerConfiguration"] == {"computePayerAccountId": alice}


def test_er_11_one_of_several_candidates_must_be_named(contested_lab: Lab) -> None:
    with refused("ValidationException"):
        contested_lab.start_channel()


@pytest.mark.rules("ER-11=querier")
def test_er_11_the_querying_member_pays_where_none_is_named(contested_lab: Lab) -> None:
    found = contested_lab.see_channel(contested_lab.start_channel())
    assert found["payerConfiguration"] == {"computePayerAccountId": contested_lab.bob.account}


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("ValidationException", id="invalid"),
        pytest.param("AccessDeniedException", id="denied", marks=pytest.mark.rules("ER-12=denied")),
    ],
)
def test_er_12_who_is_no_candidate_does_not_pay(code: str, paid_lab: Lab) -> None:
    with refused(code):
        paid_lab.start_channel(payerConfiguration={"computePayerAccountId": paid_lab.bob.account})


@pytest.mark.rules("ER-12=fail")
def test_er_12_a_run_whose_payer_is_no_candidate_fails(paid_lab: Lab) -> None:
    made = paid_lab.train(paid_lab.channel(), mlModelTrainingPayerAccountId=paid_lab.bob.account)
    found = paid_lab.see_model(made["trainedModelArn"])
    assert (found["status"], found["statusDetails"]["statusCode"]) == (
        "CREATE_FAILED",
        "PAYER_NOT_ACCEPTED",
    )


def test_er_12_a_candidate_that_has_not_joined_does_not_pay(
    alice: Party, bob: Party, share: Any, lab: Lab
) -> None:
    elsewhere = share(
        bob,
        alice,
        creatorMemberAbilities=["CAN_QUERY"],
        members=[member(alice, [], paymentConfiguration=payment("queryCompute"))],
    )
    elsewhere.join(bob)
    lab.shared.members[bob.account] = elsewhere.of(bob)
    made = bob.ml.create_configured_model_algorithm(
        name="own", roleArn=bob.role(), trainingContainerConfig={"imageUri": "image"}
    )
    lab.association = bob.ml.create_configured_model_algorithm_association(
        membershipIdentifier=elsewhere.of(bob), name="own", **made_of(made)
    )["configuredModelAlgorithmAssociationArn"]
    with refused("ValidationException"):
        lab.start_channel()
    elsewhere.join(alice, paymentConfiguration=payment("queryCompute"))
    lab.start_channel()


def made_of(answer: Any) -> dict[str, str]:
    return {"configuredModelAlgorithmArn": answer["configuredModelAlgorithmArn"]}


@pytest.mark.rules("ER-9=accept")
def test_er_9_a_candidate_that_declines_does_not_pay(paid_lab: Lab) -> None:
    paid_lab.alice.cleanrooms.update_membership(
        membershipIdentifier=paid_lab.shared.of(paid_lab.alice),
        membershipPaymentConfiguration=update(no=("queryCompute",)),
    )
    with refused("ValidationException"):
        paid_lab.start_channel()


def test_without_its_payer_nothing_runs_until_another_is_assigned(
    alice: Party, bob: Party, carol: Party, lab: Lab, share: Any
) -> None:
    """What was begun runs on at the expense of the payer that is gone."""
    pays = payment("queryCompute")
    lab.shared = share(
        alice, bob, members=[member(bob), member(carol, [], paymentConfiguration=pays)]
    )
    lab.shared.join(alice)
    lab.shared.join(bob)
    lab.shared.join(carol, paymentConfiguration=pays)
    lab.association = lab.associate()
    first = lab.start_channel()
    where = {"collaborationIdentifier": lab.shared.id}
    alice.cleanrooms.delete_member(**where, accountId=carol.account)
    with refused("ValidationException"):
        lab.start_channel()
    lab.time.elapse(CHANNEL_SECONDS)
    found = lab.see_channel(first)
    assert (found["status"], found["payerConfiguration"]) == (
        "ACTIVE",
        {"computePayerAccountId": carol.account},
    )
    assign(lab, bob, pays)
    with refused("ValidationException"):
        lab.start_channel()
    bob.cleanrooms.update_membership(
        membershipIdentifier=lab.membership, membershipPaymentConfiguration=update("queryCompute")
    )
    second = lab.see_channel(lab.start_channel())
    assert second["payerConfiguration"] == {"computePayerAccountId": bob.account}


def assign(lab: Lab, party: Party, pays: dict[str, Any]) -> None:
    """Let alice assign payments to the party, with bob's approval."""
    where = {"collaborationIdentifier": lab.shared.id}
    given = {
        "accountId": party.account,
        "memberAbilities": ["CAN_RECEIVE_RESULTS"],
        "paymentConfiguration": pays,
    }
    change = {"specificationType": "MEMBER", "specification": {"member": given}}
    made = lab.alice.cleanrooms.create_collaboration_change_request(**where, changes=[change])
    request = {**where, "changeRequestIdentifier": made["collaborationChangeRequest"]["id"]}
    lab.bob.cleanrooms.update_collaboration_change_request(**request, action="APPROVE")
    lab.alice.cleanrooms.update_collaboration_change_request(**request, action="COMMIT")
