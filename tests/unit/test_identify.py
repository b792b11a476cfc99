"""Whose identity acts for a resource, and what follows when there is none."""

from typing import Any

import pytest

import make
from cleanrooms_operator.core.reasons import Reason
from cleanrooms_operator.core.resource import Key, Resource
from cleanrooms_operator.core.step import Release, Stall, Step, Wait
from cleanrooms_operator.runtime.identify import identify
from cleanrooms_operator.runtime.ports import Identity
from scripted import IDENTITY, desk

SEEN = {"conditions": [make.condition("Ready", "False")]}
RECORDED = {**SEEN, "identifier": "id-1"}
DENIED = make.condition("Ready", "False", reason="AccessDenied")
NOT_READY = make.account(status={"conditions": [DENIED]})
GOING = make.account(deleted=make.NOW)


async def found(resource: Resource, *accounts: Resource) -> Identity | Step:
    return await identify(resource, desk(*accounts).ports, is_new=False)


class TestAccounts:
    @pytest.mark.parametrize(
        "resource",
        [
            pytest.param(make.resource(), id="before anything is recorded"),
            pytest.param(make.bound(), id="where the object lives"),
        ],
    )
    async def test_an_account_that_is_ready_acts(self, resource: Resource) -> None:
        assert await found(resource, make.account()) == IDENTITY

    @pytest.mark.parametrize(
        ("account", "problem"),
        [
            pytest.param(None, "does not exist", id="there is none"),
            pytest.param(NOT_READY, "is not ready: AccessDenied", id="it is not ready"),
            pytest.param(make.account(status={}), "Waits for", id="nobody has looked at it"),
            pytest.param(
                make.account(generation=2), "Waits for", id="it was edited and not proved since"
            ),
            pytest.param(GOING, "is being deleted", id="it is going"),
        ],
    )
    async def test_without_one_nothing_is_done(
        self, account: Resource | None, problem: str
    ) -> None:
        accounts = () if account is None else (account,)
        step = await found(make.bound(), *accounts)
        assert isinstance(step, Wait)
        assert step.reason is Reason.DEPENDENCY_NOT_READY
        assert "AWSAccount/default" in step.message
        assert problem in step.message

    async def test_what_names_a_membership_acts_in_its_account(self) -> None:
        resource = make.resource(spec={"membershipRef": {"name": "m"}})
        membership = make.resource(key=Key("Membership", "a", "m"))
        assert await found(resource, make.account(), membership) == IDENTITY
        step = await found(resource, make.account())
        assert isinstance(step, Wait)
        assert "Membership/m does not exist" in step.message

    async def test_one_that_is_going_serves_what_is_going_too(self) -> None:
        """A namespace goes all at once: its resources still have to clean up."""
        assert await found(make.bound(deleted=make.NOW), GOING) == IDENTITY

    async def test_one_that_was_never_proved_serves_nobody(self) -> None:
        unproved = make.account(deleted=make.NOW, status={})
        assert isinstance(await found(make.bound(deleted=make.NOW), unproved), Wait)

    @pytest.mark.parametrize(
        "recorded",
        [
            pytest.param({"accountID": make.OTHER_ACCOUNT}, id="another account"),
            pytest.param({"region": "eu-west-1"}, id="another region"),
        ],
    )
    async def test_an_object_is_never_looked_for_where_it_does_not_live(
        self, recorded: dict[str, str]
    ) -> None:
        """There it would seem to be gone."""
        step = await found(make.bound(status=recorded), make.account())
        assert isinstance(step, Stall)
        assert step.reason is Reason.ACCOUNT_CHANGED
        assert next(iter(recorded.values())) in step.message


class TestDeletions:
    @pytest.mark.parametrize(
        "status",
        [
            pytest.param({}, id="never seen"),
            pytest.param(SEEN, id="seen, perhaps after its status was lost"),
            pytest.param({**SEEN, "attempt": {"id": "x"}}, id="an attempt may have made one"),
            pytest.param(RECORDED, id="an object is recorded"),
        ],
    )
    async def test_nothing_is_let_go_unseen(self, status: dict[str, Any]) -> None:
        """No status proves that a resource never made anything: backups have none."""
        step = await found(make.resource(deleted=make.NOW, status=status))
        assert isinstance(step, Wait)
        assert step.reason is Reason.DELETION_BLOCKED
        assert "AWSAccount/default does not exist" in step.message

    @pytest.mark.parametrize(
        ("status", "expected"),
        [({}, Release), (SEEN, Release), ({"attempt": {"id": "x"}}, Wait), (RECORDED, Wait)],
    )
    async def test_what_a_membership_outlived_goes_with_it(
        self, status: dict[str, Any], expected: type[Step]
    ) -> None:
        spec = {"membershipRef": {"name": "m"}}
        resource = make.resource(deleted=make.NOW, status=status, spec=spec)
        assert isinstance(await found(resource, make.account()), expected)

    async def test_what_is_wanted_waits(self) -> None:
        assert isinstance(await found(make.resource(status=SEEN)), Wait)
