"""The happy path in the simulated world: two companies, all ready, then quiet, then gone."""

from simulation.invariants import check_rest
from simulation.specs import CREATOR, PARTNER, walkthrough
from simulation.world import World


def test_both_companies_become_ready_and_stay_quiet() -> None:
    world = World()
    keys = walkthrough(world)
    world.settle()
    for key in keys:
        assert world.resources[key].is_true("Ready"), world.resources[key].status
    assert world.aws.applied("CreateCollaboration") == 1
    assert world.aws.applied("CreateMembership") == 2
    check_rest(world)
    collaboration = world.resources[keys[0]]
    assert collaboration.status["membersJoined"] == "2/2"
    for member in (CREATOR, PARTNER):
        shown = world.ask(
            CREATOR,
            "cleanrooms",
            "ListMembers",
            collaborationIdentifier=collaboration.status["identifier"],
        )["memberSummaries"]
        assert member in {m["accountId"] for m in shown if m["status"] == "ACTIVE"}
