"""What a change request holds, against members as ListMembers shows them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

import make
from cleanrooms_operator.core import changes
from cleanrooms_operator.core.references import parameters
from cleanrooms_operator.core.resource import Document, Key
from cleanrooms_operator.core.situation import Situation
from cleanrooms_operator.kinds import BY_NAME
from simulation import specs

CREATOR, PARTNER, THIRD = specs.CREATOR, specs.PARTNER, "333333333333"
YES, NO = {"isResponsible": True}, {"isResponsible": False}
TRAINS = {"machineLearning": {"modelTraining": YES}}
ML = {"customMLMemberAbilities": ["CAN_RECEIVE_INFERENCE_OUTPUT", "CAN_RECEIVE_MODEL_OUTPUT"]}
PAYS = {
    "queryCompute": YES,
    "machineLearning": {"modelTraining": YES, "modelInference": YES},
}


def member(account: str, **more: Any) -> dict[str, Any]:
    """Return a member as ListMembers shows it."""
    known = {"accountId": account, "status": "ACTIVE", "displayName": "C", "abilities": []}
    return {**known, "paymentConfiguration": {"queryCompute": NO}, **more}


def creator(**more: Any) -> dict[str, Any]:
    shown = {"displayName": "A", "mlAbilities": ML, "paymentConfiguration": PAYS, **more}
    return member(CREATOR, **shown)


def partner(**more: Any) -> dict[str, Any]:
    abilities = ["CAN_RECEIVE_RESULTS", "CAN_QUERY"]
    return member(PARTNER, **{"displayName": "B", "abilities": abilities, **more})


def situation(**spec: Any) -> Situation:
    """Return the situation of the collaboration that the examples declare."""
    subject = make.bound(key=Key("Collaboration", "a", "ads"), spec=specs.collaboration(**spec))
    made = make.situation(make.present(), resource=subject)
    return replace(made, parameters=parameters(BY_NAME["Collaboration"], subject, {}))


def wish(*shown: Document, auto: object = None, **spec: Any) -> changes.Wish:
    return changes.wish(situation(**spec), shown, auto)


def change(account: str, abilities: list[str] | None = None, **more: Any) -> dict[str, Any]:
    """Return a MEMBER change, as a request carries it."""
    given = {"accountId": account, "memberAbilities": abilities or [], **more}
    return {"specificationType": "MEMBER", "specification": {"member": given}}


def approving(*types: str) -> dict[str, Any]:
    wanted = {"autoApprovedChangeTypes": list(types)}
    return {"specificationType": "COLLABORATION", "specification": {"collaboration": wanted}}


def declared(**more: Any) -> dict[str, Any]:
    return {**specs.collaboration()["members"][0], **more}


class TestWish:
    def test_all_is_as_declared(self) -> None:
        assert wish(creator(), partner()) == changes.Wish()

    def test_a_new_member_is_invited_with_what_the_spec_gives_it(self) -> None:
        invited = {
            "accountId": PARTNER,
            "displayName": "B",
            "memberAbilities": ["CAN_RECEIVE_RESULTS"],
            "mlMemberAbilities": ML,
            "paymentConfiguration": TRAINS,
        }
        found = wish(creator(), members=[invited])
        assert found.changes == (
            {"specificationType": "MEMBER", "specification": {"member": invited}},
        )

    def test_a_new_member_has_no_more_than_the_spec_gives_it(self) -> None:
        invited = {"accountId": THIRD, "displayName": "C", "memberAbilities": []}
        [made] = wish(creator(), members=[invited]).changes
        assert changes.member_of(made) == invited

    def test_r_18_a_change_carries_all_abilities_and_all_payment_leaves(self) -> None:
        shown = partner(
            mlAbilities=ML, paymentConfiguration={"queryCompute": YES, "jobCompute": NO}
        )
        [made] = wish(creator(), shown, members=[declared(paymentConfiguration=TRAINS)]).changes
        assert changes.member_of(made) == {
            "accountId": PARTNER,
            "memberAbilities": ["CAN_RECEIVE_RESULTS"],
            "mlMemberAbilities": ML,
            "paymentConfiguration": {"queryCompute": YES, "jobCompute": NO, **TRAINS},
        }

    def test_a_payer_is_taken_away(self) -> None:
        shown = partner(paymentConfiguration={"queryCompute": YES})
        [made] = wish(
            creator(), shown, members=[declared(paymentConfiguration={"queryCompute": NO})]
        ).changes
        assert changes.pays(changes.member_of(made) or {}) == frozenset()

    @pytest.mark.parametrize(
        "listed",
        [
            pytest.param([creator(), partner(status="INVITED")], id="who has not joined"),
            pytest.param([creator(), partner(), member(THIRD, status="LEFT")], id="who has left"),
            pytest.param(
                [creator(), partner(abilities=["CAN_QUERY", "CAN_RECEIVE_RESULTS"])],
                id="the order of abilities",
            ),
            pytest.param([creator(), partner(paymentConfiguration=PAYS)], id="what AWS fills in"),
        ],
    )
    def test_nothing_is_asked_for_because_of(self, listed: list[Document]) -> None:
        assert wish(*listed) == changes.Wish()

    def test_all_members_that_differ_are_in_one_request(self) -> None:
        found = wish(
            creator(abilities=["CAN_RECEIVE_RESULTS"]),
            partner(),
            auto=["ADD_MEMBER"],
            members=[declared(memberAbilities=["CAN_QUERY"])],
            autoApprovedChangeRequestTypes=[],
        )
        accounts = [(changes.member_of(c) or {}).get("accountId") for c in found.changes]
        assert accounts == [CREATOR, PARTNER, None]
        assert found.changes[-1] == approving()

    @pytest.mark.parametrize(
        ("wanted", "in_aws", "differs"),
        [
            pytest.param(None, ["ADD_MEMBER"], False, id="left out of the spec"),
            pytest.param(["A", "B"], ["B", "A"], False, id="a set"),
            pytest.param(["A"], None, True, id="none in AWS"),
            pytest.param([], None, False, id="none at all"),
            pytest.param([], ["A"], True, id="none wanted"),
        ],
    )
    def test_types_that_are_approved_beforehand(
        self, wanted: list[str] | None, in_aws: list[str] | None, *, differs: bool
    ) -> None:
        more = {} if wanted is None else {"autoApprovedChangeRequestTypes": wanted}
        found = wish(creator(), partner(), auto=in_aws, **more)
        assert found.changes == ((approving(*(wanted or ())),) if differs else ())

    @pytest.mark.parametrize(
        ("spec", "listed", "words"),
        [
            pytest.param(
                {"displayName": "Other"}, [creator(), partner()], "displayName", id="a name"
            ),
            pytest.param(
                {"memberAbilities": ["CAN_RECEIVE_RESULTS"]},
                [creator(), partner()],
                "CAN_QUERY",
                id="who queries",
            ),
            pytest.param({}, [creator()], "CAN_QUERY", id="a new member that queries"),
            pytest.param({}, [creator(), partner(status="LEFT")], "LEFT", id="who has left"),
            pytest.param(
                {}, [creator(), partner(status="REMOVED")], "REMOVED", id="who was removed"
            ),
        ],
    )
    def test_what_nobody_can_change_is_told(
        self, spec: Mapping[str, Any], listed: list[Document], words: str
    ) -> None:
        found = wish(*listed, members=[declared(**spec)])
        [told] = found.obstacles
        assert told.startswith(f"members[{PARTNER}]")
        assert words in told
        assert found.changes == ()

    def test_who_is_not_declared_is_to_go(self) -> None:
        gone = [member(THIRD), member("444444444444", status="INVITED")]
        assert wish(creator(), partner(), *gone).removals == (THIRD, "444444444444")


class TestFingerprint:
    SAME = [  # noqa: RUF012  never changed
        pytest.param([change(THIRD, ["A", "B"])], [change(THIRD, ["B", "A"])], id="order"),
        pytest.param([change(THIRD), approving()], [approving(), change(THIRD)], id="of changes"),
        pytest.param([{**change(THIRD), "types": ["A"]}], [change(THIRD)], id="types"),
        pytest.param(
            [change(THIRD, paymentConfiguration={"queryCompute": NO})], [change(THIRD)], id="FALSE"
        ),
        pytest.param([change(THIRD, displayName="C")], [change(THIRD)], id="a name"),
        pytest.param([approving("A", "B")], [approving("B", "A")], id="approved types"),
    ]
    OTHER = [  # noqa: RUF012  never changed
        pytest.param([change(THIRD, ["A"])], [change(THIRD)], id="an ability"),
        pytest.param([change(THIRD)], [change(PARTNER)], id="an account"),
        pytest.param([change(THIRD, paymentConfiguration=TRAINS)], [change(THIRD)], id="a payer"),
        pytest.param([change(THIRD, mlMemberAbilities=ML)], [change(THIRD)], id="ML"),
        pytest.param([approving("A")], [approving()], id="an approved type"),
    ]

    @pytest.mark.parametrize(("one", "other"), SAME)
    def test_r_6_it_is_the_same_whatever_the(
        self, one: list[Document], other: list[Document]
    ) -> None:
        assert changes.fingerprint(one) == changes.fingerprint(other)

    @pytest.mark.parametrize(("one", "other"), OTHER)
    def test_r_6_it_differs_by(self, one: list[Document], other: list[Document]) -> None:
        assert changes.fingerprint(one) != changes.fingerprint(other)


class TestTypes:
    @pytest.mark.parametrize(
        ("made", "expected"),
        [
            pytest.param(change(THIRD), {"ADD_MEMBER"}, id="an account that is none"),
            pytest.param(
                change(THIRD, ["CAN_RECEIVE_RESULTS"], paymentConfiguration=TRAINS),
                {"ADD_MEMBER", "GRANT_RECEIVE_RESULTS_ABILITY", "ADD_PAYER_CANDIDATE"},
                id="with an ability, and to pay",
            ),
            pytest.param(
                change(PARTNER), {"REVOKE_RECEIVE_RESULTS_ABILITY"}, id="left out is taken away"
            ),
            pytest.param(
                change(PARTNER, ["CAN_RECEIVE_RESULTS"]), set(), id="but not ML abilities"
            ),
            pytest.param(
                change(
                    PARTNER,
                    ["CAN_RECEIVE_RESULTS", "CAN_EXPORT_QUERY_ANALYSIS_LOG"],
                    mlMemberAbilities={"customMLMemberAbilities": ["CAN_RECEIVE_MODEL_OUTPUT"]},
                    paymentConfiguration={"queryCompute": NO, **TRAINS},
                ),
                {
                    "GRANT_EXPORT_QUERY_ANALYSIS_LOG_ABILITY",
                    "GRANT_CAN_RECEIVE_MODEL_OUTPUT",
                    "REVOKE_CAN_RECEIVE_INFERENCE_OUTPUT",
                    "ADD_PAYER_CANDIDATE",
                    "REMOVE_PAYER_CANDIDATE",
                },
                id="all at once",
            ),
            pytest.param(
                approving("ADD_MEMBER"), {"EDIT_AUTO_APPROVED_CHANGE_TYPES"}, id="approved types"
            ),
        ],
    )
    def test_r_18_they_follow_from_the_difference(self, made: Document, expected: set[str]) -> None:
        learning = {"customMLMemberAbilities": ["CAN_RECEIVE_INFERENCE_OUTPUT"]}
        before = partner(mlAbilities=learning, paymentConfiguration={"queryCompute": YES})
        assert changes.expected_types(made, {PARTNER: before}) == expected

    def test_r_18_what_is_not_explained_is_unexpected(self) -> None:
        made = [{**change(THIRD), "types": ["ADD_MEMBER", "ADD_PAYER_CANDIDATE"]}]
        assert changes.unexpected_types({"changes": made}, []) == {"ADD_PAYER_CANDIDATE"}

    def test_types_of_all_changes_are_told_once(self) -> None:
        made = [{**change(THIRD), "types": ["B", "A"]}, {**change(PARTNER), "types": ["A"]}]
        assert changes.types_of({"changes": made}) == ["A", "B"]


class TestShown:
    """Reads may lag behind a commit."""

    @pytest.mark.parametrize(
        ("made", "expected"),
        [
            pytest.param(change(THIRD), False, id="an invitation"),
            pytest.param(change(PARTNER, ["CAN_RECEIVE_RESULTS"]), True, id="what is there"),
            pytest.param(change(PARTNER, ["CAN_X"]), False, id="an ability"),
            pytest.param(change(PARTNER, paymentConfiguration=TRAINS), False, id="a payer"),
            pytest.param(change(CREATOR, ["CAN_X"]), True, id="one who has gone since"),
            pytest.param(approving("A"), True, id="approved types"),
            pytest.param(approving(), False, id="other approved types"),
        ],
    )
    def test_what_was_committed_can_be_seen(self, made: Document, *, expected: bool) -> None:
        listed = [creator(status="LEFT"), partner()]
        assert changes.is_shown([made], listed, ["A"]) is expected


class TestAfter:
    def test_a_changed_member_keeps_what_nobody_can_change(self) -> None:
        made = change(PARTNER, ["CAN_EXPORT_QUERY_ANALYSIS_LOG"], paymentConfiguration=TRAINS)
        [then] = changes.after([approving(), made], [partner(mlAbilities=ML)])
        assert then["abilities"] == ["CAN_EXPORT_QUERY_ANALYSIS_LOG", "CAN_QUERY"]
        assert then["mlAbilities"] == ML
        assert then["paymentConfiguration"] == {"queryCompute": NO, **TRAINS}

    def test_a_new_member_is_invited(self) -> None:
        [_, then] = changes.after([change(THIRD, ["CAN_X"])], [partner()])
        assert (then["accountId"], then["status"], then["abilities"]) == (
            THIRD,
            "INVITED",
            ["CAN_X"],
        )
