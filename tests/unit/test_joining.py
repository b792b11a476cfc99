"""What a Membership does besides existing."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

import make
from cleanrooms_operator.core import accepting, joining, keeping
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.references import parameters
from cleanrooms_operator.core.resource import FINALIZER, Document, Key, Resource
from cleanrooms_operator.core.situation import Situation
from cleanrooms_operator.core.step import Change, Present
from cleanrooms_operator.kinds import BY_NAME
from simulation import specs

CREATOR, PARTNER = specs.CREATOR, specs.PARTNER
MEMBERSHIP = BY_NAME["Membership"]
YES, NO = {"isResponsible": True}, {"isResponsible": False}
QUERIES, TRAININGS = {"queryCompute": YES}, {"machineLearning": {"modelTraining": YES}}
ML = specs.ml_configuration(CREATOR)
OTHER_ML = specs.ml_configuration(PARTNER)
FULL = {"managementPolicy": "Full"}
ADOPTED = make.annotations(external_id="m-1")
UNREAD = object()
PUT_BY_US = {"mlConfiguration": {"putBy": "a/member"}}


def shown(ml: Any = UNREAD, members: Any = UNREAD, **fields: Any) -> Present:
    """Return a membership; `ml` is its ML configuration, None where there is none."""
    read = {"mlConfiguration": ml, "members": members}
    readings = {name: value for name, value in read.items() if value is not UNREAD}
    known = {
        "id": "m-1",
        "status": "ACTIVE",
        "collaborationId": "c-1",
        "collaborationCreatorAccountId": CREATOR,
        **fields,
    }
    details = make.details(fields=known, readings=readings)
    return make.present(identifier="m-1", state=known["status"], details=details)


def subject(spec: Document | None = None, **over: Any) -> Resource:
    return make.bound(key=Key("Membership", "a", "member"), spec=spec or {}, **over)


def situation(resource: Resource, found: Present, **over: Any) -> Situation:
    made = make.situation(found, resource=resource, **over)
    return replace(made, parameters=parameters(MEMBERSHIP, resource, {}))


class TestInvitations:
    INVITED = {"creatorAccountId": CREATOR, "name": "ads"}  # noqa: RUF012  never changed

    @pytest.mark.parametrize(
        ("summary", "expected"),
        [
            pytest.param({}, True, id="invited"),
            pytest.param({"memberStatus": "ACTIVE"}, True, id="joined already (R-4)"),
            pytest.param({"memberStatus": "LEFT"}, False, id="left, which cannot be joined again"),
            pytest.param({"memberStatus": "REMOVED"}, False, id="removed"),
            pytest.param({"name": "adverts"}, False, id="another name"),
            pytest.param({"creatorAccountId": PARTNER}, False, id="another creator"),
        ],
    )
    def test_a_collaboration_is_the_one_that_is_meant(
        self, summary: Document, *, expected: bool
    ) -> None:
        listed = {**self.INVITED, "memberStatus": "INVITED", **summary}
        assert joining.INVITATION.matches(self.INVITED, listed) is expected

    def test_what_is_missing_is_named(self) -> None:
        told = joining.INVITATION.missing(self.INVITED)
        assert CREATOR in told
        assert "'ads'" in told


def accept(declared: Document | None, assigned: Document | None, accepted: Document) -> Any:
    """Return what a membership accepts anew, as a payment configuration."""
    members = [{"accountId": PARTNER, "paymentConfiguration": TRAININGS}]
    if assigned is not None:
        members.append({"accountId": CREATOR, "paymentConfiguration": assigned})
    found = shown(members=members, paymentConfiguration=accepted)
    spec = {} if declared is None else {"paymentConfiguration": declared}
    change = accepting.accept_payments(situation(subject(spec), found), found)
    return None if change is None else change.parameters["membershipPaymentConfiguration"]


class TestPayments:
    """R-17: only what is in the spec, assigned, and different is sent."""

    @pytest.mark.parametrize(
        ("declared", "assigned", "accepted", "sent"),
        [
            pytest.param(QUERIES, QUERIES, {}, QUERIES, id="it is accepted once it is assigned"),
            pytest.param(QUERIES, {}, {}, None, id="not before"),
            pytest.param(QUERIES, None, {}, None, id="nor for an account that is not listed"),
            pytest.param(QUERIES, QUERIES, QUERIES, None, id="nor twice"),
            pytest.param(None, QUERIES, {}, None, id="nor without a word in the spec"),
            pytest.param(
                {"queryCompute": NO}, QUERIES, QUERIES, None, id="and it is not taken back"
            ),
            pytest.param(
                {**QUERIES, **TRAININGS},
                {**QUERIES, **TRAININGS},
                QUERIES,
                {**QUERIES, **TRAININGS},
                id="with what is accepted already, which an absent leaf might withdraw (ER-34)",
            ),
        ],
    )
    def test_a_payment_is_accepted(
        self,
        declared: Document | None,
        assigned: Document | None,
        accepted: Document,
        sent: Document | None,
    ) -> None:
        assert accept(declared, assigned, accepted) == sent

    def test_an_open_payment_is_drift(self) -> None:
        members = [{"accountId": CREATOR, "paymentConfiguration": TRAININGS}]
        found = shown(members=members)
        spec = {"paymentConfiguration": TRAININGS}
        change = accepting.accept_payments(situation(subject(spec), found), found)
        assert change is not None
        assert change.parameters["membershipIdentifier"] == "m-1"
        [leaf] = change.drift
        assert leaf.path == "paymentConfiguration.machineLearning.modelTraining"

    def test_nothing_is_accepted_that_was_not_read(self) -> None:
        about = subject({"paymentConfiguration": QUERIES})
        for found in (make.present(details=None), shown()):
            assert accepting.accept_payments(situation(about, found), found) is None
            assert joining.facts(situation(about, found), found) == ()

    @pytest.mark.parametrize(
        ("declared", "assigned", "expected", "words"),
        [
            pytest.param(QUERIES, QUERIES, Reason.PAYMENTS_ACCEPTED, "in force", id="as agreed"),
            pytest.param(
                QUERIES, {}, Reason.AWAITING_ASSIGNMENT, "queryCompute", id="not assigned yet"
            ),
            pytest.param(
                {"queryCompute": NO},
                QUERIES,
                Reason.PAYMENT_NOT_ACCEPTED,
                "queryCompute",
                id="assigned, and refused",
            ),
            pytest.param(
                QUERIES,
                {**QUERIES, **TRAININGS},
                Reason.PAYMENT_NOT_ACCEPTED,
                "machineLearning.modelTraining",
                id="more is assigned than the spec accepts",
            ),
            pytest.param(
                QUERIES,
                TRAININGS,
                Reason.AWAITING_ASSIGNMENT,
                "queryCompute",
                id="what this side can do nothing about is told first",
            ),
        ],
    )
    def test_it_is_told_what_is_agreed(
        self, declared: Document, assigned: Document, expected: Reason, words: str
    ) -> None:
        found = shown(members=[{"accountId": CREATOR, "paymentConfiguration": assigned}])
        about = situation(subject({"paymentConfiguration": declared}), found)
        [fact] = joining.facts(about, found)
        assert (fact.type, fact.reason) == ("PaymentAccepted", expected)
        assert (fact.status == "True") is (expected is Reason.PAYMENTS_ACCEPTED)
        assert words in fact.message

    def test_an_acceptance_that_is_edited_away_stands_and_is_told(self) -> None:
        members = [{"accountId": CREATOR, "paymentConfiguration": TRAININGS}]
        found = shown(members=members, paymentConfiguration=TRAININGS)
        [fact] = joining.facts(situation(subject({}), found), found)
        assert fact.reason is Reason.PAYMENT_NOT_ACCEPTED
        assert "stands in AWS: machineLearning.modelTraining" in fact.message
        relieved = shown(members=[], paymentConfiguration=TRAININGS)
        [fact] = joining.facts(situation(subject({}), relieved), relieved)
        assert fact.reason is Reason.PAYMENTS_ACCEPTED

    @pytest.mark.parametrize("before", [True, False])
    def test_a_member_that_agreed_to_nothing_is_told_only_what_has_changed(
        self, *, before: bool
    ) -> None:
        status = {"conditions": [make.condition("PaymentAccepted", "False")] if before else []}
        found = shown(memberAbilities=["CAN_QUERY"], paymentConfiguration=QUERIES)
        facts = joining.facts(situation(subject({}, status=status), found), found)
        assert [fact.status for fact in facts] == (["True"] if before else [])

    @pytest.mark.parametrize(
        ("spec", "status", "expected"),
        [
            pytest.param({"paymentConfiguration": QUERIES}, "ACTIVE", True, id="to be accepted"),
            pytest.param({}, "ACTIVE", False, id="the spec says nothing of payments"),
            pytest.param(
                {"paymentConfiguration": QUERIES}, "REMOVED", False, id="AWS would deny it"
            ),
        ],
    )
    def test_members_are_read_only_where_that_tells_something(
        self, spec: Document, status: str, *, expected: bool
    ) -> None:
        assert accepting.MEMBERS.wanted(subject(spec), {"status": status}, {}) is expected


def put(resource: Resource, found: Present) -> Change | None:
    return joining.put_ml_configuration(situation(resource, found), found)


class TestMLConfiguration:
    def test_it_is_put_where_there_is_none(self) -> None:
        change = put(subject({"mlConfiguration": ML}), shown(ml=None))
        assert change is not None
        assert change.operation == "PutMLConfiguration"
        assert change.parameters == {"membershipIdentifier": "m-1", **ML}
        assert change.record == PUT_BY_US, "it must be known whose it is, whatever happens"
        assert change.drift == (), "what is made for the first time is not drift"

    def test_it_is_left_alone_where_it_is_as_desired(self) -> None:
        assert put(subject({"mlConfiguration": ML}), shown(ml=ML)) is None

    def test_nothing_is_put_into_a_membership_that_is_over(self) -> None:
        found = shown(ml=None, status="REMOVED")
        assert put(subject({"mlConfiguration": ML}), found) is None

    @pytest.mark.parametrize(
        ("resource", "overwrites"),
        [
            pytest.param(
                subject({"mlConfiguration": ML}), True, id="on a membership that we created"
            ),
            pytest.param(
                subject({"mlConfiguration": ML}, annotations=ADOPTED),
                False,
                id="what another put on an adopted membership stays",
            ),
            pytest.param(
                subject({"mlConfiguration": ML, **FULL}, annotations=ADOPTED),
                True,
                id="unless a person says Full",
            ),
            pytest.param(
                subject({"mlConfiguration": ML}, annotations=ADOPTED, status=PUT_BY_US),
                True,
                id="or we put it ourselves",
            ),
            pytest.param(
                subject(
                    {"mlConfiguration": ML},
                    annotations=ADOPTED,
                    status={"mlConfiguration": {"putBy": "b/member"}},
                ),
                False,
                id="which another resource's is not",
            ),
        ],
    )
    def test_a_differing_one_is_overwritten_only_where_it_is_ours(
        self, resource: Resource, *, overwrites: bool
    ) -> None:
        """R-5: an upsert without identity may destroy what another made."""
        found = shown(ml=OTHER_ML)
        change = put(resource, found)
        kept = joining.unapplied(situation(resource, found), found)
        assert (change is not None) is overwrites
        assert bool(kept) is not overwrites, "what is not corrected is told"
        for leaf in change.drift if change is not None else kept:
            assert leaf.path.startswith("mlConfiguration.defaultOutputLocation.")

    @pytest.mark.parametrize(
        ("resource", "ml"),
        [
            pytest.param(subject({}), OTHER_ML, id="the spec says nothing"),
            pytest.param(
                subject({"mlConfiguration": ML}, annotations=ADOPTED), None, id="there is none"
            ),
        ],
    )
    def test_there_is_nothing_to_tell(self, resource: Resource, ml: Document | None) -> None:
        found = shown(ml=ml)
        assert joining.unapplied(situation(resource, found), found) == ()

    @pytest.mark.parametrize(
        ("status", "ml", "taken"),
        [
            pytest.param(PUT_BY_US, ML, True, id="we put it"),
            pytest.param({}, ML, False, id="somebody else did"),
            pytest.param(PUT_BY_US, None, False, id="it is gone already"),
            pytest.param(PUT_BY_US, UNREAD, False, id="it was not read"),
        ],
    )
    def test_it_is_taken_away_when_the_spec_lacks_it_or_the_membership_goes(
        self, status: dict[str, Any], ml: Any, *, taken: bool
    ) -> None:
        """R-5: deleted only where status says that we put it."""
        found, resource = shown(ml=ml), subject({}, status=status)
        expected = (
            Change("cleanroomsml", "DeleteMLConfiguration", {"membershipIdentifier": "m-1"})
            if taken
            else None
        )
        assert put(resource, found) == expected
        assert joining.delete_ml_configuration(situation(resource, found), found) == expected

    def test_nothing_is_taken_away_that_was_not_read(self) -> None:
        found = make.present(details=None)
        assert put(subject({}, status=PUT_BY_US), found) is None

    @pytest.mark.parametrize(
        ("resource", "expected"),
        [
            pytest.param(subject({"mlConfiguration": ML}), True, id="to be put"),
            pytest.param(subject({}, status=PUT_BY_US), True, id="to be taken away"),
            pytest.param(subject({}), False, id="nobody speaks of it"),
        ],
    )
    def test_it_is_read_only_where_somebody_speaks_of_it(
        self, resource: Resource, *, expected: bool
    ) -> None:
        assert joining.ML_CONFIGURATION.wanted(resource, {}) is expected


class TestStatus:
    @pytest.mark.parametrize(
        ("resource", "ml", "expected"),
        [
            pytest.param(
                subject({"mlConfiguration": ML}), ML, PUT_BY_US["mlConfiguration"], id="as we want"
            ),
            pytest.param(
                subject({"mlConfiguration": ML}, annotations=ADOPTED),
                ML,
                None,
                id="what another put as we want it is not ours to delete",
            ),
            pytest.param(
                subject({}, status=PUT_BY_US),
                OTHER_ML,
                PUT_BY_US["mlConfiguration"],
                id="ours, though somebody edited it",
            ),
            pytest.param(subject({"mlConfiguration": ML}), None, None, id="gone"),
            pytest.param(subject({"mlConfiguration": ML}), OTHER_ML, None, id="not as we want yet"),
            pytest.param(subject({}), OTHER_ML, None, id="nothing that we asked for"),
        ],
    )
    def test_it_is_known_whose_the_ml_configuration_is(
        self, resource: Resource, ml: Document | None, expected: Document | None
    ) -> None:
        found = shown(ml=ml)
        told = joining.report(situation(resource, found), found)
        assert told["mlConfiguration"] == expected

    def test_what_was_not_read_is_not_told(self) -> None:
        assert joining.report(situation(subject(), shown()), shown()) == {
            "collaborationIdentifier": "c-1",
            "acceptedPayments": [],
        }
        unread = make.present(details=None)
        assert joining.report(situation(subject(), unread), unread) == {}

    @pytest.mark.parametrize(
        ("policy", "expected"), [(None, None), ("Delete", None), ("Retain", True)]
    )
    @pytest.mark.parametrize(
        ("found", "status"),
        [
            pytest.param(shown(), {}, id="by what was read"),
            pytest.param(
                make.present(details=None),
                {"collaborationIdentifier": "c-1"},
                id="by what is recorded",
            ),
        ],
    )
    def test_it_is_remembered_that_the_collaboration_stays(
        self, policy: str | None, found: Present, status: dict[str, str], *, expected: bool | None
    ) -> None:
        """R-38: the Collaboration resource may be gone by the time that the membership goes."""
        known = {"Collaboration": (collaboration(deletionPolicy=policy),)}
        about = situation(subject({}, status=status), found, neighbours=known)
        assert joining.report(about, found)["collaborationRetained"] is expected


def collaboration(identifier: str = "c-1", **spec: Any) -> Resource:
    return make.resource(
        key=Key("Collaboration", "z", "ads"), spec=spec, status={"identifier": identifier}
    )


class TestLeaving:
    @pytest.mark.parametrize(
        "found",
        [
            pytest.param(shown(status="COLLABORATION_DELETED"), id="the collaboration is deleted"),
            pytest.param(shown(status="REMOVED"), id="the account was removed"),
            pytest.param(make.present(state="ACTIVE", details=None), id="it was not read"),
        ],
    )
    def test_nothing_holds_what_is_over(self, found: Present) -> None:
        """OP-8: nothing is left that could block."""
        assert joining.blockers(situation(subject(), found), found) == ()

    @pytest.mark.parametrize("kind", keeping.UNDER_MEMBERSHIPS)
    @pytest.mark.parametrize("deleted", [None, make.NOW])
    def test_it_is_kept_while_an_object_lives_under_it(
        self, kind: str, deleted: datetime | None
    ) -> None:
        """OP-8: also under a membership that is over, where AWS would refuse its deletion."""
        found = shown(status="COLLABORATION_DELETED")
        user = make.resource(
            key=Key(kind, "a", "churn"),
            status={"membershipIdentifier": found.identifier},
            finalizers=(FINALIZER,),
            deleted=deleted,
        )
        other = replace(user, status={"membershipIdentifier": "another"})
        known = {kind: (user, other)}
        [blocker] = joining.blockers(situation(subject(), found, neighbours=known), found)
        assert blocker.first, "its parts are still needed"
        assert f"{kind}/churn in namespace a" in blocker.message
        assert ("delete it too" in blocker.message) is (deleted is None)

    def test_a_member_does_not_leave_without_a_word(self) -> None:
        """R-13: leaving cannot be undone."""
        found = shown(collaborationCreatorAccountId=PARTNER)
        [blocker] = joining.blockers(situation(subject(), found), found)
        assert blocker.first, "its parts stay too"
        assert not blocker.retains
        assert "delete-membership" in blocker.message

    def test_a_member_leaves_when_a_person_says_so(self) -> None:
        """R-13."""
        found = shown(collaborationCreatorAccountId=PARTNER)
        agreed = subject(annotations=make.annotations(delete_membership="true"))
        assert joining.blockers(situation(agreed, found), found) == ()

    def test_the_creators_membership_waits_for_the_collaboration(self) -> None:
        """OP-8: AWS keeps the creator's membership as long as the collaboration exists."""
        wanted = collaboration()
        going = replace(wanted, deleted=make.NOW)
        told = [self.creators(neighbour) for neighbour in (wanted, going)]
        assert all("Collaboration/ads in namespace z" in message for message in told)
        assert "delete it too" in told[0]
        assert "delete it too" not in told[1]

    def test_the_creators_membership_says_what_the_collaboration_waits_for(self) -> None:
        """R-15: both name the account and the remedy."""
        members = [{"accountId": account, "status": "ACTIVE"} for account in (CREATOR, PARTNER)]
        known = collaboration()
        going = replace(known, deleted=make.NOW, status={**known.status, "members": members})
        told = self.creators(going)
        assert PARTNER in told
        assert CREATOR not in told
        assert (
            'annotate the Collaboration cleanrooms-operator.dev/delete-collaboration: "true"'
            in told
        )
        agreed = replace(going, annotations=make.annotations(delete_collaboration="true"))
        assert PARTNER not in self.creators(agreed)

    def test_without_a_collaboration_here_a_person_must_help(self) -> None:
        told = self.creators(collaboration("c-2"))
        assert "abandon" in told

    @staticmethod
    def creators(*neighbours: Resource) -> str:
        found = shown()
        about = situation(subject(), found, neighbours={"Collaboration": neighbours})
        [blocker] = joining.blockers(about, found)
        assert not blocker.first, "its parts go all the same"
        assert not blocker.retains
        return blocker.message

    @pytest.mark.parametrize(
        ("neighbours", "status", "retained"),
        [
            pytest.param((collaboration(deletionPolicy="Retain"),), {}, True, id="it is retained"),
            pytest.param((), {"collaborationRetained": True}, True, id="it was, and is gone here"),
            pytest.param(
                (collaboration(),),
                {"collaborationRetained": True},
                False,
                id="it was, and is not any more",
            ),
        ],
    )
    def test_a_retained_collaboration_retains_its_creators_membership(
        self, neighbours: tuple[Resource, ...], status: dict[str, Any], *, retained: bool
    ) -> None:
        found, about = shown(), subject(status=status)
        known = {"Collaboration": neighbours}
        [blocker] = joining.blockers(situation(about, found, neighbours=known), found)
        assert (blocker.retains, blocker.first) == (retained, retained)
